#include <math.h>

#include "../fixed_point.h"

/* exp and tanh in double precision, rounded once, are the same on every libm. */
static float logistic(float x) { return 1.0f / (1.0f + (float)exp(-(double)x)); }
static float hyperbolic_tangent(float x) { return (float)tanh((double)x); }

static void fill(const qk_sigmoid_params *p, float (*function)(float), float steps, int32_t output_zero,
                 int8_t table[256]) {
    int32_t i;
    for (i = INT8_MIN; i <= INT8_MAX; i++) {
        float whole = roundf(function(p->scale * (float)(i - p->zero)) * steps);
        table[(uint8_t)i] = (int8_t)qk_clamp((int32_t)whole + output_zero, INT8_MIN, INT8_MAX);
    }
}

void qk_logistic_table(const qk_sigmoid_params *p, int8_t table[256]) {
    fill(p, logistic, 256.0f, -128, table);
}

void qk_tanh_table(const qk_sigmoid_params *p, int8_t table[256]) {
    fill(p, hyperbolic_tangent, 128.0f, 0, table);
}
