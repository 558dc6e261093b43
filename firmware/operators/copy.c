#include "copy.h"

qb_status qb_check_copy(qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    QB_REQUIRE(it, input->type == output->type && input->elements == output->elements,
               "input and output must have the same type and number of elements");
    return QB_OK;
}

void qb_eval_copy(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *output = qb_output(it, node);
    const void *from = qb_data(it, qb_input(it, node, 0));
    void *to = qb_tensor_data(it, output);
    if (from != to) memcpy(to, from, output->bytes);
}
