/* MAX_POOL_2D: int8. */
#include "pool_2d.h"

static void eval(const qb_interpreter *it, const qb_node *node) {
    const int8_t *input = qb_data(it, qb_input(it, node, 0));
    qk_max_pool_2d(qb_prepared(it, node), input, qb_tensor_data(it, qb_output(it, node)));
}

const qb_operator qb_max_pool_2d = {
    .builtin_code = QB_OP_MAX_POOL_2D,
    .options_type = QB_POOL_2D_OPTIONS,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .prepare = qb_prepare_pool,
    .eval = eval,
};
