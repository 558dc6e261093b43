#include "../dot.h"

#define BLOCK 256 /* so many products of 16 and 8 bits fit a 32-bit sum */

int64_t qk_dot_s16(const int16_t *a, const int8_t *b, int32_t count) {
    int64_t total = 0;
    int32_t first, i;
    for (first = 0; first < count; first += BLOCK, a += BLOCK, b += BLOCK) {
        const int32_t block = count - first < BLOCK ? count - first : BLOCK;
        int32_t sum = 0;
        for (i = 0; i < block; i++) sum += a[i] * b[i];
        total += sum;
    }
    return total;
}
