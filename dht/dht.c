#include "dht/dht.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "dht/dht_state.h"

#define OWN_RECORD_MS 1800000 // our record is signed anew when it is this old

static bool make_parts(struct dht *dht)
{
    const struct dht_config *config = &dht->config;
    struct routing_config routing = {config->identity->id, config->is_crowded};
    struct record_store_config store = {
        config->identity->id, config->records_max == 0 ? RECORD_STORE_MAX : config->records_max,
        config->is_crowded};
    bool has[TABLES_COUNT] = {config->has_ipv4, config->has_ipv6};
    dht->pair_keys = pair_keys_new(config->identity, config->membership, &dht->env);
    dht->store = record_store_new(&store);
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        dht->tables[i] = has[i] ? routing_table_new(&routing) : NULL;
        if (has[i] && dht->tables[i] == NULL)
            return false;
    }
    return dht->pair_keys != NULL && dht->store != NULL;
}

struct dht *dht_new(const struct env *env, const struct dht_config *config, struct now now)
{
    struct dht *dht = calloc(1, sizeof *dht);
    if (dht == NULL)
        return NULL;
    dht->env = *env;
    dht->config = *config;
    dht->events = *config->events;
    if (!make_parts(dht)) {
        dht_free(dht);
        return NULL;
    }
    token_keys_init(&dht->token_keys, env, now.mono);
    env_random_bytes(env, dht->rates.hash_key, sizeof dht->rates.hash_key);
    record_init(&dht->own, config->identity, config->membership, (uint64_t)wall_seconds(now.wall),
                now.wall);
    dht->join.wait_ms = BOOT_AGAIN_MS;
    dht->upkeep.publish_at = now.mono;
    dht->upkeep.wake_at = MONO_NEVER;
    dht->deadline = MONO_NEVER;
    return dht;
}

void dht_free(struct dht *dht)
{
    if (dht == NULL)
        return;
    while (dht->searches != NULL) {
        struct search *search = dht->searches;
        dht->searches = search->next;
        lookup_free(search->lookup);
        free(search);
    }
    dht_fill_end(dht);
    for (unsigned i = 0; i < TABLES_COUNT; i++)
        routing_table_free(dht->tables[i]);
    pair_keys_free(dht->pair_keys);
    record_store_free(dht->store);
    sodium_memzero(dht, sizeof *dht);
    free(dht);
}

struct routing_table *dht_table_of(const struct dht *dht, const struct endpoint *endpoint)
{
    switch (endpoint->address.family) {
    case ADDRESS_NONE:
        return NULL;
    case ADDRESS_IPV4:
        return dht->tables[0];
    case ADDRESS_IPV6:
        return dht->tables[1];
    }
    return NULL;
}

bool dht_add_seed(struct dht *dht, const struct endpoint *endpoint, const struct dht_key *key)
{
    if (dht->seeds_count == DHT_SEEDS_MAX)
        return false;
    dht->seeds[dht->seeds_count++] = (struct hint){.key = *key, .endpoint = *endpoint};
    return true;
}

bool dht_load(struct dht *dht, const void *data, size_t size)
{
    struct contact contacts[DHT_SAVED_ASKED];
    struct reader reader = reader_init(data, size);
    size_t total = 0;
    // One part for each family, each with its size before it.
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        size_t count;
        size_t part_size = read_u32(&reader);
        const uint8_t *part = read_view(&reader, part_size);
        if (reader.failed || part == NULL ||
            !routing_contacts_decode(part, part_size, contacts + total, DHT_SAVED_ASKED / 2,
                                     &count))
            return false;
        total += count;
    }
    if (!reader_is_done(&reader))
        return false;
    memcpy(dht->saved, contacts, total * sizeof contacts[0]);
    dht->saved_count = total;
    return true;
}

void dht_save(const struct dht *dht, struct buffer *out)
{
    static const uint8_t none[] = {1, 0, 0};
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        struct buffer part;
        buffer_init(&part, ROUTING_SAVED_SIZE_MAX);
        if (dht->tables[i] != NULL)
            routing_table_encode(dht->tables[i], &part);
        else
            write_bytes(&part, none, sizeof none);
        write_u32(out, (uint32_t)part.size);
        write_bytes(out, part.data, part.size);
        out->failed = out->failed || part.failed;
        buffer_clear(&part);
    }
}

