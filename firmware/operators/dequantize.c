/* DEQUANTIZE: int8, uint8 or int16 to float32. */
#include "common.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    QB_REQUIRE(it, qb_is_codes(input), "the input must be int8, uint8 or int16 with zero point 0, quantized");
    QB_REQUIRE(it, output->type == QB_FLOAT32 && qb_same_shape(input, output),
               "the output must be float32, of the input's shape");
    return QB_OK;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0);
    const qk_dequantize_params p = {input->scale, input->zero_point, input->type == QB_UINT8};
    if (input->type == QB_INT16)
        qk_dequantize_s16(input->scale, qb_data(it, input), input->elements,
                          qb_tensor_data(it, qb_output(it, node)));
    else
        qk_dequantize(&p, qb_data(it, input), input->elements, qb_tensor_data(it, qb_output(it, node)));
}

const qb_operator qb_dequantize = {
    .builtin_code = QB_OP_DEQUANTIZE,
    .options_type = QB_DEQUANTIZE_OPTIONS,
    .max_version = 6,
    .min_inputs = 1,
    .max_inputs = 1,
    .prepare = prepare,
    .eval = eval,
};
