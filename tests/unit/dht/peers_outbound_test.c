#include "tests/unit/dht/peers_fixture.h"

static void nearest_of_24_stay_with_random_ones(void **state)
{
    (void)state;
    struct pool pool;
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 200);
    size_t dropped = settle(&pool);
    assert_int_equal(peers_count(pool.peers, PEER_OUTBOUND), PEERS_OUTBOUND);
    assert_int_equal(count_places(&pool, PEER_PLACE_NEAR), PEERS_NEAREST);
    // There is no last run: its places are random ones, too.
    assert_int_equal(count_places(&pool, PEER_PLACE_RANDOM), PEERS_RANDOM + PEERS_KEPT);
    assert_int_equal(dropped, PEERS_TRIED - PEERS_NEAREST);
    assert_int_equal(pool.last_peer, PEERS_TRIED + PEERS_RANDOM + PEERS_KEPT);
    pool_close(&pool);
}

// What the trial tried is known from the numbers of links: the nearest are the three lowest of it.
static void near_ones_are_the_nearest(void **state)
{
    (void)state;
    struct pool pool;
    bool is_tried[200] = {false};
    struct peers_dial dial;
    uint32_t peer = 0;
    unsigned nearer = 0;
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 200);
    for (unsigned i = 0; i < 100; i++) {
        while (peers_next_drop(pool.peers, pool.now, &peer)) {
        }
        if (!dial_one(&pool, &dial, &peer))
            continue;
        is_tried[number_of(&dial.key)] = dial.place == PEER_PLACE_TRIED;
        peers_round_trip(pool.peers, peer, number_of(&dial.key) + 1);
    }
    for (unsigned n = 0; n < 200; n++) {
        struct peers_view view;
        bool is_near = false;
        for (peer = 1; peer <= pool.last_peer; peer++)
            is_near |= peers_view(pool.peers, peer, &view) && view.place == PEER_PLACE_NEAR &&
                       number_of(&view.link.key) == n;
        if (is_tried[n])
            assert_true(is_near == (nearer++ < PEERS_NEAREST));
        else
            assert_false(is_near);
    }
    assert_int_equal(nearer, PEERS_TRIED);
    pool_close(&pool);
}

static void small_pool_is_linked_with_everyone_and_drops_nobody(void **state)
{
    (void)state;
    for (unsigned nodes = 1; nodes <= PEERS_OUTBOUND; nodes++) {
        struct pool pool;
        pool_open(&pool, NULL);
        hear_many(&pool, 0, nodes);
        for (unsigned hour = 0; hour < 6; hour++) {
            assert_int_equal(settle(&pool), 0);
            assert_int_equal(peers_count(pool.peers, PEER_OUTBOUND), nodes);
            pool_wait(&pool, PEERS_ROTATE_MS);
        }
        pool_close(&pool);
    }
}

static void outbound_links_are_in_different_networks(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    uint32_t peer = 0;
    pool_open(&pool, NULL);
    for (unsigned n = 0; n < 60; n++)
        hear(&pool, n, 1, host(20, 1, (uint8_t)n, 1));
    for (unsigned n = 100; n < 160; n++)
        hear(&pool, n, 1, host6(3, (uint8_t)n, 1, 1)); // one /32
    assert_true(dial_one(&pool, &dial, &peer));
    assert_true(dial_one(&pool, &dial, &peer));
    assert_false(dial_one(&pool, &dial, &peer));
    assert_true(hear(&pool, 200, 1, apart(5)));
    assert_true(dial_one(&pool, &dial, &peer));
    assert_int_equal(number_of(&dial.key), 200);
    pool_close(&pool);

    struct peers_config config = {.is_crowded = true};
    pool_open(&pool, &config);
    for (unsigned n = 0; n < 5; n++)
        assert_true(hear(&pool, n, 1, host(127, 0, 0, 1)));
    settle(&pool);
    assert_int_equal(peers_count(pool.peers, PEER_OUTBOUND), 5);
    pool_close(&pool);
}

