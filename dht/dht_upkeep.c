// What the engine does by itself: joins, keeps its tables alive, publishes its record.
#include "dht/dht_state.h"

#define BOOT_WAIT_MS      250 // for more than the first answer
#define BOOT_AGAIN_MAX_MS 60000
#define PING_MS           10000  // the longest silence between two checks of old nodes
#define PING_ROUND_MS     300000 // all of a table are checked in about this time
#define REFRESH_MS        900000
#define OWN_SEARCH_MS     300000
#define PUBLISH_MS        2700000
#define FILLED_BUCKETS    64

static size_t nodes_count(const struct dht *dht)
{
    size_t count = 0;
    for (unsigned i = 0; i < TABLES_COUNT; i++)
        count += dht->tables[i] == NULL ? 0 : routing_table_count(dht->tables[i]);
    return count;
}

static bool is_booting(const struct dht *dht)
{
    for (size_t i = 0; i < dht->queries_count; i++) {
        if (dht->queries[i].purpose == QUERY_BOOT)
            return true;
    }
    return false;
}

static void ask_all(struct dht *dht, struct now now)
{
    struct query query = {
        .purpose = QUERY_BOOT, .method = DHT_FIND, .key = dht->config.identity->id.hash};
    for (size_t i = 0; i < dht->seeds_count; i++) {
        query.to = dht->seeds[i];
        dht_query(dht, &query, now);
    }
    query.has_id_start = true;
    for (size_t i = 0; i < dht->saved_count; i++) {
        query.to = hint_of(&dht->saved[i]);
        dht_query(dht, &query, now);
    }
    dht->join.state = JOIN_ASKING;
    dht_fill_begin(dht);
    dht->join.since = now.mono;
    dht->join.again_at.ms = now.mono.ms + dht->join.wait_ms;
    dht->join.wait_ms *= 2;
    if (dht->join.wait_ms > BOOT_AGAIN_MAX_MS)
        dht->join.wait_ms = BOOT_AGAIN_MAX_MS;
}

static void search_own(struct dht *dht, enum search_use use, unsigned paths, struct now now)
{
    struct search_start start = {DHT_SEARCH_NODES, use, dht->config.identity->id.hash, paths};
    dht->upkeep.own_search_at.ms = now.mono.ms + OWN_SEARCH_MS;
    dht_search(dht, &start, now);
}

// Starts look-ups in buckets that had none for a while; false if there is no such bucket.
static bool refresh(struct dht *dht, struct now now)
{
    bool is_due = false;
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        struct search_start start = {.use = SEARCH_REFRESH, .paths = DHT_PATHS_ROUTINE};
        if (dht->tables[i] == NULL || dht->searches_count >= DHT_SEARCHES_MAX / 2 ||
            !routing_table_refresh(dht->tables[i], &dht->env, REFRESH_MS, now.mono, &start.key))
            continue;
        dht_search(dht, &start, now);
        is_due = true;
    }
    return is_due;
}

static void join_asking(struct dht *dht, struct now now)
{
    bool is_waiting = is_booting(dht);
    bool has_waited = now.mono.ms >= dht->join.since.ms + BOOT_WAIT_MS;
    if (nodes_count(dht) > 0 && (has_waited || !is_waiting)) {
        dht->join.state = JOIN_FILLING;
        search_own(dht, SEARCH_JOIN, DHT_PATHS_CAREFUL, now);
    } else if (!is_waiting && now.mono.ms >= dht->join.again_at.ms) {
        ask_all(dht, now);
    }
}

// Buckets that were filled well are as if looked up; the others are, soon.
static void note_filled(struct dht *dht, struct now now)
{
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        for (unsigned bucket = 0; dht->tables[i] != NULL && bucket < FILLED_BUCKETS; bucket++) {
            if (2 * routing_table_bucket_count(dht->tables[i], bucket) >=
                routing_bucket_places(bucket))
                routing_table_looked_up(dht->tables[i], bucket, now.mono);
        }
    }
}

static void join_filling(struct dht *dht, struct now now)
{
    if (dht_fill_pump(dht, now) || dht_has_search(dht, SEARCH_JOIN, 1))
        return;
    note_filled(dht, now);
    dht_fill_end(dht);
    dht->join.state = JOIN_DONE;
    dht->join.wait_ms = BOOT_AGAIN_MS;
    dht->upkeep.ping_at = now.mono;
    dht->events.joined(dht->config.context, now);
}

static void join_tick(struct dht *dht, struct now now)
{
    switch (dht->join.state) {
    case JOIN_IDLE:
        return;
    case JOIN_ASKING:
        join_asking(dht, now);
        return;
    case JOIN_FILLING:
        join_filling(dht, now);
        return;
    case JOIN_DONE:
        if (nodes_count(dht) == 0)
            ask_all(dht, now);
        return;
    }
}

