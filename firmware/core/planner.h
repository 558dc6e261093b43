/* Places the activations of a model, and its packed constants for as long as they are in use, in one block of
 * memory. */
#ifndef QB_PLANNER_H
#define QB_PLANNER_H

#include "model.h"

/* Give every owner among the tensors (those with `first_use` set, not read from the file) an offset, so that
 * no two that are alive at the same time overlap: the largest first, each at the lowest offset that is free
 * over its lifetime (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020,
 * greedy by size). Returns the bytes needed; offsets count from 0.
 */
uint32_t qb_plan(qb_tensor *tensors, uint32_t count);

#endif
