/* What MEAN and REDUCE_MAX share: which dimensions go and which stay. */
#ifndef QB_OPERATORS_REDUCE_H
#define QB_OPERATORS_REDUCE_H

#include "common.h"

/* Check an operator with constant axes, int8 or int16, and fill in `reduction`. */
qb_status qb_reduction_fit_wide(qb_interpreter *it, qb_node *node, qk_reduction *reduction);

#endif
