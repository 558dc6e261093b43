/* CONCATENATION along any axis; inputs and output have one type and, if quantized, one scale and zero point.
 */
#include "common.h"

typedef struct {
    uint32_t outer; /* slabs an input is cut into */
} plan;

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *output = qb_output(it, node);
    qb_table options = qb_options(it, node);
    int32_t axis = qb_i32(&it->file, options, QB_CONCATENATION_AXIS, 0), along = 0, i;
    uint32_t outer = 1, number;
    plan *p;
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
        along = qb_add(along, input->dims[axis]);
    }
    QB_REQUIRE(it, along == output->dims[axis], "the shapes do not fit together");
    for (i = 0; i < axis; i++) outer *= (uint32_t)output->dims[i];
    p = qb_store(it, node, sizeof *p);
    if (p == NULL) return it->error.status;
    p->outer = outer;
    return QB_OK;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const plan *p = qb_prepared(it, node);
    const qb_tensor *output = qb_output(it, node);
    uint8_t *start = qb_tensor_data(it, output);
    const uint32_t stride = output->bytes / p->outer;
    uint32_t number, i;
    for (number = 0; number < node->input_count; number++) {
        const qb_tensor *input = qb_input(it, node, number);
        const uint32_t slab = input->bytes / p->outer;
        const uint8_t *from = qb_data(it, input);
        for (i = 0; i < p->outer; i++) memcpy(start + i * stride, from + i * slab, slab);
        start += slab;
    }
}

const qb_kernel qb_concatenation = {
    .builtin_code = QB_OP_CONCATENATION,
    .options_type = QB_CONCATENATION_OPTIONS,
    .max_version = 4,
    .min_inputs = 1,
    .max_inputs = QB_ANY_NUMBER,
    .prepare = prepare,
    .eval = eval,
};
