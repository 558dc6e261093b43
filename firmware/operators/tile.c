/* TILE: constant multiples. */
#include "common.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *multiples = qb_input(it, node, 1),
                    *output = qb_output(it, node);
    qk_tile_params p;
    uint32_t i;
    memset(&p, 0, sizeof p);
    p.rank = input->rank;
    p.width = qb_width(input->type);
    QB_REQUIRE(it, input->type == output->type && input->rank == output->rank,
               "input and output must have one type and rank");
    QB_REQUIRE(it, qb_is_constant_ints(multiples) && multiples->elements == input->rank,
               "the multiples must be constant, one a dimension");
    for (i = 0; i < input->rank; i++) {
        int64_t times = qb_int_at(it, multiples, i);
        QB_REQUIRE(it, times >= 1 && times <= output->dims[i] && times * input->dims[i] == output->dims[i],
                   "the output's shape is not the tiled one");
        p.input[i] = input->dims[i];
        p.output[i] = output->dims[i];
    }
    return qb_store_copy(it, node, &p, sizeof p);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const void *input = qb_data(it, qb_input(it, node, 0));
    qk_tile(qb_prepared(it, node), input, qb_tensor_data(it, qb_output(it, node)));
}

const qb_operator qb_tile = {
    .builtin_code = QB_OP_TILE,
    .max_version = 3,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
