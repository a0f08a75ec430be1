// Searches: a look-up each, and what is done with its end.
#include <stdlib.h>
#include <string.h>
#include "dht/dht_state.h"

#define RECORD_PATHS 2

bool dht_has_search(const struct dht *dht, enum search_use use, size_t count)
{
    for (const struct search *search = dht->searches; search != NULL; search = search->next) {
        if (search->use == use && count-- <= 1)
            return true;
    }
    return false;
}

static void begin(struct dht *dht, struct search *search)
{
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        struct contact contacts[ROUTING_BUCKET_0_MAX];
        struct lookup_start starts[ROUTING_BUCKET_0_MAX];
        if (dht->tables[i] == NULL)
            continue;
        size_t count = routing_table_closest(dht->tables[i], lookup_target(search->lookup),
                                             contacts, ROUTING_BUCKET_0_MAX);
        for (size_t k = 0; k < count; k++) {
            const struct routing_node *node = routing_table_find(dht->tables[i], &contacts[k].id);
            starts[k] = (struct lookup_start){contacts[k], rtt_ms(&node->rtt)};
        }
        lookup_begin(search->lookup, starts, count);
    }
}

uint64_t dht_search(struct dht *dht, const struct search_start *start, struct now now)
{
    struct lookup_config config = {start->key, dht->config.identity->dht_key, start->paths,
                                   dht->config.is_crowded};
    if (dht->searches_count >= DHT_SEARCHES_MAX)
        return 0;
    struct search *search = calloc(1, sizeof *search);
    if (search == NULL)
        return 0;
    search->lookup = lookup_new(&config);
    if (search->lookup == NULL) {
        free(search);
        return 0;
    }
    search->number = ++dht->next_number;
    search->kind = start->kind;
    search->use = start->use;
    search->paths = start->paths;
    search->is_due = true;
    search->started = now.mono;
    search->nearest_at = now.mono;
    search->nearest = UINT64_MAX;
    search->next = dht->searches;
    dht->searches = search;
    dht->searches_count++;
    begin(dht, search);
    // Its first queries leave at the next tick, which is due now.
    dht->upkeep.wake_at = now.mono;
    return search->number;
}

void dht_search_late(const struct query *query)
{
    query->search->is_due = true;
    if (query->purpose == QUERY_SEARCH)
        lookup_late(query->search->lookup, query->path, &query->to.key);
}

void dht_search_lost(struct dht *dht, const struct query *query, struct now now)
{
    (void)dht;
    (void)now;
    query->search->is_due = true;
    query->search->waiting--;
    if (query->purpose == QUERY_SEARCH)
        lookup_lost(query->search->lookup, query->path, &query->to.key);
}

// Keeps of each maker the newest record; which one that is now, or NULL if there is no place.
static const struct node_record *keep_record(struct search *search,
                                             const struct node_record *record)
{
    for (size_t i = 0; i < search->records_count; i++) {
        struct node_record *known = &search->records[i];
        if (memcmp(&known->sign_key, &record->sign_key, sizeof record->sign_key) != 0)
            continue;
        if (record->seq > known->seq) {
            *known = *record;
            search->newest_paths = 0;
        }
        return known;
    }
    if (search->records_count == DHT_RECORDS_MAX)
        return NULL;
    search->records[search->records_count] = *record;
    return &search->records[search->records_count++];
}

static void take_records(struct dht *dht, const struct query *query,
                         const struct dht_answer *answer, struct now now)
{
    struct search *search = query->search;
    const struct hash256 *key = lookup_target(search->lookup);
    for (size_t i = 0; i < answer->values_count; i++) {
        struct node_record record;
        struct node_id id;
        const struct message_bytes *value = &answer->values[i];
        if (record_verify(value->data, value->size, dht->config.membership, now.wall, &record) !=
                RECORD_VALID ||
            !dht_belongs(dht, &record, key))
            continue;
        const struct node_record *newest = keep_record(search, &record);
        record_node_id(&record, &id);
        if (newest != NULL && newest->seq == record.seq && hash_equal(&id.hash, key))
            search->newest_paths |= 1u << query->path;
    }
}

// A node has one record: where two paths that share nobody agree on the newest, more would only
// say it again.
static bool has_record(const struct search *search)
{
    int wanted = search->paths < RECORD_PATHS ? 1 : RECORD_PATHS;
    return search->kind == DHT_SEARCH_RECORDS && __builtin_popcount(search->newest_paths) >= wanted;
}

bool dht_is_usable(const struct dht *dht, const struct hint *hint)
{
    return dht_table_of(dht, &hint->endpoint) != NULL &&
           (dht->config.is_crowded || address_is_public(&hint->endpoint.address));
}

