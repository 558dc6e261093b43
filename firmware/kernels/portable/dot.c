#include "../dot.h"

int32_t qk_dot(const int8_t *a, const int8_t *b, int32_t count) {
    int32_t sum = 0, i;
    for (i = 0; i < count; i++) sum += a[i] * b[i];
    return sum;
}

int32_t qk_dot_window(const int16_t *window, const int8_t *filter, int32_t count) {
    int32_t sum = 0, i;
    for (i = 0; i < count; i++) sum += window[i] * filter[i];
    return sum;
}

void qk_dot_window_4(const int16_t *window, const int8_t *filters, int32_t count, int32_t sums[4]) {
    const int8_t *b0 = filters, *b1 = b0 + count, *b2 = b1 + count, *b3 = b2 + count;
    int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0, i;
    for (i = 0; i < count; i++) {
        const int32_t x = window[i];
        sum0 += x * b0[i];
        sum1 += x * b1[i];
        sum2 += x * b2[i];
        sum3 += x * b3[i];
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

int32_t qk_sum(const int8_t *a, int32_t count) {
    int32_t sum = 0, i;
    for (i = 0; i < count; i++) sum += a[i];
    return sum;
}
