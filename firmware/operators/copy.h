/* What operators share that leave all elements in place and only change the shape. */
#ifndef QB_OPERATORS_COPY_H
#define QB_OPERATORS_COPY_H

#include "common.h"

/* Check that the output has the input's type and number of elements. */
qb_status qb_check_copy(qb_interpreter *it, const qb_node *node);

/* Copy, or do nothing where the output takes the input's memory. */
void qb_eval_copy(const qb_interpreter *it, const qb_node *node);

#endif
