/* REDUCE_MAX: int8. */
#include "reduce.h"

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    qb_reduction settings, *p;
    if (qb_reduction_fit(it, node, &settings) != QB_OK) return it->error.status;
    QB_REQUIRE(it, qb_same_quantization(qb_input(it, node, 0), qb_output(it, node)),
               "input and output must have the same scale and zero point");
    p = qb_store(it, node, sizeof *p);
    if (p == NULL) return it->error.status;
    *p = settings;
    return QB_OK;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_reduction *r = qb_prepared(it, node);
    const int8_t *from = qb_data(it, qb_input(it, node, 0));
    int8_t *to = qb_tensor_data(it, qb_output(it, node));
    int32_t kept[QB_MAX_RANK] = {0};
    do {
        const int8_t *start = from + qb_offset(kept, r->kept_steps, r->kept);
        int32_t index[QB_MAX_RANK] = {0};
        int8_t largest = INT8_MIN;
        do {
            int8_t code = start[qb_offset(index, r->reduced_steps, r->reduced)];
            if (code > largest) largest = code;
        } while (qb_next_index(r->reduced_dims, r->reduced, index));
        *to++ = largest;
    } while (qb_next_index(r->kept_dims, r->kept, kept));
}

const qb_kernel qb_reduce_max = {
    .builtin_code = QB_OP_REDUCE_MAX,
    .options_type = QB_REDUCER_OPTIONS,
    .max_version = 3,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
