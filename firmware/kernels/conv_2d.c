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
    bool pointwise;         /* the filter is 1 x 1: its window lies in the image as it is */
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
    p->pointwise = filter[1] == 1 && filter[2] == 1;
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
    if (!p->pointwise) qb_need_scratch(it, p->filter_size);
    folded = (int32_t *)((qb_scale *)(p + 1) + p->channels);
    for (i = 0; i < p->channels; i++) {
        int32_t sum = qb_sum(filter + (uint32_t)i * p->filter_size, (int32_t)p->filter_size);
        folded[i] = qb_add(qb_bias(bias, i), (int32_t)((uint32_t)sum * (uint32_t)-op.input->zero_point));
    }
    return qb_channel_scales(it, &op, p->channels, (qb_scale *)(p + 1));
}

/* Copy what the window at an output position sees of a group's channels; the padding reads as the zero point,
 * which the folded bias cancels. */
static void copy_window(const plan *p, const int8_t *image, int32_t y, int32_t x, int8_t zero, int8_t *to) {
    int32_t first_row, last_row, first, last, i, j;
    const int32_t top = qb_window_taps(&p->rows, y, &first_row, &last_row);
    const int32_t left = qb_window_taps(&p->columns, x, &first, &last);
    if (last_row - first_row < p->rows.filter || last - first < p->columns.filter)
        memset(to, zero, p->filter_size);
    for (i = first_row; i < last_row; i++) {
        const int8_t *row = image + (top + i * p->rows.dilation) * p->columns.input * p->input_depth;
        int8_t *line = to + i * p->columns.filter * p->depth;
        if (p->columns.dilation == 1 && p->depth == p->input_depth) {
            memcpy(line + first * p->depth, row + (left + first) * p->depth,
                   (uint32_t)((last - first) * p->depth));
            continue;
        }
        for (j = first; j < last; j++) {
            const int8_t *tap = row + (left + j * p->columns.dilation) * p->input_depth;
            memcpy(line + j * p->depth, tap, (uint32_t)p->depth);
        }
    }
}

/* The output channels [first, last) of one position. */
static void channels_of(const plan *p, const int8_t *window, const int8_t *weights, int32_t first,
                        int32_t last, int32_t zero, int8_t *to) {
    const qb_scale *scales = scales_of(p);
    const int32_t *folded = folded_of(p), size = (int32_t)p->filter_size;
    int32_t c = first, i;
    for (; c + 4 <= last; c += 4) {
        int32_t sums[4];
        qb_dot_4(window, weights + c * size, size, size, sums);
        for (i = 0; i < 4; i++)
            to[c + i] = qb_to_code(qb_add(sums[i], folded[c + i]), scales[c + i], zero, p->range);
    }
    for (; c < last; c++) {
        int32_t sum = qb_add(qb_dot(window, weights + c * size, size), folded[c]);
        to[c] = qb_to_code(sum, scales[c], zero, p->range);
    }
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const plan *p = qb_prepared(it, node);
    qb_weighted op = qb_weighted_operands(it, node);
    const int8_t *image = qb_data(it, op.input), *weights = qb_data(it, op.filter), *window;
    int8_t *to = qb_tensor_data(it, op.output), *scratch = qb_scratch(it);
    int32_t n, y, x, first;
    for (n = 0; n < op.input->dims[0]; n++, image += p->rows.input * p->columns.input * p->input_depth) {
        for (y = 0; y < p->rows.output; y++) {
            for (x = 0; x < p->columns.output; x++, to += p->channels) {
                for (first = 0; first < p->channels; first += p->group_channels) {
                    const int8_t *from = image + first / p->group_channels * p->depth;
                    if (p->pointwise) {
                        window = from + (y * p->rows.stride * p->columns.input + x * p->columns.stride) *
                                            p->input_depth;
                    } else {
                        copy_window(p, from, y, x, (int8_t)op.input->zero_point, scratch);
                        window = scratch;
                    }
                    channels_of(p, window, weights, first, first + p->group_channels, op.output->zero_point,
                                to);
                }
            }
        }
    }
}

const qb_kernel qb_conv_2d = {3, 1, 8, 2, 3, 0, prepare, eval};
