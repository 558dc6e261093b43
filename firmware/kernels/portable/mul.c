#include "../fixed_point.h"
#include "../walk.h"

static void mul_row(const void *params, const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                    int8_t *to, int32_t count) {
    const qk_mul_params *p = params;
    int32_t i;
    for (i = 0; i < count; i++, a += step_a, b += step_b) {
        int32_t product = (*a - p->zero[0]) * (*b - p->zero[1]);
        to[i] = qk_to_code(product, p->scale, p->output_zero, p->range);
    }
}

void qk_mul(const qk_mul_params *p, const int8_t *a, const int8_t *b, int8_t *output) {
    qk_broadcast_rows(&p->walk, a, b, output, mul_row, p);
}
