#include <string.h>

#include "../kernels.h"

void qk_interleave(const qk_interleave_params *p, const void *input, void *output) {
    const uint8_t *from = input;
    uint8_t *to = output;
    uint32_t i;
    for (i = 0; i < p->count; i++) memcpy(to + i * p->stride, from + i * p->bytes, p->bytes);
}
