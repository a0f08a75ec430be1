#include "sharechain/store.h"

#include <assert.h>
#include <string.h>
#include "sharechain/store_entry.h"

// Keys are made by our own code from numbers, hashes and names that were measured before.
static void check_key(enum store_table table, const void *key, size_t key_size)
{
    assert((unsigned)table < STORE_TABLES_COUNT);
    assert(key != NULL && key_size >= 1 && key_size <= STORE_KEY_SIZE_MAX);
}

static bool is_schema_record(enum store_table table, const void *key, size_t key_size)
{
    return table == STORE_META && key_size == strlen(STORE_SCHEMA_KEY) &&
           memcmp(key, STORE_SCHEMA_KEY, key_size) == 0;
}

// Table, key and value are three things of five words, and every caller has them apart: no struct
// would make the calls plainer. NOLINTNEXTLINE(readability-function-size)
uint64_t store_put(struct store *store, enum store_table table, const void *key, size_t key_size,
                   const void *value, size_t value_size)
{
    check_key(table, key, key_size);
    assert(!is_schema_record(table, key, key_size));
    return store->kind->add(store, store_entry_new(table, key, key_size, value, value_size));
}

uint64_t store_remove(struct store *store, enum store_table table, const void *key, size_t key_size)
{
    check_key(table, key, key_size);
    assert(!is_schema_record(table, key, key_size));
    struct store_entry *entry = store_entry_new(table, key, key_size, NULL, 0);
    entry->is_removal = true;
    return store->kind->add(store, entry);
}

bool store_get(struct store *store, enum store_table table, const void *key, size_t key_size,
               struct buffer *out)
{
    check_key(table, key, key_size);
    return store->kind->get(store, table, key, key_size, out);
}

// As above. NOLINTNEXTLINE(readability-function-size)
bool store_each(struct store *store, enum store_table table, const void *from, size_t from_size,
                store_visitor *visitor, void *context)
{
    assert((unsigned)table < STORE_TABLES_COUNT);
    assert(from == NULL || (from_size >= 1 && from_size <= STORE_KEY_SIZE_MAX));
    return store->kind->each(store, &(struct store_range){.table = table,
                                                          .from = from,
                                                          .from_size = from == NULL ? 0 : from_size,
                                                          .visitor = visitor,
                                                          .context = context});
}

uint64_t store_durable(const struct store *store)
{
    return store->kind->durable(store);
}

enum store_health store_health(const struct store *store)
{
    return store->kind->health(store);
}

void store_health_text(const struct store *store, char *out, size_t capacity)
{
    store->kind->describe_health(store, out, capacity);
}

uint64_t store_pending_bytes(const struct store *store)
{
    return store->kind->pending_bytes(store);
}

bool store_next_commit(struct store *store, struct store_commit *commit)
{
    return store->kind->next_commit(store, commit);
}

bool store_settle(struct store *store, unsigned timeout_ms)
{
    return store->kind->settle(store, timeout_ms);
}

void store_close(struct store *store)
{
    if (store != NULL)
        store->kind->close(store);
}
