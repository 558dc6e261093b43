#include "../dot.h"
#include "../fixed_point.h"
#include "../walk.h"

#define BLOCK 32 /* channels summed side by side */

/* Add to the accumulators of channels [first, first + count), count <= BLOCK, at one output position. */
static void sum_block(const qk_depthwise_conv_2d_params *p, const int8_t *image, const int8_t *weights,
                      int32_t y, int32_t x, int32_t first, int32_t count, int32_t *sums) {
    const qk_window *rows = &p->rows, *columns = &p->columns;
    const int32_t depth = p->input_channels, channels = depth * p->multiplier, zero = p->input_zero;
    int32_t row0, row1, column0, column1, i, j, c;
    const int32_t top = qk_window_taps(rows, y, &row0, &row1);
    const int32_t left = qk_window_taps(columns, x, &column0, &column1);
    for (i = row0; i < row1; i++) {
        for (j = column0; j < column1; j++) {
            int32_t pixel = (top + i * rows->dilation) * columns->input + left + j * columns->dilation;
            const int8_t *from = image + pixel * depth;
            const int8_t *tap = weights + (i * columns->filter + j) * channels + first;
            if (p->multiplier == 1) {
                for (c = 0; c < count; c++)
                    sums[c] = qk_wrapping_add(sums[c], (from[first + c] - zero) * tap[c]);
            } else {
                for (c = 0; c < count; c++)
                    sums[c] = qk_wrapping_add(sums[c], (from[(first + c) / p->multiplier] - zero) * tap[c]);
            }
        }
    }
}

/* All channels of one output position. */
static void write_position(const qk_depthwise_conv_2d_params *p, const int8_t *image,
                           const qk_weights *weights, int32_t y, int32_t x, int8_t *to) {
    const int32_t channels = p->input_channels * p->multiplier, zero = p->output_zero;
    const qk_weights w = *weights; /* in locals, which a store to the output cannot change */
    const qk_range range = p->range;
    int32_t sums[BLOCK], first, c;
    for (first = 0; first < channels; first += BLOCK) {
        int32_t left = channels - first, count = left < BLOCK ? left : BLOCK;
        for (c = 0; c < count; c++) sums[c] = qk_bias(w.bias, first + c);
        sum_block(p, image, w.values, y, x, first, count, sums);
        for (c = 0; c < count; c++) *to++ = qk_to_code(sums[c], w.scales[first + c], zero, range);
    }
}

void qk_depthwise_conv_2d(const qk_depthwise_conv_2d_params *p, const int8_t *input,
                          const qk_weights *weights, int8_t *output) {
    const int32_t image_size = p->rows.input * p->columns.input * p->input_channels;
    const int32_t channels = p->input_channels * p->multiplier;
    int32_t n, y, x;
    for (n = 0; n < p->batches; n++, input += image_size)
        for (y = 0; y < p->rows.output; y++)
            for (x = 0; x < p->columns.output; x++, output += channels)
                write_position(p, input, weights, y, x, output);
}
