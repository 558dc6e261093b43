/* QUANTIZE: float32 to int8, uint8 or int16, and each of these to any of them with another scale. */
#include "common.h"

/* Whether one end is int16. */
static bool is_wide(const qb_interpreter *it, const qb_node *node) {
    return qb_input(it, node, 0)->type == QB_INT16 || qb_output(it, node)->type == QB_INT16;
}

/* From codes: by a table where both types have 256. */
static qb_status prepare_codes(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    qk_requantize_params p;
    int8_t *table;
    QB_REQUIRE(it, qb_is_codes(input), "the input must be float32, int8, uint8 or int16 with zero point 0");
    QB_REQUIRE(it, qk_scale_of((double)input->scale / (double)output->scale, &p.scale),
               "a scale is out of range");
    p.range = qb_type_range(output->type);
    p.input_zero = input->zero_point;
    p.output_zero = output->zero_point;
    p.unsigned_input = input->type == QB_UINT8;
    if (is_wide(it, node)) return qb_store_copy(it, node, &p, sizeof p);
    table = qb_store_table(it, node);
    if (table == NULL) return it->error.status;
    qk_requantize_table(&p, table);
    return QB_OK;
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    QB_REQUIRE(it, qb_same_shape(input, output), "input and output must have the same shape");
    QB_REQUIRE(it, qb_is_codes(output),
               "the output must be int8, uint8 or int16 with zero point 0, quantized");
    return input->type == QB_FLOAT32 ? QB_OK : prepare_codes(it, node);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const qk_quantize_params p = {output->scale, output->zero_point, qb_type_range(output->type)};
    if (input->type == QB_FLOAT32 && output->type == QB_INT16)
        qk_quantize_s16(output->scale, qb_data(it, input), input->elements, qb_tensor_data(it, output));
    else if (is_wide(it, node))
        qb_eval_requantize(it, node);
    else if (input->type == QB_FLOAT32)
        qk_quantize(&p, qb_data(it, input), input->elements, qb_tensor_data(it, output));
    else
        qb_eval_table(it, node);
}

const qb_operator qb_quantize = {
    .builtin_code = QB_OP_QUANTIZE,
    .options_type = QB_QUANTIZE_OPTIONS,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = eval,
};
