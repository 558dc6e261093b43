/* The device's side of firmware/PROTOCOL.md: bytes in through a function, answers out through a callback. */
#ifndef QL_LINK_SESSION_H
#define QL_LINK_SESSION_H

#include "frame.h"

#define QL_FIRMWARE "qbench 0.1.0"
#define QL_PROTOCOL_VERSION 1u
#define QL_MAX_RANK 6u

/* Room in the receive ring that the window leaves free: HELLOs and PINGs that the host sends on top of it. */
#define QL_RING_SLACK 128u

/* TFLite's own TensorType codes. */
typedef enum { QL_FLOAT32 = 0, QL_UINT8 = 3, QL_INT16 = 7, QL_INT8 = 9 } ql_dtype;

typedef enum { QL_COUNT_NONE, QL_COUNT_CYCLES, QL_COUNT_INSTRUCTIONS, QL_COUNT_NANOSECONDS } ql_counter;

typedef enum {
    QL_ERROR_DAMAGED = 1,
    QL_ERROR_OVERSIZE,
    QL_ERROR_VERSION,
    QL_ERROR_NO_SESSION,
    QL_ERROR_LENGTH,
    QL_ERROR_COMMAND,
    QL_ERROR_NO_MODEL,
    QL_ERROR_INFERENCE
} ql_error;

typedef struct {
    uint8_t dtype; /* ql_dtype */
    uint8_t rank;
    uint32_t shape[QL_MAX_RANK]; /* the batch of 1 included, where the model has one */
    float scale;                 /* 0 for a float tensor */
    int32_t zero_point;
} ql_tensor;

/* What the link needs of a model. Strings and bytes are not copied: they outlive the session. */
typedef struct {
    const uint8_t *sha256; /* 32 bytes, of the model as it lies in memory */
    uint32_t bytes;
    uint32_t arena_used;
    uint32_t arena_available;
    ql_tensor input;
    ql_tensor output;
    const char *fault; /* why the model cannot run, tensors and arena being unknown; NULL where it can */

    /* Runs one input, of the input tensor's size and at any alignment. Sets `output` to the output tensor's
       bytes, which hold until the next call, and `count` to this inference's own cost. Returns NULL, or what
       went wrong. */
    const char *(*invoke)(void *context, const uint8_t *input, const uint8_t **output, uint64_t *count);
    void *context;
} ql_model;

typedef struct {
    const char *firmware;
    const char *board;
    const char *core;
    const char *kernels;
    uint32_t clock_hz;
    uint8_t counter;     /* ql_counter */
    uint32_t boot;       /* differs from boot to boot, as far as the board can tell boots apart */
    uint32_t ring_bytes; /* what the board holds of incoming bytes while it computes */
} ql_device;

typedef struct {
    const ql_device *device;
    const ql_model *model;
    const char *fault;
    uint16_t window; /* INFERs that the host may have without an answer */
    uint16_t id;     /* of the host's session; 0 until a HELLO */
    ql_decoder decoder;
    ql_encoder encoder;
} ql_session;

/* Bytes of a tensor; 0 if its type or rank is unknown or its size passes QL_MAX_PAYLOAD. */
uint32_t ql_tensor_bytes(const ql_tensor *tensor);

/* `buffer` holds one decoded frame: QL_FRAME_OVERHEAD + the input's bytes; if it is smaller the session says
   so in its INFO and refuses to infer. */
void ql_session_init(ql_session *session, const ql_device *device, const ql_model *model, uint8_t *buffer,
                     size_t capacity, ql_write *write, void *write_context);

/* Takes bytes as they came in, any number of them; infers and answers before it returns. */
void ql_session_receive(ql_session *session, const uint8_t *bytes, size_t count);

#endif
