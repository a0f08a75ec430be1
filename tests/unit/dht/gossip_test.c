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

// One engine, what it said, and what it was told.
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

static bool take(void *context, uint32_t peer, enum link_lane lane, enum peer_message_type type,
                 struct shared_bytes *bytes)
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

static void blame(void *context, uint32_t peer, enum gossip_fault fault, struct now now)
{
    struct bench *bench = context;
    (void)now;
    bench->faults[peer][fault]++;
}

static void note_delivery(void *context, uint32_t peer, const struct hash256 *id, struct now now)
{
    struct bench *bench = context;
    (void)id;
    (void)now;
    bench->delivered[peer]++;
}

static void note_block(void *context, const struct hash256 *id, const uint8_t *block, size_t size)
{
    struct bench *bench = context;
    assert_true(toy_is_block(&bench->chain, id, block, size));
    bench->blocks++;
}

static struct bench *bench_new(size_t seen_max)
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

static void bench_free(struct bench *bench)
{
    gossip_free(bench->gossip);
    toy_chain_clear(&bench->chain);
    seeded_env_clear(&bench->env);
    free(bench);
}

static void open_peers(struct bench *bench, uint32_t first, uint32_t last)
{
    for (uint32_t peer = first; peer <= last; peer++)
        assert_true(gossip_peer_opened(bench->gossip, peer, toy_now(bench->ms)));
}

// Everything up to then that is due.
static void run_until(struct bench *bench, int64_t ms)
{
    for (int64_t due; (due = gossip_next_deadline(bench->gossip).ms) <= ms;) {
        bench->ms = due > bench->ms ? due : bench->ms;
        gossip_tick(bench->gossip, toy_now(bench->ms));
    }
    bench->ms = ms;
}

static void give(struct bench *bench, uint32_t peer, const struct peer_message *message)
{
    gossip_receive(bench->gossip, peer, message, toy_now(bench->ms));
    toy_tell(&bench->chain, bench->gossip, false, toy_now(bench->ms));
    run_until(bench, bench->ms);
}

static void give_share(struct bench *bench, uint32_t peer, const uint8_t bytes[TOY_SIZE])
{
    struct peer_message message = {.type = PEER_SHARE, .share = {bytes, TOY_SIZE}};
    give(bench, peer, &message);
}

static void give_ids(struct bench *bench, uint32_t peer, enum peer_message_type type,
                     const struct hash256 *ids, size_t count)
{
    struct peer_message message = {.type = type, .ids = {ids->bytes, count * sizeof *ids}};
    give(bench, peer, &message);
}

static void tell_own(struct bench *bench, const uint8_t bytes[TOY_SIZE], const char *body)
{
    bench->chain.told =
        toy_keep(&bench->chain, bytes, (const uint8_t *)body, body == NULL ? 0 : strlen(body));
    toy_tell(&bench->chain, bench->gossip, true, toy_now(bench->ms));
    run_until(bench, bench->ms);
}

// How often this was sent to the peer (0: to anybody).
static size_t count_sent(const struct bench *bench, uint32_t peer, enum peer_message_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < bench->sent_count; i++)
        count += bench->sent[i].type == type && (peer == 0 || bench->sent[i].peer == peer);
    return count;
}

static bool was_sent(const struct bench *bench, uint32_t peer, enum peer_message_type type,
                     const struct hash256 *id)
{
    for (size_t i = 0; i < bench->sent_count; i++) {
        const struct sent *sent = &bench->sent[i];
        if (sent->peer == peer && sent->type == type && hash_equal(&sent->id, id))
            return true;
    }
    return false;
}

static size_t count_unchoked(const struct bench *bench, uint32_t first, uint32_t last)
{
    size_t count = 0;
    for (uint32_t peer = first; peer <= last; peer++) {
        struct gossip_peer_view view;
        assert_true(gossip_peer(bench->gossip, peer, &view));
        count += !view.we_choke;
    }
    return count;
}

// ---- Telling

static void own_share_goes_to_all_even_if_they_choke_us(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 6);
    for (uint32_t peer = 4; peer <= 6; peer++)
        give(bench, peer, &(struct peer_message){.type = PEER_CHOKE});
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    tell_own(bench, bytes, NULL);
    for (uint32_t peer = 1; peer <= 6; peer++)
        assert_true(was_sent(bench, peer, PEER_SHARE, &id));
    assert_int_equal(bench->sent[bench->sent_count - 1].lane, LINK_LANE_URGENT);
    assert_int_equal(count_sent(bench, 0, PEER_HAVE), 0);
    tell_own(bench, bytes, NULL); // told once
    assert_int_equal(count_sent(bench, 0, PEER_SHARE), 6);
    bench_free(bench);
}

