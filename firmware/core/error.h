/* Why a model cannot run, in a form that needs no formatting on the device. */
#ifndef QB_ERROR_H
#define QB_ERROR_H

#include <stdint.h>

typedef enum {
    QB_OK = 0,
    QB_DAMAGED = 1,     /* the file is not a whole TFLite model */
    QB_UNSUPPORTED = 2, /* it is, but this runtime does not do something that it asks for */
    QB_NO_MEMORY = 3    /* the arena is too small: `needed` says how much would do */
} qb_status;

typedef struct {
    qb_status status;
    const char *what;       /* static text */
    int32_t operator_index; /* -1 when no single operator is to blame */
    int32_t builtin_code;   /* of that operator, as in the TFLite schema */
    int32_t version;        /* likewise */
    uint32_t needed; /* bytes of arena, for QB_NO_MEMORY; a lower bound until all operators are prepared */
    uint32_t available;
} qb_error;

#endif