void dht_start(struct dht *dht, struct now now)
{
    assert(dht->join.state == JOIN_IDLE);
    dht->join.state = JOIN_ASKING;
    dht->join.again_at = now.mono;
    dht->join.since = now.mono;
    dht->upkeep.ping_at = now.mono;
    dht_plan(dht);
}

void dht_receive(struct dht *dht, const struct endpoint *from, const void *data, size_t size,
                 struct now now)
{
    struct datagram_head head;
    struct message_bytes datagram = {data, size};
    if (dht_table_of(dht, from) == NULL || !datagram_head_decode(data, size, &head))
        return;
    token_keys_rotate(&dht->token_keys, &dht->env, now.mono);
    switch (head.kind) {
    case DATAGRAM_REQUEST:
        dht_take_request(dht, from, &head, datagram, now);
        dht_plan(dht);
        return;
    case DATAGRAM_ANSWER:
        dht_take_answer(dht, from, &head, datagram, now);
        break;
    case DATAGRAM_RETRY:
        dht_take_retry(dht, from, &head, now);
        break;
    }
    dht_searches_pump(dht, now);
    dht_upkeep_tick(dht, now);
    dht_searches_pump(dht, now);
    dht_plan(dht);
}

void dht_tick(struct dht *dht, struct now now)
{
    token_keys_rotate(&dht->token_keys, &dht->env, now.mono);
    dht_queries_tick(dht, now);
    dht_searches_pump(dht, now);
    dht_upkeep_tick(dht, now);
    dht_searches_pump(dht, now);
    dht_plan(dht);
}

struct mono_time dht_next_deadline(const struct dht *dht)
{
    return dht->deadline;
}

void dht_plan(struct dht *dht)
{
    dht->deadline = mono_min(dht_queries_deadline(dht), dht_upkeep_deadline(dht));
}

bool dht_is_reachable(const struct dht *dht)
{
    return (dht->own.flags & (RECORD_HAS_IPV4 | RECORD_HAS_IPV6)) != 0;
}

// Makes the next use sign it anew, with a higher seq.
static void change_own(struct dht *dht, struct now now)
{
    dht->own_size = 0;
    dht_publish_soon(dht, now);
    dht_plan(dht);
}

void dht_set_endpoint(struct dht *dht, const struct endpoint *endpoint, struct now now)
{
    if (endpoint->address.family == ADDRESS_NONE) {
        dht->own.flags &= (uint8_t) ~(RECORD_HAS_IPV4 | RECORD_HAS_IPV6);
        memset(&dht->own.ipv4, 0, sizeof dht->own.ipv4);
        memset(&dht->own.ipv6, 0, sizeof dht->own.ipv6);
    }
    record_set_endpoint(&dht->own, endpoint);
    change_own(dht, now);
}

void dht_set_entry_point(struct dht *dht, bool is_entry_point, struct now now)
{
    dht->own.flags &= (uint8_t)~RECORD_ENTRY_POINT;
    dht->own.flags |= is_entry_point ? RECORD_ENTRY_POINT : 0;
    change_own(dht, now);
}

void dht_set_work(struct dht *dht, const struct hash256 *share_id,
                  const uint8_t salt[RECORD_SALT_SIZE], struct now now)
{
    record_set_work(&dht->own, share_id, salt);
    change_own(dht, now);
}

void dht_renew_own(struct dht *dht, struct now now)
{
    struct buffer out;
    if (dht->own_size != 0 && now.mono.ms - dht->own_signed.ms < OWN_RECORD_MS)
        return;
    uint64_t seq = (uint64_t)wall_seconds(now.wall);
    dht->own.seq = seq > dht->own.seq ? seq : dht->own.seq + 1;
    dht->own.expiry = (uint32_t)(wall_seconds(now.wall) + RECORD_LIFETIME_SECONDS);
    record_sign(&dht->own, dht->config.identity);
    buffer_init_fixed(&out, dht->own_bytes, sizeof dht->own_bytes);
    record_encode(&dht->own, &out);
    assert(!out.failed);
    dht->own_size = out.size;
    dht->own_signed = now.mono;
}

void dht_own_record(struct dht *dht, struct buffer *out, struct now now)
{
    dht_renew_own(dht, now);
    write_bytes(out, dht->own_bytes, dht->own_size);
}

void dht_set_block(struct dht *dht, const struct hash256 *block)
{
    if (dht->has_block[0] && hash_equal(&dht->blocks[0], block))
        return;
    dht->blocks[1] = dht->blocks[0];
    dht->has_block[1] = dht->has_block[0];
    dht->blocks[0] = *block;
    dht->has_block[0] = true;
}

