/* ADD: int8, broadcast. */
#include "add_sub.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) { return qb_prepare_sum(it, node, 1); }

const qb_kernel qb_add_kernel = {0, 11, 5, 2, 2, 3, prepare, qb_eval_sum};
