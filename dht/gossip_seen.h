// The ids of shares that were here lately, and which peers have each: a ring that forgets the
// oldest, and grows with what is in it up to a bound. In place of an id it holds a keyed hash of 64
// bits: nobody who does not know the key can make two ids meet. Used by gossip only.
#ifndef SHOAL_DHT_GOSSIP_SEEN_H
#define SHOAL_DHT_GOSSIP_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/peer_set.h"
#include "node/base/env.h"
#include "node/base/hash.h"

struct seen_entry {
    uint64_t fingerprint;
    struct peer_set has;     // sent it to us, announced it, or got it from us
    struct peer_set offered; // we announced it to them, and they may ask for it once
    uint32_t sequence;       // among the shares that peers brought; 0: none of them
    bool is_told;
};

struct gossip_seen;

// The peer sent or announced it: nothing of it is sent there any more.
static inline void seen_entry_has(struct seen_entry *entry, unsigned slot)
{
    peer_set_add(&entry->has, slot);
    peer_set_remove(&entry->offered, slot);
}

// NULL if out of memory. At least 16 entries are kept, whatever entries_max.
struct gossip_seen *gossip_seen_new(const struct env *env, size_t entries_max);
void gossip_seen_free(struct gossip_seen *seen);
// NULL if it is not there. Entries stay where they are until the next gossip_seen_add.
struct seen_entry *gossip_seen_find(const struct gossip_seen *seen, const struct hash256 *id);
// The id must not be there. Takes the oldest entry's place if there is no more room.
struct seen_entry *gossip_seen_add(struct gossip_seen *seen, const struct hash256 *id);
// Forgets what was known of peers, in all entries.
void gossip_seen_remove_peers(struct gossip_seen *seen, const struct peer_set *peers);
size_t gossip_seen_memory(const struct gossip_seen *seen);

#endif
