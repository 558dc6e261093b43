/* The state of an opened model: what the reader fills in, the operators prepare and the interpreter runs. All
 * three see this, and nothing of one another. */
#ifndef QB_CONTEXT_H
#define QB_CONTEXT_H

#include <stddef.h>

#include "model.h"

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

/* Record an error and return its status: any; a file that is damaged; a model that asks for something that is
 * not done here. */
qb_status qb_fail(qb_interpreter *it, qb_status status, const char *what);
qb_status qb_damaged(qb_interpreter *it);
qb_status qb_refuse(qb_interpreter *it, const char *what);

#define QB_REQUIRE(it, condition, what)                   \
    do {                                                  \
        if (!(condition)) return qb_refuse((it), (what)); \
    } while (0)

/* Reserve `bytes` of arena, aligned, and return their offset. When they do not fit, the error is recorded and
 * the count goes on, so that the need of a whole model can be told. */
uint32_t qb_reserve(qb_interpreter *it, uint32_t bytes);

/* Memory of a tensor in the arena. */
void *qb_tensor_data(const qb_interpreter *it, const qb_tensor *tensor);

/* Tensors of an operator; NULL for an optional one that is absent. Every operator here has one output. */
const qb_tensor *qb_input(const qb_interpreter *it, const qb_node *node, uint32_t index);
const qb_tensor *qb_output(const qb_interpreter *it, const qb_node *node);

#endif
