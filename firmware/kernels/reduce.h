/* What MEAN and REDUCE_MAX share: which dimensions go and which stay. */
#ifndef QB_KERNELS_REDUCE_H
#define QB_KERNELS_REDUCE_H

#include "common.h"

typedef struct {
    int32_t kept_dims[QB_MAX_RANK];
    int32_t kept_steps[QB_MAX_RANK];
    int32_t reduced_dims[QB_MAX_RANK];
    int32_t reduced_steps[QB_MAX_RANK];
    uint32_t kept;
    uint32_t reduced;
    int32_t terms; /* input elements that make an output element */
} qb_reduction;

/* Check an int8 operator with constant axes, and fill in `reduction`. */
qb_status qb_reduction_fit(qb_interpreter *it, qb_node *node, qb_reduction *reduction);

/* Offset of an index of `rank` dimensions. */
static inline int32_t qb_offset(const int32_t *index, const int32_t *steps, uint32_t rank) {
    int32_t offset = 0;
    uint32_t axis;
    for (axis = 0; axis < rank; axis++) offset += index[axis] * steps[axis];
    return offset;
}

#endif
