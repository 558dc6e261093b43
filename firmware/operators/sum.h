/* What ADD and SUB share. */
#ifndef QB_OPERATORS_SUM_H
#define QB_OPERATORS_SUM_H

#include "broadcast.h"

/* `sign` is 1 or -1, for the second operand. */
qb_status qb_prepare_sum(qb_interpreter *it, qb_node *node, int32_t sign);
void qb_eval_sum(const qb_interpreter *it, const qb_node *node);

#endif
