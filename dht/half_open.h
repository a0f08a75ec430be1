// Counts connections that were accepted and have not finished their handshake, and how fast they
// come (p2p.md, Link, Limits), so that strangers can take neither all places nor the processor.
// Asked at every accept, before any memory is taken for the connection. Of fixed size.
#ifndef SHOAL_DHT_HALF_OPEN_H
#define SHOAL_DHT_HALF_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include "dht/endpoint.h"
#include "node/base/env.h"
#include "node/base/time.h"

#define HALF_OPEN_MAX            256
#define HALF_OPEN_GROUP_MAX      8  // per /24 or /48
#define HALF_OPEN_ACCEPTS_SECOND 64 // all together, after a burst of twice as many
#define HALF_OPEN_ADDRESS_BURST  8  // per address (/56), then one in HALF_OPEN_ADDRESS_MS
#define HALF_OPEN_ADDRESS_MS     2000

struct half_open;

enum half_open_verdict {
    HALF_OPEN_ADMITTED,
    HALF_OPEN_FULL,         // HALF_OPEN_MAX handshakes under way
    HALF_OPEN_GROUP_FULL,   // HALF_OPEN_GROUP_MAX of them from this neighbourhood
    HALF_OPEN_ADDRESS_RATE, // this address comes too often
    HALF_OPEN_RATE,         // all of them together do
};
const char *half_open_verdict_text(enum half_open_verdict verdict);

// NULL if out of memory. Draws its hashing key from env, which it does not keep.
struct half_open *half_open_new(const struct env *env);
void half_open_free(struct half_open *table);
// An accepted connection. If admitted, half_open_leave is owed, with the same address, when its
// handshake ended or the connection did.
enum half_open_verdict half_open_enter(struct half_open *table, const struct address *address,
                                       struct mono_time now);
void half_open_leave(struct half_open *table, const struct address *address);
size_t half_open_count(const struct half_open *table);

#endif
