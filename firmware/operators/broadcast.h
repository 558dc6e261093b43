/* How two operands are walked whose shapes are broadcast against each other. */
#ifndef QB_OPERATORS_BROADCAST_H
#define QB_OPERATORS_BROADCAST_H

#include "common.h"

/* False when the shapes are not compatible, or `output` is not what they make. */
bool qb_broadcast_fit(const qb_tensor *a, const qb_tensor *b, const qb_tensor *output, qk_broadcast *walk);

#endif
