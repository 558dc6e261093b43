/* TRANSPOSE: a constant permutation of the dimensions. */
#include "gather_strided.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *order = qb_input(it, node, 1),
                    *output = qb_output(it, node);
    int32_t strides[QB_MAX_RANK];
    uint32_t seen = 0, i;
    qb_gather settings, *p;
    memset(&settings, 0, sizeof settings);
    QB_REQUIRE(it, input->type == output->type && input->rank == output->rank,
               "input and output must have one type and rank");
    QB_REQUIRE(it, qb_is_constant_ints(order) && order->elements == input->rank,
               "the permutation must be constant");
    qb_strides(input->dims, input->rank, strides);
    settings.rank = input->rank;
    for (i = 0; i < input->rank; i++) {
        int64_t axis = qb_int_at(it, order, i);
        if (axis < 0) axis += input->rank;
        QB_REQUIRE(it, axis >= 0 && axis < input->rank && !(seen >> axis & 1),
                   "not a permutation of the dimensions");
        QB_REQUIRE(it, output->dims[i] == input->dims[axis], "the output's shape is not the permuted one");
        seen |= (uint32_t)1 << axis;
        settings.dims[i] = input->dims[axis];
        settings.steps[i] = strides[axis];
    }
    p = qb_store(it, node, sizeof *p);
    if (p == NULL) return it->error.status;
    *p = settings;
    return QB_OK;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0);
    qb_gather_strided(qb_prepared(it, node), qb_data(it, input), qb_tensor_data(it, qb_output(it, node)),
                      qb_width(input->type));
}

const qb_kernel qb_transpose = {
    .builtin_code = QB_OP_TRANSPOSE,
    .options_type = QB_TRANSPOSE_OPTIONS,
    .max_version = 6,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
