// An ordered map from keys of bytes to items, a skip list: both kinds of store keep their puts in
// it. Keys are ordered as memcmp orders them, a key before those that it begins: LMDB's order. It
// borrows keys and items: a key lives in its item and stays as it is for as long as the item is in
// the map. Heights come from a fixed seed, so that the simulator runs the same each time. Aborts if
// memory runs out.
#ifndef SHOAL_SHARECHAIN_SORTED_MAP_H
#define SHOAL_SHARECHAIN_SORTED_MAP_H

#include <stddef.h>
#include <stdint.h>

struct sorted_map;
struct sorted_node; // a place in the map, good until its key is removed

struct sorted_map *sorted_map_new(void);
// The items stay the caller's. NULL is fine.
void sorted_map_free(struct sorted_map *map);
size_t sorted_map_count(const struct sorted_map *map);

// NULL if the key is not there.
void *sorted_map_find(const struct sorted_map *map, const void *key, size_t key_size);
// key lies in item, which is not NULL. Returns the item that had this key before, or NULL.
void *sorted_map_set(struct sorted_map *map, const void *key, size_t key_size, void *item);
// Returns what was there, or NULL.
void *sorted_map_remove(struct sorted_map *map, const void *key, size_t key_size);

// The first place with a key >= this one (size 0: the first of all); NULL if there is none.
const struct sorted_node *sorted_map_seek(const struct sorted_map *map, const void *key,
                                          size_t key_size);
const struct sorted_node *sorted_node_next(const struct sorted_node *node);
void *sorted_node_item(const struct sorted_node *node);

// Negative, 0 or positive: the order of the map.
int sorted_map_compare(const void *a, size_t a_size, const void *b, size_t b_size);

#endif
