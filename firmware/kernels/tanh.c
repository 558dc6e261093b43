/* TANH: int8 to int8 of scale 1/128 and zero point 0. */
#include "common.h"
#include "exponential.h"

#define INTEGER_BITS 4

typedef struct {
    qb_fixed_input fixed;
    int32_t zero;
} plan;

static int8_t code(const void *settings, int32_t x) {
    const plan *p = settings;
    int32_t value = x - p->zero, fixed, size;
    if (value <= -p->fixed.radius) return INT8_MIN;
    if (value >= p->fixed.radius) return INT8_MAX;
    fixed = qb_rescale(value, p->fixed.scale.multiplier, p->fixed.scale.shift);
    /* the same bits with one integer bit more are twice the number, and tanh x = (1 - e^-2x) / (1 + e^-2x) */
    size = qb_one_minus_over_one_plus(qb_exp_negative(fixed > 0 ? -fixed : fixed, INTEGER_BITS + 1));
    if (fixed == 0) size = 0;
    return (int8_t)qb_clamp(qb_round_shift(fixed < 0 ? -size : size, 24), INT8_MIN, INT8_MAX);
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    plan p;
    QB_REQUIRE(it, qb_is_int8(input) && qb_is_int8(output), "input and output must be int8, quantized");
    QB_REQUIRE(it, qb_same_shape(input, output), "input and output must have the same shape");
    QB_REQUIRE(it, output->scale == 1.0f / 128 && output->zero_point == 0,
               "the output must have scale 1/128 and zero point 0");
    QB_REQUIRE(it, qb_fixed_input_of((double)input->scale, INTEGER_BITS, &p.fixed), "a scale is out of range");
    p.zero = input->zero_point;
    return qb_prepare_table(it, node, code, &p);
}

const qb_kernel qb_tanh = {28, 0, 3, 1, 1, 1, prepare, qb_eval_table};
