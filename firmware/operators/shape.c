/* SHAPE: the dimensions of a tensor, as int32 or int64. */
#include "common.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *output = qb_output(it, node);
    QB_REQUIRE(it,
               (output->type == QB_INT32 || output->type == QB_INT64) && output->rank == 1 &&
                   output->dims[0] == qb_input(it, node, 0)->rank,
               "the output must be int32 or int64, one element a dimension");
    return QB_OK;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    uint8_t *to = qb_tensor_data(it, output);
    uint32_t i;
    for (i = 0; i < input->rank; i++) {
        const int32_t dim = input->dims[i];
        const int64_t wide = dim;
        if (output->type == QB_INT64)
            memcpy(to + i * sizeof wide, &wide, sizeof wide);
        else
            memcpy(to + i * sizeof dim, &dim, sizeof dim);
    }
}

const qb_operator qb_shape = {
    .builtin_code = QB_OP_SHAPE,
    .options_type = QB_SHAPE_OPTIONS,
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .prepare = prepare,
    .eval = eval,
};
