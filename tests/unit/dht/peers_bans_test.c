#include "tests/unit/dht/peers_fixture.h"

// Node n calls from the endpoint, and breaks the rules until it is banned; for how long it is.
static int64_t ban_ms(struct pool *pool, unsigned n, struct endpoint endpoint)
{
    uint32_t evicted;
    struct mono_time until;
    struct address address;
    int64_t longest = 0;
    assert_int_equal(call_us(pool, n, endpoint, &evicted), PEERS_ADMITTED);
    uint32_t peer = pool->last_peer;
    assert_true(peers_fault(pool->peers, peer, PEERS_SCORE_BAN, pool->now));
    peers_closed(pool->peers, peer, pool->now);
    for (size_t cursor = 0; peers_next_ban(pool->peers, &cursor, &address, &until);) {
        if (address_equal(&address, &endpoint.address) && until.ms - pool->now.mono.ms > longest)
            longest = until.ms - pool->now.mono.ms;
    }
    return longest;
}

static void ban_lasts_ten_minutes_by_address_and_by_identity(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    pool_open(&pool, NULL);
    struct endpoint there = host(20, 1, 1, 1);
    struct endpoint neighbour = host(20, 1, 1, 2);
    struct node_id id = id_of(1);
    struct transport_key key = key_of(1);
    assert_int_equal(ban_ms(&pool, 1, there), PEERS_BAN_MIN_MS);
    assert_true(peers_is_banned(pool.peers, &there.address, pool.now));
    assert_false(peers_is_banned(pool.peers, &neighbour.address, pool.now));
    assert_true(peers_is_banned_node(pool.peers, &id, NULL, pool.now));
    assert_true(peers_is_banned_node(pool.peers, NULL, &key, pool.now));
    assert_int_equal(call_us(&pool, 2, there, &evicted), PEERS_BANNED);
    assert_int_equal(call_us(&pool, 1, neighbour, &evicted), PEERS_BANNED);
    pool_wait(&pool, PEERS_BAN_MIN_MS - 1);
    assert_int_equal(call_us(&pool, 1, there, &evicted), PEERS_BANNED);
    pool_wait(&pool, 1);
    assert_false(peers_is_banned(pool.peers, &there.address, pool.now));
    assert_int_equal(call_us(&pool, 1, there, &evicted), PEERS_ADMITTED);
    pool_close(&pool);
}

static void ipv6_is_banned_by_64(void **state)
{
    (void)state;
    struct pool pool;
    pool_open(&pool, NULL);
    ban_ms(&pool, 1, host6(1, 1, 1, 1));
    struct endpoint same = host6(1, 1, 1, 77);
    struct endpoint other = host6(1, 1, 2, 1);
    assert_true(peers_is_banned(pool.peers, &same.address, pool.now));
    assert_false(peers_is_banned(pool.peers, &other.address, pool.now));
    pool_close(&pool);
}

static void bans_double_up_to_a_day_and_are_forgotten_after_two_clean_ones(void **state)
{
    (void)state;
    struct pool pool;
    pool_open(&pool, NULL);
    struct endpoint there = host(20, 1, 1, 1);
    int64_t expected = PEERS_BAN_MIN_MS;
    for (unsigned i = 0; i < 12; i++) {
        // Neither a new identity nor a new address begins anew.
        int64_t ms = i % 2 == 0 ? ban_ms(&pool, 1 + i, there) : ban_ms(&pool, i, there);
        assert_int_equal(ms, expected);
        pool_wait(&pool, ms);
        expected = 2 * expected < PEERS_BAN_MAX_MS ? 2 * expected : PEERS_BAN_MAX_MS;
    }
    assert_int_equal(ban_ms(&pool, 11, host(30, 1, 1, 1)), PEERS_BAN_MAX_MS);
    pool_wait(&pool, PEERS_BAN_MAX_MS + PEERS_BAN_FORGET_MS - 1);
    assert_int_equal(ban_ms(&pool, 11, host(30, 1, 1, 1)), PEERS_BAN_MAX_MS);
    pool_wait(&pool, PEERS_BAN_MAX_MS + PEERS_BAN_FORGET_MS);
    assert_int_equal(ban_ms(&pool, 11, host(30, 1, 1, 1)), PEERS_BAN_MIN_MS);
    pool_close(&pool);
}

static void crowded_pool_bans_by_identity_only(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    struct peers_config config = {.is_crowded = true};
    pool_open(&pool, &config);
    struct endpoint there = host(127, 0, 0, 1);
    struct transport_key key = key_of(1);
    ban_ms(&pool, 1, there);
    assert_false(peers_is_banned(pool.peers, &there.address, pool.now));
    assert_int_equal(call_us(&pool, 2, there, &evicted), PEERS_ADMITTED);
    assert_int_equal(call_us(&pool, 1, there, &evicted), PEERS_BANNED);
    assert_true(peers_is_banned_node(pool.peers, NULL, &key, pool.now));
    // But the operator means what he says.
    peers_ban(pool.peers, &there.address, 1000, pool.now);
    assert_true(peers_is_banned(pool.peers, &there.address, pool.now));
    pool_wait(&pool, 1000);
    assert_int_equal(ban_ms(&pool, 3, there), PEERS_BAN_MIN_MS); // nobody else's doubling
    pool_close(&pool);
}

static unsigned score_of(const struct pool *pool, uint32_t peer)
{
    struct peers_view view;
    assert_true(peers_view(pool->peers, peer, &view));
    return view.score;
}

