/* HARD_SWISH: int8; x * relu6(x + 3) / 6 in 16-bit fixed point, as TFLite's reference kernel does it. */
#include "common.h"

typedef struct {
    int32_t input_zero;
    int32_t output_zero;
    int16_t output_multiplier;
    int32_t output_shift;
    int16_t gate_multiplier; /* brings the input to the unit in which the gate is 1 at 2^15 */
    int32_t gate_shift;
} plan;

static int16_t saturate_16(int32_t x) { return (int16_t)qb_clamp(x, INT16_MIN, INT16_MAX); }

/* a * b / 2^15, rounded to nearest, ties up, saturated. */
static int16_t high_mul_16(int16_t a, int16_t b) {
    if (a == INT16_MIN && b == INT16_MIN) return INT16_MAX;
    return (int16_t)(((int32_t)a * b + (1 << 14)) >> 15);
}

static int16_t shift_left_16(int16_t x, int32_t bits) {
    return saturate_16(qb_saturating_shift_left(x, bits));
}

/* How far open the gate is, in 2^-15: relu6(x + 3) / 6. */
static int16_t gate(const plan *p, int16_t x) {
    int32_t left = p->gate_shift > 0 ? p->gate_shift : 0;
    int16_t g = x;
    if (left > 0) g = shift_left_16(g, left - 1);
    g = high_mul_16(g, p->gate_multiplier);
    if (left > 0) g = shift_left_16(g, 1);
    if (p->gate_shift < 0) g = (int16_t)qb_round_shift(g, -p->gate_shift);
    return (int16_t)((g + (1 << 15)) >> 1);
}

static int8_t code(const void *settings, int32_t x) {
    const plan *p = settings;
    int16_t fine = (int16_t)((x - p->input_zero) * (1 << 7));
    int16_t scaled = high_mul_16(fine, p->output_multiplier);
    int32_t gated = ((int32_t)gate(p, fine) * scaled) / (1 << 15);
    return (int8_t)qb_clamp(qb_round_shift(gated, -p->output_shift) + p->output_zero, INT8_MIN, INT8_MAX);
}

/* A scale with a 16-bit multiplier. */
static bool to_scale_16(float real, int16_t *multiplier, int32_t *shift) {
    qb_scale scale;
    if (!qb_to_scale((double)real, &scale)) return false;
    *multiplier = (int16_t)(scale.multiplier >= INT32_MAX - (1 << 15) ? INT16_MAX
                                                                      : (scale.multiplier + (1 << 15)) >> 16);
    *shift = scale.shift;
    return true;
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const float gate_unit = 3.0f / 32768.0f;
    float fine;
    plan p;
    QB_REQUIRE(it, qb_is_int8(input) && qb_is_int8(output), "input and output must be int8, quantized");
    QB_REQUIRE(it, qb_same_shape(input, output), "input and output must have the same shape");
    fine = (1.0f / 128.0f) * input->scale;
    QB_REQUIRE(it,
               to_scale_16(fine / output->scale, &p.output_multiplier, &p.output_shift) &&
                   p.output_shift <= 0 && to_scale_16(fine / gate_unit, &p.gate_multiplier, &p.gate_shift),
               "a scale is out of range");
    p.input_zero = input->zero_point;
    p.output_zero = output->zero_point;
    return qb_prepare_table(it, node, code, &p);
}

const qb_kernel qb_hard_swish = {
    .builtin_code = QB_OP_HARD_SWISH,
    .options_type = QB_HARD_SWISH_OPTIONS,
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = qb_eval_table,
};
