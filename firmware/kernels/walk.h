/* For the kernels themselves: ways through arrays. */
#ifndef QK_WALK_H
#define QK_WALK_H

#include "kernels.h"

/* The filter taps [first, last) that meet the input at an output position; returns the input position of
 * tap 0, which may be negative. */
static inline int32_t qk_window_taps(const qk_window *w, int32_t output, int32_t *first, int32_t *last) {
    int32_t origin = output * w->stride - w->before;
    int32_t low = origin < 0 ? (-origin + w->dilation - 1) / w->dilation : 0;
    int32_t room = w->input - origin;
    int32_t high = room <= 0 ? 0 : (room + w->dilation - 1) / w->dilation;
    *last = high < w->filter ? high : w->filter;
    *first = low < *last ? low : *last;
    return origin;
}

/* The next index of a row-major walk; false after the last. */
static inline bool qk_next_index(const int32_t *dims, uint32_t rank, int32_t *index) {
    while (rank-- > 0) {
        if (++index[rank] < dims[rank]) return true;
        index[rank] = 0;
    }
    return false;
}

/* Offset of an index of `rank` dimensions. */
static inline int32_t qk_offset(const int32_t *index, const int32_t *steps, uint32_t rank) {
    int32_t offset = 0;
    uint32_t axis;
    for (axis = 0; axis < rank; axis++) offset += index[axis] * steps[axis];
    return offset;
}

/* Work on `count` elements of two operands; an operand's step is 0 or 1. */
typedef void (*qk_row)(const void *params, const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                       int8_t *to, int32_t count);

typedef void (*qk_row_s16)(const void *params, const int16_t *a, int32_t step_a, const int16_t *b,
                           int32_t step_b, int16_t *to, int32_t count);

void qk_broadcast_rows_s16(const qk_broadcast *walk, const int16_t *a, const int16_t *b, int16_t *to,
                           qk_row_s16 row, const void *params);

void qk_broadcast_rows(const qk_broadcast *walk, const int8_t *a, const int8_t *b, int8_t *to, qk_row row,
                       const void *params);

#endif
