#include "../kernels.h"

void qk_dequantize(const qk_dequantize_params *p, const void *input, uint32_t count, float *output) {
    const uint8_t *from = input;
    uint32_t i;
    for (i = 0; i < count; i++) {
        int32_t code = p->unsigned_input ? from[i] : (int8_t)from[i];
        output[i] = p->scale * (float)(code - p->zero);
    }
}
