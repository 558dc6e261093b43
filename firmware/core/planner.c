#include "planner.h"

static uint64_t aligned(uint64_t bytes) { return (bytes + QB_ALIGNMENT - 1) / QB_ALIGNMENT * QB_ALIGNMENT; }

static int alive_together(const qb_tensor *a, const qb_tensor *b) {
    return a->first_use <= b->last_use && b->first_use <= a->last_use;
}

/* The largest tensor without a place; NULL when all have one. */
static qb_tensor *next_to_place(qb_tensor *tensors, uint32_t count) {
    qb_tensor *largest = NULL;
    uint32_t i;
    for (i = 0; i < count; i++) {
        qb_tensor *tensor = &tensors[i];
        if (!tensor->placed && (largest == NULL || tensor->bytes > largest->bytes)) largest = tensor;
    }
    return largest;
}

/* The lowest offset at which `tensor` overlaps no placed tensor of its lifetime. */
static uint64_t lowest_free(const qb_tensor *tensors, uint32_t count, const qb_tensor *tensor) {
    uint64_t offset = 0, size = aligned(tensor->bytes);
    uint32_t i = 0;
    while (i < count) {
        const qb_tensor *other = &tensors[i];
        uint64_t end = other->data + aligned(other->bytes);
        bool clash = other->placed && !qb_in_file(other) && other->owner == i &&
                     alive_together(tensor, other) && offset < end && other->data < offset + size;
        if (clash) offset = end;
        i = clash ? 0 : i + 1;
    }
    return offset;
}

uint32_t qb_plan(qb_tensor *tensors, uint32_t count) {
    uint64_t needed = 0;
    qb_tensor *tensor;
    while ((tensor = next_to_place(tensors, count)) != NULL) {
        uint64_t offset = lowest_free(tensors, count, tensor), end = offset + aligned(tensor->bytes);
        if (end > UINT32_MAX) return UINT32_MAX;
        tensor->data = (uint32_t)offset;
        tensor->placed = 1;
        if (end > needed) needed = end;
    }
    return (uint32_t)needed;
}
