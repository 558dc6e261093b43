/* exp and 1 / (1 + x) in 32-bit fixed point, with the polynomials and roundings of TFLite's reference
 * kernels.
 *
 * A number with `n` integer bits is raw / 2^(31 - n).
 */
#ifndef QB_KERNELS_EXPONENTIAL_H
#define QB_KERNELS_EXPONENTIAL_H

#include "fixed_point.h"

/* exp(x) for x <= 0 with `integer_bits` (at most 5) integer bits; the result has none. */
int32_t qb_exp_negative(int32_t x, int32_t integer_bits);

/* 1 / (1 + x) for x in [0, 1]; no integer bits. */
int32_t qb_one_over_one_plus(int32_t x);

/* A scale from input codes to fixed point with `integer_bits` integer bits, and the distance from the zero
 * point beyond which the input saturates. */
typedef struct {
    qb_scale scale;
    int32_t radius;
} qb_fixed_input;

bool qb_fixed_input_of(double unit, int32_t integer_bits, qb_fixed_input *input);

#endif
