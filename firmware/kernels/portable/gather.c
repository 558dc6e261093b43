#include <string.h>

#include "../walk.h"

void qk_gather(const qk_gather_params *p, const void *input, void *output) {
    const uint32_t width = p->width, last = p->rank ? p->rank - 1 : 0;
    const int32_t count = p->rank ? p->dims[last] : 1, step = p->rank ? p->steps[last] : 0;
    const uint8_t *from = input;
    uint8_t *to = output;
    int32_t index[QK_MAX_RANK] = {0}, i;
    do {
        int32_t at = p->start + qk_offset(index, p->steps, last);
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
    } while (qk_next_index(p->dims, last, index));
}
