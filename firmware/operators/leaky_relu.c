/* LEAKY_RELU: int8 or int16; one scale on each side of the zero point. */
#include "common.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const float alpha = qb_f32(&it->file, qb_options(it, node), QB_LEAKY_RELU_ALPHA, 0.0f);
    const float size = alpha < 0 ? -alpha : alpha;
    qk_leaky_relu_params p = {.negative_sign = alpha < 0 ? -1 : 1,
                              .input_zero = input->zero_point,
                              .output_zero = output->zero_point};
    int8_t *table;
    if (qb_check_unary_wide(it, node) != QB_OK) return it->error.status;
    QB_REQUIRE(it,
               qk_scale_of((double)(input->scale / output->scale), &p.positive) &&
                   qk_scale_of((double)(input->scale * size / output->scale), &p.negative),
               "a scale is out of range");
    if (output->type == QB_INT16) return qb_store_copy(it, node, &p, sizeof p);
    table = qb_store_table(it, node);
    if (table == NULL) return it->error.status;
    qk_leaky_relu_table(&p, table);
    return QB_OK;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    if (output->type == QB_INT16)
        qk_leaky_relu_s16(qb_prepared(it, node), qb_data(it, input), input->elements,
                          qb_tensor_data(it, output));
    else
        qb_eval_table(it, node);
}

const qb_operator qb_leaky_relu = {
    .builtin_code = QB_OP_LEAKY_RELU,
    .options_type = QB_LEAKY_RELU_OPTIONS,
    .max_version = 2,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = eval,
};
