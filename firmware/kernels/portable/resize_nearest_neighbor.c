#include <math.h>
#include <string.h>

#include "../fixed_point.h"

/* The input position for an output position along one axis, in single precision as TFLite takes it. */
static int32_t nearest(const qk_resize_params *p, int32_t position, int32_t input, int32_t output) {
    const bool aligned = p->align_corners && output > 1;
    const float scale = aligned ? (float)(input - 1) / (float)(output - 1) : (float)input / (float)output;
    const float at = ((float)position + (p->half_pixel ? 0.5f : 0.0f)) * scale;
    return qk_clamp((int32_t)(p->align_corners ? roundf(at) : floorf(at)), 0, input - 1);
}

void qk_resize_nearest_neighbor(const qk_resize_params *p, const void *input, void *output) {
    const uint8_t *from = input;
    uint8_t *to = output;
    const int32_t depth = p->channels;
    int32_t n, y, x;
    for (n = 0; n < p->batches; n++) {
        for (y = 0; y < p->output_height; y++) {
            const int32_t row = n * p->input_height + nearest(p, y, p->input_height, p->output_height);
            for (x = 0; x < p->output_width; x++, to += depth) {
                const int32_t column = nearest(p, x, p->input_width, p->output_width);
                memcpy(to, from + (row * p->input_width + column) * depth, (uint32_t)depth);
            }
        }
    }
}
