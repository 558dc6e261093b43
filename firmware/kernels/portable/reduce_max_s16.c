#include "../walk.h"

void qk_reduce_max_s16(const qk_reduction *p, const int16_t *input, int16_t *output) {
    int32_t kept[QK_MAX_RANK] = {0};
    do {
        const int16_t *start = input + qk_offset(kept, p->kept_steps, p->kept);
        int32_t index[QK_MAX_RANK] = {0};
        int16_t largest = INT16_MIN;
        do {
            int16_t code = start[qk_offset(index, p->reduced_steps, p->reduced)];
            if (code > largest) largest = code;
        } while (qk_next_index(p->reduced_dims, p->reduced, index));
        *output++ = largest;
    } while (qk_next_index(p->kept_dims, p->kept, kept));
}
