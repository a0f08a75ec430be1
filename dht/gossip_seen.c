#include "dht/gossip_seen.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_FIRST 16u
#define ENTRIES_MAX   (1u << 24)

// Entries stand in the order of their arrival, `oldest` first once the ring is full. A table of
// positions, open addressing by fingerprint and never more than half full, finds them.
struct gossip_seen {
    unsigned char hash_key[crypto_shorthash_KEYBYTES];
    struct seen_entry *entries;
    uint32_t *slots; // position of an entry plus one; 0: none
    uint32_t slots_count;
    uint32_t capacity;
    uint32_t count;
    uint32_t oldest;
    uint32_t entries_max;
};

static uint32_t slots_for(uint32_t capacity)
{
    uint32_t count = 2 * ENTRIES_FIRST;
    while (count < 2 * capacity)
        count *= 2;
    return count;
}

struct gossip_seen *gossip_seen_new(const struct env *env, size_t entries_max)
{
    struct gossip_seen *seen = calloc(1, sizeof *seen);
    if (seen == NULL)
        return NULL;
    env_random_bytes(env, seen->hash_key, sizeof seen->hash_key);
    seen->entries_max = entries_max < ENTRIES_FIRST ? ENTRIES_FIRST
                        : entries_max > ENTRIES_MAX ? ENTRIES_MAX
                                                    : (uint32_t)entries_max;
    seen->capacity = ENTRIES_FIRST;
    seen->slots_count = slots_for(ENTRIES_FIRST);
    seen->entries = calloc(seen->capacity, sizeof *seen->entries);
    seen->slots = calloc(seen->slots_count, sizeof *seen->slots);
    if (seen->entries != NULL && seen->slots != NULL)
        return seen;
    gossip_seen_free(seen);
    return NULL;
}

void gossip_seen_free(struct gossip_seen *seen)
{
    if (seen == NULL)
        return;
    free(seen->entries);
    free(seen->slots);
    sodium_memzero(seen->hash_key, sizeof seen->hash_key);
    free(seen);
}

static uint64_t fingerprint_of(const struct gossip_seen *seen, const struct hash256 *id)
{
    unsigned char out[crypto_shorthash_BYTES];
    uint64_t fingerprint;
    crypto_shorthash(out, id->bytes, sizeof id->bytes, seen->hash_key);
    memcpy(&fingerprint, out, sizeof fingerprint);
    return fingerprint;
}

// The slot of the entry, or the empty one where it would go.
static uint32_t find_slot(const struct gossip_seen *seen, uint64_t fingerprint)
{
    uint32_t mask = seen->slots_count - 1;
    uint32_t i = (uint32_t)fingerprint & mask;
    while (seen->slots[i] != 0 && seen->entries[seen->slots[i] - 1].fingerprint != fingerprint)
        i = (i + 1) & mask;
    return i;
}

struct seen_entry *gossip_seen_find(const struct gossip_seen *seen, const struct hash256 *id)
{
    uint32_t position = seen->slots[find_slot(seen, fingerprint_of(seen, id))];
    return position == 0 ? NULL : &seen->entries[position - 1];
}

// Empties a slot and moves later ones back, so that every entry stays reachable from its home.
static void close_gap(struct gossip_seen *seen, uint32_t gap)
{
    uint32_t mask = seen->slots_count - 1;
    for (uint32_t i = (gap + 1) & mask; seen->slots[i] != 0; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)seen->entries[seen->slots[i] - 1].fingerprint & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        seen->slots[gap] = seen->slots[i];
        gap = i;
    }
    seen->slots[gap] = 0;
}

// False if there is no memory: the ring then stays as large as it is.
static bool grow(struct gossip_seen *seen)
{
    uint32_t capacity = seen->capacity * 2;
    capacity = capacity < seen->entries_max ? capacity : seen->entries_max;
    uint32_t slots_count = slots_for(capacity);
    uint32_t *slots = calloc(slots_count, sizeof *slots);
    struct seen_entry *entries =
        slots == NULL ? NULL : realloc(seen->entries, capacity * sizeof *entries);
    if (entries == NULL) {
        free(slots);
        return false;
    }
    free(seen->slots);
    seen->slots = slots;
    seen->slots_count = slots_count;
    seen->entries = entries;
    seen->capacity = capacity;
    for (uint32_t i = 0; i < seen->count; i++)
        seen->slots[find_slot(seen, entries[i].fingerprint)] = i + 1;
    return true;
}

struct seen_entry *gossip_seen_add(struct gossip_seen *seen, const struct hash256 *id)
{
    uint64_t fingerprint = fingerprint_of(seen, id);
    uint32_t position = seen->count;
    if (seen->count == seen->capacity && (seen->capacity == seen->entries_max || !grow(seen))) {
        seen->entries_max = seen->capacity; // from now on it is a ring
        position = seen->oldest;
        seen->oldest = (seen->oldest + 1) % seen->capacity;
        close_gap(seen, find_slot(seen, seen->entries[position].fingerprint));
    } else {
        seen->count++;
    }
    seen->entries[position] = (struct seen_entry){.fingerprint = fingerprint};
    uint32_t slot = find_slot(seen, fingerprint);
    assert(seen->slots[slot] == 0);
    seen->slots[slot] = position + 1;
    return &seen->entries[position];
}

void gossip_seen_remove_peers(struct gossip_seen *seen, const struct peer_set *peers)
{
    for (uint32_t i = 0; i < seen->count; i++) {
        peer_set_remove_all(&seen->entries[i].has, peers);
        peer_set_remove_all(&seen->entries[i].offered, peers);
    }
}

size_t gossip_seen_memory(const struct gossip_seen *seen)
{
    return sizeof *seen + seen->capacity * sizeof *seen->entries +
           seen->slots_count * sizeof *seen->slots;
}
