#include "../fixed_point.h"

void qk_leaky_relu_s16(const qk_leaky_relu_params *p, const int16_t *input, uint32_t count, int16_t *output) {
    const qk_range all = {INT16_MIN, INT16_MAX};
    const qk_scale above = p->positive;
    const qk_scale below = {p->negative_sign * p->negative.multiplier, p->negative.shift};
    uint32_t i;
    for (i = 0; i < count; i++) output[i] = qk_to_code_s16(input[i], input[i] >= 0 ? above : below, all);
}
