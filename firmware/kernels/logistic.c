/* LOGISTIC: int8 to int8 of scale 1/256 and zero point -128. */
#include "sigmoid.h"

#include <math.h>

/* exp in double precision, rounded once, is the same on every libm. */
static float logistic(float x) { return 1.0f / (1.0f + (float)exp(-(double)x)); }

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    return qb_prepare_sigmoid(it, node, logistic, 256.0f, -128);
}

const qb_kernel qb_logistic = {
    .builtin_code = QB_OP_LOGISTIC,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = qb_eval_table,
};
