#include <math.h>
#include <string.h>

#include "../fixed_point.h"

static uint8_t nearest(const qk_quantize_params *p, float real) {
    float steps = roundf(real / p->scale);
    int32_t whole = steps >= 1e6f ? 1000000 : steps <= -1e6f ? -1000000 : isnan(steps) ? 0 : (int32_t)steps;
    return (uint8_t)qk_clamp(whole + p->zero, p->range.low, p->range.high);
}

void qk_quantize(const qk_quantize_params *p, const void *input, uint32_t count, void *output) {
    const uint8_t *from = input;
    uint8_t *to = output;
    uint32_t i;
    for (i = 0; i < count; i++) {
        float real;
        memcpy(&real, from + i * sizeof real, sizeof real);
        to[i] = nearest(p, real);
    }
}
