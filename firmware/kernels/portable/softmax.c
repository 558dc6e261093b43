#include <math.h>

#include "../exponential.h"

#define INTEGER_BITS 5
#define SUM_INTEGER_BITS 12

bool qk_softmax_scale(double unit, qk_softmax_params *p) {
    const double one = (double)((int64_t)1 << (31 - INTEGER_BITS));
    double reach;
    if (!qk_scale_of(fmin(unit * one, 2147483647.0), &p->scale) || p->scale.shift < 0) return false;
    reach = ((1 << INTEGER_BITS) - 1) * one / (double)((int64_t)1 << p->scale.shift);
    p->radius = (int32_t)floor(reach);
    return true;
}

/* exp of a difference to the row's largest code, no integer bits; 0 where it is too far below. */
static int32_t exp_of(const qk_softmax_params *p, int32_t difference) {
    if (difference < -p->radius) return 0;
    return qk_exp_negative(qk_high_mul(qk_shift_left(difference, p->scale.shift), p->scale.multiplier),
                           INTEGER_BITS);
}

static int32_t leading_zeros(uint32_t x) {
    int32_t zeros = 0;
    for (; zeros < 32 && !(x >> 31); x <<= 1) zeros++;
    return zeros;
}

static void write_row(const qk_softmax_params *p, const int8_t *from, int8_t *to) {
    int32_t largest = INT8_MIN, sum = 0, i, headroom, reciprocal, shift;
    for (i = 0; i < p->depth; i++) largest = from[i] > largest ? from[i] : largest;
    for (i = 0; i < p->depth; i++) sum += qk_round_shift(exp_of(p, from[i] - largest), SUM_INTEGER_BITS);
    headroom = leading_zeros((uint32_t)sum);
    reciprocal = qk_one_over_one_plus((int32_t)(((uint32_t)sum << headroom) - ((uint32_t)1 << 31)));
    shift = SUM_INTEGER_BITS - headroom + 31 - 8;
    for (i = 0; i < p->depth; i++) {
        int32_t difference = from[i] - largest, share;
        if (difference < -p->radius) {
            to[i] = INT8_MIN;
            continue;
        }
        share = qk_round_shift(qk_high_mul(reciprocal, exp_of(p, difference)), shift);
        to[i] = (int8_t)qk_clamp(share + INT8_MIN, INT8_MIN, INT8_MAX);
    }
}

void qk_softmax(const qk_softmax_params *p, const int8_t *input, int8_t *output) {
    int32_t n;
    for (n = 0; n < p->rows; n++) write_row(p, input + n * p->depth, output + n * p->depth);
}
