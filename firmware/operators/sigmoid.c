#include "sigmoid.h"

qb_status qb_prepare_sigmoid(qb_interpreter *it, qb_node *node, float scale, int32_t zero_point,
                             void (*fill)(const qk_sigmoid_params *p, int8_t table[256])) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const qk_sigmoid_params p = {input->scale, input->zero_point};
    int8_t *table;
    if (qb_check_unary(it, node) != QB_OK) return it->error.status;
    QB_REQUIRE(it, output->scale == scale && output->zero_point == zero_point,
               "the output must have the operator's own scale and zero point");
    table = qb_store_table(it, node);
    if (table == NULL) return it->error.status;
    fill(&p, table);
    return QB_OK;
}
