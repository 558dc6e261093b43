/* The geometry that the two poolings share. */
#ifndef QB_KERNELS_POOL_2D_H
#define QB_KERNELS_POOL_2D_H

#include "common.h"

typedef struct {
    qb_window rows;
    qb_window columns;
    qb_range range;
} qb_pool;

qb_status qb_prepare_pool(qb_interpreter *it, qb_node *node);

/* Offset in elements of the input of tap (row, column) of an output position, channel 0. */
static inline uint32_t qb_pool_tap(const qb_pool *p, int32_t depth, int32_t batch, int32_t row,
                                   int32_t column) {
    return (uint32_t)(((batch * p->rows.input + row) * p->columns.input + column) * depth);
}

#endif
