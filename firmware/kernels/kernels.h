/* What computes: plain functions over arrays. They need no model file and no interpreter, allocate nothing,
 * keep no state and cannot fail, provided that the parameters are as described here.
 *
 * An array is NHWC, or row-major, and int8 unless said otherwise. A code is (code - zero point) * scale.
 * Parameters hold no pointers: they are as large on a host as on a board, and can be stored beside a model.
 * Output and input must not overlap, unless said otherwise.
 *
 *     qk_conv_2d_params p = {...};
 *     void *scratch = buffer_of(qk_conv_2d_scratch(&p));
 *     qk_conv_2d(&p, input, &weights, scratch, output);
 */
#ifndef QK_KERNELS_H
#define QK_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#define QK_MAX_RANK 6

/* Which kernels are compiled: what a device says of itself, so that its figures can be told from others'. */
const char *qk_kernel_set(void);

/* real = multiplier * 2^(shift - 31), multiplier in [2^30, 2^31) or 0, shift in [-31, 31]. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} qk_scale;

/* False when `real` is negative, not finite or too large to be one. */
bool qk_scale_of(double real, qk_scale *scale);

/* Codes are clamped to [low, high], within what their type holds. */
typedef struct {
    int32_t low;
    int32_t high;
} qk_range;

/* One axis of a sliding window. */
typedef struct {
    int32_t input;
    int32_t output;
    int32_t filter;
    int32_t stride;
    int32_t dilation;
    int32_t before; /* padding before the first element */
} qk_window;

/* --- Layers with weights. At most 65536 weights make an output, so that sums fit 32 bits. --- */

typedef struct {
    const int8_t *values;
    const void *bias;       /* an int32 a channel, at any address; or NULL */
    const qk_scale *scales; /* one a channel: scale of the input * of the weights / of the output */
} qk_weights;

/* Weights [output channels, filter rows, filter columns, input channels / groups], of zero point 0. */
typedef struct {
    qk_window rows;
    qk_window columns;
    int32_t batches;
    int32_t input_channels;
    int32_t output_channels;
    int32_t groups;
    int32_t input_zero;
    int32_t output_zero;
    qk_range range;
} qk_conv_2d_params;

/* Bytes of scratch memory, aligned to two. */
uint32_t qk_conv_2d_scratch(const qk_conv_2d_params *p);
void qk_conv_2d(const qk_conv_2d_params *p, const int8_t *input, const qk_weights *weights, void *scratch,
                int8_t *output);

/* Weights [filter rows, filter columns, input channels * multiplier], of zero point 0. */
typedef struct {
    qk_window rows;
    qk_window columns;
    int32_t batches;
    int32_t input_channels;
    int32_t multiplier;
    int32_t input_zero;
    int32_t output_zero;
    qk_range range;
} qk_depthwise_conv_2d_params;

void qk_depthwise_conv_2d(const qk_depthwise_conv_2d_params *p, const int8_t *input,
                          const qk_weights *weights, int8_t *output);

/* Weights [units, depth]. Each bias is one that qk_folded_bias has returned. */
typedef struct {
    int32_t batches;
    int32_t depth;
    int32_t units;
    int32_t input_zero;
    int32_t weights_zero;
    int32_t output_zero;
    qk_range range;
} qk_fully_connected_params;

/* The bias of a unit, with what the input's zero point contributes; `weights_sum` is that of its weights. */
int32_t qk_folded_bias(const qk_fully_connected_params *p, int32_t bias, int32_t weights_sum);
void qk_fully_connected(const qk_fully_connected_params *p, const int8_t *input, const qk_weights *weights,
                        int8_t *output);

/* --- Pooling; input and output have one scale and zero point. --- */

typedef struct {
    qk_window rows; /* of dilation 1 */
    qk_window columns;
    int32_t batches;
    int32_t channels;
    qk_range range;
} qk_pool_2d_params;

