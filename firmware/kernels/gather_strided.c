#include "gather_strided.h"

void qb_gather_strided(const qb_gather *gather, const uint8_t *from, uint8_t *to, uint32_t width) {
    const uint32_t last = gather->rank ? gather->rank - 1 : 0;
    const int32_t count = gather->rank ? gather->dims[last] : 1,
                  step = gather->rank ? gather->steps[last] : 0;
    int32_t index[QB_MAX_RANK] = {0}, i;
    do {
        int32_t at = gather->start;
        uint32_t axis;
        for (axis = 0; axis < last; axis++) at += index[axis] * gather->steps[axis];
        if (step == 1) {
            memcpy(to, from + (uint32_t)at * width, (uint32_t)count * width);
            to += (uint32_t)count * width;
            continue;
        }
        for (i = 0; i < count; i++, at += step, to += width) {
            if (width == 1)
                *to = from[at];
            else
                memcpy(to, from + (uint32_t)at * width, width);
        }
    } while (qb_next_index(gather->dims, last, index));
}
