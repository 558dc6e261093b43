/* PAD and PADV2: constant paddings of an int8, uint8, int16, int32 or float32 tensor. */
#include "common.h"

/* What eval needs. */
typedef struct {
    qk_pad_params params;
    uint8_t element[4]; /* bytes of the padding element, for PAD */
} padding;

/* Check the paddings, and fill in the parameters' shapes. */
static qb_status read_paddings(qb_interpreter *it, const qb_node *node, qk_pad_params *p) {
    const qb_tensor *input = qb_input(it, node, 0), *paddings = qb_input(it, node, 1),
                    *output = qb_output(it, node);
    uint32_t axis;
    QB_REQUIRE(it, qb_is_constant_ints(paddings) && paddings->elements == 2u * input->rank,
               "the paddings must be constant, two a dimension");
    p->rank = input->rank;
    p->width = qb_width(input->type);
    for (axis = 0; axis < input->rank; axis++) {
        int64_t before = qb_int_at(it, paddings, 2 * axis), after = qb_int_at(it, paddings, 2 * axis + 1);
        QB_REQUIRE(it,
                   before >= 0 && after >= 0 && before <= output->dims[axis] && after <= output->dims[axis] &&
                       before + input->dims[axis] + after == output->dims[axis],
                   "the paddings do not make the output's shape");
        p->input[axis] = input->dims[axis];
        p->output[axis] = output->dims[axis];
        p->before[axis] = (int32_t)before;
    }
    return QB_OK;
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *value = qb_input(it, node, 2),
                    *output = qb_output(it, node);
    padding p;
    memset(&p, 0, sizeof p);
    QB_REQUIRE(it,
               input->type == output->type && input->rank == output->rank &&
                   qb_width(input->type) <= sizeof p.element,
               "input and output must have one type and rank");
    QB_REQUIRE(it, input->scale_count == 0 || qb_same_quantization(input, output),
               "input and output must have the same scale and zero point");
    QB_REQUIRE(it, input->type != QB_INT16 || input->zero_point == 0, "int16 must have zero point 0");
    if (read_paddings(it, node, &p.params) != QB_OK) return it->error.status;
    if (value != NULL) {
        QB_REQUIRE(it,
                   value->type == input->type && value->elements == 1 &&
                       (value->scale_count == 0 || qb_same_quantization(value, output)),
                   "the padding value must be one element of the output's type and scale");
    } else if (output->scale_count == 1) {
        p.element[0] = (uint8_t)output->zero_point;
    }
    return qb_store_copy(it, node, &p, sizeof p);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const padding *p = qb_prepared(it, node);
    const qb_tensor *value = qb_input(it, node, 2);
    const void *element = value ? qb_data(it, value) : p->element;
    qk_pad(&p->params, qb_data(it, qb_input(it, node, 0)), element, qb_tensor_data(it, qb_output(it, node)));
}

const qb_operator qb_pad = {
    .builtin_code = QB_OP_PAD,
    .options_type = QB_PAD_OPTIONS,
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
const qb_operator qb_padv2 = {
    .builtin_code = QB_OP_PADV2,
    .options_type = QB_PAD_V2_OPTIONS,
    .max_version = 4,
    .min_inputs = 3,
    .max_inputs = 3,
    .prepare = prepare,
    .eval = eval,
};
