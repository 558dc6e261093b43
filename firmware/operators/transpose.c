/* TRANSPOSE: a constant permutation of the dimensions. */
#include "common.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *order = qb_input(it, node, 1),
                    *output = qb_output(it, node);
    int32_t strides[QB_MAX_RANK];
    uint32_t seen = 0, i;
    qk_gather_params p;
    memset(&p, 0, sizeof p);
    QB_REQUIRE(it, input->type == output->type && input->rank == output->rank,
               "input and output must have one type and rank");
    QB_REQUIRE(it, qb_is_constant_ints(order) && order->elements == input->rank,
               "the permutation must be constant");
    qb_strides(input->dims, input->rank, strides);
    p.rank = input->rank;
    p.width = qb_width(input->type);
    for (i = 0; i < input->rank; i++) {
        int64_t axis = qb_int_at(it, order, i);
        if (axis < 0) axis += input->rank;
        QB_REQUIRE(it, axis >= 0 && axis < input->rank && !(seen >> axis & 1),
                   "not a permutation of the dimensions");
        QB_REQUIRE(it, output->dims[i] == input->dims[axis], "the output's shape is not the permuted one");
        seen |= (uint32_t)1 << axis;
        p.dims[i] = input->dims[axis];
        p.steps[i] = strides[axis];
    }
    return qb_store_copy(it, node, &p, sizeof p);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const void *input = qb_data(it, qb_input(it, node, 0));
    qk_gather(qb_prepared(it, node), input, qb_tensor_data(it, qb_output(it, node)));
}

const qb_operator qb_transpose = {
    .builtin_code = QB_OP_TRANSPOSE,
    .options_type = QB_TRANSPOSE_OPTIONS,
    .max_version = 6,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