static void few_are_tried_at_once(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    unsigned random = 0;
    unsigned tried = 0;
    uint32_t peer = 0;
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 100);
    while (peers_next_dial(pool.peers, pool.now, &dial)) {
        random += dial.place == PEER_PLACE_RANDOM;
        tried += dial.place == PEER_PLACE_TRIED;
    }
    assert_int_equal(random, PEERS_RANDOM + PEERS_KEPT);
    assert_int_equal(tried, 4);
    assert_false(peers_next_drop(pool.peers, pool.now, &peer));
    assert_true(peers_next_deadline(pool.peers).ms > pool.now.mono.ms);
    // Nothing is due while they are under way, however long that takes.
    pool_wait(&pool, 2 * PEERS_ROTATE_MS);
    assert_false(peers_next_drop(pool.peers, pool.now, &peer));
    assert_true(peers_next_deadline(pool.peers).ms > pool.now.mono.ms);
    pool_close(&pool);
}

static void who_answers_no_ping_is_no_near_one(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    uint32_t peer = 0;
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 12);
    while (dial_one(&pool, &dial, &peer)) {
    }
    assert_false(peers_next_drop(pool.peers, pool.now, &peer));
    assert_int_equal(peers_next_deadline(pool.peers).ms, pool.now.mono.ms + PEERS_MEASURE_MS);
    pool_wait(&pool, PEERS_MEASURE_MS);
    settle(&pool);
    assert_int_equal(peers_count(pool.peers, PEER_OUTBOUND), PEERS_OUTBOUND);
    for (peer = 1; peer <= pool.last_peer; peer++) {
        struct peers_view view;
        if (peers_view(pool.peers, peer, &view) && view.place == PEER_PLACE_NEAR)
            assert_int_not_equal(view.round_trip_ms, 0);
    }
    pool_close(&pool);
}

static void failures_back_off_from_half_a_minute_to_an_hour(void **state)
{
    (void)state;
    static const int64_t waits_s[] = {30, 60, 120, 240, 480, 960, 1920, 3600, 3600};
    struct pool pool;
    struct peers_dial dial;
    pool_open(&pool, NULL);
    hear_many(&pool, 1, 1);
    for (size_t i = 0; i < sizeof waits_s / sizeof waits_s[0]; i++) {
        uint32_t peer;
        assert_true(peers_next_dial(pool.peers, pool.now, &dial));
        assert_false(peers_next_dial(pool.peers, pool.now, &dial)); // under way
        peers_failed(pool.peers, &dial.key, pool.now);
        peers_next_drop(pool.peers, pool.now, &peer);
        assert_false(peers_next_dial(pool.peers, pool.now, &dial));
        pool.now.mono.ms += waits_s[i] * 1000 - 1;
        assert_false(peers_next_dial(pool.peers, pool.now, &dial));
        pool.now.mono.ms += 1;
        peers_next_drop(pool.peers, pool.now, &peer);
        assert_true(peers_next_deadline(pool.peers).ms <= pool.now.mono.ms);
    }
    pool_close(&pool);
}

// Whether the node lets itself be dialled again after exactly this time; the link is then open.
static uint32_t dialled_after(struct pool *pool, int64_t ms)
{
    struct peers_dial dial;
    uint32_t peer = 0;
    pool_wait(pool, ms - 1);
    assert_false(peers_next_dial(pool->peers, pool->now, &dial));
    pool_wait(pool, 1);
    assert_true(dial_one(pool, &dial, &peer));
    return peer;
}

static void who_throws_us_out_at_once_has_failed(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    uint32_t peer = 0;
    pool_open(&pool, NULL);
    hear_many(&pool, 1, 1);
    assert_true(dial_one(&pool, &dial, &peer));
    peers_closed(pool.peers, peer, pool.now);
    peer = dialled_after(&pool, PEERS_RETRY_MIN_MS);
    peers_closed(pool.peers, peer, pool.now);
    peer = dialled_after(&pool, 2 * PEERS_RETRY_MIN_MS);
    // A link that lasted is no failure, and earlier ones are forgotten.
    pool_wait(&pool, 60000);
    peers_closed(pool.peers, peer, pool.now);
    peer = dialled_after(&pool, PEERS_RETRY_MIN_MS);
    peers_closed(pool.peers, peer, pool.now);
    dialled_after(&pool, PEERS_RETRY_MIN_MS);
    pool_close(&pool);
}

