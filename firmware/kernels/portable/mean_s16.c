#include "../fixed_point.h"
#include "../walk.h"

void qk_mean_s16(const qk_mean_params *p, const int16_t *input, int16_t *output) {
    const qk_reduction *r = &p->reduction;
    const qk_range all = {INT16_MIN, INT16_MAX};
    int32_t kept[QK_MAX_RANK] = {0};
    do {
        const int16_t *start = input + qk_offset(kept, r->kept_steps, r->kept);
        int32_t index[QK_MAX_RANK] = {0}, sum = 0;
        do sum = qk_wrapping_add(sum, start[qk_offset(index, r->reduced_steps, r->reduced)]);
        while (qk_next_index(r->reduced_dims, r->reduced, index));
        *output++ = qk_to_code_s16(sum, p->scale, all);
    } while (qk_next_index(r->kept_dims, r->kept, kept));
}
