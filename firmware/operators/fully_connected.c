/* FULLY_CONNECTED: int8 or int16, per-tensor or per-channel weights [units, depth]. */
#include "channels.h"

static qb_status read_settings(qb_interpreter *it, const qb_node *node, const qb_weighted *op,
                               qk_fully_connected_params *p) {
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
    p->input_zero = op->input->zero_point;
    p->weights_zero = op->filter->zero_point;
    p->output_zero = op->output->zero_point;
    QB_REQUIRE(it, op->filter->zero_point >= -128 && op->filter->zero_point <= 127,
               "a zero point is out of range");
    QB_REQUIRE(it,
               op->input->elements % (uint32_t)p->depth == 0 &&
                   (uint64_t)p->batches * (uint32_t)p->units == op->output->elements,
               "the shapes of input, weights and output do not fit together");
    return QB_OK;
}

/* With one scale for all weights, the product of the scales is rounded to single precision first. */
static qb_status common_scale(qb_interpreter *it, const qb_weighted *op, int32_t units, qk_scale *scales) {
    const float product = op->input->scale * op->filter->scale;
    int32_t i;
    for (i = 0; i < units; i++) {
        QB_REQUIRE(it, qk_scale_of((double)product / (double)op->output->scale, &scales[i]),
                   "a scale is out of range");
    }
    return qb_check_wide_scales(it, op, scales, units);
}

static int32_t row_sum(const qb_interpreter *it, const qb_tensor *filter, uint32_t row, uint32_t depth) {
    int32_t sum = 0;
    uint32_t i;
    for (i = 0; i < depth; i++) sum += qb_int8_at(it, filter, row * depth + i);
    return sum;
}

/* The parameters, then a scale for each unit, then, for int8, its bias. */
static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const uint32_t of_unit = sizeof(qk_scale) + sizeof(int32_t);
    const qb_weighted op = qb_weighted_operands(it, node);
    qk_fully_connected_params settings, *p;
    qk_scale *scales;
    int32_t *bias, i;
    const uint8_t bias_type = qb_u8(&it->file, qb_options(it, node), QB_DENSE_BIAS_TYPE, 0);
    if (qb_check_weighted(it, &op, 0, bias_type) != QB_OK) return it->error.status;
    if (read_settings(it, node, &op, &settings) != QB_OK) return it->error.status;
    p = qb_store(it, node, (uint32_t)sizeof *p + (uint32_t)settings.units * of_unit);
    if (p == NULL) return it->error.status;
    *p = settings;
    scales = (qk_scale *)(p + 1);
    bias = (int32_t *)(scales + p->units);
    for (i = 0; op.input->type == QB_INT8 && i < p->units; i++) {
        int32_t constant = op.bias ? (int32_t)qb_int_at(it, op.bias, (uint32_t)i) : 0;
        bias[i] = qk_folded_bias(p, constant, row_sum(it, op.filter, (uint32_t)i, (uint32_t)p->depth));
    }
    if (op.filter->scale_count == 1) return common_scale(it, &op, p->units, scales);
    return qb_channel_scales(it, &op, p->units, scales);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qk_fully_connected_params *p = qb_prepared(it, node);
    const qk_scale *scales = (const qk_scale *)(p + 1);
    const qb_weighted op = qb_weighted_operands(it, node);
    if (op.input->type == QB_INT16) {
        const qk_weights_s16 weights = qb_weights_s16_of(it, &op, scales);
        qk_fully_connected_s16(p, qb_data(it, op.input), &weights, qb_tensor_data(it, op.output));
    } else {
        const qk_weights weights = {qb_data(it, op.filter), scales + p->units, scales};
        qk_fully_connected(p, qb_data(it, op.input), &weights, qb_tensor_data(it, op.output));
    }
}

const qb_operator qb_fully_connected = {
    .builtin_code = QB_OP_FULLY_CONNECTED,
    .options_type = QB_FULLY_CONNECTED_OPTIONS,
    .max_version = 13,
    .min_inputs = 2,
    .max_inputs = 3,
    .prepare = prepare,
    .eval = eval,
};
