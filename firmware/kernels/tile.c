/* TILE: constant multiples. */
#include "common.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *multiples = qb_input(it, node, 1),
                    *output = qb_output(it, node);
    uint32_t i;
    QB_REQUIRE(it, input->type == output->type && input->rank == output->rank,
               "input and output must have one type and rank");
    QB_REQUIRE(it, qb_is_constant_ints(multiples) && multiples->elements == input->rank,
               "the multiples must be constant, one a dimension");
    for (i = 0; i < input->rank; i++) {
        int64_t times = qb_int_at(it, multiples, i);
        QB_REQUIRE(it, times >= 1 && times <= output->dims[i] && times * input->dims[i] == output->dims[i],
                   "the output's shape is not the tiled one");
    }
    return QB_OK;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const uint32_t width = qb_width(input->type), last = input->rank ? input->rank - 1u : 0;
    const uint32_t run = input->rank ? (uint32_t)input->dims[last] : 1,
                   line = input->rank ? (uint32_t)output->dims[last] : 1;
    const uint8_t *from = qb_data(it, input);
    uint8_t *to = qb_tensor_data(it, output);
    int32_t index[QB_MAX_RANK] = {0}, strides[QB_MAX_RANK];
    qb_strides(input->dims, input->rank, strides);
    do {
        uint32_t at = 0, axis, i;
        for (axis = 0; axis < last; axis++) at += (uint32_t)(index[axis] % input->dims[axis] * strides[axis]);
        for (i = 0; i < line; i += run, to += run * width) memcpy(to, from + at * width, run * width);
    } while (qb_next_index(output->dims, last, index));
}

const qb_kernel qb_tile = {
    .builtin_code = QB_OP_TILE,
    .max_version = 3,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
