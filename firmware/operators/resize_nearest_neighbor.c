/* RESIZE_NEAREST_NEIGHBOR: int8. */
#include "resize.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    return qb_prepare_resize(it, node, QB_RESIZE_NEAREST_ALIGN_CORNERS);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0);
    qk_resize_params p = *(const qk_resize_params *)qb_prepared(it, node);
    p.channels *= (int32_t)qb_width(input->type);
    qk_resize_nearest_neighbor(&p, qb_data(it, input), qb_tensor_data(it, qb_output(it, node)));
}

const qb_operator qb_resize_nearest_neighbor = {
    .builtin_code = QB_OP_RESIZE_NEAREST_NEIGHBOR,
    .options_type = QB_RESIZE_NEAREST_NEIGHBOR_OPTIONS,
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
