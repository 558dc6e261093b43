/* Copies elements at regular distances of one tensor to a dense one: the common part of TRANSPOSE,
 * STRIDED_SLICE and TILE. */
#ifndef QB_KERNELS_GATHER_STRIDED_H
#define QB_KERNELS_GATHER_STRIDED_H

#include "common.h"

typedef struct {
    int32_t dims[QB_MAX_RANK];  /* of the result */
    int32_t steps[QB_MAX_RANK]; /* in elements of the source; may be negative */
    int32_t start;              /* element of the source that comes first */
    uint32_t rank;
} qb_gather;

void qb_gather_strided(const qb_gather *gather, const uint8_t *from, uint8_t *to, uint32_t width);

#endif
