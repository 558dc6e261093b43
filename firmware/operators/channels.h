/* What the operators with weights share: checks, and a scale and a bias for each output channel. */
#ifndef QB_OPERATORS_CHANNELS_H
#define QB_OPERATORS_CHANNELS_H

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
qb_status qb_channel_scales(qb_interpreter *it, const qb_weighted *op, int32_t channels, qk_scale *scales);

/* The operands for the kernel, while the network runs. */
qk_weights qb_weights_of(const qb_interpreter *it, const qb_weighted *op, const qk_scale *scales);

#endif
