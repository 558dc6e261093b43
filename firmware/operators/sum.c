#include "sum.h"

#include <math.h>

/* A scale below one, as the sum's multipliers must be. */
static bool to_small_scale(double real, qk_scale *scale) {
    return real > 0 && real < 1 && qk_scale_of(real, scale) && scale->shift <= 0;
}

static bool is_power_of_two(const qb_tensor *tensor) {
    int exponent;
    return frexp((double)tensor->scale, &exponent) == 0.5;
}

/* Whether TFLite takes the older way for 16 bits, which shifts one operand to the scale of the other: the
 * option allows it, as it does by default, and all scales are powers of two. */
static bool by_powers_of_two(qb_interpreter *it, const qb_node *node) {
    return qb_u8(&it->file, qb_options(it, node), QB_ADD_POWERS_OF_TWO, 1) != 0 &&
           is_power_of_two(qb_input(it, node, 0)) && is_power_of_two(qb_input(it, node, 1)) &&
           is_power_of_two(qb_output(it, node));
}

qb_status qb_prepare_sum(qb_interpreter *it, qb_node *node, int32_t sign) {
    const qb_tensor *a = qb_input(it, node, 0), *b = qb_input(it, node, 1), *output = qb_output(it, node);
    qk_add_params p;
    double twice_larger;
    const bool wide = output->type == QB_INT16;
    QB_REQUIRE(it, qb_are_int8_or_int16(a, output) && qb_are_int8_or_int16(b, output), QB_INT8_OR_INT16);
    QB_REQUIRE(it, !wide || !by_powers_of_two(it, node),
               "16-bit operands of power-of-two scales are added without rescaling, which is not supported");
    QB_REQUIRE(it, qb_broadcast_fit(a, b, output, &p.walk), "the shapes cannot be broadcast to the output's");
    uint8_t activation = qb_u8(&it->file, qb_options(it, node), QB_ADD_ACTIVATION, 0);
    QB_REQUIRE(it, qb_activation_range(output, activation, &p.range),
               "this fused activation is not supported");
    twice_larger = 2.0 * (double)(a->scale > b->scale ? a->scale : b->scale);
    QB_REQUIRE(it,
               to_small_scale((double)a->scale / twice_larger, &p.scales[0]) &&
                   to_small_scale((double)b->scale / twice_larger, &p.scales[1]) &&
                   to_small_scale(twice_larger / ((double)output->scale *
                                                  (1 << (wide ? QK_ADD_SHIFT_S16 : QK_ADD_SHIFT))),
                                  &p.output_scale),
               "the output's scale is too small for those of the inputs");
    p.scales[1].multiplier *= sign;
    p.zero[0] = a->zero_point;
    p.zero[1] = b->zero_point;
    p.output_zero = output->zero_point;
    return qb_store_copy(it, node, &p, sizeof p);
}

void qb_eval_sum(const qb_interpreter *it, const qb_node *node) {
    if (qb_output(it, node)->type == QB_INT16)
        qk_add_s16(qb_prepared(it, node), qb_data(it, qb_input(it, node, 0)),
                   qb_data(it, qb_input(it, node, 1)), qb_tensor_data(it, qb_output(it, node)));
    else
        qk_add(qb_prepared(it, node), qb_data(it, qb_input(it, node, 0)), qb_data(it, qb_input(it, node, 1)),
               qb_tensor_data(it, qb_output(it, node)));
}
