/* Fuzz target: whatever bytes come as a model, opening it either fails cleanly or it runs. */
#include <stdlib.h>

#include "../core/interpreter.h"

#define ARENA (1u << 18)
#define LONGEST_RUN (1u << 22) /* elements; a model that asks for more work is opened but not run */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An upper bound on what the operators read and write, to keep an execution short. */
static uint64_t work_of(const qb_interpreter *it) {
    uint64_t work = 1;
    uint32_t i;
    for (i = 0; i < it->node_count; i++) {
        uint64_t sizes = 1;
        uint32_t k;
        for (k = 0; k < it->nodes[i].input_count; k++) {
            int32_t tensor = qb_load_i32(it->file.base + it->nodes[i].inputs + 4 * k);
            if (tensor != QB_ABSENT) sizes += it->tensors[tensor].elements;
        }
        sizes *= it->tensors[qb_load_i32(it->file.base + it->nodes[i].outputs)].elements;
        work += sizes;
    }
    return work;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t arena[ARENA] __attribute__((aligned(QB_ALIGNMENT)));
    uint8_t *file = malloc(size + 1); /* its own block, so that a read past the end is seen */
    qb_interpreter it;
    uint32_t i;
    memcpy(file, data, size);
    file = realloc(file, size ? size : 1);
    memset(arena, 0xA5, sizeof arena);
    if (qb_open(&it, file, (uint32_t)size, arena, ARENA) == QB_OK && work_of(&it) < LONGEST_RUN) {
        for (i = 0; i < it.inputs.count; i++) {
            const qb_tensor *tensor = qb_input_tensor(&it, i);
            memset(qb_tensor_data(&it, tensor), 0x80 + (int)i, tensor->bytes);
        }
        qb_invoke(&it);
    }
    free(file);
    return 0;
}
