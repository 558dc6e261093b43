/* ADD and SUB: both operands brought to twice the larger scale, shifted left by 20 bits, and added. */
#ifndef QB_KERNELS_ADD_SUB_H
#define QB_KERNELS_ADD_SUB_H

#include "broadcast.h"

/* `sign` is 1 or -1, for the second operand. */
qb_status qb_prepare_sum(qb_interpreter *it, qb_node *node, int32_t sign);
void qb_eval_sum(const qb_interpreter *it, const qb_node *node);

#endif
