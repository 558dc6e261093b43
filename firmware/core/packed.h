/* An int8 constant of few distinct values, as a packed model stores it: the bits of an index (1, 2 or 4), a
 * codebook of 2^bits int8 values, and an index for each element, the first in the lowest bits of a byte
 * (docs/packing.md).
 */
#ifndef QB_PACKED_H
#define QB_PACKED_H

#include <stdbool.h>
#include <stdint.h>

/* What marks a packed model: its file identifier, and the TensorType of its packed constants. TFLite's schema
 * has neither, so other runtimes refuse it. */
#define QB_PACKED_MODEL "QBP1"
#define QB_PACKED_INT8 64

/* Whether `bytes` from `from` hold exactly `elements` packed values. */
bool qb_is_packed(const uint8_t *from, uint32_t bytes, uint32_t elements);

/* Of a whole one: an element; all elements. */
int8_t qb_packed_at(const uint8_t *from, uint32_t index);
void qb_unpack(const uint8_t *from, uint32_t elements, int8_t *to);

#endif
