#include "systick.h"

#define SYSTICK_CSR (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RVR (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_CVR (*(volatile uint32_t *)0xE000E018u)
#define CSR_ENABLE (1u << 0)
#define CSR_TICKINT (1u << 1)
#define CSR_CORE_CLOCK (1u << 2)
#define ICSR (*(volatile uint32_t *)0xE000ED04u)
#define ICSR_PENDSTSET (1u << 26)
#define PERIOD 0x1000000u

static volatile uint32_t wraps;

void systick_interrupt(void);
void systick_interrupt(void) { wraps = wraps + 1u; }

void systick_start(void) {
    SYSTICK_RVR = PERIOD - 1u;
    SYSTICK_CVR = 0;
    SYSTICK_CSR = CSR_ENABLE | CSR_TICKINT | CSR_CORE_CLOCK;
}

/* With interrupts held off, a wrap shows as pending; the value is read again after it was seen. */
uint64_t systick_ticks(void) {
    __asm__ volatile("cpsid i" ::: "memory");
    uint32_t periods = wraps, left = SYSTICK_CVR;
    if (ICSR & ICSR_PENDSTSET) {
        periods++;
        left = SYSTICK_CVR;
    }
    __asm__ volatile("cpsie i" ::: "memory");
    return (uint64_t)periods * PERIOD + (PERIOD - 1u - left);
}
