/* MAXIMUM: int8 of one scale and zero point, broadcast. */
#include "extremum.h"

static void eval(const qb_interpreter *it, const qb_node *node) {
    const int8_t *a = qb_data(it, qb_input(it, node, 0)), *b = qb_data(it, qb_input(it, node, 1));
    qk_maximum(qb_prepared(it, node), a, b, qb_tensor_data(it, qb_output(it, node)));
}

const qb_operator qb_maximum = {
    .builtin_code = QB_OP_MAXIMUM,
    .options_type = QB_MAXIMUM_MINIMUM_OPTIONS,
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .in_place = QB_INPUT_0 | QB_INPUT_1,
    .prepare = qb_prepare_extremum,
    .eval = eval,
};
