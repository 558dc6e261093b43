#include "context.h"

qb_status qb_fail(qb_interpreter *it, qb_status status, const char *what) {
    it->error.status = status;
    it->error.what = what;
    return status;
}

qb_status qb_damaged(qb_interpreter *it) {
    return qb_fail(it, QB_DAMAGED, "an offset or a length is out of bounds");
}

qb_status qb_refuse(qb_interpreter *it, const char *what) { return qb_fail(it, QB_UNSUPPORTED, what); }

uint32_t qb_reserve(qb_interpreter *it, uint32_t bytes) {
    uint32_t at = it->used;
    uint64_t end = ((uint64_t)at + bytes + QB_ALIGNMENT - 1) / QB_ALIGNMENT * QB_ALIGNMENT;
    it->used = end > UINT32_MAX ? UINT32_MAX : (uint32_t)end;
    if (it->used > it->arena_size) qb_fail(it, QB_NO_MEMORY, "the arena is too small for this model");
    return at;
}

void *qb_tensor_data(const qb_interpreter *it, const qb_tensor *tensor) { return it->arena + tensor->data; }

const qb_tensor *qb_input(const qb_interpreter *it, const qb_node *node, uint32_t index) {
    int32_t tensor;
    if (index >= node->input_count) return NULL;
    tensor = qb_load_i32(it->file.base + node->inputs + index * sizeof(int32_t));
    return tensor == QB_ABSENT ? NULL : &it->tensors[tensor];
}

const qb_tensor *qb_output(const qb_interpreter *it, const qb_node *node) {
    return &it->tensors[qb_load_i32(it->file.base + node->outputs)];
}
