/* SUB: int8 or int16, broadcast. */
#include "sum.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) { return qb_prepare_sum(it, node, -1); }

const qb_operator qb_sub = {
    .builtin_code = QB_OP_SUB,
    .options_type = QB_SUB_OPTIONS,
    .max_version = 5,
    .min_inputs = 2,
    .max_inputs = 2,
    .in_place = QB_INPUT_0 | QB_INPUT_1,
    .prepare = prepare,
    .eval = qb_eval_sum,
};
