#include "session.h"

#include <string.h>

/* Counts the bytes of a payload, or sends them: its length stands in the header, before it. */
typedef struct {
    ql_encoder *encoder; /* NULL only counts */
    uint32_t bytes;
} sink;

static void put(sink *out, const void *bytes, size_t count) {
    out->bytes += (uint32_t)count;
    if (out->encoder) ql_encoder_put(out->encoder, bytes, count);
}

static void put_u8(sink *out, uint8_t value) { put(out, &value, 1); }

static void put_u16(sink *out, uint16_t value) {
    uint8_t bytes[2];
    ql_store_u16(bytes, value);
    put(out, bytes, sizeof bytes);
}

static void put_u32(sink *out, uint32_t value) {
    uint8_t bytes[4];
    ql_store_u32(bytes, value);
    put(out, bytes, sizeof bytes);
}

static void put_u64(sink *out, uint64_t value) {
    put_u32(out, (uint32_t)value);
    put_u32(out, (uint32_t)(value >> 32));
}

static void put_text(sink *out, const char *text) {
    size_t length = text ? strlen(text) : 0;
    if (length > 255u) length = 255u;
    put_u8(out, (uint8_t)length);
    if (length) put(out, text, length);
}

static void put_tensor(sink *out, const ql_tensor *tensor) {
    uint8_t rank = tensor->rank > QL_MAX_RANK ? 0 : tensor->rank;
    uint32_t scale;
    memcpy(&scale, &tensor->scale, sizeof scale);
    put_u8(out, tensor->dtype);
    put_u8(out, rank);
    for (uint8_t i = 0; i < rank; i++) put_u32(out, tensor->shape[i]);
    put_u32(out, scale);
    put_u32(out, (uint32_t)tensor->zero_point);
}

static void put_info(sink *out, const ql_session *session) {
    const ql_device *device = session->device;
    const ql_model *model = session->model;
    put_u8(out, QL_PROTOCOL_VERSION);
    put_u32(out, device->boot);
    put_u16(out, session->window);
    put_u8(out, device->counter);
    put_u32(out, device->clock_hz);
    put(out, model->sha256, 32);
    put_u32(out, model->bytes);
    put_u32(out, model->arena_used);
    put_u32(out, model->arena_available);
    put_tensor(out, &model->input);
    put_tensor(out, &model->output);
    put_text(out, device->firmware);
    put_text(out, device->board);
    put_text(out, device->core);
    put_text(out, device->kernels);
    put_text(out, session->fault);
}

static sink begin(ql_session *session, ql_type type, uint32_t sequence, uint32_t length) {
    ql_frame header = {(uint8_t)type, session->id, sequence, length, NULL};
    ql_encoder_begin(&session->encoder, &header);
    sink out = {&session->encoder, 0};
    return out;
}

static void send_info(ql_session *session, uint32_t sequence) {
    sink counted = {NULL, 0};
    put_info(&counted, session);
    sink out = begin(session, QL_INFO, sequence, counted.bytes);
    put_info(&out, session);
    ql_encoder_end(&session->encoder);
}

static void send_pong(ql_session *session, uint32_t sequence) {
    sink out = begin(session, QL_PONG, sequence, 4);
    put_u32(&out, session->device->boot);
    ql_encoder_end(&session->encoder);
}

static void send_error(ql_session *session, uint32_t sequence, ql_error code, const char *text) {
    size_t length = strlen(text);
    if (length > 255u) length = 255u;
    sink out = begin(session, QL_ERROR, sequence, 4u + 1u + 1u + (uint32_t)length);
    put_u32(&out, session->device->boot);
    put_u8(&out, (uint8_t)code);
    put_text(&out, text);
    ql_encoder_end(&session->encoder);
}

static void infer(ql_session *session, const ql_frame *frame) {
    const ql_model *model = session->model;
    if (session->fault) {
        send_error(session, frame->sequence, QL_ERROR_NO_MODEL, session->fault);
        return;
    }
    if (frame->length != ql_tensor_bytes(&model->input)) {
        send_error(session, frame->sequence, QL_ERROR_LENGTH,
                   "the payload is not as long as the input tensor");
        return;
    }
    const uint8_t *output = NULL;
    uint64_t count = 0;
    const char *fault = model->invoke(model->context, frame->payload, &output, &count);
    if (fault) {
        send_error(session, frame->sequence, QL_ERROR_INFERENCE, fault);
        return;
    }
    uint32_t output_bytes = ql_tensor_bytes(&model->output);
    sink out = begin(session, QL_RESULT, frame->sequence, 4u + 8u + output_bytes);
    put_u32(&out, session->device->boot);
    put_u64(&out, count);
    put(&out, output, output_bytes);
    ql_encoder_end(&session->encoder);
}

