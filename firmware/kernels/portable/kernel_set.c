/* The set for every core: plain C. */
#include "../kernels.h"

const char *qk_kernel_set(void) { return "portable"; }
