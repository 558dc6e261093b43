/* PACK: tensors of one shape stacked along a new axis. */
#include "common.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *output = qb_output(it, node);
    qb_table options = qb_options(it, node);
    int32_t axis = qb_i32(&it->file, options, QB_PACK_AXIS, 0), i;
    uint32_t outer = 1, number;
    if (axis < 0) axis += output->rank;
    QB_REQUIRE(it, axis >= 0 && axis < output->rank && output->dims[axis] == node->input_count,
               "the axis or the output's shape does not fit");
    for (number = 0; number < node->input_count; number++) {
        const qb_tensor *input = qb_input(it, node, number);
        QB_REQUIRE(it, input != NULL && input->type == output->type && input->rank + 1 == output->rank,
                   "the inputs must have the output's type and a dimension less");
        QB_REQUIRE(it, input->scale_count == 0 || qb_same_quantization(input, output),
                   "the inputs must have the output's scale and zero point");
        for (i = 0; i < input->rank; i++) {
            QB_REQUIRE(it, input->dims[i] == output->dims[i < axis ? i : i + 1],
                       "the shapes do not fit together");
        }
    }
    for (i = 0; i < axis; i++) outer *= (uint32_t)output->dims[i];
    return qb_store_copy(it, node, &outer, sizeof outer);
}

/* Prepared is how many slabs each input is cut into. */
static void eval(const qb_interpreter *it, const qb_node *node) {
    const uint32_t *slabs = qb_prepared(it, node);
    const qb_tensor *output = qb_output(it, node);
    const uint32_t stride = output->bytes / *slabs;
    const qk_interleave_params p = {*slabs, stride / node->input_count, stride};
    uint8_t *to = qb_tensor_data(it, output);
    uint32_t number;
    for (number = 0; number < node->input_count; number++, to += p.bytes)
        qk_interleave(&p, qb_data(it, qb_input(it, node, number)), to);
}

const qb_operator qb_pack = {
    .builtin_code = QB_OP_PACK,
    .options_type = QB_PACK_OPTIONS,
    .max_version = 4,
    .min_inputs = 1,
    .max_inputs = QB_ANY_NUMBER,
    .prepare = prepare,
    .eval = eval,
};