static void share_is_pushed_or_announced_but_not_to_who_has_it(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 5);
    give(bench, 4, &(struct peer_message){.type = PEER_CHOKE});
    give(bench, 5, &(struct peer_message){.type = PEER_CHOKE});
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    give_ids(bench, 2, PEER_HAVE, &id, 1);
    assert_true(was_sent(bench, 2, PEER_WANT, &id));
    give_share(bench, 1, bytes);
    assert_int_equal(bench->delivered[1], 1);
    assert_false(was_sent(bench, 1, PEER_SHARE, &id)); // sent it
    assert_false(was_sent(bench, 2, PEER_SHARE, &id)); // announced it
    assert_true(was_sent(bench, 3, PEER_SHARE, &id));
    assert_true(was_sent(bench, 4, PEER_HAVE, &id)); // choke us
    assert_true(was_sent(bench, 5, PEER_HAVE, &id));
    assert_int_equal(count_sent(bench, 0, PEER_SHARE), 1);
    assert_int_equal(count_sent(bench, 0, PEER_HAVE), 2);
    give(bench, 4, &(struct peer_message){.type = PEER_UNCHOKE});
    toy_make(bytes, TOY_VALID, false, 2);
    give_share(bench, 1, bytes);
    assert_int_equal(count_sent(bench, 4, PEER_SHARE), 1);
    bench_free(bench);
}

static void what_becomes_valid_together_is_announced_together(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 2);
    give(bench, 2, &(struct peer_message){.type = PEER_CHOKE});
    for (uint64_t i = 0; i < 40; i++) {
        struct peer_message message = {.type = PEER_SHARE, .share = {bytes, TOY_SIZE}};
        toy_make(bytes, TOY_VALID, false, i);
        gossip_receive(bench->gossip, 1, &message, toy_now(bench->ms));
        toy_tell(&bench->chain, bench->gossip, false, toy_now(bench->ms));
    }
    run_until(bench, bench->ms);
    assert_int_equal(count_sent(bench, 2, PEER_HAVE), 3); // 16, 16 and 8
    assert_int_equal(bench->sent[bench->sent_count - 1].ids_count, 8);
    bench_free(bench);
}

static void announced_share_is_sent_once_to_who_asks(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 2);
    give(bench, 2, &(struct peer_message){.type = PEER_CHOKE});
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    give_share(bench, 1, bytes);
    give_ids(bench, 2, PEER_WANT, &id, 1);
    assert_int_equal(count_sent(bench, 2, PEER_SHARE), 1);
    assert_int_equal(bench->sent[bench->sent_count - 1].lane, LINK_LANE_ANSWER);
    give_ids(bench, 2, PEER_WANT, &id, 1); // it has it
    assert_int_equal(count_sent(bench, 2, PEER_SHARE), 1);
    assert_int_equal(bench->faults[2][GOSSIP_FAULT_FLOOD], 0);
    give_ids(bench, 1, PEER_WANT, &id, 1); // sent it itself
    assert_int_equal(count_sent(bench, 1, PEER_SHARE), 0);
    struct hash256 other = toy_make(bytes, TOY_VALID, false, 2);
    give_ids(bench, 2, PEER_WANT, &other, 1); // never announced
    assert_int_equal(bench->faults[2][GOSSIP_FAULT_FLOOD], 1);
    bench_free(bench);
}

static void link_goes_with_its_body(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 3);
    give(bench, 3, &(struct peer_message){.type = PEER_CHOKE});
    struct hash256 id = toy_make(bytes, TOY_VALID, true, 1);
    struct peer_message link = {
        .type = PEER_LINK, .share = {bytes, TOY_SIZE}, .body = {(const uint8_t *)"body", 4}};
    give(bench, 1, &link);
    assert_true(was_sent(bench, 2, PEER_LINK, &id));
    assert_true(was_sent(bench, 3, PEER_HAVE, &id));
    give_ids(bench, 3, PEER_WANT, &id, 1);
    assert_true(was_sent(bench, 3, PEER_LINK, &id));
    assert_int_equal(bench->sent[bench->sent_count - 1].body_size, 4);
    bench_free(bench);
}

static void body_of_a_share_that_is_here_is_taken(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 3);
    struct hash256 id = toy_make(bytes, TOY_VALID, true, 1);
    give_share(bench, 1, bytes);
    assert_false(toy_has_link(&bench->chain, &id));
    struct peer_message link = {
        .type = PEER_LINK, .share = {bytes, TOY_SIZE}, .body = {(const uint8_t *)"body", 4}};
    give(bench, 2, &link);
    assert_true(toy_has_link(&bench->chain, &id));
    assert_int_equal(bench->delivered[2], 0); // the share was there
    size_t judged = bench->chain.judged;
    give(bench, 3, &link);
    assert_int_equal(bench->chain.judged, judged);
    bench_free(bench);
}

