/* Integer arithmetic with TFLite's roundings, bit for bit (double rounding; Jacob et al., CVPR 2018, 2.2).
 *
 * Right shifts of negative numbers are taken to be arithmetic, as on every compiler that this is built with.
 */
#ifndef QB_FIXED_POINT_H
#define QB_FIXED_POINT_H

#include <stdbool.h>
#include <stdint.h>

/* real = multiplier * 2^(shift - 31), multiplier in [2^30, 2^31) or 0, shift in [-31, 31]. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} qb_scale;

/* False when `real` is negative, not finite or too large to be one. */
bool qb_to_scale(double real, qb_scale *scale);

/* Sums and shifts that wrap, as an accumulator does. */
static inline int32_t qb_add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
static inline int32_t qb_shift_left(int32_t x, int32_t bits) { return (int32_t)((uint32_t)x << bits); }

static inline int32_t qb_clamp(int32_t x, int32_t low, int32_t high) {
    return x < low ? low : x > high ? high : x;
}

/* a * b / 2^31, rounded to nearest, ties up, saturated. */
static inline int32_t qb_high_mul(int32_t a, int32_t b) {
    if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* x / 2^bits, rounded to nearest, ties away from zero; bits in [0, 31]. */
static inline int32_t qb_round_shift(int32_t x, int32_t bits) {
    int32_t mask = (int32_t)(((int64_t)1 << bits) - 1);
    int32_t threshold = (mask >> 1) + (x < 0);
    return (x >> bits) + ((x & mask) > threshold);
}

/* x * scale, rounded twice. */
static inline int32_t qb_rescale(int32_t x, int32_t multiplier, int32_t shift) {
    int32_t left = shift > 0 ? shift : 0;
    return qb_round_shift(qb_high_mul(qb_shift_left(x, left), multiplier), left - shift);
}

/* x * 2^bits, saturated; bits in [0, 31]. */
static inline int32_t qb_saturating_shift_left(int32_t x, int32_t bits) {
    int64_t wide = (int64_t)x * ((int64_t)1 << bits);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

#endif
