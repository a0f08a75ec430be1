#include "sharechain/sorted_map.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// A quarter of the nodes of each level reaches the next, so twelve levels serve 4^12 entries: more
// than any store holds.
#define HEIGHT_MAX 12u

struct sorted_node {
    void *item;
    const void *key; // in the item
    size_t key_size;
    struct sorted_node *next[]; // one for each level that the node reaches
};

struct sorted_map {
    struct sorted_node *head; // before all keys, reaches every level
    size_t count;
    unsigned height; // levels in use
    uint64_t random; // state of xorshift64
};

// Callers cannot go on without the entry, and the interface has no way to say so.
static struct sorted_node *new_node(unsigned height)
{
    struct sorted_node *node = calloc(1, sizeof *node + height * sizeof node->next[0]);
    if (node == NULL)
        abort();
    return node;
}

struct sorted_map *sorted_map_new(void)
{
    struct sorted_map *map = calloc(1, sizeof *map);
    if (map == NULL)
        abort();
    map->head = new_node(HEIGHT_MAX);
    map->height = 1;
    map->random = UINT64_C(0x9e3779b97f4a7c15);
    return map;
}

void sorted_map_free(struct sorted_map *map)
{
    if (map == NULL)
        return;
    struct sorted_node *node = map->head;
    while (node != NULL) {
        struct sorted_node *next = node->next[0];
        free(node);
        node = next;
    }
    free(map);
}

size_t sorted_map_count(const struct sorted_map *map)
{
    return map->count;
}

int sorted_map_compare(const void *a, size_t a_size, const void *b, size_t b_size)
{
    size_t shared = a_size < b_size ? a_size : b_size;
    int order = shared > 0 ? memcmp(a, b, shared) : 0;
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

// The last node before this key on the lowest level; before[] (may be NULL) gets that of each level
// in use.
static struct sorted_node *descend(const struct sorted_map *map, const void *key, size_t key_size,
                                   struct sorted_node *before[HEIGHT_MAX])
{
    struct sorted_node *node = map->head;
    for (unsigned level = map->height; level-- > 0;) {
        const struct sorted_node *next;
        while ((next = node->next[level]) != NULL &&
               sorted_map_compare(next->key, next->key_size, key, key_size) < 0)
            node = node->next[level];
        if (before != NULL)
            before[level] = node;
    }
    return node;
}

static bool has_key(const struct sorted_node *node, const void *key, size_t key_size)
{
    return node != NULL && sorted_map_compare(node->key, node->key_size, key, key_size) == 0;
}

void *sorted_map_find(const struct sorted_map *map, const void *key, size_t key_size)
{
    const struct sorted_node *node = descend(map, key, key_size, NULL)->next[0];
    return has_key(node, key, key_size) ? node->item : NULL;
}

static unsigned random_height(struct sorted_map *map)
{
    map->random ^= map->random << 13;
    map->random ^= map->random >> 7;
    map->random ^= map->random << 17;
    unsigned height = 1;
    for (uint64_t bits = map->random >> 16; (bits & 3) == 0 && height < HEIGHT_MAX; bits >>= 2)
        height++;
    return height;
}

void *sorted_map_set(struct sorted_map *map, const void *key, size_t key_size, void *item)
{
    assert(item != NULL);
    struct sorted_node *before[HEIGHT_MAX];
    struct sorted_node *node = descend(map, key, key_size, before)->next[0];
    if (has_key(node, key, key_size)) {
        void *old = node->item;
        node->item = item;
        node->key = key; // the old key goes with the old item
        return old;
    }
    unsigned height = random_height(map);
    for (; map->height < height; map->height++)
        before[map->height] = map->head;
    node = new_node(height);
    node->item = item;
    node->key = key;
    node->key_size = key_size;
    for (unsigned level = 0; level < height; level++) {
        node->next[level] = before[level]->next[level];
        before[level]->next[level] = node;
    }
    map->count++;
    return NULL;
}

void *sorted_map_remove(struct sorted_map *map, const void *key, size_t key_size)
{
    struct sorted_node *before[HEIGHT_MAX];
    struct sorted_node *node = descend(map, key, key_size, before)->next[0];
    if (!has_key(node, key, key_size))
        return NULL;
    // A node stands on every level up to its height, and only there does a link lead to it.
    for (unsigned level = 0; level < map->height && before[level]->next[level] == node; level++)
        before[level]->next[level] = node->next[level];
    void *item = node->item;
    free(node);
    map->count--;
    return item;
}

const struct sorted_node *sorted_map_seek(const struct sorted_map *map, const void *key,
                                          size_t key_size)
{
    return descend(map, key, key_size, NULL)->next[0];
}

const struct sorted_node *sorted_node_next(const struct sorted_node *node)
{
    return node->next[0];
}

void *sorted_node_item(const struct sorted_node *node)
{
    return node->item;
}
