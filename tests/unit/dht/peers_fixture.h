// Nodes, links and time for the tests of peers. Node n has a key made of n, and an address that the
// test says; nothing is signed, as peers_heard is told verified records.
#ifndef SHOAL_TESTS_UNIT_DHT_PEERS_FIXTURE_H
#define SHOAL_TESTS_UNIT_DHT_PEERS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dht/peers.h"
#include "tests/unit/dht/node_fixture.h"

struct pool {
    struct seeded seeded;
    struct env env;
    struct membership membership;
    struct peers *peers;
    struct now now;
    uint32_t last_peer;
};

static inline struct peers_config pool_config(const struct pool *pool)
{
    struct peers_config config = {.membership = &pool->membership};
    memset(config.own.hash.bytes, 0x80, sizeof config.own.hash.bytes);
    return config;
}

// `config` NULL: pool_config.
static inline void pool_open(struct pool *pool, const struct peers_config *config)
{
    *pool = (struct pool){.seeded = {7}, .membership = node_membership()};
    pool->env = seeded_env(&pool->seeded);
    pool->now = (struct now){{1000000}, node_wall(0)};
    struct peers_config usual = pool_config(pool);
    if (config != NULL) {
        usual = *config;
        usual.membership = &pool->membership;
    }
    pool->peers = peers_new(&pool->env, &usual);
    assert_non_null(pool->peers);
}

static inline void pool_close(struct pool *pool)
{
    peers_free(pool->peers);
    seeded_env_clear(&pool->env);
}

static inline void pool_wait(struct pool *pool, int64_t ms)
{
    pool->now.mono.ms += ms;
    pool->now.wall.ms += ms;
}

static inline struct endpoint host(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct endpoint){address_ipv4((const uint8_t[4]){a, b, c, d}), 8400};
}

static inline struct endpoint host6(uint8_t network, uint8_t near, uint8_t house, uint8_t host)
{
    const uint8_t bytes[16] = {0x20, 1, network, 0, 0, near, 0, house, [15] = host};
    return (struct endpoint){address_ipv6(bytes), 8400};
}

// Every node n in a /16 of its own.
static inline struct endpoint apart(unsigned n)
{
    return host((uint8_t)(20 + n / 200), (uint8_t)(n % 200), 1, 1);
}

static inline struct transport_key key_of(unsigned n)
{
    struct transport_key key = {{0xbb, (uint8_t)n, (uint8_t)(n >> 8)}};
    return key;
}

static inline struct node_record record_of(const struct pool *pool, unsigned n, uint64_t seq,
                                           struct endpoint endpoint)
{
    struct node_record record = {.seq = seq, .transport_key = key_of(n)};
    memcpy(record.pool_prefix, pool->membership.pool_id.bytes, sizeof record.pool_prefix);
    record.sign_key = (struct sign_key){{0xaa, (uint8_t)n, (uint8_t)(n >> 8)}};
    record.expiry = (uint32_t)(wall_seconds(pool->now.wall) + RECORD_LIFETIME_SECONDS);
    record_set_endpoint(&record, &endpoint);
    return record;
}

static inline struct node_id id_of(unsigned n)
{
    struct node_id id;
    struct sign_key key = {{0xaa, (uint8_t)n, (uint8_t)(n >> 8)}};
    node_id_of(&key, 0, &id);
    return id;
}

static inline bool hear_record(struct pool *pool, const struct node_record *record)
{
    uint8_t bytes[RECORD_SIZE_MAX];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    record_encode(record, &out);
    return peers_heard(pool->peers, record, bytes, out.size, pool->now);
}

static inline bool hear(struct pool *pool, unsigned n, uint64_t seq, struct endpoint endpoint)
{
    struct node_record record = record_of(pool, n, seq, endpoint);
    return hear_record(pool, &record);
}

static inline void hear_many(struct pool *pool, unsigned first, unsigned count)
{
    for (unsigned n = first; n < first + count; n++)
        assert_true(hear(pool, n, 1, apart(n)));
}

static inline struct peers_link link_with(struct pool *pool, unsigned n, enum peer_way way,
                                          struct endpoint endpoint)
{
    return (struct peers_link){.peer = ++pool->last_peer,
                               .way = way,
                               .endpoint = endpoint,
                               .id = id_of(n),
                               .key = key_of(n)};
}

static inline enum peers_admission call_us(struct pool *pool, unsigned n, struct endpoint endpoint,
                                           uint32_t *evicted)
{
    struct peers_link link = link_with(pool, n, PEER_INBOUND, endpoint);
    return peers_opened(pool->peers, &link, pool->now, evicted);
}

// The next dial, answered: true with what it was and the number of its link.
static inline bool dial_one(struct pool *pool, struct peers_dial *dial, uint32_t *peer)
{
    uint32_t evicted;
    *peer = 0;
    if (!peers_next_dial(pool->peers, pool->now, dial))
        return false;
    *peer = ++pool->last_peer;
    struct peers_link link = {.peer = *peer,
                              .way = PEER_OUTBOUND,
                              .endpoint = dial->endpoint,
                              .id = dial->id,
                              .sign_key = dial->sign_key,
                              .key = dial->key};
    assert_int_equal(peers_opened(pool->peers, &link, pool->now, &evicted), PEERS_ADMITTED);
    return true;
}

static inline unsigned number_of(const struct transport_key *key)
{
    return key->bytes[1] + 256u * key->bytes[2];
}

static inline enum peer_place place_of(const struct pool *pool, uint32_t peer)
{
    struct peers_view view;
    return peers_view(pool->peers, peer, &view) ? view.place : PEER_PLACE_NONE;
}

static inline bool is_there(const struct pool *pool, uint32_t peer)
{
    struct peers_view view;
    return peers_view(pool->peers, peer, &view);
}

// How many of our links have this place.
static inline size_t count_places(const struct pool *pool, enum peer_place place)
{
    size_t count = 0;
    for (uint32_t peer = 1; peer <= pool->last_peer; peer++)
        count += is_there(pool, peer) && place_of(pool, peer) == place;
    return count;
}

// Node n answers after n + 1 ms. Dials, measures and drops until there is nothing to do; how many
// links were dropped.
static inline size_t settle(struct pool *pool)
{
    size_t dropped = 0;
    bool goes_on = true;
    for (unsigned round = 0; goes_on; round++) {
        struct peers_dial dial;
        uint32_t peer;
        assert_true(round < 2000);
        goes_on = false;
        while (peers_next_drop(pool->peers, pool->now, &peer)) {
            goes_on = true;
            dropped++;
        }
        while (dial_one(pool, &dial, &peer)) {
            goes_on = true;
            assert_true(peers_count(pool->peers, PEER_OUTBOUND) <= PEERS_OUTBOUND + PEERS_EXTRA);
            peers_round_trip(pool->peers, peer, number_of(&dial.key) + 1);
        }
    }
    return dropped;
}

#endif
