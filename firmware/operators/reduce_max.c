/* REDUCE_MAX: int8 or int16. */
#include "reduce.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    qk_reduction p;
    if (qb_reduction_fit_wide(it, node, &p) != QB_OK) return it->error.status;
    QB_REQUIRE(it, qb_same_quantization(qb_input(it, node, 0), qb_output(it, node)),
               "input and output must have the same scale and zero point");
    return qb_store_copy(it, node, &p, sizeof p);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    if (input->type == QB_INT16)
        qk_reduce_max_s16(qb_prepared(it, node), qb_data(it, input), qb_tensor_data(it, output));
    else
        qk_reduce_max(qb_prepared(it, node), qb_data(it, input), qb_tensor_data(it, output));
}

const qb_operator qb_reduce_max = {
    .builtin_code = QB_OP_REDUCE_MAX,
    .options_type = QB_REDUCER_OPTIONS,
    .max_version = 3,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
