#include "sigmoid.h"

#include <math.h>

typedef struct {
    float (*function)(float);
    float scale;
    float steps;
    int32_t input_zero;
    int32_t output_zero;
} plan;

static int8_t code(const void *settings, int32_t x) {
    const plan *p = settings;
    float steps = roundf(p->function(p->scale * (float)(x - p->input_zero)) * p->steps);
    return (int8_t)qb_clamp((int32_t)steps + p->output_zero, INT8_MIN, INT8_MAX);
}

qb_status qb_prepare_sigmoid(qb_interpreter *it, qb_node *node, float (*function)(float), float steps,
                             int32_t zero_point) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    plan p;
    QB_REQUIRE(it, qb_is_int8(input) && qb_is_int8(output), "input and output must be int8, quantized");
    QB_REQUIRE(it, qb_same_shape(input, output), "input and output must have the same shape");
    QB_REQUIRE(it, output->scale * steps == 1.0f && output->zero_point == zero_point,
               "the output must have the operator's own scale and zero point");
    p.function = function;
    p.scale = input->scale;
    p.steps = steps;
    p.input_zero = input->zero_point;
    p.output_zero = zero_point;
    return qb_prepare_table(it, node, code, &p);
}
