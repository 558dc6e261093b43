/* SysTick on the core's clock, extended to 64 bits by its interrupt. */
#ifndef QL_SYSTICK_H
#define QL_SYSTICK_H

#include <stdint.h>

void systick_start(void);
uint64_t systick_ticks(void);

#endif
