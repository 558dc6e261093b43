/* What LOGISTIC and TANH share. */
#ifndef QB_OPERATORS_SIGMOID_H
#define QB_OPERATORS_SIGMOID_H

#include "common.h"

/* Of int8: the output's scale and zero point, and what fills in the table. Of int16: the kernel, and the
 * largest power of two, by its exponent, that an input's scale of a power of two may be above 1/4096. */
typedef struct {
    float scale;
    int32_t zero_point;
    void (*fill)(const qk_sigmoid_params *p, int8_t table[256]);
    void (*compute)(const qk_sigmoid_s16_params *p, const int16_t *input, uint32_t count, int16_t *output);
    int32_t doublings;
} qb_sigmoid;

qb_status qb_prepare_sigmoid(qb_interpreter *it, qb_node *node, const qb_sigmoid *kind);
void qb_eval_sigmoid(const qb_interpreter *it, const qb_node *node, const qb_sigmoid *kind);

#endif
