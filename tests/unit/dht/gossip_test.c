// What gossip tells and to whom, whom it chokes, and its bounds.
#include "tests/unit/dht/gossip_bench.h"

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

static void who_brings_a_share_is_not_sent_it_even_if_it_asks(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 3);
    give(bench, 2, &(struct peer_message){.type = PEER_CHOKE});
    give(bench, 3, &(struct peer_message){.type = PEER_CHOKE});
    struct hash256 id = toy_make(bytes, TOY_VALID, false, 1);
    give_share(bench, 1, bytes);
    assert_int_equal(count_sent(bench, 0, PEER_HAVE), 2);
    give_share(bench, 2, bytes);
    give_ids(bench, 3, PEER_HAVE, &id, 1);
    give_ids(bench, 2, PEER_WANT, &id, 1);
    give_ids(bench, 3, PEER_WANT, &id, 1);
    assert_int_equal(count_sent(bench, 0, PEER_SHARE), 0);
    bench_free(bench);
}

// An old share, of which gossip knows nothing any more, with something that looks like a body.
static void body_for_an_old_share_is_no_delivery(void **state)
{
    (void)state;
    struct bench *bench = bench_new(16);
    uint8_t bytes[TOY_SIZE];
    open_peers(bench, 1, 2);
    for (uint64_t i = 0; i < 40; i++) {
        toy_make(bytes, TOY_VALID, false, i);
        give_share(bench, 1, bytes);
    }
    toy_make(bytes, TOY_VALID, false, 0);
    struct peer_message link = {
        .type = PEER_LINK, .share = {bytes, TOY_SIZE}, .body = {(const uint8_t *)"body", 4}};
    give(bench, 2, &link);
    assert_int_equal(bench->chain.judged, 41);
    assert_int_equal(bench->delivered[2], 0);
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
        cmocka_unit_test(who_brings_a_share_is_not_sent_it_even_if_it_asks),
        cmocka_unit_test(body_for_an_old_share_is_no_delivery),
        cmocka_unit_test(link_goes_with_its_body),
        cmocka_unit_test(body_of_a_share_that_is_here_is_taken),
        cmocka_unit_test(full_link_gets_an_announcement_or_nothing),
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