static void full_link_gets_an_announcement_or_nothing(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 3);
    bench->is_full[2] = true;
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    struct peer_message message = {.type = PEER_SHARE, .share = {bytes, TOY_SIZE}};
    gossip_receive(bench->gossip, 1, &message, toy_now(bench->ms));
    toy_tell(&bench->chain, bench->gossip, false, toy_now(bench->ms));
    bench->is_full[2] = false; // meanwhile it was sent
    run_until(bench, bench->ms);
    assert_true(was_sent(bench, 2, PEER_HAVE, &id));
    assert_true(was_sent(bench, 3, PEER_SHARE, &id));
    bench->is_full[2] = true;
    give_ids(bench, 2, PEER_WANT, &id, 1); // cannot be answered: forgotten
    bench->is_full[2] = false;
    assert_int_equal(count_sent(bench, 2, PEER_SHARE), 0);
    bench_free(bench);
}

// ---- Wanting

static void one_want_is_in_flight_and_is_hedged(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    struct gossip_stats stats;
    struct gossip_peer_view view;
    open_peers(bench, 1, 3);
    for (uint32_t peer = 1; peer <= 3; peer++)
        gossip_peer_round_trip(bench->gossip, peer, peer == 1 ? 60 : 40);
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    for (uint32_t peer = 1; peer <= 3; peer++)
        give_ids(bench, peer, PEER_HAVE, &id, 1);
    assert_int_equal(count_sent(bench, 0, PEER_WANT), 1);
    assert_true(was_sent(bench, 1, PEER_WANT, &id));
    run_until(bench, 1179); // 3 round trips of 60 ms are more than 150 ms
    assert_int_equal(count_sent(bench, 0, PEER_WANT), 1);
    run_until(bench, 1180);
    assert_int_equal(count_sent(bench, 0, PEER_WANT), 2);
    assert_true(was_sent(bench, 2, PEER_WANT, &id));
    assert_true(gossip_peer(bench->gossip, 1, &view) && view.wants_broken == 1);
    run_until(bench, 1180 + GOSSIP_HEDGE_MS - 1);
    assert_int_equal(count_sent(bench, 0, PEER_WANT), 2);
    run_until(bench, 1180 + GOSSIP_HEDGE_MS);
    assert_true(was_sent(bench, 3, PEER_WANT, &id));
    give_share(bench, 1, bytes); // late is better than never
    assert_int_equal(bench->delivered[1], 1);
    run_until(bench, 100000);
    assert_int_equal(count_sent(bench, 0, PEER_WANT), 3); // each once
    gossip_stats(bench->gossip, &stats);
    assert_int_equal(stats.wants_sent, 3);
    assert_int_equal(stats.wants_hedged, 2);
    assert_int_equal(stats.wants_unanswered, 3);
    assert_int_equal(stats.wants_in_flight, 0);
    assert_int_equal(gossip_next_deadline(bench->gossip).ms, INT64_MAX);
    bench_free(bench);
}

static void ids_of_one_announcement_are_wanted_at_once(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    struct hash256 ids[PEER_IDS_MAX];
    open_peers(bench, 1, 1);
    for (size_t i = 0; i < PEER_IDS_MAX; i++)
        ids[i] = seeded_hash(&bench->seeded);
    give_ids(bench, 1, PEER_HAVE, ids, PEER_IDS_MAX);
    assert_int_equal(count_sent(bench, 1, PEER_WANT), 1);
    assert_int_equal(bench->sent[0].ids_count, PEER_IDS_MAX);
    give_ids(bench, 1, PEER_HAVE, ids, PEER_IDS_MAX); // again: nothing new
    assert_int_equal(count_sent(bench, 1, PEER_WANT), 1);
    bench_free(bench);
}

static void announcer_that_breaks_three_promises_is_ignored_for_ten_minutes(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    struct gossip_peer_view view;
    open_peers(bench, 1, 2);
    gossip_peer_round_trip(bench->gossip, 1, 10);
    int64_t ms = bench->ms;
    for (size_t i = 0; i < GOSSIP_BROKEN_MAX; i++) {
        assert_true(gossip_peer(bench->gossip, 1, &view) && !view.is_ignored);
        struct hash256 id = seeded_hash(&bench->seeded);
        give_ids(bench, 1, PEER_HAVE, &id, 1);
        run_until(bench, ms += 1000);
    }
    assert_true(gossip_peer(bench->gossip, 1, &view) && view.is_ignored);
    assert_int_equal(view.wants_broken, 3);
    struct hash256 id = seeded_hash(&bench->seeded);
    size_t wants = count_sent(bench, 1, PEER_WANT);
    give_ids(bench, 1, PEER_HAVE, &id, 1);
    assert_int_equal(count_sent(bench, 1, PEER_WANT), wants);
    give_ids(bench, 2, PEER_HAVE, &id, 1); // others are heard
    assert_int_equal(count_sent(bench, 2, PEER_WANT), 1);
    // The last promise, asked for 50 ms late, broke 150 ms after that.
    run_until(bench, ms - 800 + GOSSIP_IGNORE_MS - 1);
    assert_true(gossip_peer(bench->gossip, 1, &view) && view.is_ignored);
    run_until(bench, ms - 800 + GOSSIP_IGNORE_MS);
    assert_true(gossip_peer(bench->gossip, 1, &view) && !view.is_ignored);
    id = seeded_hash(&bench->seeded);
    give_ids(bench, 1, PEER_HAVE, &id, 1);
    run_until(bench, bench->ms + LAST_WAIT_MS);
    assert_int_equal(count_sent(bench, 1, PEER_WANT), wants + 1);
    bench_free(bench);
}

