#include "../exponential.h"

#define ONE INT32_MAX /* nearest to 1 that no integer bits can express */

/* exp(x) for x in [-1/4, 0): four terms of the series around -1/8. */
static int32_t exp_last_quarter(int32_t raw) {
    const int32_t exp_minus_eighth = 1895147668, third = 715827883;
    const int32_t x = qk_wrapping_add(raw, 1 << 28);
    const int32_t x2 = qk_high_mul(x, x), x3 = qk_high_mul(x2, x), x4 = qk_high_mul(x2, x2);
    const int32_t cubic = qk_high_mul(qk_round_shift(x4, 2) + x3, third);
    const int32_t series = x + qk_round_shift(cubic + x2, 1);
    return exp_minus_eighth + qk_high_mul(exp_minus_eighth, series);
}

int32_t qk_exp_negative(int32_t x, int32_t integer_bits) {
    /* exp(-2^k) for k = -2 ... 4 */
    static const int32_t powers[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t fraction_bits = 31 - integer_bits, quarter = 1 << (fraction_bits - 2);
    const int32_t rest = (x & (quarter - 1)) - quarter;
    const uint32_t whole = (uint32_t)rest - (uint32_t)x;
    int32_t result = exp_last_quarter(qk_saturating_shift_left(rest, integer_bits)), k;
    for (k = -2; k < integer_bits; k++) {
        if (whole >> (fraction_bits + k) & 1) result = qk_high_mul(result, powers[k + 2]);
    }
    return x == 0 ? ONE : result;
}

/* 2 / (1 + x) with two integer bits, by Newton and Raphson from 48/17 - 32/17 d. */
static int32_t twice_over_one_plus(int32_t x) {
    const int32_t half_denominator = (int32_t)(((int64_t)x + ONE + 1) / 2);
    int32_t estimate = 1515870810 + qk_high_mul(half_denominator, -1010580540), i;
    for (i = 0; i < 3; i++) {
        int32_t error = (1 << 29) - qk_high_mul(half_denominator, estimate);
        estimate = qk_wrapping_add(estimate, qk_saturating_shift_left(qk_high_mul(estimate, error), 2));
    }
    return estimate;
}

int32_t qk_one_over_one_plus(int32_t x) { return qk_saturating_shift_left(twice_over_one_plus(x), 1); }
