#include "../dot.h"
#include "../walk.h"

#define BLOCK 32 /* channels summed side by side */

/* The sums of channels [first, first + count), count <= BLOCK, at one output position. */
static void sum_block(const qk_depthwise_conv_2d_params *p, const int16_t *image, const int8_t *weights,
                      int32_t y, int32_t x, int32_t first, int32_t count, int64_t *sums) {
    const qk_window *rows = &p->rows, *columns = &p->columns;
    const int32_t depth = p->input_channels, channels = depth * p->multiplier;
    int32_t row0, row1, column0, column1, i, j, c;
    const int32_t top = qk_window_taps(rows, y, &row0, &row1);
    const int32_t left = qk_window_taps(columns, x, &column0, &column1);
    for (c = 0; c < count; c++) sums[c] = 0;
    for (i = row0; i < row1; i++) {
        for (j = column0; j < column1; j++) {
            int32_t pixel = (top + i * rows->dilation) * columns->input + left + j * columns->dilation;
            const int16_t *from = image + pixel * depth;
            const int8_t *tap = weights + (i * columns->filter + j) * channels + first;
            for (c = 0; c < count; c++) sums[c] += from[(first + c) / p->multiplier] * tap[c];
        }
    }
}

void qk_depthwise_conv_2d_s16(const qk_depthwise_conv_2d_params *p, const int16_t *input,
                              const qk_weights_s16 *weights, int16_t *output) {
    const int32_t image_size = p->rows.input * p->columns.input * p->input_channels;
    const int32_t channels = p->input_channels * p->multiplier;
    int64_t sums[BLOCK];
    int32_t n, y, x, first, c;
    for (n = 0; n < p->batches; n++, input += image_size) {
        for (y = 0; y < p->rows.output; y++) {
            for (x = 0; x < p->columns.output; x++) {
                for (first = 0; first < channels; first += BLOCK) {
                    const int32_t count = channels - first < BLOCK ? channels - first : BLOCK;
                    sum_block(p, input, weights->values, y, x, first, count, sums);
                    for (c = 0; c < count; c++)
                        *output++ = qk_channel_code_s16(weights, sums[c], first + c, p->range);
                }
            }
        }
    }
}
