/* The runtime as a shared library for the host: the same core and kernels, with memory from malloc. */
#ifndef QB_HOST_H
#define QB_HOST_H

#include <stdint.h>

typedef struct qb_host qb_host;

/* A tensor as callers see it. */
typedef struct {
    int32_t type; /* TensorType of the schema */
    int32_t rank;
    int32_t dims[6];
    uint32_t bytes;
    float scale;
    int32_t zero_point;
    int32_t quantized;
} qb_host_tensor;

/* Why a model cannot run; texts are static. */
typedef struct {
    int32_t status;
    int32_t operator_index; /* -1: none in particular */
    int32_t builtin_code;
    int32_t version;
    const char *operator_name; /* of the TFLite schema; NULL when the code is unknown */
    const char *what;
} qb_host_error;

/* Copies the file. NULL on failure, with `error` filled in. */
qb_host *qb_host_open(const void *file, uint32_t size, qb_host_error *error);
void qb_host_close(qb_host *host);

/* Bytes of arena that the model needs, the same on every platform. */
uint32_t qb_host_arena(const qb_host *host);

/* Number of inputs or outputs, and one of them; `outputs` is 0 or 1. */
uint32_t qb_host_count(const qb_host *host, int outputs);
void qb_host_describe(const qb_host *host, int outputs, uint32_t index, qb_host_tensor *tensor);

/* Which kernels the library was built with. */
const char *qb_host_kernels(void);

/* Run `count` samples: sample i of input k is at inputs[k] + i * its bytes, likewise the outputs. */
void qb_host_run(qb_host *host, uint32_t count, const void *const *inputs, void *const *outputs);

#endif