/* The mean over the taps that meet the input, rounded to nearest, ties away from zero. */
void qk_average_pool_2d(const qk_pool_2d_params *p, const int8_t *input, int8_t *output);
void qk_max_pool_2d(const qk_pool_2d_params *p, const int8_t *input, int8_t *output);

/* --- Two operands; the output may be one of them where it is walked as the output is. --- */

/* The output's dimensions, neighbours merged where both operands allow it, and each operand's step along them
 * in elements: 0 where it is repeated. Operands of one shape of n elements: {{n}, {{1}, {1}}, 1}. */
typedef struct {
    int32_t dims[QK_MAX_RANK];
    int32_t steps[2][QK_MAX_RANK]; /* the last ones are 0 or 1 */
    uint32_t rank;
} qk_broadcast;

/* Both operands are brought to twice the larger scale, shifted left by QK_ADD_SHIFT bits, and added. */
#define QK_ADD_SHIFT 20

typedef struct {
    qk_broadcast walk;
    qk_range range;
    int32_t zero[2];
    int32_t output_zero;
    qk_scale scales[2];    /* of an operand / twice the larger; to subtract, negate the second multiplier */
    qk_scale output_scale; /* twice the larger / (of the output * 2^QK_ADD_SHIFT); no shift is above 0 */
} qk_add_params;

void qk_add(const qk_add_params *p, const int8_t *a, const int8_t *b, int8_t *output);

typedef struct {
    qk_broadcast walk;
    qk_range range;
    int32_t zero[2];
    int32_t output_zero;
    qk_scale scale; /* of the one * of the other / of the output */
} qk_mul_params;

void qk_mul(const qk_mul_params *p, const int8_t *a, const int8_t *b, int8_t *output);

/* Of operands and an output of one scale and zero point. */
void qk_maximum(const qk_broadcast *walk, const int8_t *a, const int8_t *b, int8_t *output);
void qk_minimum(const qk_broadcast *walk, const int8_t *a, const int8_t *b, int8_t *output);

/* --- Functions of one code: a table of 256 codes is made once, by the bits of the input's code. --- */

/* The output may be the input. */
void qk_lookup(const int8_t table[256], const void *input, uint32_t count, int8_t *output);

/* To another scale: `scale` is that of the input / of the output. `range` is that of the output's type or of
 * an activation. */
typedef struct {
    qk_scale scale;
    qk_range range;
    int32_t input_zero;
    int32_t output_zero;
    bool unsigned_input; /* uint8 */
} qk_requantize_params;

void qk_requantize_table(const qk_requantize_params *p, int8_t table[256]);

typedef struct {
    qk_scale positive;     /* scale of the input / of the output */
    qk_scale negative;     /* the same, times the size of alpha */
    int32_t negative_sign; /* of alpha: 1 or -1 */
    int32_t input_zero;
    int32_t output_zero;
} qk_leaky_relu_params;

void qk_leaky_relu_table(const qk_leaky_relu_params *p, int8_t table[256]);

/* x * relu6(x + 3) / 6 in 16-bit fixed point. */
typedef struct {
    int32_t input_zero;
    int32_t output_zero;
    qk_scale output; /* scale of the input / 128 / of the output; its shift is not above 0 */
    qk_scale gate;   /* scale of the input / 128 / (3 / 32768) */
} qk_hard_swish_params;

void qk_hard_swish_table(const qk_hard_swish_params *p, int8_t table[256]);

/* 1 / (1 + exp(-x)) at scale 1/256 and zero point -128, and tanh at 1/128 and 0, in single precision. */
typedef struct {
    float scale; /* of the input */
    int32_t zero;
} qk_sigmoid_params;

void qk_logistic_table(const qk_sigmoid_params *p, int8_t table[256]);
void qk_tanh_table(const qk_sigmoid_params *p, int8_t table[256]);

/* --- From and to float32. --- */

typedef struct {
    float scale;
    int32_t zero;
    qk_range range; /* of the codes, int8 or uint8 */
} qk_quantize_params;

