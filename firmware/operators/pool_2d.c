#include "pool_2d.h"

qb_status qb_prepare_pool(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    qb_table options = qb_options(it, node);
    uint8_t padding = qb_u8(&it->file, options, QB_POOL_PADDING, 0);
    const int32_t *in = input->dims, *out = output->dims;
    qk_pool_2d_params p = {
        .rows = {in[1], out[1], qb_i32(&it->file, options, QB_POOL_FILTER_H, 0),
                 qb_i32(&it->file, options, QB_POOL_STRIDE_H, 0), 1, 0},
        .columns = {in[2], out[2], qb_i32(&it->file, options, QB_POOL_FILTER_W, 0),
                    qb_i32(&it->file, options, QB_POOL_STRIDE_W, 0), 1, 0},
        .batches = in[0],
        .channels = in[3],
    };
    QB_REQUIRE(it, qb_are_int8_or_int16(input, output), QB_INT8_OR_INT16);
    QB_REQUIRE(it, qb_same_quantization(input, output),
               "input and output must have the same scale and zero point");
    QB_REQUIRE(it, input->rank == 4 && output->rank == 4, "tensors must have rank 4");
    QB_REQUIRE(it,
               qb_window_fit(&p.rows, padding) && qb_window_fit(&p.columns, padding) && in[0] == out[0] &&
                   in[3] == out[3],
               "the shapes do not fit the window, strides and padding");
    QB_REQUIRE(it, (int64_t)p.rows.filter * p.columns.filter < 1 << 23, "the window is too large");
    QB_REQUIRE(it, qb_activation_range(output, qb_u8(&it->file, options, QB_POOL_ACTIVATION, 0), &p.range),
               "this fused activation is not supported");
    return qb_store_copy(it, node, &p, sizeof p);
}
