#include "../fixed_point.h"
#include "../walk.h"

static int32_t operand(const qk_add_params *p, unsigned which, int16_t code) {
    return qk_rescale(code * (1 << QK_ADD_SHIFT_S16), p->scales[which]);
}

static void add_row(const void *params, const int16_t *a, int32_t step_a, const int16_t *b, int32_t step_b,
                    int16_t *to, int32_t count) {
    const qk_add_params *p = params;
    int32_t i;
    for (i = 0; i < count; i++, a += step_a, b += step_b) {
        int32_t sum = operand(p, 0, *a) + operand(p, 1, *b);
        to[i] = qk_to_code_s16(sum, p->output_scale, p->range);
    }
}

void qk_add_s16(const qk_add_params *p, const int16_t *a, const int16_t *b, int16_t *output) {
    qk_broadcast_rows_s16(&p->walk, a, b, output, add_row, p);
}
