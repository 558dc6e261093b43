/* MUL: int8, broadcast. */
#include "broadcast.h"

typedef struct {
    qb_broadcast walk;
    qb_range range;
    int32_t zero[2];
    int32_t output_zero;
    qb_scale scale;
} plan;

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *a = qb_input(it, node, 0), *b = qb_input(it, node, 1), *output = qb_output(it, node);
    plan settings, *p;
    float product;
    QB_REQUIRE(it, qb_is_int8(a) && qb_is_int8(b) && qb_is_int8(output),
               "inputs and output must be int8, quantized");
    QB_REQUIRE(it, qb_broadcast_fit(a, b, output, &settings.walk),
               "the shapes cannot be broadcast to the output's");
    uint8_t activation = qb_u8(&it->file, qb_options(it, node), QB_MUL_ACTIVATION, 0);
    QB_REQUIRE(it, qb_activation_range(output, activation, &settings.range),
               "this fused activation is not supported");
    product = a->scale * b->scale; /* in single precision, as TFLite takes it */
    QB_REQUIRE(it, qb_to_scale((double)(product / output->scale), &settings.scale),
               "a scale is out of range");
    settings.zero[0] = a->zero_point;
    settings.zero[1] = b->zero_point;
    settings.output_zero = output->zero_point;
    p = qb_store(it, node, sizeof *p);
    if (p == NULL) return it->error.status;
    *p = settings;
    return QB_OK;
}

static void row(const void *settings, const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                int8_t *to, int32_t count) {
    const plan *p = settings;
    int32_t i;
    for (i = 0; i < count; i++, a += step_a, b += step_b) {
        int32_t product = (*a - p->zero[0]) * (*b - p->zero[1]);
        int32_t code = qb_add(qb_rescale(product, p->scale.multiplier, p->scale.shift), p->output_zero);
        to[i] = (int8_t)qb_clamp(code, p->range.low, p->range.high);
    }
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const plan *p = qb_prepared(it, node);
    qb_broadcast_rows(&p->walk, qb_data(it, qb_input(it, node, 0)), qb_data(it, qb_input(it, node, 1)),
                      qb_tensor_data(it, qb_output(it, node)), row, p);
}

const qb_kernel qb_mul = {
    .builtin_code = QB_OP_MUL,
    .options_type = QB_MUL_OPTIONS,
    .max_version = 7,
    .min_inputs = 2,
    .max_inputs = 2,
    .in_place = QB_INPUT_0 | QB_INPUT_1,
    .prepare = prepare,
    .eval = eval,
};
