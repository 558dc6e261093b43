#include "../walk.h"

static void maximum_row(const void *params, const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                        int8_t *to, int32_t count) {
    int32_t i;
    (void)params;
    for (i = 0; i < count; i++, a += step_a, b += step_b) to[i] = *a > *b ? *a : *b;
}

void qk_maximum(const qk_broadcast *walk, const int8_t *a, const int8_t *b, int8_t *output) {
    qk_broadcast_rows(walk, a, b, output, maximum_row, walk);
}
