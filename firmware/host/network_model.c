/* The model of the executable on a pty: a .tflite file, and the bytes of arena that a board would have for
 * it. */
#define _POSIX_C_SOURCE 200112L

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../link/network.h"
#include "host_model.h"

#define DEFAULT_ARENA (16u << 20)
#define LARGEST_FILE (64l << 20)

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *aligned(size_t size) {
    void *memory = NULL;
    return posix_memalign(&memory, QB_ALIGNMENT, size) == 0 ? memory : NULL;
}

/* The file's bytes; NULL, having said why, if it cannot be read. */
static uint8_t *load(const char *path, uint32_t *size) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    if (file && fseek(file, 0, SEEK_END) == 0) {
        long length = ftell(file);
        if (length > 0 && length <= LARGEST_FILE) bytes = aligned((size_t)length);
        rewind(file);
        *size = (uint32_t)length;
        if (bytes && fread(bytes, 1, *size, file) != *size) {
            free(bytes);
            bytes = NULL;
        }
    }
    if (!bytes) fprintf(stderr, "%s cannot be read\n", path);
    if (file) fclose(file);
    return bytes;
}

const ql_model *ql_host_model(int argc, char **argv) {
    static ql_network network;
    if (argc < 1 || argc > 2) {
        fprintf(stderr, "wanted: MODEL.tflite [ARENA_BYTES]\n");
        return NULL;
    }
    uint32_t size = 0, arena_size = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : DEFAULT_ARENA;
    uint8_t *file = load(argv[0], &size);
    uint8_t *arena = aligned(arena_size);
    if (!file || !arena) return NULL;
    ql_network_open(&network, file, size, arena, arena_size, now_ns);
    return &network.model;
}