static void note_nearest(struct search *search, const struct contact *contact, struct now now)
{
    struct id_start target = id_start_of(lookup_target(search->lookup));
    uint64_t distance = id_distance(id_start_of(&contact->id.hash), target);
    if (distance >= search->nearest)
        return;
    search->nearest = distance;
    search->nearest_at = now.mono;
}

void dht_search_answered(struct dht *dht, const struct query *query, const struct contact *contact,
                         const struct dht_answer *answer, struct now now)
{
    struct search *search = query->search;
    struct hint hints[2 * MESSAGE_NODES_MAX];
    size_t count = 0;
    search->is_due = true;
    search->waiting--;
    if (query->purpose == QUERY_PUT) {
        search->kept += answer->status == DHT_OK;
        return;
    }
    for (size_t i = 0; i < answer->nodes_count; i++) {
        if (dht_is_usable(dht, &answer->nodes[i]))
            hints[count++] = answer->nodes[i];
    }
    take_records(dht, query, answer, now);
    note_nearest(search, contact, now);
    lookup_answered(search->lookup, query->path, contact, hints, count);
}

static void ask_next(struct dht *dht, struct search *search, struct now now)
{
    struct query query = {
        .purpose = QUERY_SEARCH,
        .has_id_start = true,
        .method = search->kind == DHT_SEARCH_RECORDS ? DHT_GET : DHT_FIND,
        .key = *lookup_target(search->lookup),
        .search = search,
    };
    while (dht->queries_count < QUERIES_UPKEEP) {
        search->is_due = lookup_next(search->lookup, &query.to, &query.path);
        if (!search->is_due)
            return;
        if (dht_query(dht, &query, now))
            search->waiting++;
        else
            lookup_lost(search->lookup, query.path, &query.to.key);
    }
}

static void put_all(struct dht *dht, struct search *search, struct now now)
{
    struct contact contacts[LOOKUP_RESULTS_MAX];
    size_t count = lookup_results(search->lookup, contacts);
    search->is_putting = true;
    for (size_t i = 0; i < count; i++) {
        struct query query = {
            .purpose = QUERY_PUT,
            .to = hint_of(&contacts[i]),
            .has_id_start = true,
            .method = DHT_PUT,
            .key = *lookup_target(search->lookup),
            .search = search,
        };
        search->waiting += dht_query(dht, &query, now);
    }
}

static void tell(struct dht *dht, const struct search *search, struct now now)
{
    struct contact contacts[LOOKUP_RESULTS_MAX];
    struct dht_found found = {.search = search->number,
                              .kind = search->kind,
                              .contacts = contacts,
                              .contacts_count = lookup_results(search->lookup, contacts),
                              .records = search->records,
                              .records_count = search->records_count,
                              .kept = search->kept,
                              .hops = lookup_hops(search->lookup),
                              .nearest_ms = (uint32_t)(search->nearest_at.ms - search->started.ms),
                              .queries = lookup_queries(search->lookup)};
    if (search->use == SEARCH_OWNER || search->kind == DHT_SEARCH_PUBLISH)
        dht->events.searched(dht->config.context, &found, now);
}

// Late queries of a search that ended are nobody's any more; their answers still count for tables.
static void forget(struct dht *dht, const struct search *search)
{
    for (size_t i = 0; i < dht->queries_count; i++) {
        if (dht->queries[i].search == search)
            dht->queries[i].search = NULL;
    }
}

static bool is_done(struct dht *dht, struct search *search, struct now now)
{
    if (search->is_putting)
        return search->waiting == 0;
    if (!search->is_due)
        return false;
    if (!has_record(search)) {
        ask_next(dht, search, now);
        if (!lookup_is_done(search->lookup))
            return false;
    }
    forget(dht, search);
    search->waiting = 0;
    if (search->kind == DHT_SEARCH_PUBLISH)
        put_all(dht, search, now);
    return !search->is_putting || search->waiting == 0;
}

void dht_searches_pump(struct dht *dht, struct now now)
{
    struct search **at = &dht->searches;
    struct search *done = NULL;
    while (*at != NULL) {
        struct search *search = *at;
        if (!is_done(dht, search, now)) {
            at = &search->next;
            continue;
        }
        *at = search->next;
        dht->searches_count--;
        search->next = done;
        done = search;
    }
    // Told when the list is whole again: the owner may start the next search.
    while (done != NULL) {
        struct search *next = done->next;
        dht->upkeep.wake_at = now.mono;
        tell(dht, done, now);
        lookup_free(done->lookup);
        free(done);
        done = next;
    }
}