static void promises_broken_in_one_silence_count_once(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    struct gossip_peer_view view;
    struct hash256 ids[10];
    open_peers(bench, 1, 1);
    for (size_t i = 0; i < 10; i++)
        ids[i] = seeded_hash(&bench->seeded);
    give_ids(bench, 1, PEER_HAVE, ids, 10);
    run_until(bench, 5000);
    assert_true(gossip_peer(bench->gossip, 1, &view));
    assert_int_equal(view.wants_broken, 10);
    assert_false(view.is_ignored);
    bench_free(bench);
}

// Sixteen shares between two broken promises: no reason to ignore.
static void promises_broken_now_and_then_are_forgiven(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    struct gossip_peer_view view;
    uint8_t bytes[TOY_SIZE];
    uint64_t number = 0;
    open_peers(bench, 1, 2);
    for (size_t i = 0; i < 8; i++) {
        struct hash256 id = seeded_hash(&bench->seeded);
        give_ids(bench, 1, PEER_HAVE, &id, 1);
        run_until(bench, bench->ms + 1000);
        for (size_t k = 0; k < 9; k++) {
            toy_make(bytes, TOY_VALID, false, ++number);
            give_share(bench, 2, bytes);
        }
        assert_true(gossip_peer(bench->gossip, 1, &view) && !view.is_ignored);
    }
    assert_int_equal(view.wants_broken, 8);
    bench_free(bench);
}

static void who_broke_a_promise_is_asked_last(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    open_peers(bench, 1, 2);
    struct hash256 id = seeded_hash(&bench->seeded);
    give_ids(bench, 1, PEER_HAVE, &id, 1);
    run_until(bench, 5000);
    id = seeded_hash(&bench->seeded);
    give_ids(bench, 1, PEER_HAVE, &id, 1);
    assert_false(was_sent(bench, 1, PEER_WANT, &id));
    run_until(bench, 5020);
    give_ids(bench, 2, PEER_HAVE, &id, 1);
    assert_true(was_sent(bench, 2, PEER_WANT, &id));
    run_until(bench, 5100);
    assert_false(was_sent(bench, 1, PEER_WANT, &id));
    run_until(bench, 6000); // the other is silent, too
    assert_true(was_sent(bench, 1, PEER_WANT, &id));
    id = seeded_hash(&bench->seeded);
    give_ids(bench, 1, PEER_HAVE, &id, 1); // nobody else announces: it is asked in the end
    run_until(bench, 6000 + LAST_WAIT_MS);
    assert_true(was_sent(bench, 1, PEER_WANT, &id));
    bench_free(bench);
}

static void want_goes_on_when_the_asked_peer_leaves_or_its_link_is_full(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    struct gossip_peer_view view;
    open_peers(bench, 1, 3);
    struct hash256 id = seeded_hash(&bench->seeded);
    give_ids(bench, 1, PEER_HAVE, &id, 1);
    bench->is_full[2] = true;
    give_ids(bench, 2, PEER_HAVE, &id, 1);
    give_ids(bench, 3, PEER_HAVE, &id, 1);
    gossip_peer_closed(bench->gossip, 1, toy_now(bench->ms));
    assert_true(was_sent(bench, 3, PEER_WANT, &id));
    run_until(bench, 60000);
    assert_true(gossip_peer(bench->gossip, 2, &view));
    assert_int_equal(view.wants_broken, 0); // it was never asked
    bench_free(bench);
}

// ---- Verdicts

static void invalid_copy_is_a_fault_and_keeps_no_valid_one_out(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bad[TOY_SIZE];
    uint8_t good[TOY_SIZE];
    open_peers(bench, 1, 4);
    struct hash256 id = toy_make(bad, TOY_INVALID, false, 1);
    toy_make(good, TOY_VALID, false, 1); // the same id
    give_ids(bench, 1, PEER_HAVE, &id, 1);
    give_ids(bench, 2, PEER_HAVE, &id, 1);
    assert_true(was_sent(bench, 1, PEER_WANT, &id));
    give_share(bench, 1, bad);
    assert_int_equal(bench->faults[1][GOSSIP_FAULT_INVALID_SHARE], 1);
    assert_true(was_sent(bench, 2, PEER_WANT, &id)); // at once
    give_share(bench, 3, bad);
    assert_int_equal(bench->faults[3][GOSSIP_FAULT_INVALID_SHARE], 1);
    give_share(bench, 2, good);
    assert_int_equal(bench->delivered[2], 1);
    assert_true(was_sent(bench, 4, PEER_SHARE, &id));
    assert_true(was_sent(bench, 1, PEER_SHARE, &id)); // it did not have it
    assert_true(was_sent(bench, 3, PEER_SHARE, &id));
    struct peer_message empty = {.type = PEER_SHARE, .share = {good, 80}};
    give(bench, 4, &empty);
    assert_int_equal(bench->faults[4][GOSSIP_FAULT_INVALID_SHARE], 1);
    bench_free(bench);
}

