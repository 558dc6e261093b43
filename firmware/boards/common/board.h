/* What a board is to the main loop: a receive interrupt that fills the ring, a transmitter, a counter. */
#ifndef QL_BOARD_H
#define QL_BOARD_H

#include "../../link/ring.h"
#include "../../link/session.h"

typedef struct {
    const char *name;
    const char *core;
    uint32_t clock_hz;
} board_facts;

extern const board_facts board;
extern ql_ring board_ring;

/* Clocks, counter and UART; on return bytes arrive in board_ring. */
void board_start(void);

void board_transmit(uint8_t byte);

/* Of the unit that board_counter names; runs on from board_start. */
uint64_t board_count(void);
ql_counter board_counter(void);

/* The only external interrupt that any board enables. */
void board_receive_interrupt(void);

#endif
