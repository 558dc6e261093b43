/* EXPAND_DIMS: RESHAPE to one more dimension, of size 1, at a constant axis. */
#include "copy.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *operand = qb_input(it, node, 1),
                    *output = qb_output(it, node);
    int64_t axis;
    int32_t i;
    if (qb_check_copy(it, node) != QB_OK) return it->error.status;
    QB_REQUIRE(it, qb_is_constant_ints(operand) && operand->elements == 1,
               "the axis must be one constant integer");
    axis = qb_int_at(it, operand, 0);
    if (axis < 0) axis += output->rank;
    QB_REQUIRE(it, output->rank == input->rank + 1 && axis >= 0 && axis < output->rank,
               "the axis or the output's shape does not fit");
    for (i = 0; i < output->rank; i++) {
        int32_t dim = i == axis ? 1 : input->dims[i < axis ? i : i - 1];
        QB_REQUIRE(it, output->dims[i] == dim, "the axis or the output's shape does not fit");
    }
    return QB_OK;
}

const qb_operator qb_expand_dims = {
    .builtin_code = QB_OP_EXPAND_DIMS,
    .options_type = QB_EXPAND_DIMS_OPTIONS,
    .max_version = 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = qb_eval_copy,
};
