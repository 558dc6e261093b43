/* SUB: int8, broadcast. */
#include "add_sub.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) { return qb_prepare_sum(it, node, -1); }

const qb_kernel qb_sub = {41, 28, 5, 2, 2, 3, prepare, qb_eval_sum};
