#include "add_sub.h"

#define LEFT_SHIFT 20

typedef struct {
    qb_broadcast walk;
    qb_range range;
    int32_t zero[2];
    int32_t output_zero;
    qb_scale scales[2];
    qb_scale output_scale;
} plan;

/* A scale below one, as the sum's multipliers must be. */
static bool to_small_scale(double real, qb_scale *scale) {
    return real > 0 && real < 1 && qb_to_scale(real, scale) && scale->shift <= 0;
}

qb_status qb_prepare_sum(qb_interpreter *it, qb_node *node, int32_t sign) {
    const qb_tensor *a = qb_input(it, node, 0), *b = qb_input(it, node, 1), *output = qb_output(it, node);
    plan settings, *p;
    double twice_larger;
    QB_REQUIRE(it, qb_is_int8(a) && qb_is_int8(b) && qb_is_int8(output),
               "inputs and output must be int8, quantized");
    QB_REQUIRE(it, qb_broadcast_fit(a, b, output, &settings.walk),
               "the shapes cannot be broadcast to the output's");
    uint8_t activation = qb_u8(&it->file, qb_options(it, node), QB_ADD_ACTIVATION, 0);
    QB_REQUIRE(it, qb_activation_range(output, activation, &settings.range),
               "this fused activation is not supported");
    twice_larger = 2.0 * (double)(a->scale > b->scale ? a->scale : b->scale);
    QB_REQUIRE(it,
               to_small_scale((double)a->scale / twice_larger, &settings.scales[0]) &&
                   to_small_scale((double)b->scale / twice_larger, &settings.scales[1]) &&
                   to_small_scale(twice_larger / ((double)output->scale * (1 << LEFT_SHIFT)),
                                  &settings.output_scale),
               "the output's scale is too small for those of the inputs");
    settings.scales[1].multiplier *= sign;
    settings.zero[0] = a->zero_point;
    settings.zero[1] = b->zero_point;
    settings.output_zero = output->zero_point;
    p = qb_store(it, node, sizeof *p);
    if (p == NULL) return it->error.status;
    *p = settings;
    return QB_OK;
}

static int32_t operand(const plan *p, unsigned which, int8_t code) {
    int32_t shifted = (code - p->zero[which]) * (1 << LEFT_SHIFT);
    return qb_rescale(shifted, p->scales[which].multiplier, p->scales[which].shift);
}

static void row(const void *settings, const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                int8_t *to, int32_t count) {
    const plan *p = settings;
    int32_t i;
    for (i = 0; i < count; i++, a += step_a, b += step_b) {
        int32_t sum = operand(p, 0, *a) + operand(p, 1, *b);
        sum = qb_rescale(sum, p->output_scale.multiplier, p->output_scale.shift) + p->output_zero;
        to[i] = (int8_t)qb_clamp(sum, p->range.low, p->range.high);
    }
}

void qb_eval_sum(const qb_interpreter *it, const qb_node *node) {
    const plan *p = qb_prepared(it, node);
    qb_broadcast_rows(&p->walk, qb_data(it, qb_input(it, node, 0)), qb_data(it, qb_input(it, node, 1)),
                      qb_tensor_data(it, qb_output(it, node)), row, p);
}
