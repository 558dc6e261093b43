/* Lets a session run a TFLite model: the interpreter of firmware/core as a ql_model. No state but the
 * context. */
#ifndef QL_LINK_NETWORK_H
#define QL_LINK_NETWORK_H

#include "../core/interpreter.h"
#include "session.h"
#include "sha256.h"

#define QL_FAULT_BYTES 160u

typedef struct {
    ql_model model; /* for ql_session_init; `fault` says why the file cannot run */
    qb_interpreter interpreter;
    uint64_t (*now)(void); /* the board's counter, in the unit that its ql_device names */
    uint8_t sha256[QL_SHA256_BYTES];
    char fault[QL_FAULT_BYTES];
} ql_network;

/* `file` and `arena` (aligned to QB_ALIGNMENT) outlive the context, and the context stays where it is. */
void ql_network_open(ql_network *network, const uint8_t *file, uint32_t file_size, uint8_t *arena,
                     uint32_t arena_size, uint64_t (*now)(void));

#endif
