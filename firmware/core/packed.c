#include "packed.h"

typedef struct {
    uint32_t bits;
    const uint8_t *codebook;
    const uint8_t *indices;
} packed;

static packed parts(const uint8_t *from) {
    packed p = {from[0], from + 1, from + 1 + (1u << from[0])};
    return p;
}

static int8_t value(const packed *p, uint32_t index) {
    const uint32_t at = index * p->bits;
    return (int8_t)p->codebook[p->indices[at / 8] >> at % 8 & ((1u << p->bits) - 1u)];
}

bool qb_is_packed(const uint8_t *from, uint32_t bytes, uint32_t elements) {
    if (bytes == 0 || (from[0] != 1 && from[0] != 2 && from[0] != 4)) return false;
    return bytes == 1u + (1u << from[0]) + ((uint64_t)elements * from[0] + 7u) / 8u;
}

int8_t qb_packed_at(const uint8_t *from, uint32_t index) {
    const packed p = parts(from);
    return value(&p, index);
}

void qb_unpack(const uint8_t *from, uint32_t elements, int8_t *to) {
    const packed p = parts(from);
    uint32_t i;
    for (i = 0; i < elements; i++) to[i] = value(&p, i);
}
