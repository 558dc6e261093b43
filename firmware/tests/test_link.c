/* Holds firmware/link against the examples in firmware/PROTOCOL.md and against damage of every kind.
 *
 *     test_link firmware/PROTOCOL.md DIGESTS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../link/ring.h"
#include "../link/session.h"
#include "../link/sha256.h"
#include "affine_model.h"

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(EXIT_FAILURE);                                             \
        }                                                                   \
    } while (0)

#define WIRE_LIMIT 4096u

typedef struct {
    uint8_t bytes[WIRE_LIMIT];
    size_t count;
} buffer;

static void append(void *context, const uint8_t *bytes, size_t count) {
    buffer *to = context;
    CHECK(to->count + count <= WIRE_LIMIT);
    memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
}

static buffer from_hex(const char *text) {
    buffer parsed = {.count = 0};
    unsigned byte;
    while (parsed.count < WIRE_LIMIT && sscanf(text, "%2x", &byte) == 1) {
        parsed.bytes[parsed.count++] = (uint8_t)byte;
        text += 2;
    }
    return parsed;
}

static buffer encoded(const ql_frame *frame) {
    buffer wire = {.count = 0};
    ql_encoder encoder;
    ql_encoder_init(&encoder, append, &wire);
    ql_encoder_begin(&encoder, frame);
    ql_encoder_put(&encoder, frame->payload, frame->length);
    ql_encoder_end(&encoder);
    return wire;
}

/* Feeds all bytes and returns the last thing that was decoded. */
static ql_decoded decode(ql_decoder *decoder, const buffer *wire, ql_frame *frame) {
    ql_decoded last = QL_MORE;
    for (size_t i = 0; i < wire->count; i++) {
        ql_decoded decoded = ql_decoder_push(decoder, wire->bytes[i], frame);
        if (decoded != QL_MORE) last = decoded;
    }
    return last;
}

static int equal(const ql_frame *a, const ql_frame *b) {
    return a->type == b->type && a->session == b->session && a->sequence == b->sequence &&
           a->length == b->length && memcmp(a->payload, b->payload, a->length) == 0;
}

/* The lines of the document's block of examples; its last section is a dialogue with the affine model. */
static int check_examples(const char *path) {
    static char row[4 * WIRE_LIMIT], hex[2 * WIRE_LIMIT], payload_hex[2 * WIRE_LIMIT];
    static uint8_t storage[1024], small[64], own[QL_FRAME_OVERHEAD + 8u];
    static ql_affine affine;
    static buffer sent;
    int examples = 0, inside = 0;
    size_t expected = 0;
    FILE *file = fopen(path, "r");
    CHECK(file);
    ql_affine_init(&affine, 8, 5, 0);
    const ql_device device = {"qbench 0.1", "example",       "Cortex-M4F", "portable",
                              168000000,    QL_COUNT_CYCLES, 0xB007B007u,  512};
    ql_session session;
    ql_session_init(&session, &device, &affine.model, own, sizeof own, append, &sent);
    while (fgets(row, sizeof row, file)) {
        unsigned type, number, sequence;
        if (strncmp(row, "```", 3) == 0) inside = strncmp(row, "```examples", 11) == 0;
        if (!inside) continue;
        ql_frame frame;
        ql_decoder decoder;
        ql_decoder_init(&decoder, small, sizeof small);
        if (sscanf(row, "frame %x %x %x %s %s", &type, &number, &sequence, payload_hex, hex) == 5) {
            buffer payload = from_hex(payload_hex), wire = from_hex(hex);
            ql_frame wanted = {(uint8_t)type, (uint16_t)number, sequence, (uint32_t)payload.count,
                               payload.bytes};
            buffer written = encoded(&wanted);
            ql_decoder_init(&decoder, storage, sizeof storage);
            CHECK(written.count == wire.count && memcmp(written.bytes, wire.bytes, wire.count) == 0);
            CHECK(decode(&decoder, &wire, &frame) == QL_FRAME && equal(&frame, &wanted));
        } else if (sscanf(row, "damaged %s", hex) == 1) {
            buffer wire = from_hex(hex);
            CHECK(decode(&decoder, &wire, &frame) == QL_DAMAGED);
        } else if (sscanf(row, "oversize %s", hex) == 1) {
            buffer wire = from_hex(hex);
            CHECK(decode(&decoder, &wire, &frame) == QL_OVERSIZE);
        } else if (sscanf(row, "host %s", hex) == 1) {
            buffer wire = from_hex(hex);
            CHECK(expected == sent.count);
            ql_session_receive(&session, wire.bytes, wire.count);
        } else if (sscanf(row, "device %s", hex) == 1) {
            buffer wire = from_hex(hex);
            CHECK(expected + wire.count <= sent.count);
            CHECK(memcmp(sent.bytes + expected, wire.bytes, wire.count) == 0);
            expected += wire.count;
        } else {
            continue;
        }
        examples++;
    }
    CHECK(expected == sent.count);
    fclose(file);
    return examples;
}

static uint32_t random_state = 1;

static uint8_t random_byte(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return (uint8_t)(random_state >> 24);
}

/* Every length around the COBS block's, with few, some and no zeros. */
static void check_round_trips(void) {
    static uint8_t payload[1100], storage[1100 + QL_FRAME_OVERHEAD];
    for (uint32_t length = 0; length <= sizeof payload;
         length += length % 254u < 4u || length % 254u > 235u ? 1u : 29u) {
        for (unsigned zeros = 1; zeros <= 256u; zeros *= 16u) {
            for (uint32_t i = 0; i < length; i++)
                payload[i] = random_byte() < zeros - 1u ? 0 : random_byte() | 1u;
            ql_frame frame = {QL_INFER, (uint16_t)length, random_state, length, payload}, found;
            buffer wire = encoded(&frame);
            ql_decoder decoder;
            ql_decoder_init(&decoder, storage, QL_FRAME_OVERHEAD + length);
            CHECK(wire.count <= QL_WIRE_BYTES(length));
            CHECK(decode(&decoder, &wire, &found) == QL_FRAME && equal(&found, &frame));
        }
    }
}

