#include "../fixed_point.h"

void qk_requantize_table(const qk_requantize_params *p, int8_t table[256]) {
    const int32_t first = p->unsigned_input ? 0 : INT8_MIN;
    int32_t i;
    for (i = first; i <= first + UINT8_MAX; i++)
        table[(uint8_t)i] = qk_to_code(i - p->input_zero, p->scale, p->output_zero, p->range);
}