static void ping(struct dht *dht, const struct contact *contact, struct now now)
{
    struct query query = {
        .purpose = QUERY_PING, .to = hint_of(contact), .has_id_start = true, .method = DHT_PING};
    dht_query(dht, &query, now);
}

static void check_suspects(struct dht *dht, struct now now)
{
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        struct contact contact;
        if (dht->tables[i] == NULL)
            continue;
        while (routing_table_next_ping(dht->tables[i], now.mono, &contact))
            ping(dht, &contact, now);
        routing_table_tick(dht->tables[i], now.mono);
    }
}

static void check_old(struct dht *dht, struct now now)
{
    // Of nodes that stay for an hour one in twelve is gone after five minutes: tables hold few.
    uint64_t mean_ms = PING_ROUND_MS / (nodes_count(dht) + 1);
    uint64_t most_ms = 2 * mean_ms < PING_MS ? 2 * mean_ms : PING_MS;
    dht->upkeep.ping_at.ms = now.mono.ms + 1 + (int64_t)env_random_below(&dht->env, most_ms + 1);
    if (dht->join.state != JOIN_DONE)
        return;
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        const struct routing_node *oldest =
            dht->tables[i] == NULL ? NULL : routing_table_oldest(dht->tables[i]);
        if (oldest != NULL && now.mono.ms - oldest->answered.ms > PING_MS)
            ping(dht, &oldest->contact, now);
    }
    if (!dht_has_search(dht, SEARCH_REFRESH, 1))
        refresh(dht, now);
    record_store_expire(dht->store, now);
}

void dht_publish_soon(struct dht *dht, struct now now)
{
    dht->upkeep.publish_at = now.mono;
}

// One key at a time: our own id, then the topics.
static void publish_tick(struct dht *dht, struct now now)
{
    struct search_start start = {.kind = DHT_SEARCH_PUBLISH,
                                 .use = SEARCH_UPKEEP,
                                 .key = dht->config.identity->id.hash,
                                 .paths = DHT_PATHS_CAREFUL};
    bool is_entry = (dht->own.flags & RECORD_ENTRY_POINT) && dht->has_block[0];
    unsigned steps = is_entry ? 1 + DHT_TOPIC_KEYS : 1;
    if (dht->join.state != JOIN_DONE || !dht_is_reachable(dht))
        return;
    if (now.mono.ms >= dht->upkeep.publish_at.ms) {
        // "45 min, a fifth more or less", so that nobody knows when
        int64_t fifth = PUBLISH_MS / 5;
        int64_t spread = (int64_t)env_random_below(&dht->env, (uint64_t)(2 * fifth));
        dht->upkeep.publish_at.ms = now.mono.ms + PUBLISH_MS - fifth + spread;
        dht->upkeep.publish_step = 0;
    }
    if (dht->upkeep.publish_step >= steps || dht_has_search(dht, SEARCH_UPKEEP, 1))
        return;
    if (dht->upkeep.publish_step > 0)
        dht_topic_key(dht, dht->upkeep.publish_step - 1, &start.key);
    dht->upkeep.publish_step += dht_search(dht, &start, now) != 0;
}

void dht_upkeep_tick(struct dht *dht, struct now now)
{
    dht->upkeep.wake_at = MONO_NEVER;
    check_suspects(dht, now);
    join_tick(dht, now);
    if (now.mono.ms >= dht->upkeep.ping_at.ms)
        check_old(dht, now);
    if (dht->join.state == JOIN_DONE && now.mono.ms >= dht->upkeep.own_search_at.ms)
        search_own(dht, SEARCH_REFRESH, DHT_PATHS_ROUTINE, now);
    publish_tick(dht, now);
}

struct mono_time dht_upkeep_deadline(const struct dht *dht)
{
    struct mono_time deadline = mono_min(dht->upkeep.ping_at, dht->upkeep.wake_at);
    if (dht->join.state == JOIN_IDLE)
        return MONO_NEVER;
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        if (dht->tables[i] != NULL)
            deadline = mono_min(deadline, routing_table_next_deadline(dht->tables[i]));
    }
    if (dht->join.state == JOIN_ASKING) {
        struct mono_time answers = {dht->join.since.ms + BOOT_WAIT_MS};
        deadline = mono_min(deadline, nodes_count(dht) > 0 ? answers : dht->join.again_at);
    }
    if (dht->join.state == JOIN_DONE) {
        deadline = mono_min(deadline, dht->upkeep.own_search_at);
        if (dht_is_reachable(dht))
            deadline = mono_min(deadline, dht->upkeep.publish_at);
    }
    return deadline;
}
