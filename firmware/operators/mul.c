/* MUL: int8 or int16, broadcast. */
#include "broadcast.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *a = qb_input(it, node, 0), *b = qb_input(it, node, 1), *output = qb_output(it, node);
    qk_mul_params p;
    float product;
    QB_REQUIRE(it, qb_are_int8_or_int16(a, output) && qb_are_int8_or_int16(b, output), QB_INT8_OR_INT16);
    QB_REQUIRE(it, qb_broadcast_fit(a, b, output, &p.walk), "the shapes cannot be broadcast to the output's");
    uint8_t activation = qb_u8(&it->file, qb_options(it, node), QB_MUL_ACTIVATION, 0);
    QB_REQUIRE(it, qb_activation_range(output, activation, &p.range),
               "this fused activation is not supported");
    product = a->scale * b->scale; /* in single precision, as TFLite takes it */
    QB_REQUIRE(it, qk_scale_of((double)(product / output->scale), &p.scale), "a scale is out of range");
    p.zero[0] = a->zero_point;
    p.zero[1] = b->zero_point;
    p.output_zero = output->zero_point;
    return qb_store_copy(it, node, &p, sizeof p);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const void *a = qb_data(it, qb_input(it, node, 0)), *b = qb_data(it, qb_input(it, node, 1));
    const qb_tensor *output = qb_output(it, node);
    if (output->type == QB_INT16)
        qk_mul_s16(qb_prepared(it, node), a, b, qb_tensor_data(it, output));
    else
        qk_mul(qb_prepared(it, node), a, b, qb_tensor_data(it, output));
}

const qb_operator qb_mul = {
    .builtin_code = QB_OP_MUL,
    .options_type = QB_MUL_OPTIONS,
    .max_version = 7,
    .min_inputs = 2,
    .max_inputs = 2,
    .in_place = QB_INPUT_0 | QB_INPUT_1,
    .prepare = prepare,
    .eval = eval,
};
