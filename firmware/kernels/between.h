/* For the kernels themselves: where bilinear interpolation reads, positions and weights in units of 1/1024.
 */
#ifndef QK_BETWEEN_H
#define QK_BETWEEN_H

#include "fixed_point.h"

#define QK_UNIT 1024

/* Where an output position lies between two input positions. */
typedef struct {
    int32_t low;
    int32_t high;
    int32_t weight; /* of `high` */
} qk_between;

static inline qk_between qk_locate(const qk_resize_params *p, int32_t position, int32_t input,
                                   int32_t output) {
    const bool aligned = p->align_corners && output > 1;
    const int32_t span = aligned ? output - 1 : output;
    const int32_t scale = (QK_UNIT * (aligned ? input - 1 : input) + span / 2) / span;
    const int32_t at = position * scale + (p->half_pixel ? scale / 2 - QK_UNIT / 2 : 0);
    qk_between found;
    found.low = qk_clamp(at / QK_UNIT, 0, input - 1);
    found.high = qk_clamp((at + QK_UNIT - 1) / QK_UNIT, 0, input - 1);
    found.weight = at - QK_UNIT * found.low;
    return found;
}

#endif
