/* QUANTIZE: float32 to int8 or uint8, and int8 or uint8 to either with another scale. */
#include "common.h"

#include <math.h>

typedef struct {
    qb_scale scale;
    int32_t input_zero;
    int32_t output_zero;
    bool unsigned_input;
    bool unsigned_output;
} plan;

static int8_t clamp_code(int32_t code, bool is_unsigned) {
    return (int8_t)(is_unsigned ? (uint8_t)qb_clamp(code, 0, UINT8_MAX)
                                : (uint8_t)qb_clamp(code, INT8_MIN, INT8_MAX));
}

static int8_t code(const void *settings, int32_t x) {
    const plan *p = settings;
    int32_t value = (p->unsigned_input ? (int32_t)(uint8_t)x : x) - p->input_zero;
    int32_t rescaled = qb_rescale(value, p->scale.multiplier, p->scale.shift);
    return clamp_code(qb_add(rescaled, p->output_zero), p->unsigned_output);
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    plan p;
    QB_REQUIRE(it, qb_same_shape(input, output), "input and output must have the same shape");
    QB_REQUIRE(it, qb_is_codes(output), "the output must be int8 or uint8, quantized");
    if (input->type == QB_FLOAT32) return QB_OK;
    QB_REQUIRE(it, qb_is_codes(input), "the input must be float32, int8 or uint8");
    QB_REQUIRE(it, qb_to_scale((double)input->scale / (double)output->scale, &p.scale),
               "a scale is out of range");
    p.input_zero = input->zero_point;
    p.output_zero = output->zero_point;
    p.unsigned_input = input->type == QB_UINT8;
    p.unsigned_output = output->type == QB_UINT8;
    return qb_prepare_table(it, node, code, &p);
}

/* The nearest code, ties away from zero; saturates, also for infinities, and gives the zero point for NaN. */
static int8_t nearest(const qb_tensor *output, float real) {
    float steps = roundf(real / output->scale);
    int32_t whole = steps >= 1e6f ? 1000000 : steps <= -1e6f ? -1000000 : isnan(steps) ? 0 : (int32_t)steps;
    return clamp_code(whole + output->zero_point, output->type == QB_UINT8);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const uint8_t *from = qb_data(it, input);
    int8_t *to = qb_tensor_data(it, output);
    uint32_t i;
    if (input->type != QB_FLOAT32) {
        qb_eval_table(it, node);
        return;
    }
    for (i = 0; i < input->elements; i++) to[i] = nearest(output, qb_load_f32(from + 4 * i));
}

const qb_kernel qb_quantize = {
    .builtin_code = QB_OP_QUANTIZE,
    .options_type = QB_QUANTIZE_OPTIONS,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = eval,
};
