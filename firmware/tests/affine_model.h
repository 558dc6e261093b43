/* A stand-in for a network: each of ten outputs is a weighted sum of all inputs, modulo 256.
 *
 * output[j] = sum over i of input[i] * ((i + 1) * (j + 1) * multiplier + i), so that an answer to another
 * input, or by another model, is seen to be wrong. */
#ifndef QL_AFFINE_MODEL_H
#define QL_AFFINE_MODEL_H

#include "../link/session.h"

#define QL_AFFINE_OUTPUTS 10u

typedef struct {
    uint32_t inputs;
    uint32_t multiplier;
    uint32_t delay_us;  /* 0 answers at once, with the sum of the input's bytes as its count; otherwise
                           nanoseconds */
    uint8_t sha256[32]; /* of nothing: the multiplier in every byte */
    uint8_t output[QL_AFFINE_OUTPUTS];
    ql_model model;
} ql_affine;

void ql_affine_init(ql_affine *affine, uint32_t inputs, uint32_t multiplier, uint32_t delay_us);

#endif
