/* Positions and weights are in units of 1/1024. */
#include "../fixed_point.h"

#define UNIT 1024

/* Where an output position lies between two input positions. */
typedef struct {
    int32_t low;
    int32_t high;
    int32_t weight; /* of `high` */
} between;

static between locate(const qk_resize_params *p, int32_t position, int32_t input, int32_t output) {
    const bool aligned = p->align_corners && output > 1;
    const int32_t span = aligned ? output - 1 : output;
    const int32_t scale = (UNIT * (aligned ? input - 1 : input) + span / 2) / span;
    const int32_t at = position * scale + (p->half_pixel ? scale / 2 - UNIT / 2 : 0);
    between found;
    found.low = qk_clamp(at / UNIT, 0, input - 1);
    found.high = qk_clamp((at + UNIT - 1) / UNIT, 0, input - 1);
    found.weight = at - UNIT * found.low;
    return found;
}

/* All channels of one output position. */
static void write_position(const qk_resize_params *p, const int8_t *image, between v, between h, int8_t *to) {
    const int32_t depth = p->channels, line = p->input_width * depth;
    const int8_t *top = image + v.low * line, *bottom = image + v.high * line;
    int32_t c;
    for (c = 0; c < depth; c++) {
        int64_t sum = (int64_t)top[h.low * depth + c] * (UNIT - v.weight) * (UNIT - h.weight) +
                      (int64_t)bottom[h.low * depth + c] * v.weight * (UNIT - h.weight) +
                      (int64_t)top[h.high * depth + c] * (UNIT - v.weight) * h.weight +
                      (int64_t)bottom[h.high * depth + c] * v.weight * h.weight;
        to[c] = (int8_t)((sum + (sum > 0 ? UNIT * UNIT / 2 : -UNIT * UNIT / 2)) / (UNIT * UNIT));
    }
}

void qk_resize_bilinear(const qk_resize_params *p, const int8_t *input, int8_t *output) {
    const int32_t image_size = p->input_height * p->input_width * p->channels;
    int32_t n, y, x;
    for (n = 0; n < p->batches; n++, input += image_size) {
        for (y = 0; y < p->output_height; y++) {
            const between v = locate(p, y, p->input_height, p->output_height);
            for (x = 0; x < p->output_width; x++, output += p->channels)
                write_position(p, input, v, locate(p, x, p->input_width, p->output_width), output);
        }
    }
}
