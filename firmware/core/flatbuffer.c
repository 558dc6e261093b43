#include "flatbuffer.h"

static const qb_table absent_table = {0, 0, 0, 0};
static const qb_vector absent_vector = {0, 0};

static bool inside(qb_flatbuffer *fb, uint32_t at, uint32_t bytes) {
    if (at > fb->size || bytes > fb->size - at) fb->damaged = true;
    return !fb->damaged;
}

static uint32_t u32_at(qb_flatbuffer *fb, uint32_t at) {
    return inside(fb, at, sizeof(uint32_t)) ? (uint32_t)qb_load_i32(fb->base + at) : 0;
}

static uint16_t u16_at(qb_flatbuffer *fb, uint32_t at) {
    if (!inside(fb, at, 2)) return 0;
    return (uint16_t)(fb->base[at] | fb->base[at + 1] << 8);
}

/* Where the offset stored at `at` leads; 0 when it leads out of the buffer. */
static uint32_t follow(qb_flatbuffer *fb, uint32_t at) {
    uint32_t offset = u32_at(fb, at);
    if (fb->damaged || offset == 0 || !inside(fb, at, offset)) {
        fb->damaged = true;
        return 0;
    }
    return at + offset;
}

qb_table qb_table_at(qb_flatbuffer *fb, uint32_t at) {
    int64_t vtable = (int64_t)at - (int32_t)u32_at(fb, at);
    qb_table table = {at, 0, 0, 0};
    if (fb->damaged || vtable < 0 || vtable > fb->size) {
        fb->damaged = true;
        return absent_table;
    }
    table.vtable = (uint32_t)vtable;
    table.vtable_size = u16_at(fb, table.vtable);
    table.size = u16_at(fb, table.vtable + 2);
    if (table.vtable_size < 4 || table.size < 4 || !inside(fb, table.vtable, table.vtable_size) ||
        !inside(fb, at, table.size)) {
        fb->damaged = true;
        return absent_table;
    }
    return table;
}

/* Where a field of `width` bytes is; 0 when the table does not have it. */
static uint32_t field_at(qb_flatbuffer *fb, qb_table table, unsigned field, uint32_t width) {
    uint32_t slot = 4 + 2 * (uint32_t)field;
    uint16_t offset;
    if (table.at == 0 || slot + 2 > table.vtable_size) return 0;
    offset = u16_at(fb, table.vtable + slot);
    if (offset == 0) return 0;
    if (offset + width > table.size) {
        fb->damaged = true;
        return 0;
    }
    return table.at + offset;
}

qb_table qb_root(qb_flatbuffer *fb, const char identifier[4]) {
    if (!inside(fb, 0, 8) || memcmp(fb->base + 4, identifier, 4) != 0) {
        fb->damaged = true;
        return absent_table;
    }
    return qb_table_at(fb, follow(fb, 0));
}

uint8_t qb_u8(qb_flatbuffer *fb, qb_table table, unsigned field, uint8_t fallback) {
    uint32_t at = field_at(fb, table, field, 1);
    return at ? fb->base[at] : fallback;
}

int32_t qb_i32(qb_flatbuffer *fb, qb_table table, unsigned field, int32_t fallback) {
    uint32_t at = field_at(fb, table, field, sizeof(int32_t));
    return at ? qb_load_i32(fb->base + at) : fallback;
}

float qb_f32(qb_flatbuffer *fb, qb_table table, unsigned field, float fallback) {
    uint32_t at = field_at(fb, table, field, sizeof(float));
    return at ? qb_load_f32(fb->base + at) : fallback;
}

uint64_t qb_u64(qb_flatbuffer *fb, qb_table table, unsigned field, uint64_t fallback) {
    uint32_t at = field_at(fb, table, field, sizeof(uint64_t));
    return at ? (uint64_t)qb_load_i64(fb->base + at) : fallback;
}

qb_table qb_child(qb_flatbuffer *fb, qb_table table, unsigned field) {
    uint32_t at = field_at(fb, table, field, QB_OFFSET_BYTES);
    return at ? qb_table_at(fb, follow(fb, at)) : absent_table;
}

qb_vector qb_elements(qb_flatbuffer *fb, qb_table table, unsigned field, uint32_t element_size) {
    uint32_t at = field_at(fb, table, field, QB_OFFSET_BYTES);
    qb_vector vector;
    if (at == 0) return absent_vector;
    at = follow(fb, at);
    vector.count = u32_at(fb, at);
    vector.at = at + (uint32_t)sizeof vector.count;
    if (fb->damaged || vector.count > (fb->size - vector.at) / element_size) {
        fb->damaged = true;
        return absent_vector;
    }
    return vector;
}

qb_table qb_table_in(qb_flatbuffer *fb, qb_vector vector, uint32_t index) {
    if (index >= vector.count) {
        fb->damaged = true;
        return absent_table;
    }
    return qb_table_at(fb, follow(fb, vector.at + QB_OFFSET_BYTES * index));
}
