/* LOGISTIC and TANH: TFLite's reference kernels look the codes up in a table that they fill in single
 * precision. */
#ifndef QB_KERNELS_SIGMOID_H
#define QB_KERNELS_SIGMOID_H

#include "common.h"

/* Check an int8 operator whose output has zero point `zero_point` and scale 1 / `steps`, and fill in its
 * table. */
qb_status qb_prepare_sigmoid(qb_interpreter *it, qb_node *node, float (*function)(float), float steps,
                             int32_t zero_point);

#endif
