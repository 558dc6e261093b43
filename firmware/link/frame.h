/* Frames on the wire: COBS, a header, a payload, CRC-32. The contract is firmware/PROTOCOL.md. */
#ifndef QL_LINK_FRAME_H
#define QL_LINK_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define QL_HEADER_BYTES 10u
#define QL_CRC_BYTES 4u
#define QL_FRAME_OVERHEAD (QL_HEADER_BYTES + QL_CRC_BYTES)
#define QL_MAX_PAYLOAD 0xFFFFFFu
#define QL_COBS_BLOCK 254u

/* Bytes on the wire, at most, of a frame with this payload; the delimiter included. */
#define QL_WIRE_BYTES(payload) \
    ((payload) + QL_FRAME_OVERHEAD + ((payload) + QL_FRAME_OVERHEAD) / QL_COBS_BLOCK + 2u)

typedef enum {
    QL_HELLO = 0x01,
    QL_PING = 0x02,
    QL_INFER = 0x03,
    QL_ERROR = 0x80,
    QL_INFO = 0x81,
    QL_PONG = 0x82,
    QL_RESULT = 0x83
} ql_type;

typedef struct {
    uint8_t type;
    uint16_t session;
    uint32_t sequence;
    uint32_t length;
    const uint8_t *payload;
} ql_frame;

uint16_t ql_load_u16(const uint8_t *bytes);
uint32_t ql_load_u32(const uint8_t *bytes);
void ql_store_u16(uint8_t *bytes, uint16_t value);
void ql_store_u32(uint8_t *bytes, uint32_t value);

/* CRC-32 of IEEE 802.3, as zlib's crc32(): start with 0, chain by passing the last result. */
uint32_t ql_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

/* Takes all `count` bytes; it may wait, but never drops any. */
typedef void ql_write(void *context, const uint8_t *bytes, size_t count);

/* Writes frames of any length through one COBS block. */
typedef struct {
    ql_write *write;
    void *context;
    uint32_t crc;
    uint8_t block[1u + QL_COBS_BLOCK]; /* the block's code, then its bytes */
    uint8_t used;                      /* bytes in the block, without the code */
} ql_encoder;

/* A frame is one begin (its `payload` is not looked at), puts of `length` bytes in all, one end. */
void ql_encoder_init(ql_encoder *encoder, ql_write *write, void *context);
void ql_encoder_begin(ql_encoder *encoder, const ql_frame *header);
void ql_encoder_put(ql_encoder *encoder, const void *bytes, size_t count);
void ql_encoder_end(ql_encoder *encoder);

typedef enum {
    QL_MORE,    /* no frame is complete */
    QL_FRAME,   /* a frame is complete and undamaged */
    QL_DAMAGED, /* something ended that is no frame: COBS, length or CRC is wrong */
    QL_OVERSIZE /* the header announced more than the buffer holds; nothing of it was stored */
} ql_decoded;

/* Reads frames byte by byte into a buffer of `capacity` bytes, at least QL_FRAME_OVERHEAD. */
typedef struct {
    uint8_t *buffer;
    size_t capacity;
    size_t used;     /* decoded bytes in the buffer */
    size_t expected; /* decoded bytes that the frame may have; the header's until its length is known */
    uint8_t run;     /* bytes left in the COBS block */
    uint8_t state;
    uint8_t zero_due; /* the COBS block stands for a zero behind it, unless the frame ends there */
} ql_decoder;

void ql_decoder_init(ql_decoder *decoder, uint8_t *buffer, size_t capacity);

/* Takes one byte. On QL_FRAME `frame` is filled in; its payload points into the buffer until the next call.
 */
ql_decoded ql_decoder_push(ql_decoder *decoder, uint8_t byte, ql_frame *frame);

#endif
