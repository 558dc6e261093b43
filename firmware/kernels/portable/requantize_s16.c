#include "../fixed_point.h"

static int32_t load(qk_codes type, const void *from, uint32_t index) {
    switch (type) {
        case QK_CODES_S8:
            return ((const int8_t *)from)[index];
        case QK_CODES_U8:
            return ((const uint8_t *)from)[index];
        default:
            return ((const int16_t *)from)[index];
    }
}

void qk_requantize(const qk_requantize_params *p, qk_codes from, const void *input, uint32_t count,
                   qk_codes to, void *output) {
    uint32_t i;
    for (i = 0; i < count; i++) {
        const int32_t centred = load(from, input, i) - p->input_zero;
        int32_t code = qk_wrapping_add(qk_rescale(centred, p->scale), p->output_zero);
        code = qk_clamp(code, p->range.low, p->range.high);
        if (to == QK_CODES_S16)
            ((int16_t *)output)[i] = (int16_t)code;
        else
            ((uint8_t *)output)[i] = (uint8_t)code;
    }
}
