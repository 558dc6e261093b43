/* Names of the TFLite schema's built-in operators, for error messages. */
#ifndef QB_OPERATOR_NAMES_H
#define QB_OPERATOR_NAMES_H

#include <stdint.h>

/* NULL for a code that has no name here. */
const char *qb_operator_name(int32_t builtin_code);

#endif
