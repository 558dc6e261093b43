#include <string.h>

#include "../walk.h"

void qk_tile(const qk_tile_params *p, const void *input, void *output) {
    const uint32_t width = p->width, last = p->rank ? p->rank - 1 : 0;
    const uint32_t run = p->rank ? (uint32_t)p->input[last] : 1;
    const uint32_t line = p->rank ? (uint32_t)p->output[last] : 1;
    const uint8_t *from = input;
    uint8_t *to = output;
    int32_t index[QK_MAX_RANK] = {0};
    do {
        uint32_t at = 0, axis, i;
        for (axis = 0; axis < last; axis++)
            at = at * (uint32_t)p->input[axis] + (uint32_t)(index[axis] % p->input[axis]);
        at *= run;
        for (i = 0; i < line; i += run, to += run * width) memcpy(to, from + at * width, run * width);
    } while (qk_next_index(p->output, last, index));
}
