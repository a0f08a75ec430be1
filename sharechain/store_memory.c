#include "sharechain/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "sharechain/sorted_map.h"
#include "sharechain/store_entry.h"

struct store_memory {
    struct store base; // first: a struct store * is one of these
    struct sorted_map *tables[STORE_TABLES_COUNT];
    uint64_t sequence; // of the last put
    unsigned walks;    // store_each calls under way
};

static struct store_memory *memory_of(struct store *store)
{
    return (struct store_memory *)store;
}

static uint64_t memory_add(struct store *store, struct store_entry *entry)
{
    struct store_memory *memory = memory_of(store);
    assert(memory->walks == 0);
    struct sorted_map *table = memory->tables[entry->table];
    if (entry->is_removal) {
        free(sorted_map_remove(table, entry->bytes, entry->key_size));
        free(entry);
    } else {
        free(sorted_map_set(table, entry->bytes, entry->key_size, entry));
    }
    return ++memory->sequence;
}

static bool memory_get(struct store *store, enum store_table table, const void *key,
                       size_t key_size, struct buffer *out)
{
    const struct store_entry *entry =
        sorted_map_find(memory_of(store)->tables[table], key, key_size);
    if (entry == NULL)
        return false;
    write_bytes(out, store_entry_value(entry), entry->value_size);
    return true;
}

static bool memory_each(struct store *store, const struct store_range *range)
{
    struct store_memory *memory = memory_of(store);
    const struct sorted_node *node =
        sorted_map_seek(memory->tables[range->table], range->from, range->from_size);
    bool goes_on = true;
    memory->walks++;
    for (; node != NULL && goes_on; node = sorted_node_next(node)) {
        const struct store_entry *entry = sorted_node_item(node);
        goes_on = range->visitor(range->context, entry->bytes, entry->key_size,
                                 store_entry_value(entry), entry->value_size);
    }
    memory->walks--;
    return goes_on;
}

static uint64_t memory_durable(const struct store *store)
{
    return ((const struct store_memory *)store)->sequence;
}

static enum store_health memory_health(const struct store *store)
{
    (void)store;
    return STORE_HEALTHY;
}

static void memory_describe_health(const struct store *store, char *out, size_t capacity)
{
    (void)store;
    if (capacity > 0)
        out[0] = '\0';
}

static uint64_t memory_pending_bytes(const struct store *store)
{
    (void)store;
    return 0;
}

static bool memory_settle(struct store *store, unsigned timeout_ms)
{
    (void)store;
    (void)timeout_ms;
    return true;
}

static void memory_close(struct store *store)
{
    struct store_memory *memory = memory_of(store);
    for (size_t i = 0; i < STORE_TABLES_COUNT; i++) {
        const struct sorted_node *node = sorted_map_seek(memory->tables[i], NULL, 0);
        for (; node != NULL; node = sorted_node_next(node))
            free(sorted_node_item(node));
        sorted_map_free(memory->tables[i]);
    }
    free(memory);
}

static bool memory_next_commit(struct store *store, struct store_commit *commit)
{
    (void)store;
    (void)commit;
    return false;
}

static const struct store_kind memory_kind = {
    .add = memory_add,
    .get = memory_get,
    .each = memory_each,
    .durable = memory_durable,
    .health = memory_health,
    .describe_health = memory_describe_health,
    .pending_bytes = memory_pending_bytes,
    .next_commit = memory_next_commit,
    .settle = memory_settle,
    .close = memory_close,
};

struct store *store_memory_new(void)
{
    struct store_memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL)
        abort();
    memory->base.kind = &memory_kind;
    for (size_t i = 0; i < STORE_TABLES_COUNT; i++)
        memory->tables[i] = sorted_map_new();
    // Both kinds hold the same records.
    static const uint8_t schema[4] = {STORE_SCHEMA};
    struct store_entry *entry = store_entry_new(STORE_META, STORE_SCHEMA_KEY,
                                                strlen(STORE_SCHEMA_KEY), schema, sizeof schema);
    sorted_map_set(memory->tables[STORE_META], entry->bytes, entry->key_size, entry);
    return &memory->base;
}
