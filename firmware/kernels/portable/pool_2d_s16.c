#include "../fixed_point.h"
#include "../walk.h"

/* What becomes of `rows` x `columns` taps of one channel. */
typedef int32_t (*reducer)(const qk_pool_2d_params *p, const int16_t *from, int32_t rows, int32_t columns);

static int32_t mean_of_taps(const qk_pool_2d_params *p, const int16_t *from, int32_t rows, int32_t columns) {
    const int64_t taps = (int64_t)rows * columns;
    int64_t sum = 0;
    int32_t i, j;
    for (i = 0; i < rows; i++)
        for (j = 0; j < columns; j++) sum += from[(i * p->columns.input + j) * p->channels];
    return (int32_t)((sum + (sum > 0 ? taps / 2 : -(taps / 2))) / taps);
}

static int32_t largest_tap(const qk_pool_2d_params *p, const int16_t *from, int32_t rows, int32_t columns) {
    int32_t largest = INT16_MIN, i, j;
    for (i = 0; i < rows; i++) {
        for (j = 0; j < columns; j++) {
            int32_t code = from[(i * p->columns.input + j) * p->channels];
            if (code > largest) largest = code;
        }
    }
    return largest;
}

static void pool(const qk_pool_2d_params *p, const int16_t *input, int16_t *output, reducer reduce) {
    const int32_t image_size = p->rows.input * p->columns.input * p->channels;
    int32_t n, y, x, c, row0, row1, column0, column1;
    for (n = 0; n < p->batches; n++, input += image_size) {
        for (y = 0; y < p->rows.output; y++) {
            const int32_t top = qk_window_taps(&p->rows, y, &row0, &row1) + row0;
            for (x = 0; x < p->columns.output; x++) {
                const int32_t left = qk_window_taps(&p->columns, x, &column0, &column1) + column0;
                const int16_t *from = input + (top * p->columns.input + left) * p->channels;
                for (c = 0; c < p->channels; c++) {
                    const int32_t code = reduce(p, from + c, row1 - row0, column1 - column0);
                    *output++ = (int16_t)qk_clamp(code, p->range.low, p->range.high);
                }
            }
        }
    }
}

void qk_average_pool_2d_s16(const qk_pool_2d_params *p, const int16_t *input, int16_t *output) {
    pool(p, input, output, mean_of_taps);
}

void qk_max_pool_2d_s16(const qk_pool_2d_params *p, const int16_t *input, int16_t *output) {
    pool(p, input, output, largest_tap);
}
