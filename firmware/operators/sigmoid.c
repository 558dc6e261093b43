#include "sigmoid.h"

#include <math.h>

/* From codes to units of 1 / (3 * 4096): exact where the input's scale is 1/4096, or a doubling of it that
 * the operator takes so, else by a multiplier of 15 bits. */
static bool to_argument(float scale, int32_t doublings, qk_sigmoid_s16_params *p) {
    double multiplier = (double)scale * 4096.0 * 3.0;
    int exponent;
    const bool power = frexp((double)scale, &exponent) == 0.5;
    p->right_shift = 0;
    if (power && exponent + 11 >= 0 && exponent + 11 <= doublings) {
        p->multiplier = 3 << (exponent + 11);
        return true;
    }
    for (; multiplier <= 32767.0 / 2.0 && p->right_shift <= 30; p->right_shift++) multiplier *= 2.0;
    p->multiplier = multiplier < 65536.0 ? (int32_t)multiplier : 0;
    return multiplier < 65536.0;
}

static qb_status prepare_s16(qb_interpreter *it, qb_node *node, const qb_sigmoid *kind) {
    qk_sigmoid_s16_params p;
    QB_REQUIRE(it, qb_output(it, node)->scale == 1.0f / 32768, "the output must have scale 1/32768");
    QB_REQUIRE(it, to_argument(qb_input(it, node, 0)->scale, kind->doublings, &p), "a scale is out of range");
    return qb_store_copy(it, node, &p, sizeof p);
}

qb_status qb_prepare_sigmoid(qb_interpreter *it, qb_node *node, const qb_sigmoid *kind) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const qk_sigmoid_params p = {input->scale, input->zero_point};
    int8_t *table;
    if (qb_check_unary_wide(it, node) != QB_OK) return it->error.status;
    if (input->type == QB_INT16) return prepare_s16(it, node, kind);
    QB_REQUIRE(it, output->scale == kind->scale && output->zero_point == kind->zero_point,
               "the output must have the operator's own scale and zero point");
    table = qb_store_table(it, node);
    if (table == NULL) return it->error.status;
    kind->fill(&p, table);
    return QB_OK;
}

void qb_eval_sigmoid(const qb_interpreter *it, const qb_node *node, const qb_sigmoid *kind) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    if (input->type == QB_INT16)
        kind->compute(qb_prepared(it, node), qb_data(it, input), input->elements, qb_tensor_data(it, output));
    else
        qb_eval_table(it, node);
}
