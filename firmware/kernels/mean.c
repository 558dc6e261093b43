/* MEAN: int8; the sum, divided by the number of terms and rescaled in one multiplication. */
#include "reduce.h"

typedef struct {
    qb_reduction reduction;
    qb_scale scale;
    int32_t input_zero;
    int32_t output_zero;
} plan;

/* Divide a scale by a number of terms without losing precision. */
static qb_scale divided(qb_scale scale, int32_t terms) {
    int32_t shift = 0;
    while (terms >> (shift + 1)) shift++;
    if (shift > 31 + scale.shift) shift = 31 + scale.shift;
    scale.multiplier = (int32_t)(((int64_t)scale.multiplier << shift) / terms);
    scale.shift -= shift;
    return scale;
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    plan settings, *p;
    if (qb_reduction_fit(it, node, &settings.reduction) != QB_OK) return it->error.status;
    QB_REQUIRE(it, qb_to_scale((double)input->scale / (double)output->scale, &settings.scale),
               "a scale is out of range");
    settings.scale = divided(settings.scale, settings.reduction.terms);
    settings.input_zero = input->zero_point;
    settings.output_zero = output->zero_point;
    p = qb_store(it, node, sizeof *p);
    if (p == NULL) return it->error.status;
    *p = settings;
    return QB_OK;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const plan *p = qb_prepared(it, node);
    const qb_reduction *r = &p->reduction;
    const int8_t *from = qb_data(it, qb_input(it, node, 0));
    int8_t *to = qb_tensor_data(it, qb_output(it, node));
    int32_t kept[QB_MAX_RANK] = {0};
    do {
        const int8_t *start = from + qb_offset(kept, r->kept_steps, r->kept);
        int32_t index[QB_MAX_RANK] = {0}, sum = -r->terms * p->input_zero, code;
        do sum += start[qb_offset(index, r->reduced_steps, r->reduced)];
        while (qb_next_index(r->reduced_dims, r->reduced, index));
        code = qb_add(qb_rescale(sum, p->scale.multiplier, p->scale.shift), p->output_zero);
        *to++ = (int8_t)qb_clamp(code, INT8_MIN, INT8_MAX);
    } while (qb_next_index(r->kept_dims, r->kept, kept));
}

const qb_kernel qb_mean = {
    .builtin_code = QB_OP_MEAN,
    .options_type = QB_REDUCER_OPTIONS,
    .max_version = 3,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
