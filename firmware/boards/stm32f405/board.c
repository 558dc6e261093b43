/* STM32F405 with an 8 MHz crystal, by its registers (reference manual RM0090): 168 MHz, USART1 on PA9 and
 * PA10. */
#include "../common/board.h"
#include "../common/systick.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define RCC_CR REGISTER(0x40023800u)
#define RCC_PLLCFGR REGISTER(0x40023804u)
#define RCC_CFGR REGISTER(0x40023808u)
#define RCC_AHB1ENR REGISTER(0x40023830u)
#define RCC_APB2ENR REGISTER(0x40023844u)
#define FLASH_ACR REGISTER(0x40023C00u)
#define GPIOA_MODER REGISTER(0x40020000u)
#define GPIOA_AFRH REGISTER(0x40020024u)
#define USART1_SR REGISTER(0x40011000u)
#define USART1_DR REGISTER(0x40011004u)
#define USART1_BRR REGISTER(0x40011008u)
#define USART1_CR1 REGISTER(0x4001100Cu)
#define NVIC_ISER1 REGISTER(0xE000E104u)
#define DEMCR REGISTER(0xE000EDFCu)
#define DWT_CTRL REGISTER(0xE0001000u)
#define DWT_CYCCNT REGISTER(0xE0001004u)

#define USART1_LINE 37u
#define APB2_HZ 84000000u
#define READY_TRIES 100000u /* QEMU models no RCC: its flags never rise, and nothing there depends on them \
                             */

enum { RXNE = 1 << 5, TXE = 1 << 7 };

const board_facts board = {"stm32f405", "Cortex-M4", 168000000u};

static ql_counter counter;

static int wait_for(volatile const uint32_t *flags, uint32_t mask, uint32_t value) {
    for (uint32_t tries = READY_TRIES; tries > 0; tries--)
        if ((*flags & mask) == value) return 1;
    return 0;
}

/* HSE 8 MHz / 8 * 336 / 2 = 168 MHz; AHB / 1, APB1 / 4, APB2 / 2; five wait states, caches, prefetch. */
static void start_clocks(void) {
    RCC_CR |= 1u << 16;
    if (!wait_for(&RCC_CR, 1u << 17, 1u << 17)) return;
    RCC_PLLCFGR = 8u | 336u << 6 | 0u << 16 | 1u << 22 | 7u << 24;
    RCC_CR |= 1u << 24;
    if (!wait_for(&RCC_CR, 1u << 25, 1u << 25)) return;
    FLASH_ACR = 5u | 7u << 8;
    RCC_CFGR = 5u << 10 | 4u << 13;
    RCC_CFGR |= 2u;
    wait_for(&RCC_CFGR, 3u << 2, 2u << 2);
}

static void start_uart(void) {
    RCC_AHB1ENR |= 1u;
    RCC_APB2ENR |= 1u << 4;
    GPIOA_MODER = (GPIOA_MODER & ~(0xFu << 18)) | 0xAu << 18;
    GPIOA_AFRH = (GPIOA_AFRH & ~(0xFFu << 4)) | 0x77u << 4;
    USART1_BRR = (APB2_HZ + 115200u / 2u) / 115200u;
    USART1_CR1 = 1u << 13 | RXNE | 1u << 3 | 1u << 2;
    NVIC_ISER1 = 1u << (USART1_LINE - 32u);
}

/* The cycle counter stands still in QEMU, which so tells itself from silicon. */
static ql_counter probe_counter(void) {
    DEMCR |= 1u << 24;
    DWT_CTRL |= 1u;
    uint32_t before = DWT_CYCCNT;
    return DWT_CYCCNT != before ? QL_COUNT_CYCLES : QL_COUNT_INSTRUCTIONS;
}

void board_start(void) {
    start_clocks();
    systick_start();
    counter = probe_counter();
    start_uart();
}

void board_transmit(uint8_t byte) {
    while (!(USART1_SR & TXE)) {
    }
    USART1_DR = byte;
}

void board_receive_interrupt(void) {
    while (USART1_SR & RXNE) ql_ring_push(&board_ring, (uint8_t)USART1_DR);
}

/* SysTick counts the core's cycles, in 64 bits where DWT has 32; in QEMU an instruction takes 64 ns of them
 * (-icount shift=6), 10.752 cycles. */
uint64_t board_count(void) {
    uint64_t ticks = systick_ticks();
    return counter == QL_COUNT_CYCLES ? ticks : ticks * 125u / 1344u;
}

ql_counter board_counter(void) { return counter; }
