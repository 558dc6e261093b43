/* RELU and RELU6: int8 or int16, rescaled and clamped. */
#include "common.h"

static qb_status prepare(qb_interpreter *it, qb_node *node, uint8_t activation) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    qk_requantize_params p = {.input_zero = input->zero_point, .output_zero = output->zero_point};
    int8_t *table;
    if (qb_check_unary_wide(it, node) != QB_OK) return it->error.status;
    QB_REQUIRE(it, qk_scale_of((double)(input->scale / output->scale), &p.scale), "a scale is out of range");
    qb_activation_range(output, activation, &p.range);
    if (output->type == QB_INT16) return qb_store_copy(it, node, &p, sizeof p);
    table = qb_store_table(it, node);
    if (table == NULL) return it->error.status;
    qk_requantize_table(&p, table);
    return QB_OK;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    if (qb_output(it, node)->type == QB_INT16)
        qb_eval_requantize(it, node);
    else
        qb_eval_table(it, node);
}

static qb_status prepare_relu(qb_interpreter *it, qb_node *node) { return prepare(it, node, QB_RELU); }
static qb_status prepare_relu6(qb_interpreter *it, qb_node *node) { return prepare(it, node, QB_RELU6); }

const qb_operator qb_relu = {
    .builtin_code = QB_OP_RELU,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare_relu,
    .eval = eval,
};
const qb_operator qb_relu6 = {
    .builtin_code = QB_OP_RELU6,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare_relu6,
    .eval = eval,
};
