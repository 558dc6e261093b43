/* MAX_POOL_2D: int8. */
#include "pool_2d.h"

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_pool *p = qb_prepared(it, node);
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const int8_t *from = qb_data(it, input);
    int8_t *to = qb_tensor_data(it, output);
    const int32_t depth = input->dims[3];
    int32_t n, y, x, c, i, j, row0, row1, column0, column1;
    for (n = 0; n < input->dims[0]; n++) {
        for (y = 0; y < p->rows.output; y++) {
            int32_t top = qb_window_taps(&p->rows, y, &row0, &row1);
            for (x = 0; x < p->columns.output; x++) {
                int32_t left = qb_window_taps(&p->columns, x, &column0, &column1);
                for (c = 0; c < depth; c++) {
                    int8_t largest = INT8_MIN;
                    for (i = row0; i < row1; i++) {
                        for (j = column0; j < column1; j++) {
                            int8_t code = from[qb_pool_tap(p, depth, n, top + i, left + j) + (uint32_t)c];
                            if (code > largest) largest = code;
                        }
                    }
                    *to++ = (int8_t)qb_clamp(largest, p->range.low, p->range.high);
                }
            }
        }
    }
}

const qb_kernel qb_max_pool_2d = {
    .builtin_code = QB_OP_MAX_POOL_2D,
    .options_type = QB_POOL_2D_OPTIONS,
    .max_version = 3,
    .min_inputs = 1,
    .max_inputs = 1,
    .prepare = qb_prepare_pool,
    .eval = eval,
};
