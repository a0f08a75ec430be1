// Bytes that several links send: counted references to one copy that nobody changes any more. Used
// so that a block of megabytes for 60 peers is held once.
#ifndef SHOAL_DHT_SHARED_BYTES_H
#define SHOAL_DHT_SHARED_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct shared_bytes;

// A copy of data with one reference, the caller's. NULL if out of memory.
struct shared_bytes *shared_bytes_new(const void *data, size_t size);
struct shared_bytes *shared_bytes_hold(struct shared_bytes *bytes);
// Gives back one reference; the last one frees. NULL is fine.
void shared_bytes_release(struct shared_bytes *bytes);
const uint8_t *shared_bytes_data(const struct shared_bytes *bytes);
size_t shared_bytes_size(const struct shared_bytes *bytes);

#endif
