#include "../walk.h"

void qk_broadcast_rows_s16(const qk_broadcast *walk, const int16_t *a, const int16_t *b, int16_t *to,
                           qk_row_s16 row, const void *params) {
    int32_t index[QK_MAX_RANK] = {0};
    const uint32_t outer = walk->rank > 0 ? walk->rank - 1 : 0;
    const int32_t count = walk->rank > 0 ? walk->dims[outer] : 1;
    const int32_t step_a = walk->rank > 0 ? walk->steps[0][outer] : 0,
                  step_b = walk->rank > 0 ? walk->steps[1][outer] : 0;
    do {
        const int16_t *from_a = a + qk_offset(index, walk->steps[0], outer);
        const int16_t *from_b = b + qk_offset(index, walk->steps[1], outer);
        row(params, from_a, step_a, from_b, step_b, to, count);
        to += count;
    } while (qk_next_index(walk->dims, outer, index));
}
