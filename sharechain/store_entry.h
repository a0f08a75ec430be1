// One put or removal, as both kinds of store keep it in memory: a head with key and value behind
// it.
#ifndef SHOAL_SHARECHAIN_STORE_ENTRY_H
#define SHOAL_SHARECHAIN_STORE_ENTRY_H

#include "sharechain/store.h"

struct store_entry {
    struct store_entry *next; // the next younger one, in the queue to the disk
    uint64_t sequence;
    enum store_table table;
    bool is_removal;
    size_t key_size;
    size_t value_size;
    uint8_t bytes[]; // key, then value
};

// A put with a copy of key and value; sequence 0. Aborts if memory runs out: no caller can go on
// without it. Freed with free().
struct store_entry *store_entry_new(enum store_table table, const void *key, size_t key_size,
                                    const void *value, size_t value_size);

static inline const uint8_t *store_entry_value(const struct store_entry *entry)
{
    return entry->bytes + entry->key_size;
}

// What the entry counts in store_pending_bytes.
static inline uint64_t store_entry_size(const struct store_entry *entry)
{
    return (uint64_t)entry->key_size + entry->value_size;
}

#endif
