/* What Arm's MPS2 images in QEMU share: CMSDK UART 0, SysTick at 25 MHz. A board's board.c includes it once.
 */
#ifndef MPS2_H
#define MPS2_H

#include "board.h"
#include "cmsdk_uart.h"
#include "systick.h"

#define MPS2_CLOCK_HZ 25000000u
#define UART ((cmsdk_uart *)0x40004000u)
#define RECEIVE_LINE 0u

void board_start(void) {
    systick_start();
    cmsdk_uart_start(UART, board.clock_hz, RECEIVE_LINE);
}

void board_transmit(uint8_t byte) { cmsdk_uart_transmit(UART, byte); }

void board_receive_interrupt(void) { cmsdk_uart_receive(UART, &board_ring); }

/* QEMU runs an instruction in 64 ns (-icount shift=6): 1.6 ticks each. */
uint64_t board_count(void) { return systick_ticks() * 5u / 8u; }

ql_counter board_counter(void) { return QL_COUNT_INSTRUCTIONS; }

#endif
