/* Runs a fuzz target without libFuzzer: mutates the seed files given for a number of seconds.
 *
 *     fuzz_model_gcc SECONDS SEED FILE...
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LARGEST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;

static uint32_t draw(uint32_t below) { /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717u) >> 33) % below;
}

static size_t mutate(uint8_t *data, size_t size) {
    static const int32_t interesting[] = {0, 1, -1, 4, 127, 128, -128, 255, 256, 65535, INT32_MAX, INT32_MIN};
    uint32_t changes = 1 + draw(6), i;
    for (i = 0; i < changes && size > 4; i++) {
        size_t at = draw((uint32_t)size - 4);
        int32_t value = interesting[draw(sizeof interesting / sizeof interesting[0])];
        switch (draw(4)) {
            case 0:
                data[at] ^= (uint8_t)(1u << draw(8));
                break;
            case 1:
                data[at] = (uint8_t)draw(256);
                break;
            case 2:
                memcpy(data + at, &value, 4);
                break;
            default:
                if (draw(16) == 0)
                    size = at;
                else
                    memmove(data + at, data + draw((uint32_t)size - 4), 4);
        }
    }
    return size;
}

static size_t load(const char *path, uint8_t *data) {
    FILE *file = fopen(path, "rb");
    size_t size;
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    size = fread(data, 1, LARGEST, file);
    fclose(file);
    return size;
}

int main(int count, char **words) {
    static uint8_t seed[LARGEST], data[LARGEST];
    unsigned long executions = 0;
    size_t size = 0;
    time_t end;
    if (count < 4) {
        fprintf(stderr, "usage: %s SECONDS SEED FILE...\n", words[0]);
        return 2;
    }
    end = time(NULL) + strtol(words[1], NULL, 10);
    state = strtoul(words[2], NULL, 10) * 2 + 1;
    for (; time(NULL) < end; executions++) {
        if (executions % 64 == 0) size = load(words[3 + draw((uint32_t)count - 3)], seed);
        memcpy(data, seed, size);
        LLVMFuzzerTestOneInput(data, mutate(data, size));
    }
    printf("%lu executions, no fault\n", executions);
    return 0;
}
