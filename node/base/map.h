// A hash map from 32-byte keys to pointers, open addressing, keyed hashing (SipHash with a random
// key from env, so that nobody outside can make keys collide). Owns neither keys' owners nor
// values.
#ifndef SHOAL_NODE_BASE_MAP_H
#define SHOAL_NODE_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include "node/base/env.h"
#include "node/base/hash.h"

struct map;

// Draws its hashing key from env, which it does not keep. Ends the program if memory runs out.
struct map *map_new(const struct env *env);
void map_free(struct map *map);
size_t map_count(const struct map *map);
// NULL if the key is not there.
void *map_find(const struct map *map, const struct hash256 *key);
// value is not NULL. Ends the program if memory runs out. Returns the value that was there before,
// or NULL.
void *map_set(struct map *map, const struct hash256 *key, void *value);
// Returns what was there, or NULL.
void *map_remove(struct map *map, const struct hash256 *key);

// Walks all entries in no useful order: start with cursor 0; the map must not change meanwhile,
// except that the entry just returned may be removed.
bool map_next(const struct map *map, size_t *cursor, struct hash256 *key, void **value);

#endif
