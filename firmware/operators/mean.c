/* MEAN: int8 or int16; the sum, divided by the number of terms and rescaled in one multiplication. */
#include "reduce.h"

/* Divide a scale by a number of terms without losing precision. */
static qk_scale divided(qk_scale scale, int32_t terms) {
    int32_t shift = 0;
    while (terms >> (shift + 1)) shift++;
    if (shift > 31 + scale.shift) shift = 31 + scale.shift;
    scale.multiplier = (int32_t)(((int64_t)scale.multiplier << shift) / terms);
    scale.shift -= shift;
    return scale;
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    qk_mean_params p;
    if (qb_reduction_fit_wide(it, node, &p.reduction) != QB_OK) return it->error.status;
    QB_REQUIRE(it, qk_scale_of((double)input->scale / (double)output->scale, &p.scale),
               "a scale is out of range");
    p.scale = divided(p.scale, p.reduction.terms);
    p.input_zero = input->zero_point;
    p.output_zero = output->zero_point;
    return qb_store_copy(it, node, &p, sizeof p);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    if (input->type == QB_INT16)
        qk_mean_s16(qb_prepared(it, node), qb_data(it, input), qb_tensor_data(it, output));
    else
        qk_mean(qb_prepared(it, node), qb_data(it, input), qb_tensor_data(it, output));
}

const qb_operator qb_mean = {
    .builtin_code = QB_OP_MEAN,
    .options_type = QB_REDUCER_OPTIONS,
    .max_version = 3,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
