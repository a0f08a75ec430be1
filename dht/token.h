// Proof that an address is where its datagrams come from (p2p.md, DHT): 8 bytes that we give to an
// address and it gives back. We keep nothing per address: a token is a keyed hash of it, and keys
// change, so that one holds for 10 to 20 minutes. Plain data; the keys are secret.
#ifndef SHOAL_DHT_TOKEN_H
#define SHOAL_DHT_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include "dht/endpoint.h"
#include "node/base/env.h"
#include "node/base/time.h"

#define TOKEN_PERIOD_MS 600000 // a token holds at least this long, at most twice as long
#define TOKEN_NONE      0      // no token has this value

struct token_keys {
    uint8_t current[16];
    uint8_t previous[16];
    struct mono_time rotate_at;
};

void token_keys_init(struct token_keys *keys, const struct env *env, struct mono_time now);
// New keys where it is time for them; before any other use in a turn.
void token_keys_rotate(struct token_keys *keys, const struct env *env, struct mono_time now);
// The port does not count: behind one address it may change from datagram to datagram.
uint64_t token_make(const struct token_keys *keys, const struct address *address);
bool token_is_valid(const struct token_keys *keys, const struct address *address, uint64_t token);

#endif
