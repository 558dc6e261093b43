/* A ring of bytes between one writer (the receive interrupt) and one reader (the main loop). */
#ifndef QL_LINK_RING_H
#define QL_LINK_RING_H

#include <stddef.h>
#include <stdint.h>

/* `size` is a power of two. The counters run on and wrap; their difference is what waits. */
typedef struct {
    uint8_t *bytes;
    size_t size;
    size_t written;
    size_t read;
} ql_ring;

static inline size_t ql_ring_room(const ql_ring *ring) {
    return ring->size - (ring->written - __atomic_load_n(&ring->read, __ATOMIC_ACQUIRE));
}

/* Drops the byte if there is no room: the frame then fails its CRC and is sent again. */
static inline void ql_ring_push(ql_ring *ring, uint8_t byte) {
    if (ql_ring_room(ring) == 0) return;
    ring->bytes[ring->written & (ring->size - 1u)] = byte;
    __atomic_store_n(&ring->written, ring->written + 1u, __ATOMIC_RELEASE);
}

/* Moves up to `limit` bytes out; returns how many. */
static inline size_t ql_ring_pop(ql_ring *ring, uint8_t *bytes, size_t limit) {
    size_t waiting = __atomic_load_n(&ring->written, __ATOMIC_ACQUIRE) - ring->read, count = 0;
    while (count < waiting && count < limit) {
        bytes[count] = ring->bytes[(ring->read + count) & (ring->size - 1u)];
        count++;
    }
    __atomic_store_n(&ring->read, ring->read + count, __ATOMIC_RELEASE);
    return count;
}

#endif
