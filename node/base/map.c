#include "node/base/map.h"

#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Entries stand densely in one array and a table of slots points into it. The table keeps 32 bits
// of each hash, so a probe touches an entry only when it is nearly sure, and growing does not hash
// again. Removal moves the last entry into the gap and closes the gap in the table: there are no
// tombstones, and a walk from the end towards the start survives the removal of the entry it stands
// on.

#define SLOTS_FIRST 16u
#define SLOTS_MAX   (1u << 31)

struct entry {
    struct hash256 key;
    void *value;
};

struct slot {
    uint32_t hash;
    uint32_t position; // index into entries plus one; 0 is an empty slot
};

struct map {
    unsigned char hash_key[crypto_shorthash_KEYBYTES];
    struct slot *slots;
    struct entry *entries; // room for half as many as there are slots
    uint32_t slots_count;  // a power of two
    uint32_t count;
};

// Callers cannot go on without the entry, and the interface has no way to say so.
static void *must_have(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

struct map *map_new(const struct env *env)
{
    struct map *map = must_have(calloc(1, sizeof *map));
    env_random_bytes(env, map->hash_key, sizeof map->hash_key);
    map->slots_count = SLOTS_FIRST;
    map->slots = must_have(calloc(SLOTS_FIRST, sizeof *map->slots));
    map->entries = must_have(calloc(SLOTS_FIRST / 2, sizeof *map->entries));
    return map;
}

void map_free(struct map *map)
{
    if (map == NULL)
        return;
    free(map->slots);
    free(map->entries);
    sodium_memzero(map->hash_key, sizeof map->hash_key);
    free(map);
}

size_t map_count(const struct map *map)
{
    return map->count;
}

static uint32_t hash_of(const struct map *map, const struct hash256 *key)
{
    unsigned char out[crypto_shorthash_BYTES];
    crypto_shorthash(out, key->bytes, sizeof key->bytes, map->hash_key);
    uint32_t hash;
    memcpy(&hash, out, sizeof hash);
    return hash;
}

// The slot of the key, or the empty slot where it would go.
static uint32_t find_slot(const struct map *map, const struct hash256 *key, uint32_t hash)
{
    uint32_t mask = map->slots_count - 1;
    uint32_t i = hash & mask;
    for (; map->slots[i].position != 0; i = (i + 1) & mask) {
        const struct slot *slot = &map->slots[i];
        if (slot->hash == hash && hash_equal(&map->entries[slot->position - 1].key, key))
            return i;
    }
    return i;
}

void *map_find(const struct map *map, const struct hash256 *key)
{
    uint32_t position = map->slots[find_slot(map, key, hash_of(map, key))].position;
    return position == 0 ? NULL : map->entries[position - 1].value;
}

static void grow(struct map *map)
{
    assert(map->slots_count < SLOTS_MAX);
    uint32_t slots_count = map->slots_count * 2;
    uint32_t mask = slots_count - 1;
    struct slot *slots = must_have(calloc(slots_count, sizeof *slots));
    for (uint32_t i = 0; i < map->slots_count; i++) {
        if (map->slots[i].position == 0)
            continue;
        uint32_t at = map->slots[i].hash & mask;
        while (slots[at].position != 0)
            at = (at + 1) & mask;
        slots[at] = map->slots[i];
    }
    free(map->slots);
    map->slots = slots;
    map->slots_count = slots_count;
    map->entries = must_have(realloc(map->entries, (size_t)slots_count / 2 * sizeof *map->entries));
}

void *map_set(struct map *map, const struct hash256 *key, void *value)
{
    assert(value != NULL);
    uint32_t hash = hash_of(map, key);
    uint32_t i = find_slot(map, key, hash);
    if (map->slots[i].position != 0) {
        struct entry *entry = &map->entries[map->slots[i].position - 1];
        void *before = entry->value;
        entry->value = value;
        return before;
    }
    if (map->count == map->slots_count / 2) {
        grow(map);
        i = find_slot(map, key, hash);
    }
    map->entries[map->count++] = (struct entry){.key = *key, .value = value};
    map->slots[i] = (struct slot){.hash = hash, .position = map->count};
    return NULL;
}

// Empties a slot and moves later ones back, so that every entry stays reachable from its home slot.
static void close_gap(struct map *map, uint32_t gap)
{
    uint32_t mask = map->slots_count - 1;
    for (uint32_t i = (gap + 1) & mask; map->slots[i].position != 0; i = (i + 1) & mask) {
        uint32_t from_home = (i - map->slots[i].hash) & mask;
        uint32_t from_gap = (i - gap) & mask;
        if (from_home < from_gap)
            continue; // its home lies behind the gap: it must stay
        map->slots[gap] = map->slots[i];
        gap = i;
    }
    map->slots[gap] = (struct slot){0};
}

void *map_remove(struct map *map, const struct hash256 *key)
{
    uint32_t i = find_slot(map, key, hash_of(map, key));
    uint32_t position = map->slots[i].position;
    if (position == 0)
        return NULL;
    struct entry *entry = &map->entries[position - 1];
    struct entry *last = &map->entries[map->count - 1];
    void *value = entry->value;
    if (entry != last) {
        map->slots[find_slot(map, &last->key, hash_of(map, &last->key))].position = position;
        *entry = *last;
    }
    map->count--;
    close_gap(map, i);
    return value;
}

// The cursor is the position (index plus one) of the entry given last.
bool map_next(const struct map *map, size_t *cursor, struct hash256 *key, void **value)
{
    size_t position = *cursor == 0 ? map->count : *cursor - 1;
    if (position == 0)
        return false;
    const struct entry *entry = &map->entries[position - 1];
    *key = entry->key;
    *value = entry->value;
    *cursor = position;
    return true;
}
