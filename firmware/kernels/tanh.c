/* TANH: int8 to int8 of scale 1/128 and zero point 0. */
#include "sigmoid.h"

#include <math.h>

/* tanh in double precision, rounded once, is the same on every libm. */
static float hyperbolic_tangent(float x) { return (float)tanh((double)x); }

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    return qb_prepare_sigmoid(it, node, hyperbolic_tangent, 128.0f, 0);
}

const qb_kernel qb_tanh = {
    .builtin_code = QB_OP_TANH,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = qb_eval_table,
};
