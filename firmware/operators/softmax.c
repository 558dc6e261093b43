/* SOFTMAX over the last dimension: int8 to int8 of scale 1/256 and zero point -128, or int16 to int16 of
 * scale 1/32768. */
#include "common.h"

static qb_status prepare_s16(qb_interpreter *it, qb_node *node, double unit) {
    const qb_tensor *input = qb_input(it, node, 0);
    qk_softmax_s16_params p;
    QB_REQUIRE(it, qb_output(it, node)->scale == 1.0f / 32768, "the output must have scale 1/32768");
    QB_REQUIRE(it, qk_scale_of(unit / (10.0 / 65535.0), &p.scale) && p.scale.shift < 15,
               "a scale is out of range");
    p.depth = input->dims[input->rank - 1];
    QB_REQUIRE(it, p.depth <= QK_SOFTMAX_S16_DEPTH, "more than 65535 classes");
    p.rows = (int32_t)(input->elements / (uint32_t)p.depth);
    return qb_store_copy(it, node, &p, sizeof p);
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const float beta = qb_f32(&it->file, qb_options(it, node), QB_SOFTMAX_BETA, 0.0f);
    qk_softmax_params p;
    QB_REQUIRE(it, qb_are_int8_or_int16(input, output), QB_INT8_OR_INT16);
    QB_REQUIRE(it, qb_same_shape(input, output) && input->rank >= 1,
               "input and output must have the same shape");
    if (input->type == QB_INT16) /* in single precision, as TFLite takes the product */
        return prepare_s16(it, node, (double)(input->scale * beta));
    QB_REQUIRE(it, output->scale == 1.0f / 256 && output->zero_point == -128,
               "the output must have scale 1/256 and zero point -128");
    QB_REQUIRE(it, qk_softmax_scale((double)beta * (double)input->scale, &p), "a scale is out of range");
    p.depth = input->dims[input->rank - 1];
    QB_REQUIRE(it, p.depth <= QK_SOFTMAX_DEPTH, "more than 4095 classes");
    p.rows = (int32_t)(input->elements / (uint32_t)p.depth);
    return qb_store_copy(it, node, &p, sizeof p);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    if (input->type == QB_INT16)
        qk_softmax_s16(qb_prepared(it, node), qb_data(it, input), qb_tensor_data(it, output));
    else
        qk_softmax(qb_prepared(it, node), qb_data(it, input), qb_tensor_data(it, output));
}

const qb_operator qb_softmax = {
    .builtin_code = QB_OP_SOFTMAX,
    .options_type = QB_SOFTMAX_OPTIONS,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = eval,
};
