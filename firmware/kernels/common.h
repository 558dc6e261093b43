/* What several kernels share: geometry of a window, fused activations, element-wise walks. */
#ifndef QB_KERNELS_COMMON_H
#define QB_KERNELS_COMMON_H

#include "../core/kernel.h"
#include "fixed_point.h"

typedef struct {
    int32_t low;
    int32_t high;
} qb_range;

/* The codes that a fused activation leaves of an int8 tensor; false for one that is not a clamp. */
bool qb_activation_range(const qb_tensor *output, uint8_t activation, qb_range *range);

/* One axis of a sliding window. */
typedef struct {
    int32_t input;
    int32_t output;
    int32_t filter;
    int32_t stride;
    int32_t dilation;
    int32_t before; /* padding before the first element */
} qb_window;

/* Fill in `before`; false when the sizes do not fit together. */
bool qb_window_fit(qb_window *window, uint8_t padding);

/* The filter taps [first, last) that meet the input at an output position; returns the input position of
 * tap 0, which may be negative. */
static inline int32_t qb_window_taps(const qb_window *w, int32_t output, int32_t *first, int32_t *last) {
    int32_t origin = output * w->stride - w->before;
    int32_t low = origin < 0 ? (-origin + w->dilation - 1) / w->dilation : 0;
    int32_t room = w->input - origin;
    int32_t high = room <= 0 ? 0 : (room + w->dilation - 1) / w->dilation;
    *last = high < w->filter ? high : w->filter;
    *first = low < *last ? low : *last;
    return origin;
}

/* Strides in elements of a tensor of `rank` dimensions, row-major. */
void qb_strides(const int32_t *dims, uint32_t rank, int32_t *strides);

/* The next index of a row-major walk; false after the last. */
bool qb_next_index(const int32_t *dims, uint32_t rank, int32_t *index);

/* An operator that maps each of the 256 codes of an int8 or uint8 tensor to a code. */
qb_status qb_prepare_table(qb_interpreter *it, qb_node *node, int8_t (*code)(const void *, int32_t),
                           const void *);
void qb_eval_table(const qb_interpreter *it, const qb_node *node);

#endif
