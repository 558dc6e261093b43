/* SQUEEZE: RESHAPE without the dimensions of size 1, or without those that are named. */
#include "copy.h"

/* Mark the dimensions that go, as bits; false when one is named that is not there or not of size 1. */
static bool dropped(qb_interpreter *it, const qb_node *node, uint32_t *drop) {
    const qb_tensor *input = qb_input(it, node, 0);
    qb_vector named = qb_elements(&it->file, qb_options(it, node), QB_SQUEEZE_DIMS, sizeof(int32_t));
    uint32_t i;
    *drop = 0;
    for (i = 0; named.count == 0 && i < input->rank; i++) {
        if (input->dims[i] == 1) *drop |= 1u << i;
    }
    for (i = 0; i < named.count; i++) {
        int32_t axis = qb_i32_in(&it->file, named, i);
        if (axis < 0 && axis >= -(int32_t)input->rank) axis += input->rank;
        if (axis < 0 || axis >= input->rank || input->dims[axis] != 1) return false;
        *drop |= 1u << axis;
    }
    return true;
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    uint32_t drop, i, kept = 0;
    if (qb_check_copy(it, node) != QB_OK) return it->error.status;
    QB_REQUIRE(it, dropped(it, node, &drop), "a dimension to drop is not there, or is not of size 1");
    for (i = 0; i < input->rank; i++) {
        if (drop >> i & 1) continue;
        QB_REQUIRE(it, kept < output->rank && output->dims[kept] == input->dims[i],
                   "the output's shape is not the one asked for");
        kept++;
    }
    QB_REQUIRE(it, kept == output->rank, "the output's shape is not the one asked for");
    return QB_OK;
}

const qb_operator qb_squeeze = {
    .builtin_code = QB_OP_SQUEEZE,
    .options_type = QB_SQUEEZE_OPTIONS,
    .max_version = 2,
    .min_inputs = 1,
    .max_inputs = 1,
    .in_place = QB_INPUT_0,
    .prepare = prepare,
    .eval = qb_eval_copy,
};
