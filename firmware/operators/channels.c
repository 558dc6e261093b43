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

qb_status qb_check_weighted(qb_interpreter *it, const qb_weighted *op, uint32_t channel_axis) {
    int32_t channels;
    QB_REQUIRE(it, qb_is_int8(op->input) && qb_is_int8(op->output),
               "input and output must be int8, quantized");
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
    if (op->bias != NULL) {
        QB_REQUIRE(it, op->bias->type == QB_INT32 && op->bias->constant, "the bias must be constant int32");
        QB_REQUIRE(it, op->bias->elements == (uint32_t)channels,
                   "the bias must have a value an output channel");
    }
    return QB_OK;
}

qb_status qb_channel_scales(qb_interpreter *it, const qb_weighted *op, int32_t channels, qk_scale *scales) {
    int32_t i;
    for (i = 0; i < channels; i++) {
        double real = (double)op->input->scale * (double)qb_channel_scale(it, op->filter, (uint32_t)i) /
                      (double)op->output->scale;
        QB_REQUIRE(it, qk_scale_of(real, &scales[i]), "a scale is out of range");
    }
    return QB_OK;
}

qk_weights qb_weights_of(const qb_interpreter *it, const qb_weighted *op, const qk_scale *scales) {
    qk_weights weights;
    weights.values = qb_data(it, op->filter);
    weights.bias = op->bias ? qb_data(it, op->bias) : NULL;
    weights.scales = scales;
    return weights;
}