/* The nearest code, ties away from zero; saturates, also for infinities, and gives the zero point for NaN.
 * The input's floats may lie at any address. */
void qk_quantize(const qk_quantize_params *p, const void *input, uint32_t count, void *output);

typedef struct {
    float scale;
    int32_t zero;
    bool unsigned_input; /* uint8 */
} qk_dequantize_params;

void qk_dequantize(const qk_dequantize_params *p, const void *input, uint32_t count, float *output);

/* --- Softmax over the last dimension, to scale 1/256 and zero point -128. --- */

typedef struct {
    qk_scale scale; /* from codes to fixed point */
    int32_t radius; /* distance below the row's largest code from which the result is 0 */
    int32_t rows;
    int32_t depth; /* at most QK_SOFTMAX_DEPTH: the sum of more terms could overflow */
} qk_softmax_params;

#define QK_SOFTMAX_DEPTH 4095

/* Fill in scale and radius, for beta * scale of the input; false when it is out of range. */
bool qk_softmax_scale(double unit, qk_softmax_params *p);

/* The output may be the input. */
void qk_softmax(const qk_softmax_params *p, const int8_t *input, int8_t *output);

/* --- Reductions. --- */

/* The dimensions that stay and those that go, with their steps in elements of the input. */
typedef struct {
    int32_t kept_dims[QK_MAX_RANK];
    int32_t kept_steps[QK_MAX_RANK];
    int32_t reduced_dims[QK_MAX_RANK];
    int32_t reduced_steps[QK_MAX_RANK];
    uint32_t kept;
    uint32_t reduced;
    int32_t terms; /* input elements that make an output element */
} qk_reduction;

typedef struct {
    qk_reduction reduction;
    qk_scale scale; /* that of the input / of the output / terms */
    int32_t input_zero;
    int32_t output_zero;
} qk_mean_params;

void qk_mean(const qk_mean_params *p, const int8_t *input, int8_t *output);
void qk_reduce_max(const qk_reduction *p, const int8_t *input, int8_t *output);

/* --- Images of another size; input and output have one scale and zero point. --- */

/* Heights and widths are below 65536. */
typedef struct {
    int32_t batches;
    int32_t channels; /* to the nearest neighbour: bytes of a pixel */
    int32_t input_height;
    int32_t input_width;
    int32_t output_height;
    int32_t output_width;
    bool align_corners; /* not both */
    bool half_pixel;
} qk_resize_params;

void qk_resize_bilinear(const qk_resize_params *p, const int8_t *input, int8_t *output);
void qk_resize_nearest_neighbor(const qk_resize_params *p, const void *input, void *output);

/* --- 16-bit activations: int16 codes of zero point 0, weights of 8 bits. The parameters are those of the
 * kernels of 8 bits, whose zero points are not looked at; output and input may be one where theirs may. ---
 */

typedef struct {
    const int8_t *values;
    const void *bias;       /* an int64 a channel if `wide`, else an int32; at any address; or NULL */
    const qk_scale *scales; /* no shift is above QK_WIDE_SHIFT if `wide` */
    bool wide;              /* sums of 64 bits, rescaled by 16 bits of the multiplier; else of 32 bits */
} qk_weights_s16;

#define QK_WIDE_SHIFT 7                 /* the largest of a scale that sums of 64 bits are multiplied by */
#define QK_WIDE_BIAS ((int64_t)1 << 46) /* no bias of 64 bits is larger in size, so that products fit */

void qk_conv_2d_s16(const qk_conv_2d_params *p, const int16_t *input, const qk_weights_s16 *weights,
                    int16_t *output);
void qk_depthwise_conv_2d_s16(const qk_depthwise_conv_2d_params *p, const int16_t *input,
                              const qk_weights_s16 *weights, int16_t *output);
void qk_fully_connected_s16(const qk_fully_connected_params *p, const int16_t *input,
                            const qk_weights_s16 *weights, int16_t *output);

