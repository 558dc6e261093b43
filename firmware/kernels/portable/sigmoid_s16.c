#include "../fixed_point.h"

/* The logistic function of i / 24 in units of 2^-16, as TFLite samples it: moved by half of the error that
 * interpolation makes at a step's midpoint; the last is the end of the range. */
static const uint16_t logistic[256] = {
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432, 42064,
    42688, 43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464,
    50942, 51409, 51865, 52311, 52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503,
    56823, 57133, 57433, 57724, 58007, 58280, 58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370,
    60565, 60753, 60935, 61110, 61279, 61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666,
    62778, 62886, 62990, 63090, 63186, 63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968,
    64030, 64090, 64148, 64204, 64257, 64308, 64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652, 64687,
    64721, 64754, 64786, 64816, 64845, 64873, 64900, 64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079,
    65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208, 65221, 65234, 65246, 65258, 65269, 65280, 65291,
    65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367, 65374, 65381, 65387, 65393, 65399, 65404,
    65410, 65415, 65420, 65425, 65429, 65433, 65438, 65442, 65445, 65449, 65453, 65456, 65459, 65462, 65465,
    65468, 65471, 65474, 65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491, 65493, 65495, 65497, 65498,
    65500, 65501, 65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513, 65514, 65515, 65516,
    65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524, 65525, 65525,
    65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529, 65529, 65530, 65530, 65530,
    65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533,
    65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534,
    65535,
};

#define LAST 255

/* A code in units of 1 / (3 * 4096). */
static int32_t argument(const qk_sigmoid_s16_params *p, int16_t code) {
    const int32_t round = p->right_shift > 0 ? 1 << (p->right_shift - 1) : 0;
    return (code * p->multiplier + round) >> p->right_shift;
}

/* The table at a size of so many 2^-`bits` of a step, interpolated, in units of 2^-(16 + bits); the end
 * beyond. */
static int32_t look_up(uint32_t size, uint32_t bits, int32_t end) {
    const uint32_t step = size >> bits, rest = size & ((1u << bits) - 1);
    if (step >= LAST) return end;
    return (int32_t)(((uint32_t)logistic[step] << bits) +
                     rest * (uint32_t)(logistic[step + 1] - logistic[step]));
}

static uint32_t size_of(int32_t x) { return x < 0 ? 0u - (uint32_t)x : (uint32_t)x; }

void qk_logistic_s16(const qk_sigmoid_s16_params *p, const int16_t *input, uint32_t count, int16_t *output) {
    uint32_t i;
    for (i = 0; i < count; i++) {
        const int32_t x = argument(p, input[i]), half = 1 << 9;
        const int32_t share = look_up(size_of(x), 9, INT16_MAX << 10);
        output[i] = (int16_t)((x >= 0 ? share + half : (1 << 25) - share + half - 1) >> 10);
    }
}

void qk_tanh_s16(const qk_sigmoid_s16_params *p, const int16_t *input, uint32_t count, int16_t *output) {
    uint32_t i;
    for (i = 0; i < count; i++) {
        const int32_t x = argument(p, input[i]), half = 1 << 7;
        const int32_t centred = look_up(size_of(x), 8, UINT16_MAX << 8) - (1 << 23);
        output[i] = (int16_t)((x >= 0 ? centred + half : half - centred - 1) >> 8);
    }
}
