// The bounds of every msgpack message between nodes (p2p.md): nil, booleans, integers, strings,
// bytes and arrays, depth at most 4, and a bounded number of elements. msgpack-c takes memory for
// as many elements as an array announces; nothing is given to it that did not pass here. And what
// both kinds of messages write with it.
#ifndef SHOAL_DHT_ENVELOPE_H
#define SHOAL_DHT_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

struct msgpack_packer;

#define ENVELOPE_DEPTH_MAX    4
#define ENVELOPE_ELEMENTS_MAX 4096 // of all arrays together

// Whether `data` begins with one whole array within those bounds; its size in *used.
bool envelope_check(const void *data, size_t size, size_t *used);

// For msgpack_packer_init: writes to a struct buffer, whose `failed` tells of what did not fit.
int envelope_append(void *buffer, const char *data, size_t size);
// As bin; data may be NULL if size is 0.
void envelope_pack_bytes(struct msgpack_packer *packer, const void *data, size_t size);

#endif
