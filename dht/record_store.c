#include "dht/record_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct stored {
    struct hash256 key;
    struct sign_key maker;
    uint64_t seq;
    uint32_t expiry;
    struct mono_time drop_at;
    struct address_group near; // of who asked
    uint16_t size;
    uint8_t bytes[RECORD_SIZE_MAX];
};

struct record_store {
    struct record_store_config config;
    size_t count;
    size_t capacity;
    struct stored *records;
};

struct record_store *record_store_new(const struct record_store_config *config)
{
    struct record_store *store = calloc(1, sizeof *store);
    assert(config->count_max > 0 && config->count_max <= RECORD_STORE_MAX);
    if (store != NULL)
        store->config = *config;
    return store;
}

void record_store_free(struct record_store *store)
{
    if (store == NULL)
        return;
    free(store->records);
    free(store);
}

// How the store stands towards a put.
struct census {
    struct stored *same; // of the same maker under the same key
    struct stored *furthest;
    size_t near;
    size_t under_key;
};

static uint64_t distance_of(const struct record_store *store, const struct hash256 *key)
{
    return id_distance(id_start_of(&store->config.own.hash), id_start_of(key));
}

static struct census take_census(struct record_store *store, const struct record_put *put)
{
    struct census census = {0};
    uint64_t group = address_group_near(&put->asker).value;
    for (size_t i = 0; i < store->count; i++) {
        struct stored *stored = &store->records[i];
        bool is_under_key = hash_equal(&stored->key, &put->key);
        census.under_key += is_under_key;
        census.near += stored->near.value == group;
        if (is_under_key && memcmp(&stored->maker, &put->maker, sizeof put->maker) == 0)
            census.same = stored;
        if (census.furthest == NULL ||
            distance_of(store, &stored->key) > distance_of(store, &census.furthest->key))
            census.furthest = stored;
    }
    return census;
}

static void fill(struct stored *stored, const struct record_put *put, struct now now)
{
    stored->key = put->key;
    stored->maker = put->maker;
    stored->seq = put->seq;
    stored->expiry = put->expiry;
    stored->drop_at.ms = now.mono.ms + RECORD_STORE_LIFETIME_MS;
    stored->near = address_group_near(&put->asker);
    stored->size = (uint16_t)put->record.size;
    memcpy(stored->bytes, put->record.data, put->record.size);
}

// A free place at the end, or NULL.
static struct stored *append(struct record_store *store)
{
    if (store->count == store->config.count_max)
        return NULL;
    if (store->count == store->capacity) {
        size_t capacity = store->capacity == 0 ? 8 : 2 * store->capacity;
        struct stored *records = realloc(store->records, capacity * sizeof *records);
        if (records == NULL)
            return NULL;
        store->records = records;
        store->capacity = capacity;
    }
    return &store->records[store->count++];
}

enum dht_status record_store_put(struct record_store *store, const struct record_put *put,
                                 struct now now)
{
    assert(put->record.size <= RECORD_SIZE_MAX);
    record_store_expire(store, now);
    struct census census = take_census(store, put);
    if (census.same != NULL) {
        // Equal seq and equal bytes renew; two records of one seq are a lie of their maker.
        bool is_equal = census.same->seq == put->seq && census.same->size == put->record.size &&
                        memcmp(census.same->bytes, put->record.data, put->record.size) == 0;
        if (!is_equal && put->seq <= census.same->seq)
            return DHT_OLD;
        struct address_group near = census.same->near;
        fill(census.same, put, now);
        census.same->near = near; // who asked first stays charged
        return DHT_OK;
    }
    if (census.under_key >= RECORD_STORE_KEY_MAX ||
        (!store->config.is_crowded && census.near >= RECORD_STORE_NEAR_MAX))
        return DHT_FULL;
    struct stored *place = append(store);
    if (place == NULL && census.furthest != NULL &&
        distance_of(store, &put->key) < distance_of(store, &census.furthest->key))
        place = census.furthest;
    if (place == NULL)
        return DHT_FULL;
    fill(place, put, now);
    return DHT_OK;
}

size_t record_store_get(struct record_store *store, const struct hash256 *key,
                        const struct env *env, struct message_bytes *out, size_t count_max)
{
    size_t seen = 0;
    // Reservoir sampling: every record has the same chance.
    for (size_t i = 0; i < store->count; i++) {
        const struct stored *stored = &store->records[i];
        if (!hash_equal(&stored->key, key))
            continue;
        seen++;
        size_t at = seen <= count_max ? seen - 1 : (size_t)env_random_below(env, seen);
        if (at < count_max)
            out[at] = (struct message_bytes){stored->bytes, stored->size};
    }
    return seen < count_max ? seen : count_max;
}

void record_store_expire(struct record_store *store, struct now now)
{
    for (size_t i = store->count; i-- > 0;) {
        const struct stored *stored = &store->records[i];
        if (stored->drop_at.ms > now.mono.ms && (int64_t)stored->expiry > wall_seconds(now.wall))
            continue;
        store->records[i] = store->records[--store->count];
    }
}

size_t record_store_count(const struct record_store *store)
{
    return store->count;
}