static void unknown_copies_do_not_stop_the_fetching_and_are_bounded(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t unknown[TOY_SIZE];
    open_peers(bench, 1, 8);
    struct hash256 id = toy_make(unknown, TOY_UNKNOWN, false, 1);
    give_share(bench, 1, unknown);
    assert_int_equal(bench->faults[1][GOSSIP_FAULT_INVALID_SHARE], 0);
    for (uint32_t peer = 2; peer <= 8; peer++)
        give_ids(bench, peer, PEER_HAVE, &id, 1);
    assert_int_equal(count_sent(bench, 0, PEER_WANT), 0); // it may become valid soon
    run_until(bench, 2000);
    assert_true(was_sent(bench, 2, PEER_WANT, &id));
    for (int64_t ms = 2000; ms < 20000; ms += 100) {
        run_until(bench, ms);
        if (bench->sent_count > 0 && bench->sent[bench->sent_count - 1].type == PEER_WANT)
            give_share(bench, bench->sent[bench->sent_count - 1].peer, unknown);
    }
    size_t wants = count_sent(bench, 0, PEER_WANT);
    assert_int_equal(wants, 2); // with the pushed one, three copies and no more
    // Its dependency came: it is told, but not to those who have it.
    bench->chain.told = toy_keep(&bench->chain, unknown, NULL, 0);
    size_t sent = bench->sent_count;
    toy_tell(&bench->chain, bench->gossip, false, toy_now(bench->ms));
    run_until(bench, bench->ms);
    assert_int_equal(bench->sent_count, sent);
    bench_free(bench);
}

static void ignored_shares_are_nobodys_fault(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    struct gossip_stats stats;
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 2);
    struct hash256 id = toy_make(bytes, TOY_IGNORED, false, 1);
    give_share(bench, 1, bytes);
    gossip_stats(bench->gossip, &stats);
    assert_int_equal(stats.ignored, 1);
    assert_int_equal(bench->sent_count, 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(bench->faults[1][i], 0);
    toy_make(bytes, TOY_VALID, false, 1);
    give_share(bench, 2, bytes);
    assert_true(was_sent(bench, 1, PEER_SHARE, &id));
    bench_free(bench);
}

static void second_copy_is_a_duplicate_and_is_not_judged(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    struct gossip_peer_view view;
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 2);
    toy_make(bytes, TOY_VALID, false, 1);
    give_share(bench, 1, bytes);
    bytes[0] = TOY_INVALID; // nobody looks: the id is here
    run_until(bench, 1040);
    give_share(bench, 2, bytes);
    assert_int_equal(bench->chain.judged, 1);
    assert_int_equal(bench->faults[2][GOSSIP_FAULT_INVALID_SHARE], 0);
    assert_true(gossip_peer(bench->gossip, 2, &view));
    assert_int_equal(view.duplicates, 1);
    assert_int_equal(view.first_deliveries, 0);
    assert_int_equal(view.delay_ms, 40);
    assert_true(gossip_peer(bench->gossip, 1, &view));
    assert_int_equal(view.delay_ms, 0);
    assert_int_equal(view.first_deliveries, 1);
    bench_free(bench);
}

static void junk_id_is_a_fault(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    struct hash256 ids[2] = {{{0xff, 0xff}}, {{1}}};
    open_peers(bench, 1, 1);
    give_ids(bench, 1, PEER_HAVE, ids, 2);
    assert_int_equal(bench->faults[1][GOSSIP_FAULT_JUNK_ID], 1);
    assert_int_equal(count_sent(bench, 1, PEER_WANT), 0);
    bench_free(bench);
}

// ---- Blocks

static void valid_block_is_relayed_once_and_a_wrong_one_is_a_fault(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    uint8_t block[200] = {0};
    open_peers(bench, 1, 5);
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    memcpy(block, bytes + 1, 80);
    struct peer_message message = {
        .type = PEER_BLOCK, .share = {bytes, TOY_SIZE}, .body = {block, sizeof block}};
    give(bench, 1, &message); // no block's work
    assert_int_equal(bench->faults[1][GOSSIP_FAULT_INVALID_SHARE], 1);
    assert_int_equal(bench->blocks, 0);
    assert_int_equal(count_sent(bench, 0, PEER_BLOCK), 0);
    block[80] = 'B';
    give(bench, 2, &message); // the share is known, the block is not
    give(bench, 3, &message);
    assert_int_equal(bench->blocks, 1);
    assert_false(was_sent(bench, 2, PEER_BLOCK, &id));
    assert_true(was_sent(bench, 1, PEER_BLOCK, &id));
    assert_true(was_sent(bench, 4, PEER_BLOCK, &id));
    assert_true(was_sent(bench, 5, PEER_BLOCK, &id));
    // A share that is not valid carries no block.
    toy_make(bytes, TOY_UNKNOWN, false, 2);
    memcpy(block, bytes + 1, 80);
    size_t sent = count_sent(bench, 0, PEER_BLOCK);
    give(bench, 1, &message);
    assert_int_equal(bench->blocks, 1);
    assert_int_equal(count_sent(bench, 0, PEER_BLOCK), sent);
    bench_free(bench);
}

