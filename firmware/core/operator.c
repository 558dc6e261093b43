#include "operator.h"

#include <math.h>

#include "packed.h"

const void *qb_data(const qb_interpreter *it, const qb_tensor *tensor) {
    return (qb_in_file(tensor) ? it->file.base : it->arena) + tensor->data;
}

qb_table qb_options(qb_interpreter *it, const qb_node *node) {
    static const qb_table none = {0, 0, 0, 0};
    return node->options ? qb_table_at(&it->file, node->options) : none;
}

void *qb_store(qb_interpreter *it, qb_node *node, uint32_t bytes) {
    node->prepared = qb_reserve(it, bytes);
    if (it->error.status != QB_OK) return NULL;
    return memset(it->arena + node->prepared, 0, bytes);
}

const void *qb_prepared(const qb_interpreter *it, const qb_node *node) { return it->arena + node->prepared; }

void qb_need_scratch(qb_interpreter *it, uint32_t bytes) {
    if (bytes > it->scratch_bytes) it->scratch_bytes = bytes;
}

void *qb_scratch(const qb_interpreter *it) { return it->arena + it->scratch; }

bool qb_same_shape(const qb_tensor *a, const qb_tensor *b) {
    return a->rank == b->rank && memcmp(a->dims, b->dims, a->rank * sizeof a->dims[0]) == 0;
}

bool qb_same_quantization(const qb_tensor *a, const qb_tensor *b) {
    return a->scale == b->scale && a->zero_point == b->zero_point;
}

bool qb_is_codes(const qb_tensor *tensor) {
    int32_t lowest;
    if (tensor == NULL || tensor->scale_count != 1 || !(tensor->scale > 0) || !isfinite(tensor->scale))
        return false;
    if (tensor->type == QB_INT16) return tensor->zero_point == 0;
    if (tensor->type != QB_INT8 && tensor->type != QB_UINT8) return false;
    lowest = tensor->type == QB_INT8 ? INT8_MIN : 0;
    return tensor->zero_point >= lowest && tensor->zero_point <= lowest + UINT8_MAX;
}

bool qb_is_int8(const qb_tensor *tensor) { return qb_is_codes(tensor) && tensor->type == QB_INT8; }
bool qb_is_int16(const qb_tensor *tensor) { return qb_is_codes(tensor) && tensor->type == QB_INT16; }

bool qb_are_int8_or_int16(const qb_tensor *a, const qb_tensor *b) {
    return (qb_is_int8(a) && qb_is_int8(b)) || (qb_is_int16(a) && qb_is_int16(b));
}

float qb_channel_scale(const qb_interpreter *it, const qb_tensor *tensor, uint32_t channel) {
    if (tensor->scale_count == 1) return tensor->scale;
    return qb_load_f32(it->file.base + tensor->scales + channel * sizeof(float));
}

bool qb_is_constant_ints(const qb_tensor *tensor) {
    return tensor != NULL && tensor->constant && (tensor->type == QB_INT32 || tensor->type == QB_INT64);
}

int64_t qb_int_at(const qb_interpreter *it, const qb_tensor *tensor, uint32_t index) {
    const uint8_t *data = it->file.base + (tensor->unpack_from ? tensor->unpack_from : tensor->data);
    if (tensor->type == QB_INT64) return qb_load_i64(data + index * sizeof(int64_t));
    return qb_load_i32(data + index * sizeof(int32_t));
}

int8_t qb_int8_at(const qb_interpreter *it, const qb_tensor *tensor, uint32_t index) {
    if (tensor->unpack_from) return qb_packed_at(it->file.base + tensor->unpack_from, index);
    return (int8_t)it->file.base[tensor->data + index];
}
