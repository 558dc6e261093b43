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
    uint32_t filter_size;   /* elements of one output channel's filter */
    /* then qb_scale[channels], then int32_t[channels]: bias with the input's zero point folded in, which
     * holds wherever the whole window meets the input */
} plan;

static const qb_scale *scales_of(const plan *p) { return (const qb_scale *)(p + 1); }
static const int32_t *folded_of(const plan *p) { return (const int32_t *)(scales_of(p) + p->channels); }

static qb_status read_settings(qb_interpreter *it, const qb_node *node, const qb_weighted *op, plan *p) {
    qb_table options = qb_options(it, node);
    uint8_t padding = qb_u8(&it->file, options, 0, 0);
    const int32_t *in = op->input->dims, *filter = op->filter->dims, *out = op->output->dims;
    qb_window columns = {
        in[2], out[2], filter[2], qb_i32(&it->file, options, 1, 0), qb_i32(&it->file, options, 4, 1), 0};
    qb_window rows = {
        in[1], out[1], filter[1], qb_i32(&it->file, options, 2, 0), qb_i32(&it->file, options, 5, 1), 0};
    QB_REQUIRE(it, op->input->rank == 4 && op->filter->rank == 4 && op->output->rank == 4,
               "tensors must have rank 4");
    QB_REQUIRE(it, qb_window_fit(&rows, padding) && qb_window_fit(&columns, padding) && in[0] == out[0],
               "the shapes do not fit the filter, strides and padding");
    QB_REQUIRE(
        it,
        filter[0] == out[3] && filter[3] > 0 && in[3] % filter[3] == 0 && out[3] % (in[3] / filter[3]) == 0,
        "the channels of input, weights and output do not fit together");
    QB_REQUIRE(it, op->filter->zero_point == 0, "the weights must have zero point 0");
    QB_REQUIRE(it, qb_activation_range(op->output, qb_u8(&it->file, options, 3, 0), &p->range),
               "this fused activation is not supported");
    p->rows = rows;
    p->columns = columns;
    p->channels = out[3];
    p->depth = filter[3];
    p->input_depth = in[3];
    p->group_channels = out[3] / (in[3] / filter[3]);
    p->filter_size = op->filter->elements / (uint32_t)out[3];
    return QB_OK;
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    qb_weighted op = qb_weighted_operands(it, node);
    const int8_t *filter = qb_data(it, op.filter);
    const uint8_t *bias = op.bias ? qb_data(it, op.bias) : NULL;
    int32_t *folded, i;
    plan settings, *p;
    if (qb_check_weighted(it, &op, 0) != QB_OK) return it->error.status;
    if (read_settings(it, node, &op, &settings) != QB_OK) return it->error.status;
    p = qb_store(it, node, (uint32_t)sizeof *p + (uint32_t)settings.channels * 12u);
    if (p == NULL) return it->error.status;
    *p = settings;
    folded = (int32_t *)((qb_scale *)(p + 1) + p->channels);
    for (i = 0; i < p->channels; i++) {
        int32_t sum = qb_sum(filter + (uint32_t)i * p->filter_size, (int32_t)p->filter_size);
        folded[i] = qb_add(qb_bias(bias, i), (int32_t)((uint32_t)sum * (uint32_t)-op.input->zero_point));
    }
    return qb_channel_scales(it, &op, p->channels, (qb_scale *)(p + 1));
}

/* The part of the window that meets the input, for one output position. */
typedef struct {
    const int8_t *image;
    int32_t top, left; /* of tap (0, 0) in the image; negative in the padding */
    int32_t first_row, last_row, first_column, last_column;
    int32_t offset; /* minus the input's zero point */
    bool whole;
} patch;

static int32_t sum_whole(const plan *p, const patch *at, const int8_t *filter, int32_t group) {
    const int32_t row = p->rows.dilation * p->columns.input * p->input_depth,
                  run = p->columns.filter * p->depth;
    const int8_t *from =
        at->image + (at->top * p->columns.input + at->left) * p->input_depth + group * p->depth;
    int32_t sum = 0, y, x;
    for (y = 0; y < p->rows.filter; y++, from += row, filter += run) {
        if (p->columns.dilation == 1 && p->depth == p->input_depth) {
            sum = qb_add(sum, qb_dot(from, filter, run));
            continue;
        }
        for (x = 0; x < p->columns.filter; x++) {
            const int8_t *tap = from + x * p->columns.dilation * p->input_depth;
            sum = qb_add(sum, qb_dot(tap, filter + x * p->depth, p->depth));
        }
    }
    return sum;
}

static int32_t sum_clipped(const plan *p, const patch *at, const int8_t *filter, int32_t group) {
    int32_t sum = 0, y, x;
    for (y = at->first_row; y < at->last_row; y++) {
        for (x = at->first_column; x < at->last_column; x++) {
            int32_t row = at->top + y * p->rows.dilation, column = at->left + x * p->columns.dilation;
            const int8_t *from =
                at->image + (row * p->columns.input + column) * p->input_depth + group * p->depth;
            const int8_t *tap = filter + (y * p->columns.filter + x) * p->depth;
            sum = qb_add(sum, qb_dot_offset(from, at->offset, tap, p->depth));
        }
    }
    return sum;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const plan *p = qb_prepared(it, node);
    qb_weighted op = qb_weighted_operands(it, node);
    const qb_scale *scales = scales_of(p);
    const int32_t *folded = folded_of(p);
    const uint8_t *bias = op.bias ? qb_data(it, op.bias) : NULL;
    const int8_t *image = qb_data(it, op.input), *weights = qb_data(it, op.filter);
    int8_t *to = qb_tensor_data(it, op.output);
    const int32_t zero = op.output->zero_point;
    int32_t n, y, x, c;
    for (n = 0; n < op.input->dims[0]; n++, image += p->rows.input * p->columns.input * p->input_depth) {
        for (y = 0; y < p->rows.output; y++) {
            for (x = 0; x < p->columns.output; x++) {
                patch at;
                at.image = image;
                at.top = qb_window_taps(&p->rows, y, &at.first_row, &at.last_row);
                at.left = qb_window_taps(&p->columns, x, &at.first_column, &at.last_column);
                at.offset = -op.input->zero_point;
                at.whole = at.last_row - at.first_row == p->rows.filter &&
                           at.last_column - at.first_column == p->columns.filter;
                for (c = 0; c < p->channels; c++) {
                    const int8_t *filter = weights + (uint32_t)c * p->filter_size;
                    int32_t group = c / p->group_channels;
                    int32_t sum = at.whole ? qb_add(folded[c], sum_whole(p, &at, filter, group))
                                           : qb_add(qb_bias(bias, c), sum_clipped(p, &at, filter, group));
                    *to++ = qb_to_code(sum, scales[c], zero, p->range);
                }
            }
        }
    }
}

const qb_kernel qb_conv_2d = {3, 1, 8, 2, 3, 0, prepare, eval};
