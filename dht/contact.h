// Who to talk to in the DHT: a contact is a node whose id we know to be true, as it proved it to
// us; a hint is what another node said of it, true or not. Hints carry only the beginning of the
// id, enough to order them by distance, so that sixteen of them and a record fit in one datagram.
// Plain data; used by routing_table, lookup, message and dht.
#ifndef SHOAL_DHT_CONTACT_H
#define SHOAL_DHT_CONTACT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "dht/endpoint.h"
#include "dht/identity.h"
#include "node/base/hash.h"

struct contact {
    struct node_id id;
    struct dht_key key;
    struct endpoint endpoint;
};

// The first 64 bits of an id or of a key that is looked up, most significant first. Two ids of one
// pool that agree in all of them are not to be expected, and an order by them is all look-ups need.
struct id_start {
    uint64_t value;
};

struct hint {
    struct id_start id_start;
    struct dht_key key;
    struct endpoint endpoint;
};

static inline struct id_start id_start_of(const struct hash256 *id)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | id->bytes[i];
    return (struct id_start){value};
}
struct hint hint_of(const struct contact *contact);
static inline bool dht_key_equal(const struct dht_key *a, const struct dht_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
// XOR of the two: smaller is nearer.
static inline uint64_t id_distance(struct id_start a, struct id_start b)
{
    return a.value ^ b.value;
}
// Whether an address means the same host to everybody: not of this host, a private network, a link,
// or a group. Others make no sense in a hint.
bool address_is_public(const struct address *address);

#endif
