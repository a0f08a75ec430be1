// Fills the tables of a node that joins. Answers name nodes; those that belong where places are
// free are asked themselves, and asked for more of their kind: one message to a place, where
// look-ups bucket by bucket would ask three times as many, and one after the other.
#include <stdlib.h>
#include "dht/dht_state.h"

#define HINTS_MAX   192
#define AT_ONCE     32  // queries that are not late
#define QUERIES_SUM 268 // of one join: tables hold about 250 nodes
#define TAKEN_MAX   8   // of one answer for one bucket: nobody fills a bucket alone
#define EXPLORED    3   // in vain: there are no others
#define NEAREST     16  // of them our own search told
#define BUCKETS     64  // of those that hints can tell apart

struct fill {
    struct hint hints[HINTS_MAX];
    size_t count;
    size_t queries; // in all
    // Queries on their way to strangers who belong in a bucket, of each family.
    uint8_t waiting[TABLES_COUNT][BUCKETS];
    size_t waiting_count;
    bool has_spare; // queries, for more than the usual places
    // Nodes that we know were asked so often in a row for such of a bucket, in vain.
    uint8_t explored[TABLES_COUNT][BUCKETS];
};

bool dht_fill_begin(struct dht *dht)
{
    if (dht->fill == NULL)
        dht->fill = calloc(1, sizeof *dht->fill);
    return dht->fill != NULL;
}

void dht_fill_end(struct dht *dht)
{
    free(dht->fill);
    dht->fill = NULL;
}

static unsigned family_of(const struct hint *hint)
{
    return hint->endpoint.address.family == ADDRESS_IPV6;
}

// BUCKETS for our own id.
static unsigned bucket_of(const struct dht *dht, const struct hint *hint)
{
    uint64_t distance = id_distance(hint->id_start, id_start_of(&dht->config.identity->id.hash));
    return distance == 0 ? BUCKETS : (unsigned)__builtin_clzll(distance);
}

// Places that nobody has and nobody who is asked would take.
static size_t free_places(const struct dht *dht, unsigned family, unsigned bucket)
{
    const struct routing_table *table = dht->tables[family];
    size_t taken = routing_table_bucket_count(table, bucket) + dht->fill->waiting[family][bucket];
    size_t places = routing_bucket_places(bucket);
    return taken < places ? places - taken : 0;
}

static bool is_known(const struct dht *dht, const struct hint *hint)
{
    const struct fill *fill = dht->fill;
    for (size_t i = 0; i < fill->count; i++) {
        if (dht_key_equal(&fill->hints[i].key, &hint->key))
            return true;
    }
    for (size_t i = 0; i < dht->queries_count; i++) {
        if (dht_key_equal(&dht->queries[i].to.key, &hint->key))
            return true;
    }
    return routing_table_find_hint(dht->tables[family_of(hint)], hint) != NULL;
}

static void count_waiting(struct dht *dht)
{
    struct fill *fill = dht->fill;
    fill->waiting_count = 0;
    for (unsigned family = 0; family < TABLES_COUNT; family++) {
        for (unsigned bucket = 0; bucket < BUCKETS; bucket++)
            fill->waiting[family][bucket] = 0;
    }
    for (size_t i = 0; i < dht->queries_count; i++) {
        const struct query *query = &dht->queries[i];
        if (query->purpose != QUERY_FILL || query->is_late)
            continue;
        fill->waiting_count++;
        if (!query->is_known)
            fill->waiting[family_of(&query->to)][bucket_of(dht, &query->to)]++;
    }
}

void dht_fill_take(struct dht *dht, const struct hint *hints, size_t count)
{
    struct fill *fill = dht->fill;
    uint8_t taken[BUCKETS] = {0};
    if (fill != NULL)
        count_waiting(dht);
    for (size_t i = 0; fill != NULL && i < count && fill->count < HINTS_MAX; i++) {
        const struct hint *hint = &hints[i];
        unsigned bucket = bucket_of(dht, hint);
        if (dht_table_of(dht, &hint->endpoint) == NULL || bucket == BUCKETS ||
            taken[bucket] == TAKEN_MAX || free_places(dht, family_of(hint), bucket) == 0 ||
            is_known(dht, hint))
            continue;
        taken[bucket]++;
        fill->explored[family_of(hint)][bucket] = 0;
        fill->hints[fill->count++] = *hint;
    }
}

// How much a bucket wants one more: places of the usual size first, and what the first two buckets
// have beyond it only as far as queries are left for the others. 0: it is full.
static size_t urgency_of(const struct dht *dht, const struct hint *hint)
{
    unsigned bucket = bucket_of(dht, hint);
    size_t places = routing_bucket_places(bucket);
    size_t free = free_places(dht, family_of(hint), bucket);
    size_t beyond = places - ROUTING_BUCKET_MAX;
    if (free > beyond)
        return ROUTING_BUCKET_0_MAX + free - beyond;
    return dht->fill->has_spare ? free : 0;
}

