/* What the executable on a pty runs: the interpreter, or a stand-in for tests. */
#ifndef QL_HOST_MODEL_H
#define QL_HOST_MODEL_H

#include "../link/session.h"

/* The model that the arguments name; NULL, having said why on stderr, if they make no sense. */
const ql_model *ql_host_model(int argc, char **argv);

#endif
