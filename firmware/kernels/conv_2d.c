/* CONV_2D: int8, per-channel or per-tensor weights [out, height, width, in / groups], NHWC. */
#include "channels.h"

typedef struct {
    qb_window rows;
    qb_window columns;
    qb_range range;
    int32_t channels;
    int32_t depth; /* of the filter: input channels of a group */
    int32_t input_depth;
    int32_t group_channels; /* output channels of a group */
    int32_t filter_size;    /* elements of one output channel's filter */
    /* then qb_scale[channels] */
} plan;

static qb_status read_settings(qb_interpreter *it, const qb_node *node, const qb_weighted *op, plan *p) {
    qb_table options = qb_options(it, node);
    uint8_t padding = qb_u8(&it->file, options, QB_CONV_PADDING, 0);
    const int32_t *in = op->input->dims, *filter = op->filter->dims, *out = op->output->dims;
    qb_window columns = {in[2],
                         out[2],
                         filter[2],
                         qb_i32(&it->file, options, QB_CONV_STRIDE_W, 0),
                         qb_i32(&it->file, options, QB_CONV_DILATION_W, 1),
                         0};
    qb_window rows = {in[1],
                      out[1],
                      filter[1],
                      qb_i32(&it->file, options, QB_CONV_STRIDE_H, 0),
                      qb_i32(&it->file, options, QB_CONV_DILATION_H, 1),
                      0};
    QB_REQUIRE(it, op->input->rank == 4 && op->filter->rank == 4 && op->output->rank == 4,
               "tensors must have rank 4");
    QB_REQUIRE(it, qb_window_fit(&rows, padding) && qb_window_fit(&columns, padding) && in[0] == out[0],
               "the shapes do not fit the filter, strides and padding");
    QB_REQUIRE(
        it,
        filter[0] == out[3] && filter[3] > 0 && in[3] % filter[3] == 0 && out[3] % (in[3] / filter[3]) == 0,
        "the channels of input, weights and output do not fit together");
    QB_REQUIRE(it, op->filter->zero_point == 0, "the weights must have zero point 0");
    QB_REQUIRE(it,
               qb_activation_range(op->output, qb_u8(&it->file, options, QB_CONV_ACTIVATION, 0), &p->range),
               "this fused activation is not supported");
    p->rows = rows;
    p->columns = columns;
    p->channels = out[3];
    p->depth = filter[3];
    p->input_depth = in[3];
    p->group_channels = out[3] / (in[3] / filter[3]);
    p->filter_size = (int32_t)(op->filter->elements / (uint32_t)out[3]);
    return QB_OK;
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    qb_weighted op = qb_weighted_operands(it, node);
    plan settings, *p;
    if (qb_check_weighted(it, &op, 0) != QB_OK) return it->error.status;
    if (read_settings(it, node, &op, &settings) != QB_OK) return it->error.status;
    qb_need_scratch(it, (uint32_t)settings.filter_size * sizeof(int16_t));
    p = qb_store(it, node, (uint32_t)sizeof *p + (uint32_t)settings.channels * sizeof(qb_scale));
    if (p == NULL) return it->error.status;
    *p = settings;
    return qb_channel_scales(it, &op, p->channels, (qb_scale *)(p + 1));
}

static void centre(const int8_t *from, int32_t zero, int32_t count, int16_t *to) {
    int32_t i;
    for (i = 0; i < count; i++) to[i] = (int16_t)(from[i] - zero);
}

/* What the window at an output position sees of a group's channels, as a filter lies in memory, with the zero
 * point subtracted; the padding is 0. */
static void read_window(const plan *p, const int8_t *image, int32_t y, int32_t x, int32_t zero, int16_t *to) {
    int32_t first_row, last_row, first, last, i, j;
    const int32_t top = qb_window_taps(&p->rows, y, &first_row, &last_row);
    const int32_t left = qb_window_taps(&p->columns, x, &first, &last);
    if (last_row - first_row < p->rows.filter || last - first < p->columns.filter)
        memset(to, 0, (uint32_t)p->filter_size * sizeof *to);
    for (i = first_row; i < last_row; i++) {
        const int8_t *row = image + (top + i * p->rows.dilation) * p->columns.input * p->input_depth;
        int16_t *line = to + i * p->columns.filter * p->depth;
        if (p->columns.dilation == 1 && p->depth == p->input_depth) {
            centre(row + (left + first) * p->depth, zero, (last - first) * p->depth, line + first * p->depth);
            continue;
        }
        for (j = first; j < last; j++) {
            const int8_t *tap = row + (left + j * p->columns.dilation) * p->input_depth;
            centre(tap, zero, p->depth, line + j * p->depth);
        }
    }
}

/* What the output channels have in common. */
typedef struct {
    const int8_t *weights;
    const uint8_t *bias;
    int32_t zero;
} channel_data;

/* The output channels [first, last) of one position. */
static void write_channels(const plan *p, const channel_data *data, const int16_t *window, int32_t first,
                           int32_t last, int8_t *to) {
    const qb_scale *scales = (const qb_scale *)(p + 1);
    const int32_t size = p->filter_size;
    int32_t sums[4], c = first, i;
    while (c < last) {
        const int32_t count = last - c < 4 ? 1 : 4;
        if (count == 4)
            qb_dot_window_4(window, data->weights + c * size, size, sums);
        else
            sums[0] = qb_dot_window(window, data->weights + c * size, size);
        for (i = 0; i < count; i++, c++) {
            int32_t sum = qb_add(sums[i], qb_bias(data->bias, c));
            to[c] = qb_to_code(sum, scales[c], data->zero, p->range);
        }
    }
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const plan *p = qb_prepared(it, node);
    const qb_weighted op = qb_weighted_operands(it, node);
    const channel_data data = {qb_data(it, op.filter), op.bias ? qb_data(it, op.bias) : NULL,
                               op.output->zero_point};
    const int8_t *image = qb_data(it, op.input);
    int8_t *to = qb_tensor_data(it, op.output);
    int16_t *window = qb_scratch(it);
    int32_t n, y, x, group, groups = p->channels / p->group_channels;
    for (n = 0; n < op.input->dims[0]; n++, image += p->rows.input * p->columns.input * p->input_depth) {
        for (y = 0; y < p->rows.output; y++) {
            for (x = 0; x < p->columns.output; x++, to += p->channels) {
                for (group = 0; group < groups; group++) {
                    int32_t first = group * p->group_channels;
                    read_window(p, image + group * p->depth, y, x, op.input->zero_point, window);
                    write_channels(p, &data, window, first, first + p->group_channels, to);
                }
            }
        }
    }
}

const qb_kernel qb_conv_2d = {
    .builtin_code = QB_OP_CONV_2D,
    .options_type = QB_CONV_2D_OPTIONS,
    .max_version = 8,
    .min_inputs = 2,
    .max_inputs = 3,
    .prepare = prepare,
    .eval = eval,
};
