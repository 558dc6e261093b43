/* What the operators with weights share: checks, and a scale and a bias for each output channel. */
#ifndef QB_OPERATORS_CHANNELS_H
#define QB_OPERATORS_CHANNELS_H

#include "common.h"

/* The operands of an operator with weights. */
typedef struct {
    const qb_tensor *input;
    const qb_tensor *filter; /* constant int8 */
    const qb_tensor *bias;   /* constant int32, or int64 for sums of 64 bits; or NULL */
    const qb_tensor *output;
} qb_weighted;

qb_weighted qb_weighted_operands(const qb_interpreter *it, const qb_node *node);

/* Check types and quantization; the filter has one scale, or one for each index of its `channel_axis`.
 * `bias_type` is what the options of an int16 operator say of its bias, 0 where they are silent. */
qb_status qb_check_weighted(qb_interpreter *it, const qb_weighted *op, uint32_t channel_axis,
                            uint8_t bias_type);

/* From accumulator to output code, a channel each, as convolutions take it: the product of the scales in
 * double precision. */
qb_status qb_channel_scales(qb_interpreter *it, const qb_weighted *op, int32_t channels, qk_scale *scales);

/* The operands for the kernel, while the network runs. */
qk_weights qb_weights_of(const qb_interpreter *it, const qb_weighted *op, const qk_scale *scales);
qk_weights_s16 qb_weights_s16_of(const qb_interpreter *it, const qb_weighted *op, const qk_scale *scales);

/* Whether an int16 operator sums in 64 bits, and its scale for that. */
bool qb_sums_wide(const qb_weighted *op);
qb_status qb_check_wide_scales(qb_interpreter *it, const qb_weighted *op, const qk_scale *scales,
                               int32_t channels);

#endif
