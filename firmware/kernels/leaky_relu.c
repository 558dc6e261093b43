/* LEAKY_RELU: int8; one scale on each side of the zero point. */
#include "common.h"

typedef struct {
    qb_scale positive;
    qb_scale negative;
    int32_t negative_sign; /* of alpha, which scales cannot carry */
    int32_t input_zero;
    int32_t output_zero;
} plan;

static int8_t code(const void *settings, int32_t x) {
    const plan *p = settings;
    int32_t value = x - p->input_zero, rescaled;
    if (value >= 0)
        rescaled = qb_rescale(value, p->positive.multiplier, p->positive.shift);
    else
        rescaled = qb_rescale(value, p->negative_sign * p->negative.multiplier, p->negative.shift);
    return (int8_t)qb_clamp(qb_add(rescaled, p->output_zero), INT8_MIN, INT8_MAX);
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    float alpha = qb_f32(&it->file, qb_options(it, node), QB_LEAKY_RELU_ALPHA, 0.0f);
    float size = alpha < 0 ? -alpha : alpha;
    plan p;
    QB_REQUIRE(it, qb_is_int8(input) && qb_is_int8(output), "input and output must be int8, quantized");
    QB_REQUIRE(it, qb_same_shape(input, output), "input and output must have the same shape");
    QB_REQUIRE(it,
               qb_to_scale((double)(input->scale / output->scale), &p.positive) &&
                   qb_to_scale((double)(input->scale * size / output->scale), &p.negative),
               "a scale is out of range");
    p.negative_sign = alpha < 0 ? -1 : 1;
    p.input_zero = input->zero_point;
    p.output_zero = output->zero_point;
    return qb_prepare_table(it, node, code, &p);
}

const qb_kernel qb_leaky_relu = {
    .builtin_code = QB_OP_LEAKY_RELU,
    .options_type = QB_LEAKY_RELU_OPTIONS,
    .max_version = 2,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = qb_eval_table,
};
