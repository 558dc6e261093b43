/* STRIDED_SLICE with constant begin, end and strides; no ellipsis, no new axis. */
#include "common.h"

typedef struct {
    int32_t begin_mask, end_mask, shrink_mask;
} masks;

/* First element and number of elements along an axis of `dim` elements, as Python's slice takes them. */
static bool resolve(const masks *m, uint32_t axis, int32_t dim, int64_t begin, int64_t end, int64_t stride,
                    int32_t *first, int32_t *count) {
    const int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? dim : dim - 1;
    int64_t span;
    if (begin < 0) begin += dim;
    if (end < 0) end += dim;
    if (m->shrink_mask >> axis & 1) {
        if (m->begin_mask >> axis & 1) begin = 0;
        *first = (int32_t)begin;
        *count = 1;
        return begin >= 0 && begin < dim && stride == 1;
    }
    begin = begin < low ? low : begin > high ? high : begin;
    end = end < low ? low : end > high ? high : end;
    if (m->begin_mask >> axis & 1) begin = stride > 0 ? 0 : dim - 1;
    if (m->end_mask >> axis & 1) end = stride > 0 ? dim : -1;
    span = stride > 0 ? (end - begin + stride - 1) / stride : (begin - end - stride - 1) / -stride;
    *first = (int32_t)begin;
    *count = span > 0 ? (int32_t)span : 0;
    return *count > 0;
}

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node), *operands[3];
    qb_table options = qb_options(it, node);
    masks m = {qb_i32(&it->file, options, QB_SLICE_BEGIN_MASK, 0),
               qb_i32(&it->file, options, QB_SLICE_END_MASK, 0),
               qb_i32(&it->file, options, QB_SLICE_SHRINK_AXIS_MASK, 0)};
    int32_t strides[QB_MAX_RANK];
    uint32_t i, kept = 0;
    qk_gather_params p;
    memset(&p, 0, sizeof p);
    QB_REQUIRE(it,
               qb_i32(&it->file, options, QB_SLICE_ELLIPSIS_MASK, 0) == 0 &&
                   qb_i32(&it->file, options, QB_SLICE_NEW_AXIS_MASK, 0) == 0 &&
                   qb_u8(&it->file, options, QB_SLICE_OFFSET, 0) == 0,
               "ellipsis, new axis and offset are not supported");
    QB_REQUIRE(it, input->type == output->type, "input and output must have one type");
    for (i = 0; i < 3; i++) {
        operands[i] = qb_input(it, node, i + 1);
        QB_REQUIRE(it, qb_is_constant_ints(operands[i]) && operands[i]->elements == input->rank,
                   "begin, end and strides must be constant, one a dimension");
    }
    qb_strides(input->dims, input->rank, strides);
    for (i = 0; i < input->rank; i++) {
        int64_t begin = qb_int_at(it, operands[0], i), end = qb_int_at(it, operands[1], i),
                stride = qb_int_at(it, operands[2], i);
        int32_t first, count;
        QB_REQUIRE(it,
                   stride != 0 && stride >= -INT32_MAX && stride <= INT32_MAX && begin >= INT32_MIN &&
                       begin <= INT32_MAX && end >= INT32_MIN && end <= INT32_MAX &&
                       resolve(&m, i, input->dims[i], begin, end, stride, &first, &count),
                   "the slice is empty or out of range");
        p.start += first * strides[i];
        if (m.shrink_mask >> i & 1) continue;
        QB_REQUIRE(it, kept < output->rank && output->dims[kept] == count,
                   "the output's shape is not the slice's");
        p.dims[kept] = count;
        p.steps[kept++] = count > 1 ? (int32_t)stride * strides[i] : 0;
    }
    QB_REQUIRE(it, kept == output->rank, "the output's shape is not the slice's");
    p.rank = kept;
    p.width = qb_width(input->type);
    return qb_store_copy(it, node, &p, sizeof p);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const void *input = qb_data(it, qb_input(it, node, 0));
    qk_gather(qb_prepared(it, node), input, qb_tensor_data(it, qb_output(it, node)));
}

const qb_operator qb_strided_slice = {
    .builtin_code = QB_OP_STRIDED_SLICE,
    .options_type = QB_STRIDED_SLICE_OPTIONS,
    .max_version = 8,
    .min_inputs = 4,
    .max_inputs = 4,
    .prepare = prepare,
    .eval = eval,
};
