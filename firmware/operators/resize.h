/* What the two resizings share. */
#ifndef QB_OPERATORS_RESIZE_H
#define QB_OPERATORS_RESIZE_H

#include "common.h"

/* Check an int8 or int16 operator on NHWC images and leave qk_resize_params for eval; `first_field` is that
 * of align_corners. */
qb_status qb_prepare_resize(qb_interpreter *it, qb_node *node, unsigned first_field);

#endif
