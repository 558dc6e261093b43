#include "reduce.h"

qb_status qb_reduction_fit_wide(qb_interpreter *it, qb_node *node, qk_reduction *r) {
    const qb_tensor *input = qb_input(it, node, 0), *axes = qb_input(it, node, 1),
                    *output = qb_output(it, node);
    int32_t strides[QB_MAX_RANK];
    uint32_t gone = 0, i;
    memset(r, 0, sizeof *r);
    r->terms = 1;
    QB_REQUIRE(it, qb_are_int8_or_int16(input, output), QB_INT8_OR_INT16);
    QB_REQUIRE(it, qb_is_constant_ints(axes), "the axes must be constant");
    for (i = 0; i < axes->elements; i++) {
        int64_t axis = qb_int_at(it, axes, i);
        if (axis < 0) axis += input->rank;
        QB_REQUIRE(it, axis >= 0 && axis < input->rank, "an axis is out of range");
        gone |= (uint32_t)1 << axis;
    }
    qb_strides(input->dims, input->rank, strides);
    for (i = 0; i < input->rank; i++) {
        if (gone >> i & 1) {
            r->reduced_dims[r->reduced] = input->dims[i];
            r->reduced_steps[r->reduced++] = strides[i];
            r->terms *= input->dims[i];
        } else {
            r->kept_dims[r->kept] = input->dims[i];
            r->kept_steps[r->kept++] = strides[i];
        }
    }
    QB_REQUIRE(
        it,
        output->elements == input->elements / (uint32_t)r->terms &&
            output->rank ==
                (qb_u8(&it->file, qb_options(it, node), QB_REDUCER_KEEP_DIMS, 0) ? input->rank : r->kept),
        "the output's shape is not the reduced one");
    return QB_OK;
}
