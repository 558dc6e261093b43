/* What an operator is to the interpreter, and what the interpreter offers to an operator. */
#ifndef QB_OPERATOR_H
#define QB_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "context.h"

#define QB_ANY_NUMBER 255

/* Inputs whose memory an output may take. */
#define QB_INPUT_0 1u
#define QB_INPUT_1 2u

/* prepare checks types, shapes and settings once, and leaves in the arena all that eval needs to be fast:
 * eval neither fails nor looks at the file's tables. */
typedef struct {
    int16_t builtin_code;
    uint8_t options_type; /* BuiltinOptions of the schema; 0 when the operator has none */
    uint8_t max_version;
    uint8_t min_inputs;
    uint8_t max_inputs; /* or QB_ANY_NUMBER */
    uint8_t in_place;   /* bit i: the output may take the memory of input i if both have the same size */
    qb_status (*prepare)(qb_interpreter *it, qb_node *node);
    void (*eval)(const qb_interpreter *it, const qb_node *node);
} qb_operator;

extern const qb_operator *const qb_operators[];
extern const uint8_t qb_operator_count;

/* Data of a tensor, a constant or not; for eval, since not every constant has it while operators prepare. */
const void *qb_data(const qb_interpreter *it, const qb_tensor *tensor);

/* The operator's options table, all defaults when the file has none. */
qb_table qb_options(qb_interpreter *it, const qb_node *node);

/* Reserve zeroed arena for eval, once an operator; NULL with the error recorded when it does not fit. */
void *qb_store(qb_interpreter *it, qb_node *node, uint32_t bytes);
const void *qb_prepared(const qb_interpreter *it, const qb_node *node);

/* Ask, while preparing, for memory that eval may use and that is not preserved between operators. */
void qb_need_scratch(qb_interpreter *it, uint32_t bytes);
void *qb_scratch(const qb_interpreter *it);

bool qb_same_shape(const qb_tensor *a, const qb_tensor *b);

/* Whether both have the same scale and zero point. */
bool qb_same_quantization(const qb_tensor *a, const qb_tensor *b);

/* An int8, uint8 or int16 activation: one scale, one zero point in range; that of int16 is 0. */
bool qb_is_codes(const qb_tensor *tensor);
bool qb_is_int8(const qb_tensor *tensor);
bool qb_is_int16(const qb_tensor *tensor);

/* What an operator needs that computes in int8 or in int16. */
bool qb_are_int8_or_int16(const qb_tensor *a, const qb_tensor *b);
#define QB_INT8_OR_INT16 "inputs and output must be int8, or all int16 with zero point 0, quantized"

/* Scale of a channel of a constant. */
float qb_channel_scale(const qb_interpreter *it, const qb_tensor *tensor, uint32_t channel);

/* A constant integer operand, int32 or int64, such as axes or paddings; its elements, at any time. */
bool qb_is_constant_ints(const qb_tensor *tensor);
int64_t qb_int_at(const qb_interpreter *it, const qb_tensor *tensor, uint32_t index);

/* An element of an int8 constant, packed or not, at any time. */
int8_t qb_int8_at(const qb_interpreter *it, const qb_tensor *tensor, uint32_t index);

#endif
