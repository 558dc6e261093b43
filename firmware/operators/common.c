#include "common.h"

#include <math.h>

#if QB_MAX_RANK != QK_MAX_RANK
#error "the interpreter and the kernels differ in the number of dimensions"
#endif

qk_range qb_type_range(uint8_t type) {
    const qk_range codes = {INT8_MIN, INT8_MAX}, unsigned_codes = {0, UINT8_MAX},
                   wide_codes = {INT16_MIN, INT16_MAX};
    return type == QB_UINT8 ? unsigned_codes : type == QB_INT16 ? wide_codes : codes;
}

/* The code nearest to a real value. */
static int32_t code_of(const qb_tensor *tensor, float real) {
    float steps = roundf(real / tensor->scale);
    const qk_range codes = qb_type_range(tensor->type);
    int32_t code;
    if (steps > 1e6f) steps = 1e6f;
    if (steps < -1e6f) steps = -1e6f;
    code = tensor->zero_point + (int32_t)steps;
    return code < codes.low ? codes.low : code > codes.high ? codes.high : code;
}

bool qb_activation_range(const qb_tensor *output, uint8_t activation, qk_range *range) {
    *range = qb_type_range(output->type);
    if (activation == QB_NO_ACTIVATION) return true;
    if (activation != QB_RELU && activation != QB_RELU6 && activation != QB_RELU_N1_TO_1) return false;
    range->low = code_of(output, activation == QB_RELU_N1_TO_1 ? -1.0f : 0.0f);
    if (activation != QB_RELU) range->high = code_of(output, activation == QB_RELU6 ? 6.0f : 1.0f);
    return true;
}

bool qb_window_fit(qk_window *w, uint8_t padding) {
    int64_t extent = ((int64_t)w->filter - 1) * w->dilation + 1, output, total;
    if (w->stride < 1 || w->dilation < 1 || w->filter < 1 || w->input < 1 || extent > INT32_MAX / 4)
        return false;
    if (w->stride > INT32_MAX / 4) return false;
    if (w->filter == 1) w->dilation = 1;
    if (padding == QB_SAME)
        output = ((int64_t)w->input + w->stride - 1) / w->stride;
    else
        output = ((int64_t)w->input - extent + w->stride) / w->stride;
    if (padding > QB_VALID || output < 1 || output != w->output) return false;
    total = (output - 1) * w->stride + extent - w->input;
    w->before = total > 0 ? (int32_t)(total / 2) : 0;
    return true;
}

void qb_strides(const int32_t *dims, uint32_t rank, int32_t *strides) {
    int32_t step = 1;
    while (rank-- > 0) {
        strides[rank] = step;
        step *= dims[rank];
    }
}

qb_status qb_store_copy(qb_interpreter *it, qb_node *node, const void *params, uint32_t bytes) {
    void *stored = qb_store(it, node, bytes);
    if (stored == NULL) return it->error.status;
    memcpy(stored, params, bytes);
    return QB_OK;
}

qb_status qb_check_unary_wide(qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    QB_REQUIRE(it, qb_are_int8_or_int16(input, output), QB_INT8_OR_INT16);
    QB_REQUIRE(it, qb_same_shape(input, output), "input and output must have the same shape");
    return QB_OK;
}

qb_status qb_check_unary(qb_interpreter *it, const qb_node *node) {
    QB_REQUIRE(it, qb_is_int8(qb_input(it, node, 0)) && qb_is_int8(qb_output(it, node)),
               "input and output must be int8, quantized");
    return qb_check_unary_wide(it, node);
}

int8_t *qb_store_table(qb_interpreter *it, qb_node *node) { return qb_store(it, node, 256); }

void qb_eval_table(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0);
    qk_lookup(qb_prepared(it, node), qb_data(it, input), input->elements,
              qb_tensor_data(it, qb_output(it, node)));
}

static qk_codes codes_of(const qb_tensor *tensor) {
    return tensor->type == QB_INT16 ? QK_CODES_S16 : tensor->type == QB_UINT8 ? QK_CODES_U8 : QK_CODES_S8;
}

void qb_eval_requantize(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    qk_requantize(qb_prepared(it, node), codes_of(input), qb_data(it, input), input->elements,
                  codes_of(output), qb_tensor_data(it, output));
}