static void own_block_goes_to_all_behind_its_share(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    uint8_t block[100] = {0};
    open_peers(bench, 1, 6);
    bench->sent_count = 0;
    gossip_set_quiet(bench->gossip, true);
    struct gossip_share share = {.bytes = bytes, .size = TOY_SIZE, .is_own = true};
    share.id = toy_make(bytes, TOY_VALID, false, 1);
    gossip_tell_block(bench->gossip, &share, block, sizeof block, toy_now(bench->ms));
    run_until(bench, bench->ms);
    for (uint32_t peer = 1; peer <= 6; peer++) {
        assert_true(was_sent(bench, peer, PEER_SHARE, &share.id));
        assert_true(was_sent(bench, peer, PEER_BLOCK, &share.id));
    }
    assert_int_equal(bench->sent[0].type, PEER_SHARE);
    assert_int_equal(bench->sent[bench->sent_count - 1].type, PEER_BLOCK);
    bench_free(bench);
}

// ---- Choking

static void fastest_deliverers_and_one_more_stay_unchoked(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    struct gossip_peer_view view;
    uint64_t number = 0;
    open_peers(bench, 1, 12);
    for (uint32_t peer = 1; peer <= 12; peer++)
        gossip_peer_round_trip(bench->gossip, peer, 20);
    assert_int_equal(count_unchoked(bench, 1, 12), 4);
    assert_int_equal(count_sent(bench, 0, PEER_CHOKE), 8);
    for (size_t round = 0; round < 12; round++) {
        for (size_t i = 0; i < GOSSIP_RANK_SHARES; i++) {
            struct hash256 id = toy_make(bytes, TOY_VALID, false, ++number);
            int64_t start = bench->ms;
            for (uint32_t peer = 12; peer >= 1; peer--) { // 12 is the fastest
                run_until(bench, start + (12 - peer) * 5);
                assert_true(gossip_peer(bench->gossip, peer, &view));
                if (view.we_choke)
                    give_ids(bench, peer, PEER_HAVE, &id, 1);
                else
                    give_share(bench, peer, bytes);
                if (was_sent(bench, peer, PEER_WANT, &id))
                    give_share(bench, peer, bytes);
            }
            run_until(bench, start + 2000);
            bench->sent_count = 0;
        }
        assert_int_equal(count_unchoked(bench, 1, 12), 4);
    }
    for (uint32_t peer = 10; peer <= 12; peer++)
        assert_true(gossip_peer(bench->gossip, peer, &view) && !view.we_choke);
    // Now the fastest fall silent: others take their places.
    for (size_t i = 0; i < 2 * GOSSIP_RANK_SHARES; i++) {
        toy_make(bytes, TOY_VALID, false, ++number);
        give_share(bench, 4, bytes);
        run_until(bench, bench->ms + 10);
        give_share(bench, 5, bytes);
        give_share(bench, 6, bytes);
        run_until(bench, bench->ms + 2000);
    }
    for (uint32_t peer = 4; peer <= 6; peer++)
        assert_true(gossip_peer(bench->gossip, peer, &view) && !view.we_choke);
    assert_int_equal(count_unchoked(bench, 1, 12), 4);
    bench_free(bench);
}

// Unchoked peers that announce and do not push are silent, however early they announce.
static void words_do_not_keep_a_place(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    struct gossip_peer_view view;
    open_peers(bench, 1, 12);
    for (uint32_t peer = 1; peer <= 12; peer++)
        gossip_peer_round_trip(bench->gossip, peer, 20);
    for (uint64_t i = 1; i <= 2 * GOSSIP_RANK_SHARES; i++) {
        struct hash256 id = toy_make(bytes, TOY_VALID, false, i);
        for (uint32_t peer = 1; peer <= 3; peer++)
            give_ids(bench, peer, PEER_HAVE, &id, 1);
        for (uint32_t peer = 8; peer <= 10; peer++)
            give_share(bench, peer, bytes);
        run_until(bench, bench->ms + 2000);
    }
    for (uint32_t peer = 8; peer <= 10; peer++)
        assert_true(gossip_peer(bench->gossip, peer, &view) && !view.we_choke);
    bench_free(bench);
}

