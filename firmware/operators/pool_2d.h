/* What the two poolings share. */
#ifndef QB_OPERATORS_POOL_2D_H
#define QB_OPERATORS_POOL_2D_H

#include "common.h"

/* Check an int8 or int16 operator, and leave qk_pool_2d_params for eval. */
qb_status qb_prepare_pool(qb_interpreter *it, qb_node *node);

#endif
