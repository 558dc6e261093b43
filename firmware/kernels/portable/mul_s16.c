#include "../fixed_point.h"
#include "../walk.h"

static void mul_row(const void *params, const int16_t *a, int32_t step_a, const int16_t *b, int32_t step_b,
                    int16_t *to, int32_t count) {
    const qk_mul_params *p = params;
    int32_t i;
    for (i = 0; i < count; i++, a += step_a, b += step_b) to[i] = qk_to_code_s16(*a * *b, p->scale, p->range);
}

void qk_mul_s16(const qk_mul_params *p, const int16_t *a, const int16_t *b, int16_t *output) {
    qk_broadcast_rows_s16(&p->walk, a, b, output, mul_row, p);
}
