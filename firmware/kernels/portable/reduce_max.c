#include "../walk.h"

void qk_reduce_max(const qk_reduction *p, const int8_t *input, int8_t *output) {
    int32_t kept[QK_MAX_RANK] = {0};
    do {
        const int8_t *start = input + qk_offset(kept, p->kept_steps, p->kept);
        int32_t index[QK_MAX_RANK] = {0};
        int8_t largest = INT8_MIN;
        do {
            int8_t code = start[qk_offset(index, p->reduced_steps, p->reduced)];
            if (code > largest) largest = code;
        } while (qk_next_index(p->reduced_dims, p->reduced, index));
        *output++ = largest;
    } while (qk_next_index(p->kept_dims, p->kept, kept));
}
