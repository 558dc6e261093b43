#include "../dot.h"
#include "../walk.h"

/* The taps [first, last) of a window along one axis, and the input position of tap 0. */
typedef struct {
    int32_t origin, first, last;
} taps;

static taps taps_at(const qk_window *window, int32_t position) {
    taps t;
    t.origin = qk_window_taps(window, position, &t.first, &t.last);
    return t;
}

/* The sum of products of one output channel at one position; `image` begins at its group's channels. */
static int64_t sum_filter(const qk_conv_2d_params *p, const int16_t *image, const int8_t *filter, taps v,
                          taps h) {
    const int32_t depth = p->input_channels / p->groups;
    const bool joined = p->columns.dilation == 1 && p->groups == 1;
    int64_t sum = 0;
    int32_t i, j;
    for (i = v.first; i < v.last; i++) {
        const int16_t *row = image + (v.origin + i * p->rows.dilation) * p->columns.input * p->input_channels;
        const int8_t *weights = filter + i * p->columns.filter * depth;
        if (joined) { /* the taps of a row lie side by side */
            sum += qk_dot_s16(row + (h.origin + h.first) * depth, weights + h.first * depth,
                              (h.last - h.first) * depth);
            continue;
        }
        for (j = h.first; j < h.last; j++)
            sum += qk_dot_s16(row + (h.origin + j * p->columns.dilation) * p->input_channels,
                              weights + j * depth, depth);
    }
    return sum;
}

void qk_conv_2d_s16(const qk_conv_2d_params *p, const int16_t *input, const qk_weights_s16 *weights,
                    int16_t *output) {
    const int32_t depth = p->input_channels / p->groups, group_channels = p->output_channels / p->groups;
    const int32_t filter_size = p->rows.filter * p->columns.filter * depth;
    const int32_t image_size = p->rows.input * p->columns.input * p->input_channels;
    int32_t n, y, x, c;
    for (n = 0; n < p->batches; n++, input += image_size) {
        for (y = 0; y < p->rows.output; y++) {
            const taps v = taps_at(&p->rows, y);
            for (x = 0; x < p->columns.output; x++) {
                const taps h = taps_at(&p->columns, x);
                for (c = 0; c < p->output_channels; c++) {
                    const int64_t sum = sum_filter(p, input + c / group_channels * depth,
                                                   weights->values + c * filter_size, v, h);
                    *output++ = qk_channel_code_s16(weights, sum, c, p->range);
                }
            }
        }
    }
}
