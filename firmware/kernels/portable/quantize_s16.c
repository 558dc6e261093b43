#include <math.h>
#include <string.h>

#include "../fixed_point.h"

void qk_quantize_s16(float scale, const void *input, uint32_t count, int16_t *output) {
    const uint8_t *from = input;
    uint32_t i;
    for (i = 0; i < count; i++) {
        float steps;
        memcpy(&steps, from + i * sizeof steps, sizeof steps);
        steps = roundf(steps / scale);
        output[i] = steps >= INT16_MAX   ? INT16_MAX
                    : steps <= INT16_MIN ? INT16_MIN
                    : isnan(steps)       ? 0
                                         : (int16_t)steps;
    }
}

void qk_dequantize_s16(float scale, const int16_t *input, uint32_t count, float *output) {
    uint32_t i;
    for (i = 0; i < count; i++) output[i] = scale * (float)input[i];
}
