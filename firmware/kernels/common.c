#include "common.h"

#include <math.h>

/* The code nearest to a real value; saturates far outside of any code's range. */
static int32_t code_of(const qb_tensor *tensor, float real) {
    float steps = roundf(real / tensor->scale);
    if (steps > 1e6f) steps = 1e6f;
    if (steps < -1e6f) steps = -1e6f;
    return tensor->zero_point + (int32_t)steps;
}

bool qb_activation_range(const qb_tensor *output, uint8_t activation, qb_range *range) {
    range->low = INT8_MIN;
    range->high = INT8_MAX;
    if (activation == QB_NO_ACTIVATION) return true;
    if (activation != QB_RELU && activation != QB_RELU6 && activation != QB_RELU_N1_TO_1) return false;
    range->low = qb_clamp(code_of(output, activation == QB_RELU_N1_TO_1 ? -1.0f : 0.0f), INT8_MIN, INT8_MAX);
    if (activation != QB_RELU) {
        range->high = qb_clamp(code_of(output, activation == QB_RELU6 ? 6.0f : 1.0f), INT8_MIN, INT8_MAX);
    }
    return true;
}

bool qb_window_fit(qb_window *w, uint8_t padding) {
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

bool qb_next_index(const int32_t *dims, uint32_t rank, int32_t *index) {
    while (rank-- > 0) {
        if (++index[rank] < dims[rank]) return true;
        index[rank] = 0;
    }
    return false;
}

qb_status qb_prepare_table(qb_interpreter *it, qb_node *node, int8_t (*code)(const void *, int32_t),
                           const void *settings) {
    int8_t *table = qb_store(it, node, 256);
    int32_t i;
    if (table == NULL) return it->error.status;
    for (i = INT8_MIN; i <= INT8_MAX; i++) table[(uint8_t)i] = code(settings, i);
    return QB_OK;
}

void qb_eval_table(const qb_interpreter *it, const qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const int8_t *table = qb_prepared(it, node);
    const uint8_t *from = qb_data(it, input);
    int8_t *to = qb_tensor_data(it, output);
    uint32_t i;
    for (i = 0; i < input->elements; i++) to[i] = table[from[i]];
}
