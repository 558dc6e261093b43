/* The stand-in for the executable on a pty: INPUTS MULTIPLIER DELAY_US. */
#include <stdio.h>
#include <stdlib.h>

#include "../host/host_model.h"
#include "affine_model.h"

const ql_model *ql_host_model(int argc, char **argv) {
    static ql_affine affine;
    if (argc != 3) {
        fprintf(stderr, "wanted: INPUTS MULTIPLIER DELAY_US\n");
        return NULL;
    }
    ql_affine_init(&affine, (uint32_t)atoi(argv[0]), (uint32_t)atoi(argv[1]), (uint32_t)atoi(argv[2]));
    return &affine.model;
}
