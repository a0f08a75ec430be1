#include "stratum/duplicates.h"

#include <assert.h>
#include <stdlib.h>

#define CAPACITY_FIRST 8
#define CAPACITY_MAX   8192 // DUPLICATES_MAX is three quarters of it

struct duplicates_slot {
    struct duplicates_key key;
    bool is_used;
};

static uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= 0x9fb21c651e98df25u;
    value ^= value >> 29;
    value *= 0xd6e8feb86659fd93u;
    return value ^ value >> 32;
}

static uint32_t first_slot(const struct duplicates *set, const struct duplicates_key *key,
                           uint64_t seed)
{
    uint64_t state = mix(key->extranonce2 ^ seed);
    state = mix(state ^ ((uint64_t)key->time << 32 | key->nonce));
    state = mix(state ^ key->version ^ seed);
    return (uint32_t)state & (set->capacity - 1);
}

static bool key_equal(const struct duplicates_key *a, const struct duplicates_key *b)
{
    return a->nonce == b->nonce && a->extranonce2 == b->extranonce2 && a->time == b->time &&
           a->version == b->version;
}

// The slot that holds the key, or the free one where it belongs. There is always a free one.
static struct duplicates_slot *slot_of(const struct duplicates *set,
                                       const struct duplicates_key *key, uint64_t seed)
{
    uint32_t i = first_slot(set, key, seed);
    while (set->slots[i].is_used && !key_equal(&set->slots[i].key, key)) {
        i = (i + 1) & (set->capacity - 1);
    }
    return &set->slots[i];
}

static bool grow(struct duplicates *set, uint64_t seed)
{
    uint32_t capacity = set->capacity == 0 ? CAPACITY_FIRST : set->capacity * 2;
    struct duplicates larger = {.capacity = capacity, .count = set->count};
    if (capacity > CAPACITY_MAX) {
        return false;
    }
    larger.slots = calloc(capacity, sizeof(*larger.slots));
    if (larger.slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < set->capacity; i++) {
        if (set->slots[i].is_used) {
            *slot_of(&larger, &set->slots[i].key, seed) = set->slots[i];
        }
    }
    free(set->slots);
    *set = larger;
    return true;
}

enum duplicates_result duplicates_insert(struct duplicates *set, const struct duplicates_key *key,
                                         uint64_t seed)
{
    struct duplicates_slot *slot = set->capacity > 0 ? slot_of(set, key, seed) : NULL;
    if (slot != NULL && slot->is_used) {
        return DUPLICATES_SEEN;
    }
    if (set->count >= set->capacity / 4 * 3) {
        if (!grow(set, seed)) {
            return DUPLICATES_FULL;
        }
        slot = slot_of(set, key, seed);
    }
    assert(slot != NULL);
    slot->key = *key;
    slot->is_used = true;
    set->count++;
    return DUPLICATES_NEW;
}

void duplicates_clear(struct duplicates *set)
{
    free(set->slots);
    *set = (struct duplicates){.slots = NULL};
}
