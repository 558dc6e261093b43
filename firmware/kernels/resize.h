/* What the two resizings share. */
#ifndef QB_KERNELS_RESIZE_H
#define QB_KERNELS_RESIZE_H

#include "common.h"

typedef struct {
    bool align_corners;
    bool half_pixel;
} qb_resize;

/* Check an int8 operator on NHWC images, and store its settings; `first_field` is that of align_corners. */
qb_status qb_prepare_resize(qb_interpreter *it, qb_node *node, unsigned first_field);

#endif
