/* The UART of Arm's CMSDK, by its base address. */
#ifndef QL_CMSDK_UART_H
#define QL_CMSDK_UART_H

#include "board.h"

typedef struct {
    volatile uint32_t data, state, control, interrupts, divider;
} cmsdk_uart;

enum { CMSDK_TX_FULL = 1, CMSDK_RX_FULL = 2, CMSDK_RX_INTERRUPT = 2, CMSDK_ON = 1 + 2 + 8 };

/* Sends and receives, with the receive interrupt `line` enabled. */
static inline void cmsdk_uart_start(cmsdk_uart *uart, uint32_t clock_hz, uint32_t line) {
    volatile uint32_t *enable = (volatile uint32_t *)0xE000E100u;
    uart->divider = clock_hz / 115200u;
    uart->control = CMSDK_ON;
    enable[line / 32u] = 1u << line % 32u;
}

static inline void cmsdk_uart_transmit(cmsdk_uart *uart, uint8_t byte) {
    while (uart->state & CMSDK_TX_FULL) {
    }
    uart->data = byte;
}

/* The interrupt is cleared before the byte is taken: the next one raises it anew. */
static inline void cmsdk_uart_receive(cmsdk_uart *uart, ql_ring *ring) {
    while (uart->state & CMSDK_RX_FULL) {
        uart->interrupts = CMSDK_RX_INTERRUPT;
        ql_ring_push(ring, (uint8_t)uart->data);
    }
}

#endif
