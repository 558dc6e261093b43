/* DEPTHWISE_CONV_2D: int8 or int16, per-channel or per-tensor weights [1, height, width, in * multiplier],
 * NHWC. */
#include "channels.h"

static qb_status read_settings(qb_interpreter *it, const qb_node *node, const qb_weighted *op,
                               qk_depthwise_conv_2d_params *p) {
    qb_table options = qb_options(it, node);
    uint8_t padding = qb_u8(&it->file, options, QB_DEPTHWISE_PADDING, 0);
    const int32_t *in = op->input->dims, *filter = op->filter->dims, *out = op->output->dims;
    qk_window columns = {in[2],
                         out[2],
                         filter[2],
                         qb_i32(&it->file, options, QB_DEPTHWISE_STRIDE_W, 0),
                         qb_i32(&it->file, options, QB_DEPTHWISE_DILATION_W, 1),
                         0};
    qk_window rows = {in[1],
                      out[1],
                      filter[1],
                      qb_i32(&it->file, options, QB_DEPTHWISE_STRIDE_H, 0),
                      qb_i32(&it->file, options, QB_DEPTHWISE_DILATION_H, 1),
                      0};
    QB_REQUIRE(it, op->input->rank == 4 && op->filter->rank == 4 && op->output->rank == 4,
               "tensors must have rank 4");
    QB_REQUIRE(it, qb_window_fit(&rows, padding) && qb_window_fit(&columns, padding) && in[0] == out[0],
               "the shapes do not fit the filter, strides and padding");
    QB_REQUIRE(it, filter[0] == 1 && filter[3] == out[3] && out[3] % in[3] == 0,
               "the channels of input, weights and output do not fit together");
    QB_REQUIRE(it, op->filter->zero_point == 0, "the weights must have zero point 0");
    QB_REQUIRE(
        it, qb_activation_range(op->output, qb_u8(&it->file, options, QB_DEPTHWISE_ACTIVATION, 0), &p->range),
        "this fused activation is not supported");
    p->rows = rows;
    p->columns = columns;
    p->batches = in[0];
    p->input_channels = in[3];
    p->multiplier = out[3] / in[3];
    p->input_zero = op->input->zero_point;
    p->output_zero = op->output->zero_point;
    return QB_OK;
}

/* The parameters, then a scale for each output channel. */
static qb_status prepare(qb_interpreter *it, qb_node *node) {
    qb_weighted op = qb_weighted_operands(it, node);
    qk_depthwise_conv_2d_params settings, *p;
    int32_t channels;
    if (qb_check_weighted(it, &op, 3, 0) != QB_OK) return it->error.status;
    if (read_settings(it, node, &op, &settings) != QB_OK) return it->error.status;
    channels = op.output->dims[3];
    p = qb_store(it, node, (uint32_t)(sizeof *p + (uint32_t)channels * sizeof(qk_scale)));
    if (p == NULL) return it->error.status;
    *p = settings;
    return qb_channel_scales(it, &op, channels, (qk_scale *)(p + 1));
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qk_depthwise_conv_2d_params *p = qb_prepared(it, node);
    const qb_weighted op = qb_weighted_operands(it, node);
    const qk_scale *scales = (const qk_scale *)(p + 1);
    if (op.input->type == QB_INT16) {
        const qk_weights_s16 weights = qb_weights_s16_of(it, &op, scales);
        qk_depthwise_conv_2d_s16(p, qb_data(it, op.input), &weights, qb_tensor_data(it, op.output));
    } else {
        const qk_weights weights = qb_weights_of(it, &op, scales);
        qk_depthwise_conv_2d(p, qb_data(it, op.input), &weights, qb_tensor_data(it, op.output));
    }
}

const qb_operator qb_depthwise_conv_2d = {
    .builtin_code = QB_OP_DEPTHWISE_CONV_2D,
    .options_type = QB_DEPTHWISE_CONV_2D_OPTIONS,
    .max_version = 7,
    .min_inputs = 2,
    .max_inputs = 3,
    .prepare = prepare,
    .eval = eval,
};
