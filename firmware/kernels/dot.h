/* For the kernels themselves: sums of products. A faster set for a core begins by replacing these. */
#ifndef QK_DOT_H
#define QK_DOT_H

#include <string.h>

#include "fixed_point.h"

/* Sum of a[i] * b[i]. */
int32_t qk_dot(const int8_t *a, const int8_t *b, int32_t count);

/* The same for a window of the input with its zero point subtracted; for four filters, each `count` behind
 * the one before, the window is loaded once for all. */
int32_t qk_dot_window(const int16_t *window, const int8_t *filter, int32_t count);
void qk_dot_window_4(const int16_t *window, const int8_t *filters, int32_t count, int32_t sums[4]);

/* Sum of a[i] * b[i] in 64 bits. */
int64_t qk_dot_s16(const int16_t *a, const int8_t *b, int32_t count);

/* Sum of a[i]. */
int32_t qk_sum(const int8_t *a, int32_t count);

/* Bias of a channel; 0 without one. */
static inline int32_t qk_bias(const void *bias, int32_t channel) {
    int32_t value = 0;
    if (bias) memcpy(&value, (const uint8_t *)bias + (uint32_t)channel * sizeof value, sizeof value);
    return value;
}

/* The 16-bit code of a channel's sum of products, with its bias; what overflows 32 bits wraps. */
static inline int16_t qk_channel_code_s16(const qk_weights_s16 *w, int64_t sum, int32_t channel,
                                          qk_range range) {
    if (w->wide) {
        int64_t bias = 0;
        if (w->bias) memcpy(&bias, (const uint8_t *)w->bias + (uint32_t)channel * sizeof bias, sizeof bias);
        return (int16_t)qk_clamp(qk_rescale_wide(sum + bias, w->scales[channel]), range.low, range.high);
    }
    return qk_to_code_s16(qk_wrapping_add((int32_t)sum, qk_bias(w->bias, channel)), w->scales[channel],
                          range);
}

#endif
