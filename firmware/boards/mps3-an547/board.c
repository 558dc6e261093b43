/* Arm's MPS3 AN547 image in QEMU: CMSDK UART 0, SysTick at 32 MHz. */
#include "../common/board.h"
#include "../common/cmsdk_uart.h"
#include "../common/systick.h"

#define UART ((cmsdk_uart *)0x59303000u)
#define RECEIVE_LINE 33u

const board_facts board = {"mps3-an547", "Cortex-M55", 32000000u};

void board_start(void) {
    systick_start();
    cmsdk_uart_start(UART, board.clock_hz, RECEIVE_LINE);
}

void board_transmit(uint8_t byte) { cmsdk_uart_transmit(UART, byte); }

void board_receive_interrupt(void) { cmsdk_uart_receive(UART, &board_ring); }

/* QEMU runs an instruction in 64 ns (-icount shift=6): 2.048 ticks each. */
uint64_t board_count(void) { return systick_ticks() * 125u / 256u; }

ql_counter board_counter(void) { return QL_COUNT_INSTRUCTIONS; }
