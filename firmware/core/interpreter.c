#include "interpreter.h"

#include "operator.h"
#include "packed.h"
#include "planner.h"
#include "reader.h"

static qb_status prepare_operators(qb_interpreter *it) {
    qb_status worst = QB_OK;
    uint32_t i;
    for (i = 0; i < it->node_count; i++) {
        qb_node *node = &it->nodes[i];
        const qb_operator *op = qb_operators[node->op];
        it->error.operator_index = (int32_t)i;
        it->error.builtin_code = op->builtin_code;
        it->error.version = node->version;
        op->prepare(it, node);
        if (it->file.damaged) return qb_damaged(it);
        if (it->error.status == QB_NO_MEMORY)
            worst = QB_NO_MEMORY; /* go on, to know the whole need */
        else if (it->error.status != QB_OK)
            return it->error.status;
        it->error.status = QB_OK;
    }
    it->error.operator_index = -1;
    it->error.status = worst;
    return worst;
}

/* Let an operator's output live where one of its inputs ends its life, if the operator allows it. */
static void share_memory(qb_interpreter *it, uint32_t index) {
    const qb_node *node = &it->nodes[index];
    qb_tensor *output = &it->tensors[qb_load_i32(it->file.base + node->outputs)];
    uint32_t i;
    for (i = 0; i < node->input_count && i < 8; i++) {
        const qb_tensor *input = qb_input(it, node, i);
        qb_tensor *owner;
        if (!(qb_operators[node->op]->in_place >> i & 1) || input == NULL || input->constant) continue;
        owner = &it->tensors[input->owner];
        if (input->last_use != index + 1 || owner->last_use != index + 1 || input->bytes != output->bytes)
            continue;
        output->owner = input->owner;
        output->placed = 1;
        owner->last_use = output->last_use;
        return;
    }
}

static void plan_activations(qb_interpreter *it) {
    uint32_t i, start, bytes;
    for (i = 0; i < it->tensor_count; i++) {
        it->tensors[i].placed = qb_in_file(&it->tensors[i]) || it->tensors[i].first_use == QB_NEVER;
    }
    for (i = 0; i < it->node_count; i++) share_memory(it, i);
    bytes = qb_plan(it->tensors, it->tensor_count);
    start = qb_reserve(it, bytes);
    for (i = 0; i < it->tensor_count; i++) {
        qb_tensor *tensor = &it->tensors[i];
        if (!qb_in_file(tensor) && tensor->first_use != QB_NEVER && tensor->owner == i) tensor->data += start;
    }
    for (i = 0; i < it->tensor_count; i++) {
        if (it->tensors[i].owner != i) it->tensors[i].data = it->tensors[it->tensors[i].owner].data;
    }
}

static qb_status open_model(qb_interpreter *it) {
    if (qb_read_model(it) != QB_OK) return it->error.status;
    if (prepare_operators(it) != QB_OK && it->error.status != QB_NO_MEMORY) return it->error.status;
    it->scratch = qb_reserve(it, it->scratch_bytes);
    plan_activations(it);
    return it->error.status;
}

qb_status qb_open(qb_interpreter *it, const void *file, uint32_t file_size, void *arena,
                  uint32_t arena_size) {
    memset(it, 0, sizeof *it);
    it->file.base = file;
    it->file.size = file_size;
    it->arena = arena;
    it->arena_size = arena_size;
    it->error.operator_index = -1;
    open_model(it);
    it->error.needed = it->used;
    it->error.available = arena_size;
    return it->error.status;
}

/* From the file's byte order to that of a big-endian processor. */
static void reverse_elements(const uint8_t *from, uint32_t elements, uint32_t width, uint8_t *to) {
    uint32_t i, byte;
    for (i = 0; i < elements; i++, from += width, to += width)
        for (byte = 0; byte < width; byte++) to[byte] = from[width - 1 - byte];
}

/* Unpack the constants that operator `index` is the first to read. */
static void unpack_constants(const qb_interpreter *it, uint32_t index) {
    uint32_t i;
    for (i = 0; i < it->nodes[index].input_count; i++) {
        const qb_tensor *tensor = qb_input(it, &it->nodes[index], i);
        const uint8_t *from;
        if (tensor == NULL || !tensor->unpack_from || tensor->first_use != index + 1) continue;
        from = it->file.base + tensor->unpack_from;
        if (tensor->type == QB_INT8)
            qb_unpack(from, tensor->elements, qb_tensor_data(it, tensor));
        else
            reverse_elements(from, tensor->elements, qb_width(tensor->type), qb_tensor_data(it, tensor));
    }
}

void qb_invoke(const qb_interpreter *it) {
    uint32_t i;
    for (i = 0; i < it->node_count; i++) {
        unpack_constants(it, i);
        qb_operators[it->nodes[i].op]->eval(it, &it->nodes[i]);
    }
}

const qb_tensor *qb_input_tensor(const qb_interpreter *it, uint32_t index) {
    return &it->tensors[qb_i32_in(&it->file, it->inputs, index)];
}

const qb_tensor *qb_output_tensor(const qb_interpreter *it, uint32_t index) {
    return &it->tensors[qb_i32_in(&it->file, it->outputs, index)];
}
