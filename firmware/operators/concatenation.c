/* CONCATENATION along any axis; inputs and output have one type and, if quantized, one scale and zero point.
 */
#include "common.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *output = qb_output(it, node);
    qb_table options = qb_options(it, node);
    int32_t axis = qb_i32(&it->file, options, QB_CONCATENATION_AXIS, 0), i;
    uint32_t outer = 1, number;
    int64_t along = 0;
    if (axis < 0) axis += output->rank;
    QB_REQUIRE(it, axis >= 0 && axis < output->rank, "the axis is out of range");
    QB_REQUIRE(it, qb_u8(&it->file, options, QB_CONCATENATION_ACTIVATION, 0) == QB_NO_ACTIVATION,
               "fused activations are not supported here");
    for (number = 0; number < node->input_count; number++) {
        const qb_tensor *input = qb_input(it, node, number);
        QB_REQUIRE(it, input != NULL && input->type == output->type && input->rank == output->rank,
                   "the inputs must have the output's type and rank");
        QB_REQUIRE(it, input->scale_count == 0 || qb_same_quantization(input, output),
                   "the inputs must have the output's scale and zero point");
        for (i = 0; i < output->rank; i++) {
            QB_REQUIRE(it, i == axis || input->dims[i] == output->dims[i], "the shapes do not fit together");
        }
        along += input->dims[axis];
    }
    QB_REQUIRE(it, along == output->dims[axis], "the shapes do not fit together");
    for (i = 0; i < axis; i++) outer *= (uint32_t)output->dims[i];
    return qb_store_copy(it, node, &outer, sizeof outer);
}

/* Prepared is how many slabs an input is cut into. */
static void eval(const qb_interpreter *it, const qb_node *node) {
    const uint32_t *slabs = qb_prepared(it, node);
    const qb_tensor *output = qb_output(it, node);
    uint8_t *to = qb_tensor_data(it, output);
    uint32_t number;
    for (number = 0; number < node->input_count; number++) {
        const qb_tensor *input = qb_input(it, node, number);
        const qk_interleave_params p = {*slabs, input->bytes / *slabs, output->bytes / *slabs};
        qk_interleave(&p, qb_data(it, input), to);
        to += p.bytes;
    }
}

const qb_operator qb_concatenation = {
    .builtin_code = QB_OP_CONCATENATION,
    .options_type = QB_CONCATENATION_OPTIONS,
    .max_version = 4,
    .min_inputs = 1,
    .max_inputs = QB_ANY_NUMBER,
    .prepare = prepare,
    .eval = eval,
};
