#include "../dot.h"

void qk_fully_connected_s16(const qk_fully_connected_params *p, const int16_t *input,
                            const qk_weights_s16 *weights, int16_t *output) {
    int32_t n, i, j;
    for (n = 0; n < p->batches; n++, input += p->depth) {
        const int8_t *row = weights->values;
        int64_t common = 0;
        if (p->weights_zero)
            for (j = 0; j < p->depth; j++) common -= (int64_t)p->weights_zero * input[j];
        for (i = 0; i < p->units; i++, row += p->depth)
            *output++ = qk_channel_code_s16(weights, qk_dot_s16(input, row, p->depth) + common, i, p->range);
    }
}
