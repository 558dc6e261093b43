#include "../fixed_point.h"

void qk_leaky_relu_table(const qk_leaky_relu_params *p, int8_t table[256]) {
    const qk_range all = {INT8_MIN, INT8_MAX};
    const qk_scale below = {p->negative_sign * p->negative.multiplier, p->negative.shift};
    int32_t i;
    for (i = INT8_MIN; i <= INT8_MAX; i++) {
        int32_t value = i - p->input_zero;
        table[(uint8_t)i] = qk_to_code(value, value >= 0 ? p->positive : below, p->output_zero, all);
    }
}
