#include <string.h>

#include "../dot.h"
#include "../fixed_point.h"
#include "../walk.h"

/* What follows from the parameters. */
typedef struct {
    const qk_conv_2d_params *p;
    int32_t depth;          /* of the filter: input channels of a group */
    int32_t group_channels; /* output channels of a group */
    int32_t filter_size;    /* elements of one output channel's filter */
} layer;

static int32_t filter_size(const qk_conv_2d_params *p) {
    return p->rows.filter * p->columns.filter * (p->input_channels / p->groups);
}

uint32_t qk_conv_2d_scratch(const qk_conv_2d_params *p) {
    return (uint32_t)filter_size(p) * (uint32_t)sizeof(int16_t);
}

static void centre(const int8_t *from, int32_t zero, int32_t count, int16_t *to) {
    int32_t i;
    for (i = 0; i < count; i++) to[i] = (int16_t)(from[i] - zero);
}

/* What the window at an output position sees of a group's channels, as a filter lies in memory, with the zero
 * point subtracted; the padding is 0. */
static void read_window(const layer *l, const int8_t *image, int32_t y, int32_t x, int16_t *to) {
    const qk_window *rows = &l->p->rows, *columns = &l->p->columns;
    const int32_t zero = l->p->input_zero, input_depth = l->p->input_channels;
    int32_t first_row, last_row, first, last, i, j;
    const int32_t top = qk_window_taps(rows, y, &first_row, &last_row);
    const int32_t left = qk_window_taps(columns, x, &first, &last);
    if (last_row - first_row < rows->filter || last - first < columns->filter)
        memset(to, 0, (uint32_t)l->filter_size * sizeof *to);
    for (i = first_row; i < last_row; i++) {
        const int8_t *row = image + (top + i * rows->dilation) * columns->input * input_depth;
        int16_t *line = to + i * columns->filter * l->depth;
        if (columns->dilation == 1 && l->depth == input_depth) {
            centre(row + (left + first) * l->depth, zero, (last - first) * l->depth, line + first * l->depth);
            continue;
        }
        for (j = first; j < last; j++) {
            const int8_t *tap = row + (left + j * columns->dilation) * input_depth;
            centre(tap, zero, l->depth, line + j * l->depth);
        }
    }
}

/* The output channels [first, last) of one position. */
static void write_channels(const layer *l, const qk_weights *weights, const int16_t *window, int32_t first,
                           int32_t last, int8_t *to) {
    const int32_t size = l->filter_size, zero = l->p->output_zero;
    const qk_weights w = *weights; /* in locals, which a store to the output cannot change */
    const qk_range range = l->p->range;
    int32_t sums[4], c = first, i;
    while (c < last) {
        const int32_t count = last - c < 4 ? 1 : 4;
        if (count == 4)
            qk_dot_window_4(window, w.values + c * size, size, sums);
        else
            sums[0] = qk_dot_window(window, w.values + c * size, size);
        for (i = 0; i < count; i++, c++) {
            int32_t sum = qk_wrapping_add(sums[i], qk_bias(w.bias, c));
            to[c] = qk_to_code(sum, w.scales[c], zero, range);
        }
    }
}

void qk_conv_2d(const qk_conv_2d_params *p, const int8_t *input, const qk_weights *weights, void *scratch,
                int8_t *output) {
    const layer l = {p, p->input_channels / p->groups, p->output_channels / p->groups, filter_size(p)};
    const int32_t image_size = p->rows.input * p->columns.input * p->input_channels;
    int16_t *window = scratch;
    int32_t n, y, x, group;
    for (n = 0; n < p->batches; n++, input += image_size) {
        for (y = 0; y < p->rows.output; y++) {
            for (x = 0; x < p->columns.output; x++, output += p->output_channels) {
                for (group = 0; group < p->groups; group++) {
                    int32_t first = group * l.group_channels;
                    read_window(&l, input + group * l.depth, y, x, window);
                    write_channels(&l, weights, window, first, first + l.group_channels, output);
                }
            }
        }
    }
}
