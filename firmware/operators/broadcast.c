#include "broadcast.h"

/* Size of dimension `axis`, counted from the last. */
static int32_t dim_from_end(const qb_tensor *tensor, uint32_t axis) {
    return axis < tensor->rank ? tensor->dims[tensor->rank - 1 - axis] : 1;
}

bool qb_broadcast_fit(const qb_tensor *a, const qb_tensor *b, const qb_tensor *output, qk_broadcast *walk) {
    int32_t reach[2] = {1, 1}, reversed_dims[QB_MAX_RANK], reversed[2][QB_MAX_RANK];
    bool repeats[2] = {false, false};
    uint32_t axis, rank = 0, i;
    if (output->rank != (a->rank > b->rank ? a->rank : b->rank)) return false;
    for (axis = 0; axis < output->rank; axis++) {
        int32_t dim = dim_from_end(output, axis), sizes[2], larger;
        bool repeat[2];
        sizes[0] = dim_from_end(a, axis);
        sizes[1] = dim_from_end(b, axis);
        larger = sizes[0] == 1 ? sizes[1] : sizes[0];
        if (dim != larger || (sizes[1] != 1 && sizes[1] != dim)) return false;
        if (dim == 1) continue;
        for (i = 0; i < 2; i++) repeat[i] = sizes[i] == 1;
        if (rank > 0 && repeat[0] == repeats[0] && repeat[1] == repeats[1]) {
            reversed_dims[rank - 1] *= dim;
        } else {
            reversed_dims[rank] = dim;
            for (i = 0; i < 2; i++) reversed[i][rank] = repeat[i] ? 0 : reach[i];
            rank++;
        }
        for (i = 0; i < 2; i++) {
            repeats[i] = repeat[i];
            reach[i] *= sizes[i];
        }
    }
    walk->rank = rank;
    for (axis = 0; axis < rank; axis++) {
        walk->dims[axis] = reversed_dims[rank - 1 - axis];
        for (i = 0; i < 2; i++) walk->steps[i][axis] = reversed[i][rank - 1 - axis];
    }
    return true;
}