static void failure_counts_for_the_node_that_was_dialled(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    pool_open(&pool, NULL);
    // Node 2 claims node 1's key: that must keep nobody from dialling node 1.
    struct node_record liar = record_of(&pool, 2, 1, apart(2));
    liar.transport_key = key_of(1);
    assert_true(hear_record(&pool, &liar));
    assert_true(peers_next_dial(pool.peers, pool.now, &dial));
    hear_many(&pool, 1, 1);
    assert_false(peers_next_dial(pool.peers, pool.now, &dial)); // its key is under way
    peers_failed(pool.peers, &dial.key, pool.now);
    assert_true(peers_next_dial(pool.peers, pool.now, &dial));
    struct node_id honest = id_of(1);
    assert_memory_equal(&dial.id, &honest, sizeof honest);
    pool_close(&pool);
}

static void fixed_peers_come_first_and_stay(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    uint32_t peer = 0;
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 100);
    struct endpoint endpoint = host(10, 0, 0, 1); // the operator may name a private one
    struct transport_key key = key_of(500);
    assert_true(peers_add_fixed(pool.peers, &endpoint, &key));
    assert_true(peers_add_fixed(pool.peers, &endpoint, &key));
    assert_true(peers_next_dial(pool.peers, pool.now, &dial));
    assert_memory_equal(&dial.key, &key, sizeof key);
    assert_int_equal(dial.place, PEER_PLACE_SEED);
    assert_false(dial.has_id);
    peers_failed(pool.peers, &dial.key, pool.now);
    settle(&pool);
    assert_int_equal(count_places(&pool, PEER_PLACE_SEED), 0);
    pool_wait(&pool, PEERS_RETRY_MIN_MS);
    assert_true(dial_one(&pool, &dial, &peer));
    assert_int_equal(dial.place, PEER_PLACE_SEED);
    peers_round_trip(pool.peers, peer, 1000); // the slowest of all
    for (unsigned i = 0; i < 20; i++) {
        settle(&pool);
        assert_true(is_there(&pool, peer));
        assert_int_equal(peers_count(pool.peers, PEER_OUTBOUND), PEERS_OUTBOUND);
        pool_wait(&pool, PEERS_ROTATE_MS / 2);
    }
    // Lost after long: at once again.
    peers_closed(pool.peers, peer, pool.now);
    assert_true(dial_one(&pool, &dial, &peer));
    assert_int_equal(dial.place, PEER_PLACE_SEED);
    for (unsigned n = 1; n < PEERS_FIXED_MAX; n++) {
        key = key_of(500 + n);
        assert_true(peers_add_fixed(pool.peers, &endpoint, &key));
    }
    key = key_of(600);
    assert_false(peers_add_fixed(pool.peers, &endpoint, &key));
    pool_close(&pool);
}

// All outbound peers bring this many shares, but one random peer: its number.
static uint32_t all_but_one_deliver(struct pool *pool, unsigned count, uint32_t first)
{
    uint32_t idle = 0;
    for (uint32_t peer = first; peer <= pool->last_peer; peer++) {
        if (place_of(pool, peer) == PEER_PLACE_RANDOM && idle == 0) {
            idle = peer;
            continue;
        }
        for (unsigned i = 0; i < count; i++)
            peers_delivered(pool->peers, peer, pool->now);
    }
    for (uint32_t peer = 1; peer < first; peer++)
        peers_delivered(pool->peers, peer, pool->now);
    return idle;
}