static void check_every_flip_and_truncation(void) {
    static uint8_t payload[300], storage[400];
    for (size_t i = 0; i < sizeof payload; i++) payload[i] = random_byte();
    ql_frame frame = {QL_INFER, 7, 8, sizeof payload, payload}, found;
    const buffer wire = encoded(&frame);
    ql_decoder decoder;
    ql_decoder_init(&decoder, storage, sizeof storage);
    for (size_t bit = 0; bit < 8u * (wire.count - 1u); bit++) {
        buffer flipped = wire;
        flipped.bytes[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
        ql_decoded decoded = decode(&decoder, &flipped, &found);
        CHECK(decoded == QL_DAMAGED || decoded == QL_OVERSIZE);
    }
    for (size_t count = 1; count < wire.count - 1u; count++) {
        buffer cut = wire;
        cut.bytes[count] = 0;
        cut.count = count + 1u;
        CHECK(decode(&decoder, &cut, &found) == QL_DAMAGED);
    }
    CHECK(decode(&decoder, &wire, &found) == QL_FRAME && equal(&found, &frame));
}

static void check_oversize_stores_nothing(void) {
    static uint8_t payload[100];
    uint8_t storage[QL_FRAME_OVERHEAD + 50u];
    memset(payload, 0x55, sizeof payload);
    memset(storage, 0xEE, sizeof storage);
    ql_frame frame = {QL_INFER, 7, 8, sizeof payload, payload}, found;
    buffer wire = encoded(&frame);
    ql_decoder decoder;
    ql_decoder_init(&decoder, storage, sizeof storage);
    CHECK(decode(&decoder, &wire, &found) == QL_OVERSIZE);
    for (size_t i = QL_HEADER_BYTES; i < sizeof storage; i++) CHECK(storage[i] == 0xEE);
}

static void check_session_survives_noise(void) {
    static buffer sent;
    static ql_affine affine;
    const ql_device device = {"", "", "", "", 0, QL_COUNT_NONE, 1, 0};
    uint8_t storage[QL_FRAME_OVERHEAD + 8u];
    ql_session session;
    ql_affine_init(&affine, 8, 5, 0);
    ql_session_init(&session, &device, &affine.model, storage, sizeof storage, append, &sent);
    CHECK(session.window == 1);
    for (int i = 0; i < 200000; i++) {
        uint8_t byte = random_byte();
        sent.count = 0;
        ql_session_receive(&session, &byte, 1);
    }
    CHECK(session.id == 0);
}

static void check_faults_are_named(void) {
    static ql_affine affine;
    static buffer sent;
    const ql_device device = {"", "", "", "", 0, QL_COUNT_NONE, 1, 1024};
    uint8_t storage[QL_FRAME_OVERHEAD + 8u];
    ql_session session;
    ql_affine_init(&affine, 9, 5, 0);
    ql_session_init(&session, &device, &affine.model, storage, sizeof storage, append, &sent);
    CHECK(session.fault && strstr(session.fault, "smaller than an input"));
    affine.model.input.dtype = 1;
    ql_session_init(&session, &device, &affine.model, storage, sizeof storage, append, &sent);
    CHECK(session.fault && strstr(session.fault, "type or size"));
    affine.model.fault = "no such operator";
    ql_session_init(&session, &device, &affine.model, storage, sizeof storage, append, &sent);
    CHECK(session.fault == affine.model.fault);
}

static void check_ring(void) {
    uint8_t storage[8], out[8];
    ql_ring ring = {storage, sizeof storage, 0, 0};
    for (uint8_t i = 0; i < 11; i++) ql_ring_push(&ring, i);
    CHECK(ql_ring_pop(&ring, out, 5) == 5 && out[0] == 0 && out[4] == 4);
    for (uint8_t i = 20; i < 23; i++) ql_ring_push(&ring, i);
    CHECK(ql_ring_pop(&ring, out, 8) == 6 && out[2] == 7 && out[3] == 20 && out[5] == 22);
    CHECK(ql_ring_pop(&ring, out, 8) == 0);
}

/* Against the digests that Python's hashlib gives for n times the byte n, around the padding's edges. */
static void check_sha256(const char *path) {
    static char row[256];
    uint8_t bytes[255], digest[QL_SHA256_BYTES];
    unsigned count, rows = 0;
    FILE *file = fopen(path, "r");
    CHECK(file);
    while (fgets(row, sizeof row, file)) {
        char hex[80];
        CHECK(sscanf(row, "%u %s", &count, hex) == 2 && count < sizeof bytes);
        memset(bytes, (int)count, sizeof bytes);
        ql_sha256(bytes, count, digest);
        buffer wanted = from_hex(hex);
        CHECK(wanted.count == sizeof digest && memcmp(wanted.bytes, digest, sizeof digest) == 0);
        rows++;
    }
    CHECK(rows > 100);
    fclose(file);
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    CHECK(ql_crc32(0, (const uint8_t *)"123456789", 9) == 0xCBF43926u);
    int examples = check_examples(argv[1]);
    check_round_trips();
    check_every_flip_and_truncation();
    check_oversize_stores_nothing();
    check_session_survives_noise();
    check_faults_are_named();
    check_ring();
    check_sha256(argv[2]);
    printf("%d examples\n", examples);
    return examples >= 10 ? EXIT_SUCCESS : EXIT_FAILURE;
}