void qk_average_pool_2d_s16(const qk_pool_2d_params *p, const int16_t *input, int16_t *output);
void qk_max_pool_2d_s16(const qk_pool_2d_params *p, const int16_t *input, int16_t *output);

/* The operands are shifted left by so many bits, and output_scale is as many finer. */
#define QK_ADD_SHIFT_S16 15

void qk_add_s16(const qk_add_params *p, const int16_t *a, const int16_t *b, int16_t *output);
void qk_mul_s16(const qk_mul_params *p, const int16_t *a, const int16_t *b, int16_t *output);

void qk_leaky_relu_s16(const qk_leaky_relu_params *p, const int16_t *input, uint32_t count, int16_t *output);

/* Codes of one type to those of another. */
typedef enum { QK_CODES_S8, QK_CODES_U8, QK_CODES_S16 } qk_codes;

/* `unsigned_input` is not looked at. */
void qk_requantize(const qk_requantize_params *p, qk_codes from, const void *input, uint32_t count,
                   qk_codes to, void *output);

/* A code times `multiplier`, shifted right with rounding, is in units of 1 / (3 * 4096). The output has scale
 * 1/32768. */
typedef struct {
    int32_t multiplier;
    int32_t right_shift;
} qk_sigmoid_s16_params;

void qk_logistic_s16(const qk_sigmoid_s16_params *p, const int16_t *input, uint32_t count, int16_t *output);
void qk_tanh_s16(const qk_sigmoid_s16_params *p, const int16_t *input, uint32_t count, int16_t *output);

/* To scale 1/32768, over rows of at most QK_SOFTMAX_S16_DEPTH codes. */
typedef struct {
    qk_scale scale; /* from differences of codes to units of 10/65535 */
    int32_t rows;
    int32_t depth;
} qk_softmax_s16_params;

#define QK_SOFTMAX_S16_DEPTH 65535

void qk_softmax_s16(const qk_softmax_s16_params *p, const int16_t *input, int16_t *output);

void qk_mean_s16(const qk_mean_params *p, const int16_t *input, int16_t *output);
void qk_reduce_max_s16(const qk_reduction *p, const int16_t *input, int16_t *output);

void qk_resize_bilinear_s16(const qk_resize_params *p, const int16_t *input, int16_t *output);

/* To and from float32, as their namesakes. */
void qk_quantize_s16(float scale, const void *input, uint32_t count, int16_t *output);
void qk_dequantize_s16(float scale, const int16_t *input, uint32_t count, float *output);

/* --- Copies, of elements of `width` bytes. --- */

/* Elements at regular distances of the input: a transposition, a slice. */
typedef struct {
    int32_t dims[QK_MAX_RANK];  /* of the output */
    int32_t steps[QK_MAX_RANK]; /* in elements of the input; may be negative */
    int32_t start;              /* element of the input that comes first */
    uint32_t rank;
    uint32_t width;
} qk_gather_params;

void qk_gather(const qk_gather_params *p, const void *input, void *output);

/* The input's dimensions divide the output's. */
typedef struct {
    int32_t input[QK_MAX_RANK];
    int32_t output[QK_MAX_RANK];
    uint32_t rank;
    uint32_t width;
} qk_tile_params;

void qk_tile(const qk_tile_params *p, const void *input, void *output);

typedef struct {
    int32_t input[QK_MAX_RANK];
    int32_t output[QK_MAX_RANK];
    int32_t before[QK_MAX_RANK]; /* elements of padding before the input's first */
    uint32_t rank;
    uint32_t width;
} qk_pad_params;

void qk_pad(const qk_pad_params *p, const void *input, const void *element, void *output);

/* Blocks that lie side by side in the input and `stride` bytes apart in the output, as a concatenation's. */
typedef struct {
    uint32_t count;
    uint32_t bytes;
    uint32_t stride;
} qk_interleave_params;

void qk_interleave(const qk_interleave_params *p, const void *input, void *output);

#endif