static void worst_random_one_is_rotated_every_ten_minutes(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t dropped;
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 100);
    settle(&pool);
    uint32_t idle = all_but_one_deliver(&pool, 5, 1);
    assert_int_equal(peers_next_deadline(pool.peers).ms, pool.now.mono.ms + PEERS_ROTATE_MS);
    pool_wait(&pool, PEERS_ROTATE_MS - 1);
    assert_false(peers_next_drop(pool.peers, pool.now, &dropped));
    pool_wait(&pool, 1);
    assert_true(peers_next_drop(pool.peers, pool.now, &dropped));
    assert_int_equal(dropped, idle);
    assert_false(peers_next_drop(pool.peers, pool.now, &dropped));
    settle(&pool);
    assert_int_equal(peers_count(pool.peers, PEER_OUTBOUND), PEERS_OUTBOUND);
    assert_int_equal(count_places(&pool, PEER_PLACE_RANDOM), PEERS_RANDOM + PEERS_KEPT);
    // What counts is the time since then, not merit of long ago: the newcomer brings one.
    idle = all_but_one_deliver(&pool, 1, idle + 1);
    assert_true(idle < pool.last_peer);
    pool_wait(&pool, PEERS_ROTATE_MS);
    assert_true(peers_next_drop(pool.peers, pool.now, &dropped));
    assert_int_equal(dropped, idle);
    pool_close(&pool);
}

static void rotated_one_rests_for_an_hour(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    unsigned rotations = 0;
    uint32_t peer = 0;
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 20);
    settle(&pool);
    for (unsigned i = 0; i < 8; i++) {
        struct peers_view before = {.since = {0}};
        pool_wait(&pool, PEERS_ROTATE_MS);
        for (uint32_t p = 1; p <= pool.last_peer; p++) {
            struct peers_view view;
            if (peers_view(pool.peers, p, &view) && view.place == PEER_PLACE_RANDOM &&
                view.round_trip_ms > before.round_trip_ms)
                before = view;
        }
        if (!peers_next_drop(pool.peers, pool.now, &peer))
            continue;
        assert_int_equal(peer, before.link.peer); // the slowest, as nobody brings anything
        assert_true(dial_one(&pool, &dial, &peer));
        assert_false(memcmp(&dial.key, &before.link.key, sizeof dial.key) == 0);
        peers_round_trip(pool.peers, peer, number_of(&dial.key) + 1);
        settle(&pool);
        rotations++;
    }
    assert_true(rotations >= 6);
    pool_close(&pool);
}

// A node is lost while others are tried: those may stay, though they are not the nearest.
static void nobody_goes_where_no_more_than_eight_are(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    uint32_t peer = 0;
    uint32_t random = 0;
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 9);
    while (dial_one(&pool, &dial, &peer)) {
        if (dial.place == PEER_PLACE_RANDOM)
            random = peer;
    }
    assert_int_equal(peers_count(pool.peers, PEER_OUTBOUND), 9);
    peers_closed(pool.peers, random, pool.now);
    for (peer = 1; peer <= 9; peer++)
        peers_round_trip(pool.peers, peer, peer);
    assert_int_equal(settle(&pool), 0);
    assert_int_equal(count_places(&pool, PEER_PLACE_TRIED), 1);
    pool_close(&pool);
}

static void lost_near_one_is_replaced_by_the_next_nearest(void **state)
{
    (void)state;
    struct pool pool;
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 35);
    settle(&pool);
    pool_wait(&pool, PEERS_RETRY_MIN_MS);
    for (uint32_t peer = 1; peer <= pool.last_peer; peer++) {
        if (place_of(&pool, peer) != PEER_PLACE_NEAR)
            continue;
        peers_closed(pool.peers, peer, pool.now);
        break;
    }
    settle(&pool);
    assert_int_equal(count_places(&pool, PEER_PLACE_NEAR), PEERS_NEAREST);
    assert_int_equal(peers_count(pool.peers, PEER_OUTBOUND), PEERS_OUTBOUND);
    pool_close(&pool);
}

