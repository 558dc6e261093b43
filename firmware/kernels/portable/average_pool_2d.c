#include "../fixed_point.h"
#include "../walk.h"

/* The sum of `rows` x `columns` taps of one channel. */
static int32_t sum_taps(const qk_pool_2d_params *p, const int8_t *from, int32_t rows, int32_t columns) {
    int32_t sum = 0, i, j;
    for (i = 0; i < rows; i++)
        for (j = 0; j < columns; j++) sum += from[(i * p->columns.input + j) * p->channels];
    return sum;
}

void qk_average_pool_2d(const qk_pool_2d_params *p, const int8_t *input, int8_t *output) {
    const int32_t image_size = p->rows.input * p->columns.input * p->channels;
    int32_t n, y, x, c, row0, row1, column0, column1;
    for (n = 0; n < p->batches; n++, input += image_size) {
        for (y = 0; y < p->rows.output; y++) {
            const int32_t top = qk_window_taps(&p->rows, y, &row0, &row1) + row0;
            for (x = 0; x < p->columns.output; x++) {
                const int32_t left = qk_window_taps(&p->columns, x, &column0, &column1) + column0;
                const int8_t *from = input + (top * p->columns.input + left) * p->channels;
                const int32_t taps = (row1 - row0) * (column1 - column0);
                for (c = 0; c < p->channels; c++) {
                    int32_t sum = sum_taps(p, from + c, row1 - row0, column1 - column0);
                    sum = (sum + (sum > 0 ? taps / 2 : -(taps / 2))) / taps;
                    *output++ = (int8_t)qk_clamp(sum, p->range.low, p->range.high);
                }
            }
        }
    }
}
