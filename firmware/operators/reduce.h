/* What MEAN and REDUCE_MAX share: which dimensions go and which stay. */
#ifndef QB_OPERATORS_REDUCE_H
#define QB_OPERATORS_REDUCE_H

#include "common.h"

/* Check an int8 or int16 operator with constant axes, and fill in `reduction`. */
qb_status qb_reduction_fit(qb_interpreter *it, qb_node *node, qk_reduction *reduction);

#endif
