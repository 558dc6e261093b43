#define _POSIX_C_SOURCE 200112L
#include "host.h"

#include <stdlib.h>

#include "../core/interpreter.h"
#include "../kernels/kernels.h"
#include "operator_names.h"

#define FIRST_ARENA (1u << 20)
#define LARGEST_ARENA (1u << 30)

struct qb_host {
    qb_interpreter it;
    void *file;
    void *arena;
};

static void *aligned_copy(const void *from, size_t size) {
    void *to = NULL;
    if (posix_memalign(&to, 64, size ? size : 1) != 0) return NULL;
    return from ? memcpy(to, from, size) : to;
}

static void tell(const qb_error *from, qb_host_error *to) {
    to->status = (int32_t)from->status;
    to->operator_index = from->operator_index;
    to->builtin_code = from->builtin_code;
    to->version = from->version;
    to->operator_name = qb_operator_name(from->builtin_code);
    to->what = from->what;
}

/* Open with an arena that grows until the model fits. */
static qb_status open_growing(qb_host *host, uint32_t size) {
    uint32_t arena = FIRST_ARENA;
    for (;;) {
        free(host->arena);
        host->arena = aligned_copy(NULL, arena);
        if (host->arena == NULL) return QB_NO_MEMORY;
        qb_open(&host->it, host->file, size, host->arena, arena);
        if (host->it.error.status != QB_NO_MEMORY || host->it.used <= arena) return host->it.error.status;
        if (host->it.used > LARGEST_ARENA) return QB_NO_MEMORY;
        arena = host->it.used;
    }
}

qb_host *qb_host_open(const void *file, uint32_t size, qb_host_error *error) {
    static const qb_error no_memory = {QB_NO_MEMORY, "this machine has too little memory", -1, -1, 0, 0, 0};
    qb_host *host = calloc(1, sizeof *host);
    if (host != NULL) host->file = aligned_copy(file, size);
    if (host == NULL || host->file == NULL) {
        free(host);
        tell(&no_memory, error);
        return NULL;
    }
    if (open_growing(host, size) == QB_OK) return host;
    tell(host->arena == NULL ? &no_memory : &host->it.error, error);
    qb_host_close(host);
    return NULL;
}

void qb_host_close(qb_host *host) {
    free(host->file);
    free(host->arena);
    free(host);
}

const char *qb_host_kernels(void) { return qk_kernel_set(); }

uint32_t qb_host_arena(const qb_host *host) { return host->it.used; }

uint32_t qb_host_count(const qb_host *host, int outputs) {
    return outputs ? host->it.outputs.count : host->it.inputs.count;
}

static const qb_tensor *tensor_of(const qb_host *host, int outputs, uint32_t index) {
    return outputs ? qb_output_tensor(&host->it, index) : qb_input_tensor(&host->it, index);
}

void qb_host_describe(const qb_host *host, int outputs, uint32_t index, qb_host_tensor *tensor) {
    const qb_tensor *from = tensor_of(host, outputs, index);
    tensor->type = from->type;
    tensor->rank = from->rank;
    memcpy(tensor->dims, from->dims, sizeof tensor->dims);
    tensor->bytes = from->bytes;
    tensor->scale = from->scale;
    tensor->zero_point = from->zero_point;
    tensor->quantized = from->scale_count > 0;
}

void qb_host_run(qb_host *host, uint32_t count, const void *const *inputs, void *const *outputs) {
    uint32_t sample, i;
    for (sample = 0; sample < count; sample++) {
        for (i = 0; i < host->it.inputs.count; i++) {
            const qb_tensor *tensor = tensor_of(host, 0, i);
            memcpy(qb_tensor_data(&host->it, tensor),
                   (const uint8_t *)inputs[i] + (size_t)sample * tensor->bytes, tensor->bytes);
        }
        qb_invoke(&host->it);
        for (i = 0; i < host->it.outputs.count; i++) {
            const qb_tensor *tensor = tensor_of(host, 1, i);
            memcpy((uint8_t *)outputs[i] + (size_t)sample * tensor->bytes, qb_tensor_data(&host->it, tensor),
                   tensor->bytes);
        }
    }
}
