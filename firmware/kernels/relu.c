/* RELU and RELU6: int8, rescaled and clamped. */
#include "common.h"

typedef struct {
    qb_scale scale;
    qb_range range;
    int32_t input_zero;
    int32_t output_zero;
} plan;

static int8_t code(const void *settings, int32_t x) {
    const plan *p = settings;
    int32_t rescaled = qb_rescale(x - p->input_zero, p->scale.multiplier, p->scale.shift);
    return (int8_t)qb_clamp(qb_add(rescaled, p->output_zero), p->range.low, p->range.high);
}

static qb_status prepare(qb_interpreter *it, qb_node *node, uint8_t activation) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    plan p;
    QB_REQUIRE(it, qb_is_int8(input) && qb_is_int8(output), "input and output must be int8, quantized");
    QB_REQUIRE(it, qb_same_shape(input, output), "input and output must have the same shape");
    QB_REQUIRE(it, qb_to_scale((double)(input->scale / output->scale), &p.scale), "a scale is out of range");
    qb_activation_range(output, activation, &p.range);
    p.input_zero = input->zero_point;
    p.output_zero = output->zero_point;
    return qb_prepare_table(it, node, code, &p);
}

static qb_status prepare_relu(qb_interpreter *it, qb_node *node) { return prepare(it, node, QB_RELU); }
static qb_status prepare_relu6(qb_interpreter *it, qb_node *node) { return prepare(it, node, QB_RELU6); }

const qb_kernel qb_relu = {
    .builtin_code = QB_OP_RELU,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare_relu,
    .eval = qb_eval_table,
};
const qb_kernel qb_relu6 = {
    .builtin_code = QB_OP_RELU6,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare_relu6,
    .eval = qb_eval_table,
};
