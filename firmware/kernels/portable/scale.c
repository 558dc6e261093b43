#include "../kernels.h"

#include <math.h>

bool qk_scale_of(double real, qk_scale *scale) {
    int exponent;
    double fraction;
    int64_t multiplier;
    if (!(real >= 0) || !isfinite(real)) return false;
    fraction = frexp(real, &exponent);
    multiplier = (int64_t)round(fraction * 2147483648.0);
    if (multiplier == (int64_t)1 << 31) {
        multiplier /= 2;
        exponent++;
    }
    if (exponent < -31) multiplier = exponent = 0;
    scale->multiplier = (int32_t)multiplier;
    scale->shift = exponent;
    return exponent <= 31;
}
