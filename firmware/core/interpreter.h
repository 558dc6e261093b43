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

#include "context.h"

/* The arena must be aligned to QB_ALIGNMENT. On failure `it->error` says why. */
qb_status qb_open(qb_interpreter *it, const void *file, uint32_t file_size, void *arena, uint32_t arena_size);

void qb_invoke(const qb_interpreter *it);

/* `index` below it->inputs.count, it->outputs.count. */
const qb_tensor *qb_input_tensor(const qb_interpreter *it, uint32_t index);
const qb_tensor *qb_output_tensor(const qb_interpreter *it, uint32_t index);

#endif
