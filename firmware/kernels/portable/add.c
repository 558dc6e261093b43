#include "../fixed_point.h"
#include "../walk.h"

static int32_t operand(const qk_add_params *p, unsigned which, int8_t code) {
    return qk_rescale((code - p->zero[which]) * (1 << QK_ADD_SHIFT), p->scales[which]);
}

static void add_row(const void *params, const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                    int8_t *to, int32_t count) {
    const qk_add_params *p = params;
    int32_t i;
    for (i = 0; i < count; i++, a += step_a, b += step_b) {
        int32_t sum = operand(p, 0, *a) + operand(p, 1, *b);
        to[i] = qk_to_code(sum, p->output_scale, p->output_zero, p->range);
    }
}

void qk_add(const qk_add_params *p, const int8_t *a, const int8_t *b, int8_t *output) {
    qk_broadcast_rows(&p->walk, a, b, output, add_row, p);
}
