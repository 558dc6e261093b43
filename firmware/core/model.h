/* A TFLite model's first subgraph as tables in the arena. The file itself stays where it is: constants,
 * names and per-channel scales are offsets into it. The tables hold no pointers, so that a model needs the
 * same arena on a 64-bit host as on a Cortex-M.
 */
#ifndef QB_MODEL_H
#define QB_MODEL_H

#include "error.h"
#include "flatbuffer.h"

#define QB_ALIGNMENT 16u /* of the arena, and of all that lies in it */
#define QB_MAX_RANK 6
#define QB_ABSENT (-1) /* index of an optional tensor that is not there */

/* TensorType of the schema. */
enum { QB_FLOAT32 = 0, QB_INT32 = 2, QB_UINT8 = 3, QB_INT64 = 4, QB_INT16 = 7, QB_INT8 = 9 };

typedef struct {
    int32_t dims[QB_MAX_RANK];
    uint32_t elements;
    uint32_t bytes;
    uint32_t data;        /* offset in the arena, or in the file for a constant that is read there */
    uint32_t unpack_from; /* offset in the file of a constant that is read in the arena; 0 for any other */
    float scale;          /* the first, when there is one a channel */
    int32_t zero_point;
    uint32_t scales;      /* offset in the file of `scale_count` floats */
    uint32_t scale_count; /* 0: not quantized */
    uint16_t first_use;   /* lifetime in steps: 0 is the input, step i + 1 is operator i */
    uint16_t last_use;
    uint16_t owner; /* the tensor whose memory this one lives in: itself, unless it is done in place */
    uint8_t rank;
    uint8_t type;
    uint8_t channel_axis;
    uint8_t constant;
    uint8_t placed;
    uint8_t uniform_zero; /* all zero points are equal */
} qb_tensor;

typedef struct {
    uint32_t inputs; /* offset in the file of int32 tensor indices */
    uint32_t outputs;
    uint32_t options;  /* offset in the file of the operator's options table; 0 when absent */
    uint32_t prepared; /* offset in the arena of what the operator's prepare left for eval */
    uint8_t input_count;
    uint8_t op; /* index in qb_operators */
    uint8_t options_type;
    uint8_t version;
} qb_node;

/* Whether the tensor is read from the file. A packed constant (packed.h) is unpacked into the arena, and on a
 * big-endian processor so is every constant whose elements have several bytes. */
static inline bool qb_in_file(const qb_tensor *tensor) { return tensor->constant && !tensor->unpack_from; }

/* Size of an element in bytes; 0 for a type that this runtime does not do. */
uint32_t qb_width(uint8_t type);

#endif
