/* FULLY_CONNECTED: int8, per-tensor or per-channel weights [units, depth]. */
#include "channels.h"

typedef struct {
    qb_range range;
    int32_t units;
    int32_t depth;
    int32_t batches;
    int32_t filter_offset; /* minus the weights' zero point */
    /* then qb_scale[units], then int32_t[units]: bias with all that does not depend on the input */
} plan;

static qb_status read_settings(qb_interpreter *it, const qb_node *node, const qb_weighted *op, plan *p) {
    qb_table options = qb_options(it, node);
    QB_REQUIRE(it, qb_u8(&it->file, options, QB_DENSE_WEIGHTS_FORMAT, 0) == 0,
               "shuffled weights are not supported");
    QB_REQUIRE(it,
               qb_activation_range(op->output, qb_u8(&it->file, options, QB_DENSE_ACTIVATION, 0), &p->range),
               "this fused activation is not supported");
    QB_REQUIRE(it, op->filter->rank == 2 && op->filter->dims[0] > 0 && op->filter->dims[1] > 0,
               "the weights must have rank 2");
    p->units = op->filter->dims[0];
    p->depth = op->filter->dims[1];
    p->batches = (int32_t)(op->input->elements / (uint32_t)p->depth);
    p->filter_offset = -op->filter->zero_point;
    QB_REQUIRE(it, op->filter->zero_point >= -128 && op->filter->zero_point <= 127,
               "a zero point is out of range");
    QB_REQUIRE(it,
               op->input->elements % (uint32_t)p->depth == 0 &&
                   (uint64_t)p->batches * (uint32_t)p->units == op->output->elements,
               "the shapes of input, weights and output do not fit together");
    return QB_OK;
}

/* With one scale for all weights, the product of the scales is rounded to single precision first. */
static qb_status common_scale(qb_interpreter *it, const qb_weighted *op, const plan *p, qb_scale *scales) {
    const float product = op->input->scale * op->filter->scale;
    int32_t i;
    for (i = 0; i < p->units; i++) {
        QB_REQUIRE(it, qb_to_scale((double)product / (double)op->output->scale, &scales[i]),
                   "a scale is out of range");
    }
    return QB_OK;
}

static int32_t row_sum(const qb_interpreter *it, const qb_tensor *filter, uint32_t row, uint32_t depth) {
    int32_t sum = 0;
    uint32_t i;
    for (i = 0; i < depth; i++) sum += qb_int8_at(it, filter, row * depth + i);
    return sum;
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    qb_weighted op = qb_weighted_operands(it, node);
    const uint8_t *bias = op.bias ? qb_data(it, op.bias) : NULL;
    plan settings, *p;
    qb_scale *scales;
    int32_t *constant, i;
    if (qb_check_weighted(it, &op, 0) != QB_OK) return it->error.status;
    if (read_settings(it, node, &op, &settings) != QB_OK) return it->error.status;
    p = qb_store(it, node,
                 (uint32_t)sizeof *p + (uint32_t)settings.units * (sizeof *scales + sizeof *constant));
    if (p == NULL) return it->error.status;
    *p = settings;
    scales = (qb_scale *)(p + 1);
    constant = (int32_t *)(scales + p->units);
    for (i = 0; i < p->units; i++) {
        int32_t sum = row_sum(it, op.filter, (uint32_t)i, (uint32_t)p->depth) + p->depth * p->filter_offset;
        constant[i] = qb_add(qb_bias(bias, i), (int32_t)((uint32_t)sum * (uint32_t)-op.input->zero_point));
    }
    if (op.filter->scale_count == 1) return common_scale(it, &op, p, scales);
    return qb_channel_scales(it, &op, p->units, scales);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const plan *p = qb_prepared(it, node);
    const qb_scale *scales = (const qb_scale *)(p + 1);
    const int32_t *constant = (const int32_t *)(scales + p->units);
    qb_weighted op = qb_weighted_operands(it, node);
    const int8_t *from = qb_data(it, op.input), *filter = qb_data(it, op.filter);
    int8_t *to = qb_tensor_data(it, op.output);
    int32_t n, i;
    for (n = 0; n < p->batches; n++, from += p->depth) {
        int32_t common = p->filter_offset ? p->filter_offset * qb_sum(from, p->depth) : 0;
        for (i = 0; i < p->units; i++) {
            int32_t sum = qb_dot(from, filter + (uint32_t)i * (uint32_t)p->depth, p->depth);
            sum = qb_add(qb_add(sum, common), constant[i]);
            *to++ = qb_to_code(sum, scales[i], op.output->zero_point, p->range);
        }
    }
}

const qb_kernel qb_fully_connected = {
    .builtin_code = QB_OP_FULLY_CONNECTED,
    .options_type = QB_FULLY_CONNECTED_OPTIONS,
    .max_version = 13,
    .min_inputs = 2,
    .max_inputs = 3,
    .prepare = prepare,
    .eval = eval,
};
