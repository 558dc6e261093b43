/* What several operators share: geometry of a window, fused activations, functions of one code. */
#ifndef QB_OPERATORS_COMMON_H
#define QB_OPERATORS_COMMON_H

#include "../core/operator.h"
#include "../kernels/kernels.h"
#include "schema.h"

/* The codes of a type; those that a fused activation leaves of an int8 or int16 tensor, false for one that is
 * not a clamp. */
qk_range qb_type_range(uint8_t type);
bool qb_activation_range(const qb_tensor *output, uint8_t activation, qk_range *range);

/* Fill in `before`; false when the sizes do not fit together. */
bool qb_window_fit(qk_window *window, uint8_t padding);

/* Strides in elements of a tensor of `rank` dimensions, row-major. */
void qb_strides(const int32_t *dims, uint32_t rank, int32_t *strides);

/* Reserve arena for eval and leave a copy of `params` there. */
qb_status qb_store_copy(qb_interpreter *it, qb_node *node, const void *params, uint32_t bytes);

/* An operator on each code: check that it is int8 of one shape; or int8 or int16. */
qb_status qb_check_unary(qb_interpreter *it, const qb_node *node);
qb_status qb_check_unary_wide(qb_interpreter *it, const qb_node *node);

/* One that maps each of the 256 codes of a tensor to a code: reserve its table, NULL with the error recorded
 * when it does not fit; look all codes up. */
int8_t *qb_store_table(qb_interpreter *it, qb_node *node);
void qb_eval_table(const qb_interpreter *it, const qb_node *node);

/* Requantize with prepared qk_requantize_params, from and to int8, uint8 or int16. */
void qb_eval_requantize(const qb_interpreter *it, const qb_node *node);

#endif
