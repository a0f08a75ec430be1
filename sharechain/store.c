#include "sharechain/store.h"

#include <assert.h>
#include <string.h>

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

uint64_t store_put(struct store *store, enum store_table table, const void *key, size_t key_size,
                   const void *value, size_t value_size)
{
    check_key(table, key, key_size);
    assert(!is_schema_record(table, key, key_size));
    return store->kind->put(store, table, key, key_size, value, value_size);
}

uint64_t store_remove(struct store *store, enum store_table table, const void *key, size_t key_size)
{
    check_key(table, key, key_size);
    assert(!is_schema_record(table, key, key_size));
    return store->kind->remove(store, table, key, key_size);
}

bool store_get(struct store *store, enum store_table table, const void *key, size_t key_size,
               struct buffer *out)
{
    check_key(table, key, key_size);
    return store->kind->get(store, table, key, key_size, out);
}

bool store_each(struct store *store, enum store_table table, const void *from, size_t from_size,
                store_visitor *visitor, void *context)
{
    assert((unsigned)table < STORE_TABLES_COUNT);
    assert(from == NULL || (from_size >= 1 && from_size <= STORE_KEY_SIZE_MAX));
    return store->kind->each(store, table, from, from == NULL ? 0 : from_size, visitor, context);
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

bool store_settle(struct store *store, unsigned timeout_ms)
{
    return store->kind->settle(store, timeout_ms);
}

void store_close(struct store *store)
{
    if (store != NULL)
        store->kind->close(store);
}
