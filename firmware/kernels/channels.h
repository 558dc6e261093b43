/* What the operators with weights share: checks, and a scale and a bias for each output channel. */
#ifndef QB_KERNELS_CHANNELS_H
#define QB_KERNELS_CHANNELS_H

#include "common.h"

/* The operands of an operator with weights. */
typedef struct {
    const qb_tensor *input;
    const qb_tensor *filter; /* constant int8 */
    const qb_tensor *bias;   /* constant int32, or NULL */
    const qb_tensor *output;
} qb_weighted;

qb_weighted qb_weighted_operands(const qb_interpreter *it, const qb_node *node);

/* Check types and quantization; the filter has one scale, or one for each index of its `channel_axis`. */
qb_status qb_check_weighted(qb_interpreter *it, const qb_weighted *op, uint32_t channel_axis);

/* From accumulator to output code, a channel each, as convolutions take it: the product of the scales in
 * double precision. */
qb_status qb_channel_scales(qb_interpreter *it, const qb_weighted *op, int32_t channels, qb_scale *scales);

/* Bias of a channel; 0 without one. */
static inline int32_t qb_bias(const uint8_t *bias, int32_t channel) {
    return bias ? qb_load_i32(bias + 4 * channel) : 0;
}

/* Sum of a[i] * b[i]. This and the next two are where a port's instructions for products go. */
int32_t qb_dot(const int8_t *a, const int8_t *b, int32_t count);

/* The same for a window of the input with its zero point subtracted; for four filters, each `count` behind
 * the one before, the window is loaded once for all. */
int32_t qb_dot_window(const int16_t *window, const int8_t *filter, int32_t count);
void qb_dot_window_4(const int16_t *window, const int8_t *filters, int32_t count, int32_t sums[4]);

/* Sum of a[i]. */
int32_t qb_sum(const int8_t *a, int32_t count);

static inline int8_t qb_to_code(int32_t accumulator, qb_scale scale, int32_t zero_point, qb_range range) {
    int32_t code = qb_add(qb_rescale(accumulator, scale.multiplier, scale.shift), zero_point);
    return (int8_t)qb_clamp(code, range.low, range.high);
}

#endif
