#include "frame.h"

#include <string.h>

enum { STATE_IDLE, STATE_READING, STATE_DAMAGED, STATE_OVERSIZE };

uint16_t ql_load_u16(const uint8_t *bytes) { return (uint16_t)(bytes[0] | (uint16_t)bytes[1] << 8); }

uint32_t ql_load_u32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void ql_store_u16(uint8_t *bytes, uint16_t value) {
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

void ql_store_u32(uint8_t *bytes, uint32_t value) {
    ql_store_u16(bytes, (uint16_t)value);
    ql_store_u16(bytes + 2, (uint16_t)(value >> 16));
}

/* A table of nibbles: 64 bytes of flash in place of 1 KiB. */
uint32_t ql_crc32(uint32_t crc, const uint8_t *bytes, size_t count) {
    static const uint32_t table[16] = {
        0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
        0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
        0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
    };
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15u];
        crc = crc >> 4 ^ table[crc & 15u];
    }
    return ~crc;
}

void ql_encoder_init(ql_encoder *encoder, ql_write *write, void *context) {
    encoder->write = write;
    encoder->context = context;
    encoder->crc = 0;
    encoder->used = 0;
}

static void flush_block(ql_encoder *encoder) {
    encoder->block[0] = (uint8_t)(encoder->used + 1u);
    encoder->write(encoder->context, encoder->block, encoder->used + 1u);
    encoder->used = 0;
}

static void stuff(ql_encoder *encoder, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (encoder->used == QL_COBS_BLOCK) flush_block(encoder);
        if (bytes[i] == 0) {
            flush_block(encoder);
        } else {
            encoder->block[++encoder->used] = bytes[i];
        }
    }
}

void ql_encoder_put(ql_encoder *encoder, const void *bytes, size_t count) {
    encoder->crc = ql_crc32(encoder->crc, bytes, count);
    stuff(encoder, bytes, count);
}

void ql_encoder_begin(ql_encoder *encoder, const ql_frame *header) {
    uint8_t bytes[QL_HEADER_BYTES];
    ql_store_u32(bytes, header->type | header->length << 8);
    ql_store_u16(bytes + 4, header->session);
    ql_store_u32(bytes + 6, header->sequence);
    encoder->crc = 0;
    encoder->used = 0;
    ql_encoder_put(encoder, bytes, sizeof bytes);
}

void ql_encoder_end(ql_encoder *encoder) {
    static const uint8_t delimiter = 0;
    uint8_t crc[QL_CRC_BYTES];
    ql_store_u32(crc, encoder->crc);
    stuff(encoder, crc, sizeof crc);
    flush_block(encoder);
    encoder->write(encoder->context, &delimiter, 1);
}

static void reset(ql_decoder *decoder) {
    decoder->used = 0;
    decoder->expected = QL_HEADER_BYTES;
    decoder->run = 0;
    decoder->state = STATE_IDLE;
    decoder->zero_due = 0;
}

void ql_decoder_init(ql_decoder *decoder, uint8_t *buffer, size_t capacity) {
    decoder->buffer = buffer;
    decoder->capacity = capacity;
    reset(decoder);
}

/* Stores a decoded byte. The announced length is judged as soon as the header is there. */
static void store(ql_decoder *decoder, uint8_t byte) {
    if (decoder->used == decoder->expected) {
        decoder->state = STATE_DAMAGED;
        return;
    }
    decoder->buffer[decoder->used++] = byte;
    if (decoder->used != QL_HEADER_BYTES) return;
    size_t length = ql_load_u32(decoder->buffer) >> 8;
    if (length > decoder->capacity - QL_FRAME_OVERHEAD) {
        decoder->state = STATE_OVERSIZE;
    } else {
        decoder->expected = QL_FRAME_OVERHEAD + length;
    }
}

static ql_decoded finish(const ql_decoder *decoder, ql_frame *frame) {
    if (decoder->state == STATE_IDLE) return QL_MORE; /* delimiters may stand side by side */
    if (decoder->state == STATE_OVERSIZE) return QL_OVERSIZE;
    if (decoder->state == STATE_DAMAGED || decoder->run != 0) return QL_DAMAGED;
    if (decoder->used < QL_FRAME_OVERHEAD || decoder->used != decoder->expected) return QL_DAMAGED;
    size_t covered = decoder->used - QL_CRC_BYTES;
    if (ql_crc32(0, decoder->buffer, covered) != ql_load_u32(decoder->buffer + covered)) return QL_DAMAGED;
    frame->type = decoder->buffer[0];
    frame->length = (uint32_t)(covered - QL_HEADER_BYTES);
    frame->session = ql_load_u16(decoder->buffer + 4);
    frame->sequence = ql_load_u32(decoder->buffer + 6);
    frame->payload = decoder->buffer + QL_HEADER_BYTES;
    return QL_FRAME;
}

ql_decoded ql_decoder_push(ql_decoder *decoder, uint8_t byte, ql_frame *frame) {
    if (byte == 0) {
        ql_decoded decoded = finish(decoder, frame);
        reset(decoder);
        return decoded;
    }
    if (decoder->state == STATE_IDLE) decoder->state = STATE_READING;
    if (decoder->state != STATE_READING) return QL_MORE;
    if (decoder->run == 0) {
        if (decoder->zero_due) store(decoder, 0);
        decoder->run = (uint8_t)(byte - 1u);
        decoder->zero_due = byte != 0xFFu;
    } else {
        decoder->run--;
        store(decoder, byte);
    }
    return QL_MORE;
}
