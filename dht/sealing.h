// The keys that seal datagrams (p2p.md, DHT): one for each pair of nodes, from their X25519 keys,
// the pool and its secret, and a cache of them, as deriving one costs a hundred times what sealing
// does. Who is no member, or no party, can neither read a datagram nor make one.
//
//   pair key = BLAKE2b-256("shoal datagram" || u8 1 if the pool is private else 0 || pool_id ||
//              BLAKE2b-256(secret) if private || X25519 || the lower dht key || the higher)
#ifndef SHOAL_DHT_SEALING_H
#define SHOAL_DHT_SEALING_H

#include <stdbool.h>
#include <stdint.h>
#include "dht/contact.h"
#include "dht/identity.h"
#include "dht/membership.h"
#include "node/base/env.h"

struct pair_key {
    uint8_t bytes[32];
};

// False if the peer's key is one that makes no secret (of low order).
bool pair_key_derive(const struct identity *own, const struct membership *membership,
                     const struct dht_key *peer, struct pair_key *key);

struct pair_keys;

// identity and membership are borrowed. NULL if out of memory. Draws a hashing key from env, which
// it does not keep.
struct pair_keys *pair_keys_new(const struct identity *own, const struct membership *membership,
                                const struct env *env);
// Wipes the keys.
void pair_keys_free(struct pair_keys *keys);
// Copies what is cached; never derives.
bool pair_keys_find(struct pair_keys *keys, const struct dht_key *peer, struct pair_key *key);
// Derives unless cached; false as pair_key_derive.
bool pair_keys_get(struct pair_keys *keys, const struct dht_key *peer, struct pair_key *key);

#endif
