/* The UART of Arm's CMSDK, by its base address. */
#ifndef QL_CMSDK_UART_H
#define QL_CMSDK_UART_H

#include "board.h"

typedef struct {
    volatile uint32_t data, state, control, interrupts, divider;
} cmsdk_uart;

enum { CMSDK_STATE_TX_FULL = 1 << 0, CMSDK_STATE_RX_FULL = 1 << 1 };
enum { CMSDK_CONTROL_TX = 1 << 0, CMSDK_CONTROL_RX = 1 << 1, CMSDK_CONTROL_RX_INTERRUPT = 1 << 3 };
enum { CMSDK_INTERRUPT_RX = 1 << 1 };

#define CMSDK_BAUD 115200u
#define CMSDK_NVIC_ISER ((volatile uint32_t *)0xE000E100u)

/* Sends and receives, with the receive interrupt `line` enabled. */
static inline void cmsdk_uart_start(cmsdk_uart *uart, uint32_t clock_hz, uint32_t line) {
    uart->divider = clock_hz / CMSDK_BAUD;
    uart->control = CMSDK_CONTROL_TX | CMSDK_CONTROL_RX | CMSDK_CONTROL_RX_INTERRUPT;
    CMSDK_NVIC_ISER[line / 32u] = 1u << line % 32u;
}

static inline void cmsdk_uart_transmit(cmsdk_uart *uart, uint8_t byte) {
    while (uart->state & CMSDK_STATE_TX_FULL) {
    }
    uart->data = byte;
}

/* The interrupt is cleared before the byte is taken: the next one raises it anew. */
static inline void cmsdk_uart_receive(cmsdk_uart *uart, ql_ring *ring) {
    while (uart->state & CMSDK_STATE_RX_FULL) {
        uart->interrupts = CMSDK_INTERRUPT_RX;
        ql_ring_push(ring, (uint8_t)uart->data);
    }
}

#endif
