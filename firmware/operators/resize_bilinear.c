/* RESIZE_BILINEAR: int8. */
#include "resize.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    return qb_prepare_resize(it, node, QB_RESIZE_BILINEAR_ALIGN_CORNERS);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    if (input->type == QB_INT16)
        qk_resize_bilinear_s16(qb_prepared(it, node), qb_data(it, input), qb_tensor_data(it, output));
    else
        qk_resize_bilinear(qb_prepared(it, node), qb_data(it, input), qb_tensor_data(it, output));
}

const qb_operator qb_resize_bilinear = {
    .builtin_code = QB_OP_RESIZE_BILINEAR,
    .options_type = QB_RESIZE_BILINEAR_OPTIONS,
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