// "BLAKE2b-256("shoal topic" || pool_id || block || i)"
static void topic_key(const struct dht *dht, const struct hash256 *block, uint8_t i,
                      struct hash256 *key)
{
    static const char label[] = "shoal topic";
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof key->bytes);
    crypto_generichash_update(&state, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&state, dht->config.membership->pool_id.bytes, 32);
    crypto_generichash_update(&state, block->bytes, sizeof block->bytes);
    crypto_generichash_update(&state, &i, 1);
    crypto_generichash_final(&state, key->bytes, sizeof key->bytes);
}

void dht_topic_key(const struct dht *dht, unsigned i, struct hash256 *key)
{
    assert(i < DHT_TOPIC_KEYS);
    topic_key(dht, &dht->blocks[0], (uint8_t)i, key);
}

bool dht_belongs(const struct dht *dht, const struct node_record *record, const struct hash256 *key)
{
    struct node_id id;
    struct hash256 topic;
    record_node_id(record, &id);
    if (hash_equal(&id.hash, key))
        return true;
    for (uint8_t i = 0; i < 2 * DHT_TOPIC_KEYS && (record->flags & RECORD_ENTRY_POINT); i++) {
        unsigned block = i / DHT_TOPIC_KEYS;
        topic_key(dht, &dht->blocks[block], i % DHT_TOPIC_KEYS, &topic);
        if (dht->has_block[block] && hash_equal(&topic, key))
            return true;
    }
    return false;
}

uint64_t dht_find_nodes(struct dht *dht, const struct hash256 *key, unsigned paths, struct now now)
{
    struct search_start start = {DHT_SEARCH_NODES, SEARCH_OWNER, *key, paths};
    uint64_t search = dht_search(dht, &start, now);
    dht_plan(dht);
    return search;
}

uint64_t dht_find_records(struct dht *dht, const struct hash256 *key, unsigned paths,
                          struct now now)
{
    struct search_start start = {DHT_SEARCH_RECORDS, SEARCH_OWNER, *key, paths};
    uint64_t search = dht_search(dht, &start, now);
    dht_plan(dht);
    return search;
}

bool dht_ask_dial_back(struct dht *dht, enum address_family family, uint16_t port, struct now now)
{
    const struct endpoint of_family = {.address.family = family};
    const struct routing_table *table = dht_table_of(dht, &of_family);
    size_t count = table == NULL ? 0 : routing_table_count(table);
    assert(port != 0);
    if (count == 0)
        return false;
    size_t cursor = (size_t)env_random_below(&dht->env, count);
    const struct routing_node *node = routing_table_next(table, &cursor);
    struct query query = {.purpose = QUERY_DIAL_BACK,
                          .to = hint_of(&node->contact),
                          .has_id_start = true,
                          .method = DHT_DIAL_BACK,
                          .port = port};
    bool is_asked = dht_query(dht, &query, now);
    dht_plan(dht);
    return is_asked;
}

void dht_stats(const struct dht *dht, struct dht_stats *stats)
{
    *stats = dht->stats;
    stats->is_joined = dht->join.state == JOIN_DONE;
    stats->nodes_ipv4 = dht->tables[0] == NULL ? 0 : routing_table_count(dht->tables[0]);
    stats->nodes_ipv6 = dht->tables[1] == NULL ? 0 : routing_table_count(dht->tables[1]);
    stats->queries = dht->queries_count;
    stats->searches = dht->searches_count;
    stats->records = record_store_count(dht->store);
}

size_t dht_bucket_count(const struct dht *dht, unsigned bucket)
{
    size_t count = 0;
    for (unsigned i = 0; i < TABLES_COUNT; i++)
        count += dht->tables[i] == NULL ? 0 : routing_table_bucket_count(dht->tables[i], bucket);
    return count;
}

bool dht_next_contact(const struct dht *dht, size_t *cursor, struct contact *contact)
{
    size_t before = 0;
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        size_t count = dht->tables[i] == NULL ? 0 : routing_table_count(dht->tables[i]);
        if (*cursor < before + count) {
            size_t place = *cursor - before;
            *contact = routing_table_next(dht->tables[i], &place)->contact;
            (*cursor)++;
            return true;
        }
        before += count;
    }
    return false;
}
