/* The firmware of every board: the session of firmware/link over the board's UART, the model from its flash.
 */
#include "../../kernels/kernels.h"
#include "../../link/network.h"
#include "board.h"

#define RING_BYTES 16384u

/* Placed by the linker script; `qbench.boards.image.pack` writes the section without a new build. */
typedef struct {
    uint32_t bytes; /* of the .tflite behind this header; 0 where none was packed */
    uint32_t unused[3];
} model_header;

extern const model_header model_start[];
extern uint8_t arena_start[], arena_end[];

static uint8_t ring_bytes[RING_BYTES];
ql_ring board_ring = {ring_bytes, RING_BYTES, 0, 0};

static ql_network network;
static ql_device device;
static ql_session session;

static void transmit(void *context, const uint8_t *bytes, size_t count) {
    (void)context;
    for (size_t i = 0; i < count; i++) board_transmit(bytes[i]);
}

/* What the RAM held at power-on, and the time: an emulator repeats it, for which sessions are numbered. */
static uint32_t boot_nonce(void) { return ql_crc32((uint32_t)board_count(), arena_start, 1024u); }

int main(void) {
    board_start();
    device.firmware = QL_FIRMWARE;
    device.board = board.name;
    device.core = board.core;
    device.kernels = qk_kernel_set();
    device.clock_hz = board.clock_hz;
    device.counter = (uint8_t)board_counter();
    device.boot = boot_nonce();
    device.ring_bytes = RING_BYTES;

    uint32_t arena_size = (uint32_t)(arena_end - arena_start);
    ql_network_open(&network, (const uint8_t *)(model_start + 1), model_start->bytes, arena_start, arena_size,
                    board_count);
    /* The frame buffer is what the model leaves of the arena, up to one input's frame. */
    uint32_t used = network.model.fault ? 0 : network.model.arena_used;
    size_t capacity = arena_size - used, wanted = QL_FRAME_OVERHEAD + ql_tensor_bytes(&network.model.input);
    ql_session_init(&session, &device, &network.model, arena_start + used,
                    capacity < wanted ? capacity : wanted, transmit, NULL);
    for (;;) {
        uint8_t bytes[64];
        size_t count = ql_ring_pop(&board_ring, bytes, sizeof bytes);
        if (count > 0) ql_session_receive(&session, bytes, count);
    }
}