// Whether more queries are left than the usual places of all buckets may need, one in five lost.
// What is nearer than our NEAREST neighbours was told by our own search and lacks nothing.
static bool has_spare(const struct dht *dht)
{
    const struct fill *fill = dht->fill;
    size_t lacking = 0;
    for (unsigned family = 0; family < TABLES_COUNT; family++) {
        const struct routing_table *table = dht->tables[family];
        size_t nearer = 0;
        for (unsigned bucket = BUCKETS; table != NULL && bucket-- > 0;) {
            size_t free = free_places(dht, family, bucket);
            size_t beyond = routing_bucket_places(bucket) - ROUTING_BUCKET_MAX;
            nearer += routing_table_bucket_count(table, bucket);
            if (nearer > NEAREST && free > beyond && fill->explored[family][bucket] < EXPLORED)
                lacking += free - beyond;
        }
    }
    return fill->queries + lacking + lacking / 4 < QUERIES_SUM;
}

// The hint whose bucket wants it most; hints of full buckets are forgotten. fill->count: none.
static size_t choose(struct dht *dht)
{
    struct fill *fill = dht->fill;
    size_t best = SIZE_MAX;
    size_t best_urgency = 0;
    for (size_t i = fill->count; i-- > 0;) {
        size_t urgency = urgency_of(dht, &fill->hints[i]);
        if (free_places(dht, family_of(&fill->hints[i]), bucket_of(dht, &fill->hints[i])) == 0) {
            fill->hints[i] = fill->hints[--fill->count];
            best = best == fill->count ? i : best;
        } else if (urgency > best_urgency) {
            best = i;
            best_urgency = urgency;
        }
    }
    return best_urgency == 0 ? fill->count : best;
}

static void ask(struct dht *dht, const struct hint *hint, const struct hash256 *key, struct now now)
{
    struct query query = {
        .purpose = QUERY_FILL, .to = *hint, .has_id_start = true, .method = DHT_FIND, .key = *key};
    if (!dht_query(dht, &query, now))
        return;
    dht->fill->queries++;
    count_waiting(dht);
}

static bool has_hint(const struct dht *dht, unsigned family, unsigned bucket)
{
    const struct fill *fill = dht->fill;
    for (size_t i = 0; i < fill->count; i++) {
        if (family_of(&fill->hints[i]) == family && bucket_of(dht, &fill->hints[i]) == bucket)
            return true;
    }
    return false;
}

// Where nobody was named who would fill a place: asks one of those who should know.
static void explore(struct dht *dht, unsigned family, unsigned bucket, struct now now)
{
    struct fill *fill = dht->fill;
    struct contact contacts[LOOKUP_ALPHA];
    struct hash256 key;
    if (fill->explored[family][bucket] == EXPLORED || free_places(dht, family, bucket) == 0 ||
        has_hint(dht, family, bucket))
        return;
    routing_table_random_id(dht->tables[family], &dht->env, bucket, &key);
    size_t count = routing_table_closest(dht->tables[family], &key, contacts, LOOKUP_ALPHA);
    if (count == 0)
        return;
    struct hint hint = hint_of(&contacts[env_random_below(&dht->env, count)]);
    fill->explored[family][bucket]++;
    ask(dht, &hint, &key, now);
}

// From the nearest bucket that our own search has not told all of, to the furthest.
static void explore_all(struct dht *dht, struct now now)
{
    for (unsigned family = 0; family < TABLES_COUNT; family++) {
        const struct routing_table *table = dht->tables[family];
        size_t nearer = 0;
        for (unsigned bucket = BUCKETS; table != NULL && bucket-- > 0;) {
            nearer += routing_table_bucket_count(table, bucket);
            if (nearer > NEAREST && dht->fill->waiting_count < AT_ONCE)
                explore(dht, family, bucket, now);
        }
    }
}

bool dht_fill_pump(struct dht *dht, struct now now)
{
    struct fill *fill = dht->fill;
    struct hash256 key;
    if (fill == NULL)
        return false;
    count_waiting(dht);
    while (fill->waiting_count < AT_ONCE && fill->queries < QUERIES_SUM &&
           dht->queries_count < QUERIES_UPKEEP) {
        fill->has_spare = has_spare(dht);
        size_t chosen = choose(dht);
        if (chosen == fill->count)
            break;
        struct hint hint = fill->hints[chosen];
        fill->hints[chosen] = fill->hints[--fill->count];
        routing_table_random_id(dht->tables[family_of(&hint)], &dht->env, bucket_of(dht, &hint),
                                &key);
        ask(dht, &hint, &key, now);
    }
    if (fill->queries < QUERIES_SUM)
        explore_all(dht, now);
    return fill->waiting_count > 0;
}
