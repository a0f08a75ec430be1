// The bounds of every msgpack message between nodes (p2p.md): nil, booleans, integers, strings,
// bytes and arrays, depth at most 4, and a bounded number of elements. msgpack-c takes memory for
// as many elements as an array announces; nothing is given to it that did not pass here.
#ifndef SHOAL_DHT_ENVELOPE_H
#define SHOAL_DHT_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#define ENVELOPE_DEPTH_MAX    4
#define ENVELOPE_ELEMENTS_MAX 4096 // of all arrays together

// Whether `data` begins with one whole array within those bounds; its size in *used.
bool envelope_check(const void *data, size_t size, size_t *used);

#endif
