/* For the kernels themselves: integer arithmetic with TFLite's roundings, bit for bit (double
 * rounding; Jacob et al., CVPR 2018, 2.2).
 *
 * Right shifts of negative numbers are taken to be arithmetic, as on every compiler that this is built with.
 */
#ifndef QK_FIXED_POINT_H
#define QK_FIXED_POINT_H

#include "kernels.h"

/* Sums and shifts that wrap, as an accumulator does. */
static inline int32_t qk_wrapping_add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
static inline int32_t qk_shift_left(int32_t x, int32_t bits) { return (int32_t)((uint32_t)x << bits); }

static inline int32_t qk_clamp(int32_t x, int32_t low, int32_t high) {
    return x < low ? low : x > high ? high : x;
}

/* a * b / 2^31, rounded to nearest, ties up, saturated. */
static inline int32_t qk_high_mul(int32_t a, int32_t b) {
    if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* x / 2^bits, rounded to nearest, ties away from zero; bits in [0, 31]. */
static inline int32_t qk_round_shift(int32_t x, int32_t bits) {
    int32_t mask = (int32_t)(((int64_t)1 << bits) - 1);
    int32_t threshold = (mask >> 1) + (x < 0);
    return (x >> bits) + ((x & mask) > threshold);
}

/* x * scale, rounded twice. */
static inline int32_t qk_rescale(int32_t x, qk_scale scale) {
    int32_t left = scale.shift > 0 ? scale.shift : 0;
    return qk_round_shift(qk_high_mul(qk_shift_left(x, left), scale.multiplier), left - scale.shift);
}

/* x * scale of a sum of 64 bits, in size below 2^47, as TFLite takes it: the multiplier is rounded to 16 bits
 * first, then the product once, to nearest, ties up; shift at most QK_WIDE_SHIFT. */
static inline int32_t qk_rescale_wide(int64_t x, qk_scale scale) {
    const int32_t multiplier = scale.multiplier < 0x7FFF0000 ? (scale.multiplier + (1 << 15)) >> 16 : 0x7FFF;
    const int32_t right = 15 - scale.shift;
    return (int32_t)((x * multiplier + ((int64_t)1 << (right - 1))) >> right);
}

/* x * 2^bits, saturated; bits in [0, 31]. */
static inline int32_t qk_saturating_shift_left(int32_t x, int32_t bits) {
    int64_t wide = (int64_t)x * ((int64_t)1 << bits);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* The 16-bit code of an accumulator. */
static inline int16_t qk_to_code_s16(int32_t accumulator, qk_scale scale, qk_range range) {
    return (int16_t)qk_clamp(qk_rescale(accumulator, scale), range.low, range.high);
}

/* The code of an accumulator. */
static inline int8_t qk_to_code(int32_t accumulator, qk_scale scale, int32_t zero, qk_range range) {
    int32_t code = qk_wrapping_add(qk_rescale(accumulator, scale), zero);
    return (int8_t)qk_clamp(code, range.low, range.high);
}

#endif
