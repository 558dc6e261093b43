/* For the kernels themselves: exp and 1 / (1 + x) in 32-bit fixed point, with the polynomials
 * and roundings of TFLite's reference kernels.
 *
 * A number with `n` integer bits is raw / 2^(31 - n).
 */
#ifndef QK_EXPONENTIAL_H
#define QK_EXPONENTIAL_H

#include "fixed_point.h"

/* exp(x) for x <= 0 with `integer_bits` (at most 5) integer bits; the result has none. */
int32_t qk_exp_negative(int32_t x, int32_t integer_bits);

/* 1 / (1 + x) for x in [0, 1]; no integer bits. */
int32_t qk_one_over_one_plus(int32_t x);

#endif
