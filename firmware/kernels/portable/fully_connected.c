#include "../dot.h"
#include "../fixed_point.h"

int32_t qk_folded_bias(const qk_fully_connected_params *p, int32_t bias, int32_t weights_sum) {
    const int32_t centred = weights_sum - p->depth * p->weights_zero;
    return qk_wrapping_add(bias, (int32_t)((uint32_t)centred * (uint32_t)-p->input_zero));
}

void qk_fully_connected(const qk_fully_connected_params *p, const int8_t *input, const qk_weights *weights,
                        int8_t *output) {
    int32_t n, i;
    for (n = 0; n < p->batches; n++, input += p->depth) {
        const int32_t common = p->weights_zero ? -p->weights_zero * qk_sum(input, p->depth) : 0;
        const int8_t *row = weights->values;
        for (i = 0; i < p->units; i++, row += p->depth) {
            int32_t sum = qk_wrapping_add(qk_dot(input, row, p->depth), common);
            sum = qk_wrapping_add(sum, qk_bias(weights->bias, i));
            *output++ = qk_to_code(sum, weights->scales[i], p->output_zero, p->range);
        }
    }
}
