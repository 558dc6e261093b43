/* From a `.tflite` file to the interpreter's tables: every offset and length is checked here, once. */
#ifndef QB_READER_H
#define QB_READER_H

#include "context.h"

#define QB_NEVER 0xFFFFu /* first_use of a tensor that nothing writes */

/* Fill in the tensors, with the steps at which each is first and last used, and the operators with their
 * inputs and outputs. Tensors are written once, before they are read. */
qb_status qb_read_model(qb_interpreter *it);

#endif
