/* RESHAPE: a copy, or nothing at all where the output takes the input's memory. The output's shape is the
 * file's; a constant shape operand must agree with it. */
#include "copy.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *shape = qb_input(it, node, 1), *output = qb_output(it, node);
    uint32_t i;
    if (qb_check_copy(it, node) != QB_OK) return it->error.status;
    if (!qb_is_constant_ints(shape)) return QB_OK;
    QB_REQUIRE(it, shape->elements == output->rank, "the output's shape is not the one asked for");
    for (i = 0; i < shape->elements; i++) {
        int64_t dim = qb_int_at(it, shape, i);
        QB_REQUIRE(it, dim == -1 || dim == output->dims[i], "the output's shape is not the one asked for");
    }
    return QB_OK;
}

const qb_operator qb_reshape = {
    .builtin_code = QB_OP_RESHAPE,
    .options_type = QB_RESHAPE_OPTIONS,
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 2,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = qb_eval_copy,
};
