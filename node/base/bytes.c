#include "node/base/bytes.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The first allocation of a growing buffer: most messages fit, so most buffers allocate once.
#define CAPACITY_FIRST 256

struct reader reader_init(const void *data, size_t size)
{
    return (struct reader){.at = data, .left = size};
}

const uint8_t *read_view(struct reader *reader, size_t size)
{
    if (reader->failed || size > reader->left) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *view = reader->at;
    if (size > 0) // at may be NULL for an empty source
        reader->at += size;
    reader->left -= size;
    return view;
}

void read_bytes(struct reader *reader, void *out, size_t size)
{
    if (size == 0)
        return;
    const uint8_t *view = read_view(reader, size);
    if (view != NULL)
        memcpy(out, view, size);
    else
        memset(out, 0, size);
}

// The next `size` (1 to 8) bytes as a little-endian number, 0 on failure.
static uint64_t read_little(struct reader *reader, size_t size)
{
    const uint8_t *view = read_view(reader, size);
    if (view == NULL)
        return 0;
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)view[i] << (8 * i);
    return value;
}

uint8_t read_u8(struct reader *reader)
{
    return (uint8_t)read_little(reader, 1);
}

uint16_t read_u16(struct reader *reader)
{
    return (uint16_t)read_little(reader, 2);
}

uint32_t read_u32(struct reader *reader)
{
    return (uint32_t)read_little(reader, 4);
}

uint64_t read_u64(struct reader *reader)
{
    return read_little(reader, 8);
}

uint32_t read_u32_be(struct reader *reader)
{
    return __builtin_bswap32(read_u32(reader));
}

double read_double(struct reader *reader)
{
    double value;
    uint64_t bits = read_u64(reader);
    memcpy(&value, &bits, sizeof(value));
    if (isfinite(value))
        return value;
    reader->failed = true;
    return 0;
}

uint64_t read_varint(struct reader *reader)
{
    uint8_t first = read_u8(reader);
    if (first < 0xfd)
        return first;
    size_t size = first == 0xfd ? 2 : first == 0xfe ? 4 : 8;
    uint64_t shortest = first == 0xfd ? 0xfd : first == 0xfe ? 0x10000 : UINT64_C(0x100000000);
    uint64_t value = read_little(reader, size);
    if (value < shortest) {
        reader->failed = true;
        return 0;
    }
    return value;
}

bool reader_is_done(const struct reader *reader)
{
    return !reader->failed && reader->left == 0;
}

void buffer_init(struct buffer *buffer, size_t size_max)
{
    *buffer = (struct buffer){.size_max = size_max};
}

void buffer_init_fixed(struct buffer *buffer, void *array, size_t capacity)
{
    *buffer = (struct buffer){
        .data = array, .capacity = capacity, .size_max = capacity, .is_fixed = true};
}

void buffer_clear(struct buffer *buffer)
{
    if (!buffer->is_fixed) {
        free(buffer->data);
        buffer->data = NULL;
        buffer->capacity = 0;
    }
    buffer_reset(buffer);
}

void buffer_reset(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    assert(size <= buffer->size);
    buffer->size -= size;
    if (size > 0 && buffer->size > 0)
        memmove(buffer->data, buffer->data + size, buffer->size);
}

// Makes capacity at least `needed` (<= size_max) by doubling, so that many small writes stay
// linear.
static bool grow(struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : CAPACITY_FIRST;
    while (capacity < needed)
        capacity = capacity > buffer->size_max / 2 ? buffer->size_max : capacity * 2;
    if (capacity > buffer->size_max)
        capacity = buffer->size_max;
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->failed)
        return false;
    if (size <= buffer->capacity - buffer->size)
        return true;
    bool fits = !buffer->is_fixed && size <= buffer->size_max - buffer->size;
    if (fits && grow(buffer, buffer->size + size))
        return true;
    buffer->failed = true;
    return false;
}

void write_bytes(struct buffer *buffer, const void *data, size_t size)
{
    if (!buffer_reserve(buffer, size) || size == 0)
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

static void write_little(struct buffer *buffer, uint64_t value, size_t size)
{
    if (!buffer_reserve(buffer, size))
        return;
    for (size_t i = 0; i < size; i++)
        buffer->data[buffer->size + i] = (uint8_t)(value >> (8 * i));
    buffer->size += size;
}

void write_u8(struct buffer *buffer, uint8_t value)
{
    write_little(buffer, value, 1);
}

void write_u16(struct buffer *buffer, uint16_t value)
{
    write_little(buffer, value, 2);
}

void write_u32(struct buffer *buffer, uint32_t value)
{
    write_little(buffer, value, 4);
}

void write_u64(struct buffer *buffer, uint64_t value)
{
    write_little(buffer, value, 8);
}

void write_u32_be(struct buffer *buffer, uint32_t value)
{
    write_u32(buffer, __builtin_bswap32(value));
}

void write_double(struct buffer *buffer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    write_u64(buffer, bits);
}

void write_varint(struct buffer *buffer, uint64_t value)
{
    if (value < 0xfd) {
        write_u8(buffer, (uint8_t)value);
        return;
    }
    size_t size = value <= 0xffff ? 2 : value <= 0xffffffff ? 4 : 8;
    // One reservation for both parts, so that a full buffer never keeps half a number.
    if (!buffer_reserve(buffer, 1 + size))
        return;
    write_u8(buffer, size == 2 ? 0xfd : size == 4 ? 0xfe : 0xff);
    write_little(buffer, value, size);
}

void write_text(struct buffer *buffer, const char *text)
{
    write_bytes(buffer, text, strlen(text));
}

void write_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0) {
        buffer->failed = true;
        return;
    }
    if (!buffer_reserve(buffer, (size_t)size + 1))
        return;
    va_start(arguments, format);
    vsnprintf((char *)buffer->data + buffer->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)size;
}
