/* Opens a TFLite model, plans its memory and runs it. No allocation, no I/O, no state outside the context.
 *
 *     qb_interpreter it;
 *     if (qb_open(&it, file, file_size, arena, arena_size) != QB_OK) report(&it.error);
 *     memcpy(qb_tensor_data(&it, qb_input_tensor(&it, 0)), image, ...);
 *     qb_invoke(&it);
 *
 * An invoke may overwrite the inputs: set them again before the next.
 */
#ifndef QB_INTERPRETER_H
#define QB_INTERPRETER_H

#include "model.h"

#define QB_ALIGNMENT 16u

typedef struct {
    qb_flatbuffer file;
    uint8_t *arena;
    uint32_t arena_size;
    uint32_t used;    /* bytes of arena that this model needs; complete after qb_open */
    uint32_t scratch; /* offset of the memory that each operator may use while it runs */
    uint32_t scratch_bytes;
    qb_tensor *tensors;
    qb_node *nodes;
    qb_vector inputs; /* tensor indices in the file */
    qb_vector outputs;
    uint16_t tensor_count;
    uint16_t node_count;
    qb_error error;
} qb_interpreter;

/* The arena must be aligned to QB_ALIGNMENT. On failure `it->error` says why. */
qb_status qb_open(qb_interpreter *it, const void *file, uint32_t file_size, void *arena, uint32_t arena_size);

void qb_invoke(const qb_interpreter *it);

/* `index` below it->inputs.count, it->outputs.count. */
const qb_tensor *qb_input_tensor(const qb_interpreter *it, uint32_t index);
const qb_tensor *qb_output_tensor(const qb_interpreter *it, uint32_t index);

/* Memory of a tensor in the arena. */
void *qb_tensor_data(const qb_interpreter *it, const qb_tensor *tensor);

/* Record an error and return its status. */
qb_status qb_fail(qb_interpreter *it, qb_status status, const char *what);

/* Reserve `bytes` of arena, aligned, and return their offset. When they do not fit, the error is recorded and
 * the count goes on, so that the need of a whole model can be told. */
uint32_t qb_reserve(qb_interpreter *it, uint32_t bytes);

#endif
