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

qb_status qb_channel_scales(qb_interpreter *it, const qb_weighted *op, int32_t channels, qb_scale *scales) {
    int32_t i;
    for (i = 0; i < channels; i++) {
        double real = (double)op->input->scale * (double)qb_channel_scale(it, op->filter, (uint32_t)i) /
                      (double)op->output->scale;
        QB_REQUIRE(it, qb_to_scale(real, &scales[i]), "a scale is out of range");
    }
    return QB_OK;
}

int32_t qb_dot(const int8_t *a, const int8_t *b, int32_t count) {
    int32_t sum = 0, i;
    for (i = 0; i < count; i++) sum += a[i] * b[i];
    return sum;
}

int32_t qb_dot_window(const int16_t *window, const int8_t *filter, int32_t count) {
    int32_t sum = 0, i;
    for (i = 0; i < count; i++) sum += window[i] * filter[i];
    return sum;
}

void qb_dot_window_4(const int16_t *window, const int8_t *filters, int32_t count, int32_t sums[4]) {
    const int8_t *b0 = filters, *b1 = b0 + count, *b2 = b1 + count, *b3 = b2 + count;
    int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0, i;
    for (i = 0; i < count; i++) {
        const int32_t x = window[i];
        sum0 += x * b0[i];
        sum1 += x * b1[i];
        sum2 += x * b2[i];
        sum3 += x * b3[i];
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

int32_t qb_sum(const int8_t *a, int32_t count) {
    int32_t sum = 0, i;
    for (i = 0; i < count; i++) sum += a[i];
    return sum;
}