static void place_of_an_unchoked_peer_that_leaves_is_given_away(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    open_peers(bench, 1, 12);
    gossip_peer_closed(bench->gossip, 2, toy_now(bench->ms));
    assert_int_equal(count_unchoked(bench, 3, 12) + count_unchoked(bench, 1, 1), 4);
    for (uint32_t peer = 5; peer <= 12; peer++)
        gossip_peer_closed(bench->gossip, peer, toy_now(bench->ms));
    assert_int_equal(count_unchoked(bench, 3, 4) + count_unchoked(bench, 1, 1), 3);
    bench_free(bench);
}

// ---- Bounds

static void peers_and_slots_are_bounded_and_used_again(void **state)
{
    (void)state;
    struct bench *bench = bench_new(64);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, GOSSIP_PEERS_MAX);
    assert_false(gossip_peer_opened(bench->gossip, 100, toy_now(bench->ms)));
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    give_share(bench, 1, bytes);
    for (size_t round = 0; round < 2; round++) {
        for (uint32_t peer = 1; peer <= GOSSIP_PEERS_MAX; peer++) {
            gossip_peer_closed(bench->gossip, peer, toy_now(bench->ms));
            assert_true(gossip_peer_opened(bench->gossip, peer, toy_now(bench->ms)));
        }
    }
    // Of those who hold the slots now nobody has it, or was offered it.
    bench->sent_count = 0;
    memset(bench->faults, 0, sizeof bench->faults);
    for (uint32_t peer = 1; peer <= GOSSIP_PEERS_MAX; peer++) {
        give_ids(bench, peer, PEER_WANT, &id, 1);
        assert_int_equal(bench->faults[peer][GOSSIP_FAULT_FLOOD], 1);
    }
    bench_free(bench);
}

static void flood_of_announcements_is_charged_to_who_floods(void **state)
{
    (void)state;
    struct bench *bench = bench_new(1024);
    struct gossip_stats before, after;
    struct hash256 ids[PEER_IDS_MAX];
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 10);
    gossip_stats(bench->gossip, &before);
    for (size_t round = 0; round < 1000; round++) {
        for (uint32_t peer = 1; peer <= 8; peer++) {
            for (size_t i = 0; i < PEER_IDS_MAX; i++)
                ids[i] = seeded_hash(&bench->seeded);
            bench->sent_count = 0;
            give_ids(bench, peer, PEER_HAVE, ids, PEER_IDS_MAX);
        }
        run_until(bench, bench->ms + 1);
    }
    gossip_stats(bench->gossip, &after);
    assert_true(after.memory - before.memory < (size_t)8 * 128 * 1024);
    assert_true(after.wants_in_flight <= (size_t)8 * GOSSIP_WANTS_PEER_MAX);
    for (uint32_t peer = 1; peer <= 8; peer++)
        assert_true(bench->faults[peer][GOSSIP_FAULT_FLOOD] > 900);
    // Others are served as before.
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    bench->sent_count = 0;
    give_ids(bench, 10, PEER_HAVE, &id, 1);
    assert_true(was_sent(bench, 10, PEER_WANT, &id));
    give_share(bench, 10, bytes);
    assert_true(was_sent(bench, 9, PEER_SHARE, &id));
    // What was announced is forgotten, and so are those who did it.
    bench->sent_count = 0;
    run_until(bench, bench->ms + 60000);
    for (uint32_t peer = 1; peer <= 8; peer++)
        gossip_peer_closed(bench->gossip, peer, toy_now(bench->ms));
    gossip_stats(bench->gossip, &after);
    assert_true(after.memory < before.memory + 8192);
    bench_free(bench);
}

static void flood_of_copies_and_of_wants_is_a_fault(void **state)
{
    (void)state;
    struct bench *bench = bench_new(1024);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 3);
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    for (size_t i = 0; i < 2001; i++)
        give_share(bench, 1, bytes);
    assert_int_equal(bench->faults[1][GOSSIP_FAULT_FLOOD], 1);
    assert_int_equal(bench->chain.judged, 1);
    for (size_t i = 0; i < 2002; i++)
        give_ids(bench, 2, PEER_WANT, &id, 1); // it has it: not answered
    assert_int_equal(bench->faults[2][GOSSIP_FAULT_FLOOD], 2);
    for (size_t i = 0; i < 2003; i++)
        give(bench, 3, &(struct peer_message){.type = PEER_CHOKE});
    assert_int_equal(bench->faults[3][GOSSIP_FAULT_FLOOD], 3);
    run_until(bench, bench->ms + 1000);
    for (size_t i = 0; i < GOSSIP_HAVE_RATE; i++)
        give_share(bench, 1, bytes);
    assert_int_equal(bench->faults[1][GOSSIP_FAULT_FLOOD], 1);
    give_share(bench, 1, bytes);
    assert_int_equal(bench->faults[1][GOSSIP_FAULT_FLOOD], 2);
    bench_free(bench);
}

