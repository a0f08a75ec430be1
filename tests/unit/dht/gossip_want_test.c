// What gossip fetches, and what it makes of what it gets.
#include "tests/unit/dht/gossip_bench.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
