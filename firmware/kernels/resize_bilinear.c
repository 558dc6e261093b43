/* RESIZE_BILINEAR: int8, with positions and weights in units of 1/1024. */
#include "resize.h"

#define UNIT 1024

/* Where an output position lies between two input positions. */
typedef struct {
    int32_t low;
    int32_t high;
    int32_t weight; /* of `high`, in units of 1/1024 */
} between;

static between locate(const qb_resize *p, int32_t position, int32_t input, int32_t output) {
    const bool aligned = p->align_corners && output > 1;
    const int32_t span = aligned ? output - 1 : output;
    const int32_t scale = (UNIT * (aligned ? input - 1 : input) + span / 2) / span;
    const int32_t at = position * scale + (p->half_pixel ? scale / 2 - UNIT / 2 : 0);
    between found;
    found.low = qb_clamp(at / UNIT, 0, input - 1);
    found.high = qb_clamp((at + UNIT - 1) / UNIT, 0, input - 1);
    found.weight = at - UNIT * found.low;
    return found;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const qb_resize *p = qb_prepared(it, node);
    const qb_tensor *input = qb_input(it, node, 0), *output = qb_output(it, node);
    const int8_t *image = qb_data(it, input);
    int8_t *to = qb_tensor_data(it, output);
    const int32_t depth = input->dims[3], width = input->dims[2];
    int32_t n, y, x, c;
    for (n = 0; n < output->dims[0]; n++, image += input->dims[1] * width * depth) {
        for (y = 0; y < output->dims[1]; y++) {
            const between v = locate(p, y, input->dims[1], output->dims[1]);
            for (x = 0; x < output->dims[2]; x++) {
                const between h = locate(p, x, width, output->dims[2]);
                const int8_t *top = image + v.low * width * depth, *bottom = image + v.high * width * depth;
                for (c = 0; c < depth; c++) {
                    int64_t sum = (int64_t)top[h.low * depth + c] * (UNIT - v.weight) * (UNIT - h.weight) +
                                  (int64_t)bottom[h.low * depth + c] * v.weight * (UNIT - h.weight) +
                                  (int64_t)top[h.high * depth + c] * (UNIT - v.weight) * h.weight +
                                  (int64_t)bottom[h.high * depth + c] * v.weight * h.weight;
                    *to++ = (int8_t)((sum + (sum > 0 ? UNIT * UNIT / 2 : -UNIT * UNIT / 2)) / (UNIT * UNIT));
                }
            }
        }
    }
}

static qb_status prepare(qb_interpreter *it, qb_node *node) { return qb_prepare_resize(it, node, 2); }

const qb_kernel qb_resize_bilinear = {
    .builtin_code = QB_OP_RESIZE_BILINEAR,
    .options_type = QB_RESIZE_BILINEAR_OPTIONS,
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
