/* HARD_SWISH: int8. */
#include "common.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const float gate_unit = 3.0f / 32768.0f, fine = (1.0f / 128.0f) * input->scale;
    qk_hard_swish_params p = {.input_zero = input->zero_point, .output_zero = output->zero_point};
    int8_t *table;
    if (qb_check_unary(it, node) != QB_OK) return it->error.status;
    QB_REQUIRE(it,
               qk_scale_of((double)(fine / output->scale), &p.output) && p.output.shift <= 0 &&
                   qk_scale_of((double)(fine / gate_unit), &p.gate),
               "a scale is out of range");
    table = qb_store_table(it, node);
    if (table == NULL) return it->error.status;
    qk_hard_swish_table(&p, table);
    return QB_OK;
}

const qb_operator qb_hard_swish = {
    .builtin_code = QB_OP_HARD_SWISH,
    .options_type = QB_HARD_SWISH_OPTIONS,
    .max_version = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = qb_eval_table,
};
