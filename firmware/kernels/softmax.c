/* SOFTMAX over the last dimension: int8 to int8 of scale 1/256 and zero point -128. */
#include "common.h"
#include "exponential.h"

#define INTEGER_BITS 5
#define SUM_INTEGER_BITS 12
#define MAX_DEPTH 4095 /* more terms could overflow the sum */

typedef struct {
    qb_fixed_input fixed;
    int32_t depth;
} plan;

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const float beta = qb_f32(&it->file, qb_options(it, node), QB_SOFTMAX_BETA, 0.0f);
    plan settings, *p;
    QB_REQUIRE(it, qb_is_int8(input) && qb_is_int8(output), "input and output must be int8, quantized");
    QB_REQUIRE(it, qb_same_shape(input, output) && input->rank >= 1,
               "input and output must have the same shape");
    QB_REQUIRE(it, output->scale == 1.0f / 256 && output->zero_point == -128,
               "the output must have scale 1/256 and zero point -128");
    QB_REQUIRE(it, qb_fixed_input_of((double)beta * (double)input->scale, INTEGER_BITS, &settings.fixed),
               "a scale is out of range");
    settings.depth = input->dims[input->rank - 1];
    QB_REQUIRE(it, settings.depth <= MAX_DEPTH, "more than 4095 classes");
    p = qb_store(it, node, sizeof *p);
    if (p == NULL) return it->error.status;
    *p = settings;
    return QB_OK;
}

/* exp of a difference to the row's largest code, no integer bits; 0 where it is too far below. */
static int32_t exp_of(const plan *p, int32_t difference) {
    const qb_scale scale = p->fixed.scale;
    if (difference < -p->fixed.radius) return 0;
    return qb_exp_negative(qb_high_mul(qb_shift_left(difference, scale.shift), scale.multiplier),
                           INTEGER_BITS);
}

static int32_t leading_zeros(uint32_t x) {
    int32_t zeros = 0;
    for (; zeros < 32 && !(x >> 31); x <<= 1) zeros++;
    return zeros;
}

static void row(const plan *p, const int8_t *from, int8_t *to) {
    int32_t largest = INT8_MIN, sum = 0, i, headroom, reciprocal, shift;
    for (i = 0; i < p->depth; i++) largest = from[i] > largest ? from[i] : largest;
    for (i = 0; i < p->depth; i++) sum += qb_round_shift(exp_of(p, from[i] - largest), SUM_INTEGER_BITS);
    headroom = leading_zeros((uint32_t)sum);
    reciprocal = qb_one_over_one_plus((int32_t)(((uint32_t)sum << headroom) - ((uint32_t)1 << 31)));
    shift = SUM_INTEGER_BITS - headroom + 31 - 8;
    for (i = 0; i < p->depth; i++) {
        int32_t difference = from[i] - largest, share;
        if (difference < -p->fixed.radius) {
            to[i] = INT8_MIN;
            continue;
        }
        share = qb_round_shift(qb_high_mul(reciprocal, exp_of(p, difference)), shift);
        to[i] = (int8_t)qb_clamp(share + INT8_MIN, INT8_MIN, INT8_MAX);
    }
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const plan *p = qb_prepared(it, node);
    const qb_tensor *input = qb_input(it, node, 0);
    const int8_t *from = qb_data(it, input);
    int8_t *to = qb_tensor_data(it, qb_output(it, node));
    uint32_t i;
    for (i = 0; i < input->elements; i += (uint32_t)p->depth) row(p, from + i, to + i);
}

const qb_kernel qb_softmax = {
    .builtin_code = QB_OP_SOFTMAX,
    .options_type = QB_SOFTMAX_OPTIONS,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = eval,
};
