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
#define READY_TRIES                                                                        \
    100000u /* QEMU models no RCC: its flags never rise, and nothing there depends on them \
             */

/* Bits and fields of the registers, by the reference manual's names. */
enum { RCC_CR_HSEON = 1 << 16, RCC_CR_HSERDY = 1 << 17, RCC_CR_PLLON = 1 << 24, RCC_CR_PLLRDY = 1 << 25 };
enum {
    PLLCFGR_PLLM_8 = 8 << 0,
    PLLCFGR_PLLN_336 = 336 << 6,
    PLLCFGR_PLLP_2 = 0 << 16,
    PLLCFGR_PLLSRC_HSE = 1 << 22,
    PLLCFGR_PLLQ_7 = 7 << 24
};
enum { ACR_LATENCY_5WS = 5, ACR_PRFTEN_ICEN_DCEN = 7 << 8 };
enum {
    CFGR_SW_PLL = 2,
    CFGR_SWS_MASK = 3 << 2,
    CFGR_SWS_PLL = 2 << 2,
    CFGR_PPRE1_DIV4 = 5 << 10,
    CFGR_PPRE2_DIV2 = 4 << 13
};
enum { AHB1ENR_GPIOAEN = 1 << 0, APB2ENR_USART1EN = 1 << 4 };
enum { MODER_PA9_PA10_MASK = 0xF << 18, MODER_PA9_PA10_ALTERNATE = 0xA << 18 };
enum { AFRH_PA9_PA10_MASK = 0xFF << 4, AFRH_PA9_PA10_USART1 = 0x77 << 4 };
enum { SR_RXNE = 1 << 5, SR_TXE = 1 << 7 };
enum { CR1_RE = 1 << 2, CR1_TE = 1 << 3, CR1_RXNEIE = 1 << 5, CR1_UE = 1 << 13 };
enum { DEMCR_TRCENA = 1 << 24, DWT_CTRL_CYCCNTENA = 1 << 0 };

const board_facts board = {"stm32f405", "Cortex-M4", 168000000u};

static ql_counter counter;

static int wait_for(volatile const uint32_t *flags, uint32_t mask, uint32_t value) {
    for (uint32_t tries = READY_TRIES; tries > 0; tries--)
        if ((*flags & mask) == value) return 1;
    return 0;
}

/* HSE 8 MHz / 8 * 336 / 2 = 168 MHz; AHB / 1, APB1 / 4, APB2 / 2; five wait states, caches, prefetch. */
static void start_clocks(void) {
    RCC_CR |= RCC_CR_HSEON;
    if (!wait_for(&RCC_CR, RCC_CR_HSERDY, RCC_CR_HSERDY)) return;
    RCC_PLLCFGR = PLLCFGR_PLLM_8 | PLLCFGR_PLLN_336 | PLLCFGR_PLLP_2 | PLLCFGR_PLLSRC_HSE | PLLCFGR_PLLQ_7;
    RCC_CR |= RCC_CR_PLLON;
    if (!wait_for(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) return;
    FLASH_ACR = ACR_LATENCY_5WS | ACR_PRFTEN_ICEN_DCEN;
    RCC_CFGR = CFGR_PPRE1_DIV4 | CFGR_PPRE2_DIV2;
    RCC_CFGR |= CFGR_SW_PLL;
    wait_for(&RCC_CFGR, CFGR_SWS_MASK, CFGR_SWS_PLL);
}

static void start_uart(void) {
    RCC_AHB1ENR |= AHB1ENR_GPIOAEN;
    RCC_APB2ENR |= APB2ENR_USART1EN;
    GPIOA_MODER = (GPIOA_MODER & ~(uint32_t)MODER_PA9_PA10_MASK) | MODER_PA9_PA10_ALTERNATE;
    GPIOA_AFRH = (GPIOA_AFRH & ~(uint32_t)AFRH_PA9_PA10_MASK) | AFRH_PA9_PA10_USART1;
    USART1_BRR = (APB2_HZ + 115200u / 2u) / 115200u;
    USART1_CR1 = CR1_UE | CR1_RXNEIE | CR1_TE | CR1_RE;
    NVIC_ISER1 = 1u << (USART1_LINE - 32u);
}

/* The cycle counter stands still in QEMU, which so tells itself from silicon. */
static ql_counter probe_counter(void) {
    DEMCR |= DEMCR_TRCENA;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
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
    while (!(USART1_SR & SR_TXE)) {
    }
    USART1_DR = byte;
}

void board_receive_interrupt(void) {
    while (USART1_SR & SR_RXNE) ql_ring_push(&board_ring, (uint8_t)USART1_DR);
}

/* SysTick counts the core's cycles, in 64 bits where DWT has 32; in QEMU an instruction takes 64 ns of them
 * (-icount shift=6), 10.752 cycles. */
uint64_t board_count(void) {
    uint64_t ticks = systick_ticks();
    return counter == QL_COUNT_CYCLES ? ticks : ticks * 125u / 1344u;
}

ql_counter board_counter(void) { return counter; }