static void score_halves_each_ten_minutes(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted;
    pool_open(&pool, NULL);
    call_us(&pool, 1, apart(1), &evicted);
    assert_false(peers_fault(pool.peers, 1, 99, pool.now));
    pool_wait(&pool, PEERS_SCORE_HALF_MS - 1);
    assert_false(peers_fault(pool.peers, 1, 0, pool.now));
    assert_int_equal(score_of(&pool, 1), 99);
    pool_wait(&pool, 1);
    assert_false(peers_fault(pool.peers, 1, 1, pool.now));
    assert_int_equal(score_of(&pool, 1), 50);
    pool_wait(&pool, 2 * PEERS_SCORE_HALF_MS + 5);
    assert_false(peers_fault(pool.peers, 1, 0, pool.now));
    assert_int_equal(score_of(&pool, 1), 12);
    assert_false(peers_fault(pool.peers, 1, 87, pool.now));
    assert_true(peers_fault(pool.peers, 1, 1, pool.now));
    pool_wait(&pool, INT64_C(100) * PEERS_BAN_FORGET_MS);
    assert_true(peers_fault(pool.peers, 1, 0, pool.now)); // it should be closed long since
    assert_false(peers_fault(pool.peers, 77, 1000, pool.now));
    pool_close(&pool);
}

static void huge_faults_do_not_overflow(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted;
    pool_open(&pool, NULL);
    call_us(&pool, 1, apart(1), &evicted);
    assert_false(peers_fault(pool.peers, 1, 99, pool.now));
    assert_true(peers_fault(pool.peers, 1, UINT32_MAX, pool.now));
    pool_close(&pool);
}

static void new_link_does_not_wash_the_score(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted;
    pool_open(&pool, NULL);
    call_us(&pool, 1, host(20, 1, 1, 1), &evicted);
    assert_false(peers_fault(pool.peers, 1, 80, pool.now));
    peers_closed(pool.peers, 1, pool.now);
    call_us(&pool, 1, host(20, 2, 1, 1), &evicted); // from elsewhere
    assert_false(peers_fault(pool.peers, 2, 10, pool.now));
    peers_closed(pool.peers, 2, pool.now);
    call_us(&pool, 9, host(20, 2, 1, 1), &evicted); // as somebody else
    assert_int_equal(score_of(&pool, 3), 90);
    peers_closed(pool.peers, 3, pool.now);
    pool_wait(&pool, PEERS_SCORE_HALF_MS);
    call_us(&pool, 9, host(20, 2, 1, 1), &evicted);
    assert_int_equal(score_of(&pool, 4), 45);
    call_us(&pool, 10, host(20, 3, 1, 1), &evicted);
    assert_int_equal(score_of(&pool, 5), 0);
    pool_close(&pool);
}

static void banned_nodes_leave_the_book_and_are_not_heard(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    pool_open(&pool, NULL);
    hear_many(&pool, 1, 3);
    ban_ms(&pool, 1, host(77, 1, 1, 1)); // its identity, from another address
    assert_int_equal(peers_book_count(pool.peers), 2);
    assert_false(hear(&pool, 1, 2, apart(1)));
    struct address address = apart(2).address;
    peers_ban(pool.peers, &address, 60000, pool.now);
    assert_int_equal(peers_book_count(pool.peers), 1);
    assert_false(hear(&pool, 2, 2, apart(2)));
    assert_true(peers_next_dial(pool.peers, pool.now, &dial));
    assert_int_equal(number_of(&dial.key), 3);
    assert_true(peers_unban(pool.peers, &address));
    assert_false(peers_unban(pool.peers, &address));
    assert_true(hear(&pool, 2, 2, apart(2)));
    pool_close(&pool);
}

static void table_of_bans_is_bounded_and_the_first_to_end_goes(void **state)
{
    (void)state;
    struct pool pool;
    struct address address;
    struct mono_time until;
    size_t count = 0;
    pool_open(&pool, NULL);
    for (unsigned i = 0; i <= PEERS_BANS_MAX; i++) {
        address = host(20, (uint8_t)(i >> 8), (uint8_t)i, 1).address;
        // The one hundredth ends first.
        peers_ban(pool.peers, &address, i == 100 ? 1000 : 5000 + (int64_t)i, pool.now);
    }
    for (size_t cursor = 0; peers_next_ban(pool.peers, &cursor, &address, &until);)
        count++;
    assert_int_equal(count, PEERS_BANS_MAX);
    address = host(20, 0, 100, 1).address;
    assert_false(peers_is_banned(pool.peers, &address, pool.now));
    address = host(20, 0, 0, 1).address;
    assert_true(peers_is_banned(pool.peers, &address, pool.now));
    address = host(20, 16, 0, 1).address;
    assert_true(peers_is_banned(pool.peers, &address, pool.now));
    peers_ban(pool.peers, &address, INT64_MAX, pool.now); // for ever: no overflow
    pool_wait(&pool, INT64_C(1000) * 86400 * 365);
    assert_true(peers_is_banned(pool.peers, &address, pool.now));
    pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ban_lasts_ten_minutes_by_address_and_by_identity),
        cmocka_unit_test(ipv6_is_banned_by_64),
        cmocka_unit_test(bans_double_up_to_a_day_and_are_forgotten_after_two_clean_ones),
        cmocka_unit_test(crowded_pool_bans_by_identity_only),
        cmocka_unit_test(score_halves_each_ten_minutes),
        cmocka_unit_test(huge_faults_do_not_overflow),
        cmocka_unit_test(new_link_does_not_wash_the_score),
        cmocka_unit_test(banned_nodes_leave_the_book_and_are_not_heard),
        cmocka_unit_test(table_of_bans_is_bounded_and_the_first_to_end_goes),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
