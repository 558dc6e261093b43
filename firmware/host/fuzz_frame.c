/* Fuzz target: whatever bytes come in, the session neither stores out of bounds nor answers what it should
 * not. */
#include "../link/session.h"

#include <stdlib.h>
#include <string.h>

#define INPUTS 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    ql_decoder decoder;
    uint8_t buffer[256];
} listener;

/* Reads back what the session sends: every answer must be a whole frame. */
static void check(void *context, const uint8_t *bytes, size_t count) {
    listener *host = context;
    ql_frame frame;
    for (size_t i = 0; i < count; i++) {
        ql_decoded decoded = ql_decoder_push(&host->decoder, bytes[i], &frame);
        if (decoded == QL_DAMAGED || decoded == QL_OVERSIZE) abort();
        if (decoded == QL_FRAME && frame.type < 0x80) abort();
    }
}

static const char *invoke(void *context, const uint8_t *input, const uint8_t **output, uint64_t *count) {
    memcpy(context, input, INPUTS);
    *output = context;
    *count = 0;
    return NULL;
}

static void receive(void *context, const uint8_t *bytes, size_t count) {
    ql_session_receive(context, bytes, count);
}

/* No mutation passes a CRC, so some inputs are what a frame carries: type, session, sequence, payload. */
static void receive_framed(ql_session *session, const uint8_t *data, size_t size) {
    ql_encoder encoder;
    ql_frame header = {data[0], ql_load_u16(data + 1), ql_load_u32(data + 3), (uint32_t)(size - 7), NULL};
    ql_encoder_init(&encoder, receive, session);
    ql_encoder_begin(&encoder, &header);
    ql_encoder_put(&encoder, data + 7, size - 7);
    ql_encoder_end(&encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t sha256[32] = {0};
    uint8_t output[INPUTS];
    const ql_device device = {"fuzz", "fuzz", "fuzz", "fuzz", 0, QL_COUNT_NONE, 1, 1024};
    const ql_tensor tensor = {QL_INT8, 1, {INPUTS}, 1.0f, 0};
    const ql_model model = {sha256, 0, 0, 0, tensor, tensor, NULL, invoke, output};
    uint8_t *buffer = malloc(QL_FRAME_OVERHEAD + INPUTS); /* its own block, so that a write past it is seen */
    listener host;
    ql_session session;
    if (!buffer) abort();
    ql_decoder_init(&host.decoder, host.buffer, sizeof host.buffer);
    ql_session_init(&session, &device, &model, buffer, QL_FRAME_OVERHEAD + INPUTS, check, &host);
    if (size > 8 && data[0] % 2 == 0) {
        static const uint8_t opening[] = {QL_HELLO, 1, 0, 1, 0, 0, 0, QL_PROTOCOL_VERSION};
        receive_framed(&session, opening, sizeof opening);
        receive_framed(&session, data + 1, size - 1);
    } else {
        ql_session_receive(&session, data, size);
    }
    free(buffer);
    return 0;
}
