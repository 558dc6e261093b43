/* DEPTHWISE_CONV_2D: int8, per-channel or per-tensor weights [1, height, width, in * multiplier], NHWC. */
#include "channels.h"

#define BLOCK 32 /* channels summed side by side */

typedef struct {
    qb_window rows;
    qb_window columns;
    qb_range range;
    int32_t channels;
    int32_t multiplier;
    /* then qb_scale[channels] */
} plan;

static qb_status read_settings(qb_interpreter *it, const qb_node *node, const qb_weighted *op, plan *p) {
    qb_table options = qb_options(it, node);
    uint8_t padding = qb_u8(&it->file, options, QB_DEPTHWISE_PADDING, 0);
    const int32_t *in = op->input->dims, *filter = op->filter->dims, *out = op->output->dims;
    qb_window columns = {in[2],
                         out[2],
                         filter[2],
                         qb_i32(&it->file, options, QB_DEPTHWISE_STRIDE_W, 0),
                         qb_i32(&it->file, options, QB_DEPTHWISE_DILATION_W, 1),
                         0};
    qb_window rows = {in[1],
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
    p->channels = out[3];
    p->multiplier = out[3] / in[3];
    return QB_OK;
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    qb_weighted op = qb_weighted_operands(it, node);
    plan settings, *p;
    if (qb_check_weighted(it, &op, 3) != QB_OK) return it->error.status;
    if (read_settings(it, node, &op, &settings) != QB_OK) return it->error.status;
    p = qb_store(it, node, (uint32_t)sizeof *p + (uint32_t)settings.channels * sizeof(qb_scale));
    if (p == NULL) return it->error.status;
    *p = settings;
    return qb_channel_scales(it, &op, p->channels, (qb_scale *)(p + 1));
}

/* One output position, channels [first, first + count), count <= BLOCK, of the accumulators. */
static void sum_block(const plan *p, const int8_t *image, const int8_t *weights, int32_t offset, int32_t y,
                      int32_t x, int32_t first, int32_t count, int32_t *sums) {
    int32_t row0, row1, column0, column1, i, j, c;
    const int32_t depth = p->channels / p->multiplier;
    const int32_t top = qb_window_taps(&p->rows, y, &row0, &row1);
    const int32_t left = qb_window_taps(&p->columns, x, &column0, &column1);
    for (i = row0; i < row1; i++) {
        for (j = column0; j < column1; j++) {
            int32_t pixel = (top + i * p->rows.dilation) * p->columns.input + left + j * p->columns.dilation;
            const int8_t *from = image + pixel * depth;
            const int8_t *tap = weights + (i * p->columns.filter + j) * p->channels + first;
            if (p->multiplier == 1) {
                for (c = 0; c < count; c++) sums[c] = qb_add(sums[c], (from[first + c] + offset) * tap[c]);
            } else {
                for (c = 0; c < count; c++)
                    sums[c] = qb_add(sums[c], (from[(first + c) / p->multiplier] + offset) * tap[c]);
            }
        }
    }
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const plan *p = qb_prepared(it, node);
    const qb_scale *scales = (const qb_scale *)(p + 1);
    qb_weighted op = qb_weighted_operands(it, node);
    const uint8_t *bias = op.bias ? qb_data(it, op.bias) : NULL;
    const int8_t *image = qb_data(it, op.input), *weights = qb_data(it, op.filter);
    int8_t *to = qb_tensor_data(it, op.output);
    int32_t sums[BLOCK], n, y, x, first, c;
    for (n = 0; n < op.input->dims[0]; n++, image += op.input->elements / (uint32_t)op.input->dims[0]) {
        for (y = 0; y < p->rows.output; y++) {
            for (x = 0; x < p->columns.output; x++) {
                for (first = 0; first < p->channels; first += BLOCK) {
                    int32_t left = p->channels - first, count = left < BLOCK ? left : BLOCK;
                    for (c = 0; c < count; c++) sums[c] = qb_bias(bias, first + c);
                    sum_block(p, image, weights, -op.input->zero_point, y, x, first, count, sums);
                    for (c = 0; c < count; c++)
                        *to++ = qb_to_code(sums[c], scales[first + c], op.output->zero_point, p->range);
                }
            }
        }
    }
}

const qb_kernel qb_depthwise_conv_2d = {
    .builtin_code = QB_OP_DEPTHWISE_CONV_2D,
    .options_type = QB_DEPTHWISE_CONV_2D_OPTIONS,
    .max_version = 7,
    .min_inputs = 2,
    .max_inputs = 3,
    .prepare = prepare,
    .eval = eval,
};
