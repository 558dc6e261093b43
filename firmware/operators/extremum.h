/* What MAXIMUM and MINIMUM share. */
#ifndef QB_OPERATORS_EXTREMUM_H
#define QB_OPERATORS_EXTREMUM_H

#include "broadcast.h"

/* Prepared is a qk_broadcast. */
qb_status qb_prepare_extremum(qb_interpreter *it, qb_node *node);

#endif
