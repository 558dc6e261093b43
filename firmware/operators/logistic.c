/* LOGISTIC: int8 to int8 of scale 1/256 and zero point -128, or int16 to int16 of scale
 * 1/32768. */
#include "sigmoid.h"

static const qb_sigmoid kind = {1.0f / 256, -128, qk_logistic_table, qk_logistic_s16, 0};

static qb_status prepare(qb_interpreter *it, qb_node *node) { return qb_prepare_sigmoid(it, node, &kind); }

static void eval(const qb_interpreter *it, const qb_node *node) { qb_eval_sigmoid(it, node, &kind); }

const qb_operator qb_logistic = {
    .builtin_code = QB_OP_LOGISTIC,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = eval,
};