static void hello(ql_session *session, const ql_frame *frame) {
    if (frame->length == 0 || frame->session == 0) {
        send_error(session, frame->sequence, QL_ERROR_LENGTH,
                   "HELLO carries a version and a session other than 0");
    } else if (frame->payload[0] != QL_PROTOCOL_VERSION) {
        send_error(session, frame->sequence, QL_ERROR_VERSION, "this firmware speaks protocol version 1");
    } else {
        session->id = frame->session;
        send_info(session, frame->sequence);
    }
}

static void handle(ql_session *session, const ql_frame *frame) {
    if (frame->type == QL_HELLO) {
        hello(session, frame);
    } else if (session->id == 0 || frame->session != session->id) {
        send_error(session, frame->sequence, QL_ERROR_NO_SESSION, "say HELLO first");
    } else if (frame->type == QL_INFER) {
        infer(session, frame);
    } else if (frame->type == QL_PING) {
        send_pong(session, frame->sequence);
    } else {
        send_error(session, frame->sequence, QL_ERROR_COMMAND, "there is no such command");
    }
}

static uint32_t element_bytes(uint8_t dtype) {
    switch (dtype) {
        case QL_UINT8:
        case QL_INT8:
            return 1;
        case QL_INT16:
            return 2;
        case QL_FLOAT32:
            return 4;
        default:
            return 0;
    }
}

uint32_t ql_tensor_bytes(const ql_tensor *tensor) {
    if (tensor->rank > QL_MAX_RANK) return 0;
    uint64_t bytes = element_bytes(tensor->dtype);
    for (uint8_t i = 0; i < tensor->rank; i++) {
        bytes *= tensor->shape[i];
        if (bytes > QL_MAX_PAYLOAD) return 0;
    }
    return (uint32_t)bytes;
}

static const char *find_fault(const ql_model *model, size_t capacity) {
    uint32_t input = ql_tensor_bytes(&model->input), output = ql_tensor_bytes(&model->output);
    if (model->fault) return model->fault;
    if (input == 0 || output == 0 || output > QL_MAX_PAYLOAD - 12u)
        return "a tensor's type or size does not fit";
    if (capacity < QL_FRAME_OVERHEAD + (size_t)input) return "the receive buffer is smaller than an input";
    return NULL;
}

/* The frame that is being computed has left the ring; the others wait in it. */
static uint16_t find_window(const ql_device *device, const ql_model *model) {
    uint32_t wire_bytes = QL_WIRE_BYTES(ql_tensor_bytes(&model->input));
    if (device->ring_bytes <= QL_RING_SLACK) return 1;
    uint32_t waiting = (device->ring_bytes - QL_RING_SLACK) / wire_bytes;
    return (uint16_t)(waiting < 0xFFFFu ? waiting + 1u : 0xFFFFu);
}

void ql_session_init(ql_session *session, const ql_device *device, const ql_model *model, uint8_t *buffer,
                     size_t capacity, ql_write *write, void *write_context) {
    session->device = device;
    session->model = model;
    session->fault = find_fault(model, capacity);
    session->window = find_window(device, model);
    session->id = 0;
    ql_decoder_init(&session->decoder, buffer, capacity);
    ql_encoder_init(&session->encoder, write, write_context);
}

void ql_session_receive(ql_session *session, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        ql_frame frame;
        ql_decoded decoded = ql_decoder_push(&session->decoder, bytes[i], &frame);
        if (decoded == QL_FRAME) {
            handle(session, &frame);
        } else if (decoded == QL_DAMAGED) {
            send_error(session, 0, QL_ERROR_DAMAGED, "a damaged frame came in");
        } else if (decoded == QL_OVERSIZE) {
            send_error(session, 0, QL_ERROR_OVERSIZE, "a frame longer than the receive buffer came in");
        }
    }
}
