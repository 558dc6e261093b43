#define _POSIX_C_SOURCE 200112L

#include "affine_model.h"

#include <string.h>
#include <time.h>

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static const char *invoke(void *context, const uint8_t *input, const uint8_t **output, uint64_t *count) {
    ql_affine *affine = context;
    uint64_t start = now_ns(), sum = 0;
    for (uint32_t j = 0; j < QL_AFFINE_OUTPUTS; j++) {
        uint32_t total = 0;
        for (uint32_t i = 0; i < affine->inputs; i++) {
            total += input[i] * ((i + 1u) * (j + 1u) * affine->multiplier + i);
        }
        affine->output[j] = (uint8_t)total;
    }
    for (uint32_t i = 0; i < affine->inputs; i++) sum += input[i];
    *output = affine->output;
    *count = sum;
    if (affine->delay_us) {
        struct timespec rest = {(time_t)(affine->delay_us / 1000000u),
                                (long)(affine->delay_us % 1000000u) * 1000};
        nanosleep(&rest, NULL);
        *count = now_ns() - start;
    }
    return input[0] == 0x7Fu && input[1] == 0x7Fu && input[2] == 0x7Fu
               ? "three times 127 is more than I can take"
               : NULL;
}

void ql_affine_init(ql_affine *affine, uint32_t inputs, uint32_t multiplier, uint32_t delay_us) {
    memset(affine, 0, sizeof *affine);
    affine->inputs = inputs;
    affine->multiplier = multiplier;
    affine->delay_us = delay_us;
    memset(affine->sha256, (int)(multiplier & 0xFFu), sizeof affine->sha256);
    affine->model.sha256 = affine->sha256;
    affine->model.bytes = 4096;
    affine->model.arena_used = 1000;
    affine->model.arena_available = 2000;
    affine->model.input = (ql_tensor){QL_INT8, 2, {1, inputs}, 0.5f, -1};
    affine->model.output = (ql_tensor){QL_INT8, 2, {1, QL_AFFINE_OUTPUTS}, 0.25f, 3};
    affine->model.invoke = invoke;
    affine->model.context = affine;
}
