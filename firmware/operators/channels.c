#include "channels.h"

/* So many products of a centred input and a weight fit a 32-bit sum, whatever they are. */
#define MAX_TERMS 65536u

qb_weighted qb_weighted_operands(const qb_interpreter *it, const qb_node *node) {
    qb_weighted op;
    op.input = qb_input(it, node, 0);
    op.filter = qb_input(it, node, 1);
    op.bias = qb_input(it, node, 2);
    op.output = qb_output(it, node);
    return op;
}

bool qb_sums_wide(const qb_weighted *op) {
    return op->input->type == QB_INT16 && (op->bias == NULL || op->bias->type == QB_INT64);
}

/* Sums have 32 bits where the options say so, else 64; TFLite sums in 64 where there is no bias. */
static qb_status check_bias(qb_interpreter *it, const qb_weighted *op, uint8_t bias_type, uint32_t channels) {
    const bool wide = op->input->type == QB_INT16 && bias_type != QB_INT32;
    uint32_t i;
    if (op->bias == NULL) {
        QB_REQUIRE(it, wide || op->input->type == QB_INT8, "sums of 32 bits need a bias here");
        return QB_OK;
    }
    QB_REQUIRE(it, op->bias->constant && op->bias->type == (wide ? QB_INT64 : QB_INT32),
               wide ? "the bias must be constant int64, as the options leave it"
                    : "the bias must be constant int32");
    QB_REQUIRE(it, op->bias->elements == channels, "the bias must have a value an output channel");
    for (i = 0; wide && i < channels; i++) {
        const int64_t bias = qb_int_at(it, op->bias, i);
        QB_REQUIRE(it, bias > -QK_WIDE_BIAS && bias < QK_WIDE_BIAS, "a bias has more than 46 bits");
    }
    return QB_OK;
}

qb_status qb_check_weighted(qb_interpreter *it, const qb_weighted *op, uint32_t channel_axis,
                            uint8_t bias_type) {
    int32_t channels;
    QB_REQUIRE(it, qb_are_int8_or_int16(op->input, op->output), QB_INT8_OR_INT16);
    QB_REQUIRE(it, op->filter->type == QB_INT8 && op->filter->constant, "the weights must be constant int8");
    QB_REQUIRE(it, channel_axis < op->filter->rank, "the weights have too few dimensions");
    channels = op->filter->dims[channel_axis];
    QB_REQUIRE(it, channels > 0 && op->filter->elements / (uint32_t)channels <= MAX_TERMS,
               "an output channel has too many weights");
    if (op->filter->scale_count != 1) {
        QB_REQUIRE(it,
                   op->filter->scale_count == (uint32_t)channels && op->filter->channel_axis == channel_axis,
                   "the weights must have one scale, or one an output channel");
        QB_REQUIRE(it, op->filter->uniform_zero && op->filter->zero_point == 0,
                   "weights with a scale an output channel must have zero point 0");
    }
    return check_bias(it, op, bias_type, (uint32_t)channels);
}

qb_status qb_check_wide_scales(qb_interpreter *it, const qb_weighted *op, const qk_scale *scales,
                               int32_t channels) {
    int32_t i;
    for (i = 0; qb_sums_wide(op) && i < channels; i++)
        QB_REQUIRE(it, scales[i].shift <= QK_WIDE_SHIFT, "a scale is out of range");
    return QB_OK;
}

qb_status qb_channel_scales(qb_interpreter *it, const qb_weighted *op, int32_t channels, qk_scale *scales) {
    int32_t i;
    for (i = 0; i < channels; i++) {
        double real = (double)op->input->scale * (double)qb_channel_scale(it, op->filter, (uint32_t)i) /
                      (double)op->output->scale;
        QB_REQUIRE(it, qk_scale_of(real, &scales[i]), "a scale is out of range");
    }
    return qb_check_wide_scales(it, op, scales, channels);
}

qk_weights qb_weights_of(const qb_interpreter *it, const qb_weighted *op, const qk_scale *scales) {
    qk_weights weights;
    weights.values = qb_data(it, op->filter);
    weights.bias = op->bias ? qb_data(it, op->bias) : NULL;
    weights.scales = scales;
    return weights;
}

qk_weights_s16 qb_weights_s16_of(const qb_interpreter *it, const qb_weighted *op, const qk_scale *scales) {
    const qk_weights_s16 weights = {qb_data(it, op->filter), op->bias ? qb_data(it, op->bias) : NULL, scales,
                                    qb_sums_wide(op)};
    return weights;
}
