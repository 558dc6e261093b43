#include "../fixed_point.h"

/* A scale with a 16-bit multiplier. */
typedef struct {
    int16_t multiplier;
    int32_t shift;
} scale_16;

static scale_16 narrowed(qk_scale scale) {
    const bool at_limit = scale.multiplier >= INT32_MAX - (1 << 15);
    scale_16 narrow = {(int16_t)(at_limit ? INT16_MAX : (scale.multiplier + (1 << 15)) >> 16), scale.shift};
    return narrow;
}

static int16_t saturate_16(int32_t x) { return (int16_t)qk_clamp(x, INT16_MIN, INT16_MAX); }

/* a * b / 2^15, rounded to nearest, ties up, saturated. */
static int16_t high_mul_16(int16_t a, int16_t b) {
    if (a == INT16_MIN && b == INT16_MIN) return INT16_MAX;
    return (int16_t)(((int32_t)a * b + (1 << 14)) >> 15);
}

static int16_t shift_left_16(int16_t x, int32_t bits) {
    return saturate_16(qk_saturating_shift_left(x, bits));
}

/* How far open the gate is, in 2^-15: relu6(x + 3) / 6. */
static int16_t gate(scale_16 scale, int16_t x) {
    int32_t left = scale.shift > 0 ? scale.shift : 0;
    int16_t g = x;
    if (left > 0) g = shift_left_16(g, left - 1);
    g = high_mul_16(g, scale.multiplier);
    if (left > 0) g = shift_left_16(g, 1);
    if (scale.shift < 0) g = (int16_t)qk_round_shift(g, -scale.shift);
    return (int16_t)((g + (1 << 15)) >> 1);
}

void qk_hard_swish_table(const qk_hard_swish_params *p, int8_t table[256]) {
    const scale_16 output_scale = narrowed(p->output), gate_scale = narrowed(p->gate);
    int32_t i;
    for (i = INT8_MIN; i <= INT8_MAX; i++) {
        int16_t fine = (int16_t)((i - p->input_zero) * (1 << 7));
        int16_t scaled = high_mul_16(fine, output_scale.multiplier);
        int32_t gated = ((int32_t)gate(gate_scale, fine) * scaled) / (1 << 15);
        int32_t code = qk_round_shift(gated, -output_scale.shift) + p->output_zero;
        table[(uint8_t)i] = (int8_t)qk_clamp(code, INT8_MIN, INT8_MAX);
    }
}
