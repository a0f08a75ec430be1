#include "tests/unit/dht/peers_fixture.h"

#define OPEN_PLACES (PEERS_INBOUND - PEERS_INBOUND_WORK)

// Node n of a network of its own calls each second; in an empty pool the number of its link is
// n + 1.
static void fill(struct pool *pool, unsigned count)
{
    uint32_t evicted;
    for (unsigned n = 0; n < count; n++) {
        assert_int_equal(call_us(pool, n, apart(n), &evicted), PEERS_ADMITTED);
        pool_wait(pool, 1000);
    }
}

static enum peers_admission worker_calls(struct pool *pool, unsigned n, struct endpoint endpoint,
                                         uint32_t *evicted)
{
    struct peers_link link = link_with(pool, n, PEER_INBOUND, endpoint);
    link.has_work = true;
    return peers_opened(pool->peers, &link, pool->now, evicted);
}

static void third_of_the_places_is_for_those_who_prove_work(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    pool_open(&pool, NULL);
    fill(&pool, OPEN_PLACES);
    assert_int_equal(call_us(&pool, 100, apart(100), &evicted), PEERS_ADMITTED_EVICTS);
    assert_int_equal(peers_count(pool.peers, PEER_INBOUND), OPEN_PLACES);
    for (unsigned n = 0; n < PEERS_INBOUND_WORK; n++)
        assert_int_equal(worker_calls(&pool, 200 + n, apart(200 + n), &evicted), PEERS_ADMITTED);
    assert_int_equal(peers_count(pool.peers, PEER_INBOUND), PEERS_INBOUND);
    assert_int_equal(worker_calls(&pool, 300, apart(300), &evicted), PEERS_ADMITTED_EVICTS);
    assert_int_equal(peers_count(pool.peers, PEER_INBOUND), PEERS_INBOUND);
    pool_close(&pool);
}

static void proof_of_work_after_the_handshake_frees_a_place(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    pool_open(&pool, NULL);
    fill(&pool, OPEN_PLACES);
    peers_proved_work(pool.peers, 1);
    assert_int_equal(call_us(&pool, 100, apart(100), &evicted), PEERS_ADMITTED);
    assert_int_equal(call_us(&pool, 101, apart(101), &evicted), PEERS_ADMITTED_EVICTS);
    pool_close(&pool);
}

static void those_without_work_never_displace_those_who_prove_it(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    pool_open(&pool, NULL);
    for (unsigned n = 0; n < PEERS_INBOUND_WORK; n++)
        assert_int_equal(worker_calls(&pool, n, apart(n), &evicted), PEERS_ADMITTED);
    for (unsigned n = 100; n < 400; n++) {
        call_us(&pool, n, apart(n), &evicted);
        pool_wait(&pool, 100);
    }
    for (uint32_t peer = 1; peer <= PEERS_INBOUND_WORK; peer++)
        assert_true(is_there(&pool, peer));
    assert_int_equal(peers_count(pool.peers, PEER_INBOUND), PEERS_INBOUND);
    pool_close(&pool);
}

static size_t count_first(const struct pool *pool, uint32_t count)
{
    size_t left = 0;
    for (uint32_t peer = 1; peer <= count; peer++)
        left += is_there(pool, peer);
    return left;
}

static void one_network_does_not_displace_others(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    pool_open(&pool, NULL);
    fill(&pool, OPEN_PLACES);
    for (unsigned n = 0; n < 65; n++) {
        call_us(&pool, 1000 + n, host(99, 1, (uint8_t)n, 1), &evicted);
        pool_wait(&pool, 1000);
    }
    // The first of them may take one place, as any newcomer; then they displace each other.
    assert_true(count_first(&pool, OPEN_PLACES) >= OPEN_PLACES - 1);
    pool_close(&pool);
}

static void network_that_came_first_gives_way_to_others(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    pool_open(&pool, NULL);
    for (unsigned n = 0; n < 65; n++) {
        call_us(&pool, 1000 + n, host(99, 1, (uint8_t)n, 1), &evicted);
        pool_wait(&pool, 1000);
    }
    uint32_t first = pool.last_peer;
    for (unsigned n = 0; n < 12; n++) {
        assert_int_equal(call_us(&pool, n, apart(n), &evicted), PEERS_ADMITTED_EVICTS);
        assert_true(evicted <= first);
        pool_wait(&pool, 1000);
    }
    pool_close(&pool);
}

