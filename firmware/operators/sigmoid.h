/* What LOGISTIC and TANH share. */
#ifndef QB_OPERATORS_SIGMOID_H
#define QB_OPERATORS_SIGMOID_H

#include "common.h"

/* Check an int8 operator whose output has this scale and zero point, and fill in its table. */
qb_status qb_prepare_sigmoid(qb_interpreter *it, qb_node *node, float scale, int32_t zero_point,
                             void (*fill)(const qk_sigmoid_params *p, int8_t table[256]));

#endif
