/* Reads a flatbuffer in place. Every read is checked against the buffer; the first one that leaves it
 * marks the buffer damaged, and from then on all reads give zeros, so callers test `damaged` once a step.
 * Used while a model is opened and prepared, never in the hot loop.
 */
#ifndef QB_FLATBUFFER_H
#define QB_FLATBUFFER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const uint8_t *base;
    uint32_t size;
    bool damaged;
} qb_flatbuffer;

/* A table whose vtable and inline fields lie in the buffer; `at` is 0 for an absent one. */
typedef struct {
    uint32_t at;
    uint32_t vtable;
    uint16_t vtable_size;
    uint16_t size;
} qb_table;

/* `count` elements that lie in the buffer from `at`. */
typedef struct {
    uint32_t at;
    uint32_t count;
} qb_vector;

qb_table qb_root(qb_flatbuffer *fb, const char identifier[4]);

#define QB_OFFSET_BYTES 4u /* a table or a vector is referred to by an offset of so many */

/* Fields by their number in the schema; an absent field reads as `fallback`. */
uint8_t qb_u8(qb_flatbuffer *fb, qb_table table, unsigned field, uint8_t fallback);
int32_t qb_i32(qb_flatbuffer *fb, qb_table table, unsigned field, int32_t fallback);
float qb_f32(qb_flatbuffer *fb, qb_table table, unsigned field, float fallback);
uint64_t qb_u64(qb_flatbuffer *fb, qb_table table, unsigned field, uint64_t fallback);
qb_table qb_child(qb_flatbuffer *fb, qb_table table, unsigned field);
qb_vector qb_elements(qb_flatbuffer *fb, qb_table table, unsigned field, uint32_t element_size);

/* The table at an offset; element `index` of a vector of tables. */
qb_table qb_table_at(qb_flatbuffer *fb, uint32_t at);
qb_table qb_table_in(qb_flatbuffer *fb, qb_vector vector, uint32_t index);

/* Little-endian loads at any address, from memory that is known to be there; the compiler makes each a plain
 * load where the processor has one. */
static inline int32_t qb_load_i32(const void *from) {
    const uint8_t *b = from;
    return (int32_t)((uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
}

static inline int64_t qb_load_i64(const void *from) {
    const uint32_t low = (uint32_t)qb_load_i32(from), high = (uint32_t)qb_load_i32((const uint8_t *)from + 4);
    return (int64_t)((uint64_t)high << 32 | low);
}

static inline float qb_load_f32(const void *from) {
    const int32_t bits = qb_load_i32(from);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Element `index`, below the count, of a vector of int32. */
static inline int32_t qb_i32_in(const qb_flatbuffer *fb, qb_vector vector, uint32_t index) {
    return qb_load_i32(fb->base + vector.at + index * sizeof(int32_t));
}

#endif