static void idle_peer_costs_little(void **state)
{
    (void)state;
    struct bench *bench = bench_new(1024);
    struct gossip_stats before, after;
    gossip_stats(bench->gossip, &before);
    assert_true(before.memory < (size_t)8 * 1024); // 10 000 engines fit a simulation
    open_peers(bench, 1, 96);
    gossip_stats(bench->gossip, &after);
    assert_true(after.memory - before.memory <= (size_t)96 * 512);
    bench_free(bench);
}

static void seen_ids_are_forgotten_but_the_chain_is_asked(void **state)
{
    (void)state;
    struct bench *bench = bench_new(16);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 2);
    for (uint64_t i = 1; i <= 40; i++) {
        toy_make(bytes, TOY_VALID, false, i);
        give_share(bench, 1, bytes);
    }
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    size_t judged = bench->chain.judged;
    give_share(bench, 2, bytes);
    assert_int_equal(bench->chain.judged, judged);
    give_ids(bench, 2, PEER_HAVE, &id, 1);
    assert_int_equal(count_sent(bench, 2, PEER_WANT), 0);
    bench_free(bench);
}

// ---- Quiet

static void quiet_node_hears_nothing_and_blames_nobody(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    struct gossip_peer_view view;
    open_peers(bench, 1, 2);
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    give_ids(bench, 1, PEER_HAVE, &id, 1);
    gossip_set_quiet(bench->gossip, true);
    struct hash256 junk = {{0xff, 0xff}};
    give_share(bench, 1, bytes);
    give_ids(bench, 1, PEER_HAVE, &junk, 1);
    give_ids(bench, 1, PEER_WANT, &junk, 1);
    give(bench, 2, &(struct peer_message){.type = PEER_CHOKE});
    run_until(bench, 100000);
    assert_int_equal(bench->chain.judged, 0);
    assert_int_equal(bench->sent_count, 1); // the WANT before
    assert_true(gossip_peer(bench->gossip, 1, &view));
    assert_int_equal(view.wants_broken, 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(bench->faults[1][i], 0);
    assert_true(gossip_peer(bench->gossip, 2, &view) && view.is_choking_us);
    bench->chain.told = toy_keep(&bench->chain, bytes, NULL, 0); // sync brought it
    toy_tell(&bench->chain, bench->gossip, false, toy_now(bench->ms));
    assert_int_equal(bench->sent_count, 1);
    gossip_set_quiet(bench->gossip, false);
    toy_make(bytes, TOY_VALID, false, 2);
    give_share(bench, 1, bytes);
    assert_int_equal(bench->delivered[1], 1);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_share_goes_to_all_even_if_they_choke_us),
        cmocka_unit_test(share_is_pushed_or_announced_but_not_to_who_has_it),
        cmocka_unit_test(what_becomes_valid_together_is_announced_together),
        cmocka_unit_test(announced_share_is_sent_once_to_who_asks),
        cmocka_unit_test(link_goes_with_its_body),
        cmocka_unit_test(body_of_a_share_that_is_here_is_taken),
        cmocka_unit_test(full_link_gets_an_announcement_or_nothing),
        cmocka_unit_test(one_want_is_in_flight_and_is_hedged),
        cmocka_unit_test(ids_of_one_announcement_are_wanted_at_once),
        cmocka_unit_test(announcer_that_breaks_three_promises_is_ignored_for_ten_minutes),
        cmocka_unit_test(promises_broken_in_one_silence_count_once),
        cmocka_unit_test(promises_broken_now_and_then_are_forgiven),
        cmocka_unit_test(who_broke_a_promise_is_asked_last),
        cmocka_unit_test(want_goes_on_when_the_asked_peer_leaves_or_its_link_is_full),
        cmocka_unit_test(invalid_copy_is_a_fault_and_keeps_no_valid_one_out),
        cmocka_unit_test(unknown_copies_do_not_stop_the_fetching_and_are_bounded),
        cmocka_unit_test(ignored_shares_are_nobodys_fault),
        cmocka_unit_test(second_copy_is_a_duplicate_and_is_not_judged),
        cmocka_unit_test(junk_id_is_a_fault),
        cmocka_unit_test(valid_block_is_relayed_once_and_a_wrong_one_is_a_fault),
        cmocka_unit_test(own_block_goes_to_all_behind_its_share),
        cmocka_unit_test(fastest_deliverers_and_one_more_stay_unchoked),
        cmocka_unit_test(words_do_not_keep_a_place),
        cmocka_unit_test(place_of_an_unchoked_peer_that_leaves_is_given_away),
        cmocka_unit_test(peers_and_slots_are_bounded_and_used_again),
        cmocka_unit_test(flood_of_announcements_is_charged_to_who_floods),
        cmocka_unit_test(flood_of_copies_and_of_wants_is_a_fault),
        cmocka_unit_test(idle_peer_costs_little),
        cmocka_unit_test(seen_ids_are_forgotten_but_the_chain_is_asked),
        cmocka_unit_test(quiet_node_hears_nothing_and_blames_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
