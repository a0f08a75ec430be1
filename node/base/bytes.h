// Reading and writing flat bytes. `struct reader` is a sticky cursor over borrowed memory: read
// everything, ask once with reader_is_done. `struct buffer` is the one output buffer: growing up to
// a cap, or over an array of the caller. Both remember failure, so a codec checks once at its end.
// Integers are little-endian (protocol section 0) unless the name says _be. Used by every codec;
// does no I/O and keeps no pointer after clear.
#ifndef SHOAL_NODE_BASE_BYTES_H
#define SHOAL_NODE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
    const uint8_t *at;
    size_t left;
    bool failed;
};

struct reader reader_init(const void *data, size_t size);
// After a failure every read gives zeros and `failed` stays set.
uint8_t read_u8(struct reader *reader);
uint16_t read_u16(struct reader *reader);
uint32_t read_u32(struct reader *reader);
uint64_t read_u64(struct reader *reader);
uint32_t read_u32_be(struct reader *reader);
// A double, its bits; one that is not finite is a failure.
double read_double(struct reader *reader);
// CompactSize; a form that is not the shortest is a failure.
uint64_t read_varint(struct reader *reader);
void read_bytes(struct reader *reader, void *out, size_t size);
// A view into the source, NULL on failure (or for size 0 at the end of it: never dereference a size
// of 0).
const uint8_t *read_view(struct reader *reader, size_t size);
// True if nothing failed and nothing is left: the way every decoder ends.
bool reader_is_done(const struct reader *reader);

struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t size_max; // growing stops here: a write beyond it sets `failed`
    bool failed;
    bool is_fixed; // data belongs to the caller
};

// An empty growing buffer that never holds more than size_max bytes.
void buffer_init(struct buffer *buffer, size_t size_max);
// A buffer over the caller's array.
void buffer_init_fixed(struct buffer *buffer, void *array, size_t capacity);
// Frees what it grew and leaves an empty buffer of the same kind. Fine on a zeroed struct.
void buffer_clear(struct buffer *buffer);
// Forgets the content and the failure, keeps the memory.
void buffer_reset(struct buffer *buffer);
// Drops the first `size` bytes (size <= buffer->size).
void buffer_consume(struct buffer *buffer, size_t size);
// Room for `size` more bytes at data + size; false (and failed) if over the cap or out of memory.
bool buffer_reserve(struct buffer *buffer, size_t size);

void write_u8(struct buffer *buffer, uint8_t value);
void write_u16(struct buffer *buffer, uint16_t value);
void write_u32(struct buffer *buffer, uint32_t value);
void write_u64(struct buffer *buffer, uint64_t value);
void write_u32_be(struct buffer *buffer, uint32_t value);
void write_double(struct buffer *buffer, double value);
void write_varint(struct buffer *buffer, uint64_t value);
void write_bytes(struct buffer *buffer, const void *data, size_t size);
void write_text(struct buffer *buffer, const char *text);
// printf into the buffer; needs room for the terminating zero, which is not counted in size.
void write_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
