/* The operators that this build has. */
#include "../core/kernel.h"

extern const qb_kernel qb_conv_2d, qb_depthwise_conv_2d, qb_fully_connected, qb_average_pool_2d,
    qb_max_pool_2d, qb_mean, qb_reduce_max, qb_add_kernel, qb_sub, qb_mul, qb_concatenation, qb_pad, qb_padv2,
    qb_reshape, qb_transpose, qb_softmax, qb_logistic, qb_tanh, qb_relu, qb_relu6, qb_leaky_relu,
    qb_hard_swish, qb_quantize, qb_dequantize, qb_resize_bilinear, qb_resize_nearest_neighbor, qb_tile,
    qb_shape, qb_strided_slice, qb_pack;

const qb_kernel *const qb_kernels[] = {
    &qb_conv_2d,
    &qb_depthwise_conv_2d,
    &qb_fully_connected,
    &qb_average_pool_2d,
    &qb_max_pool_2d,
    &qb_mean,
    &qb_reduce_max,
    &qb_add_kernel,
    &qb_sub,
    &qb_mul,
    &qb_concatenation,
    &qb_pad,
    &qb_padv2,
    &qb_reshape,
    &qb_transpose,
    &qb_softmax,
    &qb_logistic,
    &qb_tanh,
    &qb_relu,
    &qb_relu6,
    &qb_leaky_relu,
    &qb_hard_swish,
    &qb_quantize,
    &qb_dequantize,
    &qb_resize_bilinear,
    &qb_resize_nearest_neighbor,
    &qb_tile,
    &qb_shape,
    &qb_strided_slice,
    &qb_pack,
};

const uint8_t qb_kernel_count = sizeof qb_kernels / sizeof qb_kernels[0];
