/* Which kernels are compiled: what a device says of itself, so that its figures can be told from others'.
   A build that takes other files than these says so here. */
#ifndef QB_KERNEL_SET_H
#define QB_KERNEL_SET_H

#ifndef QB_KERNEL_SET
#define QB_KERNEL_SET "portable"
#endif

#endif
