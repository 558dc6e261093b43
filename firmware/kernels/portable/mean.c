#include "../fixed_point.h"
#include "../walk.h"

void qk_mean(const qk_mean_params *p, const int8_t *input, int8_t *output) {
    const qk_reduction *r = &p->reduction;
    const qk_range all = {INT8_MIN, INT8_MAX};
    int32_t kept[QK_MAX_RANK] = {0};
    do {
        const int8_t *start = input + qk_offset(kept, r->kept_steps, r->kept);
        int32_t index[QK_MAX_RANK] = {0}, sum = -r->terms * p->input_zero;
        do sum += start[qk_offset(index, r->reduced_steps, r->reduced)];
        while (qk_next_index(r->reduced_dims, r->reduced, index));
        *output++ = qk_to_code(sum, p->scale, p->output_zero, all);
    } while (qk_next_index(r->kept_dims, r->kept, kept));
}
