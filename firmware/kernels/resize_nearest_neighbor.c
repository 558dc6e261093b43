/* RESIZE_NEAREST_NEIGHBOR: int8. */
#include "resize.h"

#include <math.h>

/* The input position for an output position along one axis, in single precision as TFLite takes it. */
static int32_t nearest(const qb_resize *p, int32_t position, int32_t input, int32_t output) {
    const bool aligned = p->align_corners && output > 1;
    const float scale = aligned ? (float)(input - 1) / (float)(output - 1) : (float)input / (float)output;
    const float at = ((float)position + (p->half_pixel ? 0.5f : 0.0f)) * scale;
    return qb_clamp((int32_t)(p->align_corners ? roundf(at) : floorf(at)), 0, input - 1);
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_resize *p = qb_prepared(it, node);
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const int8_t *image = qb_data(it, input);
    int8_t *to = qb_tensor_data(it, output);
    const int32_t depth = input->dims[3];
    int32_t n, y, x;
    for (n = 0; n < output->dims[0]; n++) {
        for (y = 0; y < output->dims[1]; y++) {
            int32_t row = n * input->dims[1] + nearest(p, y, input->dims[1], output->dims[1]);
            for (x = 0; x < output->dims[2]; x++, to += depth) {
                int32_t column = nearest(p, x, input->dims[2], output->dims[2]);
                memcpy(to, image + (row * input->dims[2] + column) * depth, (uint32_t)depth);
            }
        }
    }
}

static qb_status prepare(qb_interpreter *it, qb_node *node) { return qb_prepare_resize(it, node, 0); }

const qb_kernel qb_resize_nearest_neighbor = {
    .builtin_code = QB_OP_RESIZE_NEAREST_NEIGHBOR,
    .options_type = QB_RESIZE_NEAREST_NEIGHBOR_OPTIONS,
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
