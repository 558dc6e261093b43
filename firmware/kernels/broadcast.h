/* Walks two int8 operands whose shapes are broadcast against each other, a row at a time. */
#ifndef QB_KERNELS_BROADCAST_H
#define QB_KERNELS_BROADCAST_H

#include "common.h"

/* The output's shape with neighbouring dimensions merged where both operands allow it. */
typedef struct {
    int32_t dims[QB_MAX_RANK];
    int32_t steps[2][QB_MAX_RANK]; /* of each operand, in elements; 0 where it is repeated */
    uint32_t rank;
} qb_broadcast;

/* False when the shapes are not compatible, or `output` is not what they make. */
bool qb_broadcast_fit(const qb_tensor *a, const qb_tensor *b, const qb_tensor *output, qb_broadcast *walk);

/* Work on `count` elements; an operand's step is 0 or 1. */
typedef void (*qb_row)(const void *settings, const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                       int8_t *to, int32_t count);

void qb_broadcast_rows(const qb_broadcast *walk, const int8_t *a, const int8_t *b, int8_t *to, qb_row row,
                       const void *settings);

#endif