// As after a partition: nobody answers for an hour, and then one does.
static void lost_ones_are_called_in_turns(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    uint32_t peers[3];
    unsigned calls[3] = {0};
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_true(dial_one(&pool, &dial, &peers[i]));
    pool_wait(&pool, 60000);
    for (unsigned i = 0; i < 3; i++)
        peers_closed(pool.peers, peers[i], pool.now);
    pool_wait(&pool, PEERS_RETRY_MIN_MS);
    for (int64_t end = pool.now.mono.ms + 3600000; pool.now.mono.ms < end;) {
        while (peers_next_dial(pool.peers, pool.now, &dial)) {
            calls[number_of(&dial.key)]++;
            peers_failed(pool.peers, &dial.key, pool.now);
        }
        peers_next_drop(pool.peers, pool.now, &peers[0]);
        int64_t rest_ms = peers_next_deadline(pool.peers).ms - pool.now.mono.ms;
        assert_true(rest_ms > 0 && rest_ms <= PEERS_LOST_MS);
        pool_wait(&pool, rest_ms);
    }
    // One every ten seconds, and each after 0, 30, 90, 210 .. seconds besides.
    assert_int_equal(calls[0] + calls[1] + calls[2], 360 + 3 * 7);
    for (unsigned i = 0; i < 3; i++)
        assert_in_range(calls[i], 115, 140);
    // Their records have expired, but a link will prove who they are.
    pool_wait(&pool, 3 * 3600000);
    assert_true(dial_one(&pool, &dial, &peers[0]));
    assert_int_equal(place_of(&pool, peers[0]), PEER_PLACE_RANDOM);
    // Who throws us out at once is not lost: the other two have their turns, and he has none.
    unsigned rude = number_of(&dial.key);
    peers_closed(pool.peers, peers[0], pool.now);
    for (unsigned i = 0; i < 6; i++) {
        pool_wait(&pool, PEERS_LOST_MS);
        assert_true(peers_next_dial(pool.peers, pool.now, &dial));
        assert_int_not_equal(number_of(&dial.key), rude);
        peers_failed(pool.peers, &dial.key, pool.now);
    }
    pool_wait(&pool, 24 * 3600000);
    assert_false(peers_next_dial(pool.peers, pool.now, &dial));
    assert_int_equal(peers_book_count(pool.peers), 0);
    pool_close(&pool);
}

// A host that asks when it is due, and only then, comes to rest between events.
static void deadlines_do_not_spin(void **state)
{
    (void)state;
    struct pool pool;
    unsigned turns = 0;
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 60);
    int64_t end = pool.now.mono.ms + 6 * PEERS_ROTATE_MS;
    while (pool.now.mono.ms < end) {
        settle(&pool);
        int64_t due = peers_next_deadline(pool.peers).ms;
        assert_true(due > pool.now.mono.ms);
        pool_wait(&pool, due - pool.now.mono.ms);
        turns++;
    }
    assert_in_range(turns, 5, 60);
    pool_close(&pool);
}

static void same_seed_dials_the_same(void **state)
{
    (void)state;
    struct pool pools[2];
    struct peers_dial dials[2];
    for (unsigned i = 0; i < 2; i++) {
        pool_open(&pools[i], NULL);
        hear_many(&pools[i], 0, 100);
    }
    for (unsigned k = 0; k < 9; k++) {
        for (unsigned i = 0; i < 2; i++)
            assert_true(peers_next_dial(pools[i].peers, pools[i].now, &dials[i]));
        assert_memory_equal(&dials[0].key, &dials[1].key, sizeof dials[0].key);
    }
    pool_close(&pools[0]);
    pool_close(&pools[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_of_24_stay_with_random_ones),
        cmocka_unit_test(near_ones_are_the_nearest),
        cmocka_unit_test(small_pool_is_linked_with_everyone_and_drops_nobody),
        cmocka_unit_test(outbound_links_are_in_different_networks),
        cmocka_unit_test(few_are_tried_at_once),
        cmocka_unit_test(who_answers_no_ping_is_no_near_one),
        cmocka_unit_test(failures_back_off_from_half_a_minute_to_an_hour),
        cmocka_unit_test(who_throws_us_out_at_once_has_failed),
        cmocka_unit_test(failure_counts_for_the_node_that_was_dialled),
        cmocka_unit_test(fixed_peers_come_first_and_stay),
        cmocka_unit_test(worst_random_one_is_rotated_every_ten_minutes),
        cmocka_unit_test(rotated_one_rests_for_an_hour),
        cmocka_unit_test(nobody_goes_where_no_more_than_eight_are),
        cmocka_unit_test(lost_near_one_is_replaced_by_the_next_nearest),
        cmocka_unit_test(lost_ones_are_called_in_turns),
        cmocka_unit_test(deadlines_do_not_spin),
        cmocka_unit_test(same_seed_dials_the_same),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
