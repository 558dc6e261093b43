#include <string.h>

#include "../walk.h"

static uint8_t *fill(uint8_t *to, const uint8_t *element, uint32_t width, uint32_t count) {
    uint32_t i;
    if (width == 1)
        memset(to, element[0], count);
    else
        for (i = 0; i < count; i++) memcpy(to + i * width, element, width);
    return to + count * width;
}

/* Whether an index of the outer dimensions lies in the input. */
static bool is_within(const qk_pad_params *p, const int32_t *index, uint32_t outer) {
    uint32_t axis;
    for (axis = 0; axis < outer; axis++) {
        if (index[axis] < p->before[axis] || index[axis] >= p->before[axis] + p->input[axis]) return false;
    }
    return true;
}

void qk_pad(const qk_pad_params *p, const void *input, const void *element, void *output) {
    const uint32_t width = p->width, last = p->rank ? p->rank - 1 : 0;
    const uint32_t run = p->rank ? (uint32_t)p->input[last] : 1;
    const uint32_t line = p->rank ? (uint32_t)p->output[last] : 1;
    const uint32_t before = (uint32_t)p->before[last];
    const uint8_t *from = input;
    uint8_t *to = output;
    int32_t index[QK_MAX_RANK] = {0};
    do {
        if (!is_within(p, index, last)) {
            to = fill(to, element, width, line);
            continue;
        }
        to = fill(to, element, width, before);
        memcpy(to, from, run * width);
        from += run * width;
        to = fill(to + run * width, element, width, line - run - before);
    } while (qk_next_index(p->output, last, index));
}