static void flood_from_many_networks_leaves_the_protected_ones(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    pool_open(&pool, NULL);
    fill(&pool, OPEN_PLACES);
    // The youngest of all but for what they do: four are near, four deliver.
    for (uint32_t peer = OPEN_PLACES - 7; peer <= OPEN_PLACES - 4; peer++)
        peers_round_trip(pool.peers, peer, 5);
    for (uint32_t peer = OPEN_PLACES - 3; peer <= OPEN_PLACES; peer++)
        peers_delivered(pool.peers, peer, pool.now);
    for (unsigned n = 0; n < 1000; n++) {
        enum peers_admission admission = call_us(&pool, 1000 + n, apart(1000 + n), &evicted);
        assert_int_equal(admission, PEERS_ADMITTED_EVICTS);
        peers_round_trip(pool.peers, pool.last_peer, 20);
        pool_wait(&pool, 10);
    }
    for (uint32_t peer = OPEN_PLACES - 7; peer <= OPEN_PLACES; peer++)
        assert_true(is_there(&pool, peer));
    // Of the others the older half of those that nothing else protects.
    assert_true(count_first(&pool, OPEN_PLACES) >= 8 + (OPEN_PLACES - 16) / 2);
    assert_true(count_first(&pool, 15) == 15);
    pool_close(&pool);
}

// Who has to go for the first newcomer, where only age and network differ.
static uint32_t first_evicted(uint64_t seed)
{
    struct pool pool;
    uint32_t evicted = 0;
    pool_open(&pool, NULL);
    peers_free(pool.peers);
    pool.seeded.state = seed;
    struct peers_config config = pool_config(&pool);
    pool.peers = peers_new(&pool.env, &config);
    fill(&pool, OPEN_PLACES);
    assert_int_equal(call_us(&pool, 1000, apart(1000), &evicted), PEERS_ADMITTED_EVICTS);
    pool_close(&pool);
    return evicted;
}

// Four networks are protected, of 43: by a key that is drawn at start.
static void protected_networks_cannot_be_foretold(void **state)
{
    (void)state;
    unsigned is_youngest = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        uint32_t evicted = first_evicted(seed);
        assert_int_equal(evicted, first_evicted(seed));
        assert_in_range(evicted, OPEN_PLACES - 4, OPEN_PLACES);
        is_youngest += evicted == OPEN_PLACES;
    }
    assert_in_range(is_youngest, 80, 99);
}

static void work_protects_where_its_network_is_the_largest(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    pool_open(&pool, NULL);
    fill(&pool, OPEN_PLACES);
    for (unsigned n = 0; n < PEERS_INBOUND_WORK; n++) {
        worker_calls(&pool, 200 + n, host(99, 1, (uint8_t)n, 1), &evicted);
        pool_wait(&pool, 1000);
    }
    for (unsigned n = 0; n < 10; n++) {
        assert_int_equal(worker_calls(&pool, 300 + n, apart(300 + n), &evicted),
                         PEERS_ADMITTED_EVICTS);
        assert_true(evicted <= OPEN_PLACES || evicted > PEERS_INBOUND);
    }
    pool_close(&pool);
}

static void age_protects_where_its_network_is_the_largest(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    pool_open(&pool, NULL);
    for (unsigned n = 0; n < 20; n++) {
        assert_int_equal(call_us(&pool, 500 + n, host(99, 1, (uint8_t)n, 1), &evicted),
                         PEERS_ADMITTED);
        pool_wait(&pool, 1000);
    }
    fill(&pool, OPEN_PLACES - 20);
    assert_int_equal(call_us(&pool, 600, apart(600), &evicted), PEERS_ADMITTED_EVICTS);
    assert_true(evicted > 20);
    pool_close(&pool);
}

static void few_places_are_all_protected(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    struct peers_config config = {.inbound_max = 4};
    pool_open(&pool, &config);
    fill(&pool, 3); // one of four is for work
    assert_int_equal(call_us(&pool, 100, apart(100), &evicted), PEERS_FULL);
    assert_int_equal(peers_count(pool.peers, PEER_INBOUND), 3);
    pool_close(&pool);
}

static void crowded_pool_evicts_its_youngest(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    struct peers_config config = {.is_crowded = true};
    pool_open(&pool, &config);
    for (unsigned n = 0; n < OPEN_PLACES; n++) {
        assert_int_equal(call_us(&pool, n, host(127, 0, 0, 1), &evicted), PEERS_ADMITTED);
        pool_wait(&pool, 1000);
    }
    assert_int_equal(call_us(&pool, 100, host(127, 0, 0, 1), &evicted), PEERS_ADMITTED_EVICTS);
    assert_int_equal(evicted, OPEN_PLACES);
    pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(third_of_the_places_is_for_those_who_prove_work),
        cmocka_unit_test(proof_of_work_after_the_handshake_frees_a_place),
        cmocka_unit_test(those_without_work_never_displace_those_who_prove_it),
        cmocka_unit_test(one_network_does_not_displace_others),
        cmocka_unit_test(network_that_came_first_gives_way_to_others),
        cmocka_unit_test(flood_from_many_networks_leaves_the_protected_ones),
        cmocka_unit_test(protected_networks_cannot_be_foretold),
        cmocka_unit_test(work_protects_where_its_network_is_the_largest),
        cmocka_unit_test(age_protects_where_its_network_is_the_largest),
        cmocka_unit_test(few_places_are_all_protected),
        cmocka_unit_test(crowded_pool_evicts_its_youngest),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
