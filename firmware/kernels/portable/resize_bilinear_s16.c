#include "../between.h"

/* All channels of one output position. */
static void write_position(const qk_resize_params *p, const int16_t *image, qk_between v, qk_between h,
                           int16_t *to) {
    const int32_t depth = p->channels, line = p->input_width * depth;
    const int16_t *top = image + v.low * line, *bottom = image + v.high * line;
    int32_t c;
    for (c = 0; c < depth; c++) {
        int64_t sum = (int64_t)top[h.low * depth + c] * (QK_UNIT - v.weight) * (QK_UNIT - h.weight) +
                      (int64_t)bottom[h.low * depth + c] * v.weight * (QK_UNIT - h.weight) +
                      (int64_t)top[h.high * depth + c] * (QK_UNIT - v.weight) * h.weight +
                      (int64_t)bottom[h.high * depth + c] * v.weight * h.weight;
        to[c] = (int16_t)((sum + (sum > 0 ? QK_UNIT * QK_UNIT / 2 : -QK_UNIT * QK_UNIT / 2)) /
                          (QK_UNIT * QK_UNIT));
    }
}

void qk_resize_bilinear_s16(const qk_resize_params *p, const int16_t *input, int16_t *output) {
    const int32_t image_size = p->input_height * p->input_width * p->channels;
    int32_t n, y, x;
    for (n = 0; n < p->batches; n++, input += image_size) {
        for (y = 0; y < p->output_height; y++) {
            const qk_between v = qk_locate(p, y, p->input_height, p->output_height);
            for (x = 0; x < p->output_width; x++, output += p->channels)
                write_position(p, input, v, qk_locate(p, x, p->input_width, p->output_width), output);
        }
    }
}
