/* The operators that this build has. */
#include "../core/operator.h"

extern const qb_operator qb_conv_2d, qb_depthwise_conv_2d, qb_fully_connected, qb_average_pool_2d,
    qb_max_pool_2d, qb_mean, qb_reduce_max, qb_add, qb_sub, qb_mul, qb_concatenation, qb_pad, qb_padv2,
    qb_reshape, qb_transpose, qb_softmax, qb_logistic, qb_tanh, qb_relu, qb_relu6, qb_leaky_relu,
    qb_hard_swish, qb_quantize, qb_dequantize, qb_resize_bilinear, qb_resize_nearest_neighbor, qb_tile,
    qb_shape, qb_strided_slice, qb_pack, qb_maximum, qb_minimum, qb_expand_dims,
    qb_squeeze;

const qb_operator *const qb_operators[] = {
    &qb_conv_2d,
    &qb_depthwise_conv_2d,
    &qb_fully_connected,
    &qb_average_pool_2d,
    &qb_max_pool_2d,
    &qb_mean,
    &qb_reduce_max,
    &qb_add,
    &qb_sub,
    &qb_mul,
    &qb_maximum,
    &qb_minimum,
    &qb_concatenation,
    &qb_pad,
    &qb_padv2,
    &qb_reshape,
    &qb_expand_dims,
    &qb_squeeze,
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

const uint8_t qb_operator_count = sizeof qb_operators / sizeof qb_operators[0];
