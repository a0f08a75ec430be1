// One engine of gossip, what it said, and what it was told.
#ifndef SHOAL_TESTS_UNIT_DHT_GOSSIP_BENCH_H
#define SHOAL_TESTS_UNIT_DHT_GOSSIP_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/dht/gossip_fixture.h"
#include "tests/unit/sharechain/seeded.h"

#define SENT_MAX     8192
#define PEERS_MAX    128
#define LAST_WAIT_MS 50

struct sent {
    uint32_t peer;
    enum link_lane lane;
    enum peer_message_type type;
    size_t ids_count;
    struct hash256 id; // the first one, or that of the share
    size_t body_size;
};

struct bench {
    struct seeded seeded;
    struct env env;
    struct toy_chain chain;
    struct gossip *gossip;
    struct sent sent[SENT_MAX];
    size_t sent_count;
    bool is_full[PEERS_MAX]; // links that take nothing
    size_t faults[PEERS_MAX][3];
    size_t delivered[PEERS_MAX];
    size_t blocks;
    int64_t ms;
};

static inline bool take(void *context, uint32_t peer, enum link_lane lane,
                        enum peer_message_type type, struct shared_bytes *bytes)
{
    struct bench *bench = context;
    struct peer_message message;
    assert_true(peer < PEERS_MAX);
    assert_true(peer_message_decode((uint8_t)type, shared_bytes_data(bytes),
                                    shared_bytes_size(bytes), &message));
    if (bench->is_full[peer])
        return false;
    assert_true(bench->sent_count < SENT_MAX);
    struct sent *sent = &bench->sent[bench->sent_count++];
    *sent = (struct sent){.peer = peer, .lane = lane, .type = type, .body_size = message.body.size};
    sent->ids_count = peer_ids_count(&message.ids);
    if (sent->ids_count > 0) {
        peer_id_at(&message.ids, 0, &sent->id);
    } else if (message.share.size > 0) {
        crypto_hash_sha256(sent->id.bytes, message.share.data + 1, 80);
        crypto_hash_sha256(sent->id.bytes, sent->id.bytes, 32);
    }
    return true;
}

static inline void blame(void *context, uint32_t peer, enum gossip_fault fault, struct now now)
{
    struct bench *bench = context;
    (void)now;
    bench->faults[peer][fault]++;
}

static inline void note_delivery(void *context, uint32_t peer, const struct hash256 *id,
                                 struct now now)
{
    struct bench *bench = context;
    (void)id;
    (void)now;
    bench->delivered[peer]++;
}

static inline void note_block(void *context, const struct hash256 *id, const uint8_t *block,
                              size_t size)
{
    struct bench *bench = context;
    assert_true(toy_is_block(&bench->chain, id, block, size));
    bench->blocks++;
}

static inline struct bench *bench_new(size_t seen_max)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->seeded.state = 7;
    bench->env = seeded_env(&bench->seeded);
    toy_chain_init(&bench->chain, &bench->env);
    struct gossip_config config = {.chain = &bench->chain.table,
                                   .events = {bench, take, blame, note_delivery, note_block},
                                   .seen_max = seen_max};
    bench->gossip = gossip_new(&bench->env, &config);
    assert_non_null(bench->gossip);
    bench->ms = 1000;
    return bench;
}

static inline void bench_free(struct bench *bench)
{
    gossip_free(bench->gossip);
    toy_chain_clear(&bench->chain);
    seeded_env_clear(&bench->env);
    free(bench);
}

static inline void open_peers(struct bench *bench, uint32_t first, uint32_t last)
{
    for (uint32_t peer = first; peer <= last; peer++)
        assert_true(gossip_peer_opened(bench->gossip, peer, toy_now(bench->ms)));
}

// Everything up to then that is due.
static inline void run_until(struct bench *bench, int64_t ms)
{
    for (int64_t due; (due = gossip_next_deadline(bench->gossip).ms) <= ms;) {
        bench->ms = due > bench->ms ? due : bench->ms;
        gossip_tick(bench->gossip, toy_now(bench->ms));
    }
    bench->ms = ms;
}

static inline void give(struct bench *bench, uint32_t peer, const struct peer_message *message)
{
    gossip_receive(bench->gossip, peer, message, toy_now(bench->ms));
    toy_tell(&bench->chain, bench->gossip, false, toy_now(bench->ms));
    run_until(bench, bench->ms);
}

static inline void give_share(struct bench *bench, uint32_t peer, const uint8_t bytes[TOY_SIZE])
{
    struct peer_message message = {.type = PEER_SHARE, .share = {bytes, TOY_SIZE}};
    give(bench, peer, &message);
}

static inline void give_ids(struct bench *bench, uint32_t peer, enum peer_message_type type,
                            const struct hash256 *ids, size_t count)
{
    struct peer_message message = {.type = type, .ids = {ids->bytes, count * sizeof *ids}};
    give(bench, peer, &message);
}

static inline void tell_own(struct bench *bench, const uint8_t bytes[TOY_SIZE], const char *body)
{
    bench->chain.told =
        toy_keep(&bench->chain, bytes, (const uint8_t *)body, body == NULL ? 0 : strlen(body));
    toy_tell(&bench->chain, bench->gossip, true, toy_now(bench->ms));
    run_until(bench, bench->ms);
}

// How often this was sent to the peer (0: to anybody).
static inline size_t count_sent(const struct bench *bench, uint32_t peer,
                                enum peer_message_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < bench->sent_count; i++)
        count += bench->sent[i].type == type && (peer == 0 || bench->sent[i].peer == peer);
    return count;
}

static inline bool was_sent(const struct bench *bench, uint32_t peer, enum peer_message_type type,
                            const struct hash256 *id)
{
    for (size_t i = 0; i < bench->sent_count; i++) {
        const struct sent *sent = &bench->sent[i];
        if (sent->peer == peer && sent->type == type && hash_equal(&sent->id, id))
            return true;
    }
    return false;
}

static inline size_t count_unchoked(const struct bench *bench, uint32_t first, uint32_t last)
{
    size_t count = 0;
    for (uint32_t peer = first; peer <= last; peer++) {
        struct gossip_peer_view view;
        assert_true(gossip_peer(bench->gossip, peer, &view));
        count += !view.we_choke;
    }
    return count;
}

#endif
