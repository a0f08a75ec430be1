// Links: who is admitted, duplicates, who a peer is.
#include "tests/unit/dht/peers_fixture.h"

// Opens, at the node whose peers these are, link 1 or link 2 with node n: it called link `own`.
static enum peers_admission open_at(struct pool *pool, unsigned n, uint32_t peer, uint32_t own,
                                    uint32_t *evicted)
{
    struct peers_link link = {.peer = peer,
                              .way = peer == own ? PEER_OUTBOUND : PEER_INBOUND,
                              .endpoint = apart(n),
                              .id = id_of(n),
                              .key = key_of(n)};
    return peers_opened(pool->peers, &link, pool->now, evicted);
}

// Nodes 1 and 2 called each other at once, link 1 and link 2. Which link node `self` keeps, if the
// handshakes ended in this order.
static uint32_t kept_link(unsigned self, uint32_t first, uint32_t second, enum peer_place *place)
{
    struct pool pool;
    struct peers_config config = {.own = id_of(self)};
    struct peers_dial dial;
    unsigned other = 3 - self;
    uint32_t evicted = 0;
    pool_open(&pool, &config);
    assert_true(hear(&pool, other, 1, apart(other)));
    assert_true(peers_next_dial(pool.peers, pool.now, &dial));
    pool.last_peer = 2;
    assert_int_equal(open_at(&pool, other, first, self, &evicted), PEERS_ADMITTED);
    enum peers_admission admission = open_at(&pool, other, second, self, &evicted);
    uint32_t kept = is_there(&pool, 1) ? 1 : 2;
    assert_int_not_equal(is_there(&pool, 1), is_there(&pool, 2));
    assert_int_equal(admission, kept == second ? PEERS_DUPLICATE_EVICTS : PEERS_DUPLICATE);
    if (kept == second)
        assert_int_equal(evicted, first);
    *place = place_of(&pool, kept);
    assert_false(peers_next_dial(pool.peers, pool.now, &dial));
    pool_close(&pool);
    return kept;
}

static void both_sides_keep_the_same_link_in_all_orders(void **state)
{
    (void)state;
    struct node_id ids[] = {id_of(1), id_of(2)};
    uint32_t expected = hash_compare(&ids[0].hash, &ids[1].hash) < 0 ? 1 : 2;
    for (unsigned self = 1; self <= 2; self++) {
        enum peer_place place;
        assert_int_equal(kept_link(self, 1, 2, &place), expected);
        // It fills the place that the node was called for, whoever called.
        assert_int_equal(place, PEER_PLACE_RANDOM);
        assert_int_equal(kept_link(self, 2, 1, &place), expected);
        assert_int_equal(place, PEER_PLACE_RANDOM);
    }
}

static void duplicates_end_alike_where_the_called_one_is_not_known(void **state)
{
    (void)state;
    // Both were given by the operators: who called knows a key, not an id.
    for (unsigned order = 0; order < 2; order++) {
        uint32_t kept[2];
        for (unsigned self = 1; self <= 2; self++) {
            struct pool pool;
            struct peers_config config = {.own = id_of(self)};
            struct endpoint endpoint = apart(3 - self);
            struct transport_key key = key_of(3 - self);
            uint32_t evicted;
            pool_open(&pool, &config);
            assert_true(peers_add_fixed(pool.peers, &endpoint, &key));
            struct peers_dial dial;
            assert_true(peers_next_dial(pool.peers, pool.now, &dial));
            struct peers_link out = {self, PEER_OUTBOUND, endpoint, .key = key};
            struct peers_link in = {3 - self, PEER_INBOUND, endpoint, id_of(3 - self), .key = key};
            peers_opened(pool.peers, order == 0 ? &out : &in, pool.now, &evicted);
            peers_opened(pool.peers, order == 0 ? &in : &out, pool.now, &evicted);
            kept[self - 1] = is_there(&pool, 1) ? 1 : 2;
            assert_int_not_equal(is_there(&pool, 1), is_there(&pool, 2));
            struct peers_view view;
            struct node_id id = id_of(3 - self);
            assert_true(peers_view(pool.peers, kept[self - 1], &view));
            assert_memory_equal(&view.link.id, &id, sizeof id); // learned from the other link
            assert_int_equal(view.place, PEER_PLACE_SEED);
            pool_close(&pool);
        }
        assert_int_equal(kept[0], kept[1]);
    }
}

static void newer_link_of_who_calls_again_replaces_the_older(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted = 0;
    pool_open(&pool, NULL);
    assert_int_equal(call_us(&pool, 1, apart(1), &evicted), PEERS_ADMITTED);
    peers_delivered(pool.peers, 1, pool.now);
    assert_false(peers_fault(pool.peers, 1, 40, pool.now));
    assert_int_equal(call_us(&pool, 1, apart(9), &evicted), PEERS_DUPLICATE_EVICTS);
    assert_int_equal(evicted, 1);
    assert_false(is_there(&pool, 1));
    peers_closed(pool.peers, 1, pool.now); // says nothing of the new one
    struct peers_view view;
    assert_true(peers_view(pool.peers, 2, &view));
    assert_int_equal(view.score, 40);
    assert_int_equal(view.delivered, 1);
    assert_int_equal(peers_count(pool.peers, PEER_INBOUND), 1);
    pool_close(&pool);
}

static void duplicates_do_not_fill_inbound_places_beyond_their_number(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    struct peers_config config = {.inbound_max = 16};
    memset(config.own.hash.bytes, 0xff, sizeof config.own.hash.bytes); // all others are smaller
    uint32_t evicted = 0;
    uint32_t peer = 0;
    pool_open(&pool, &config);
    for (unsigned n = 100; n < 111; n++)
        assert_int_equal(call_us(&pool, n, apart(n), &evicted), PEERS_ADMITTED);
    hear_many(&pool, 0, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_true(dial_one(&pool, &dial, &peer));
        unsigned n = number_of(&dial.key);
        assert_int_equal(call_us(&pool, n, apart(n), &evicted), PEERS_DUPLICATE_EVICTS);
        assert_int_equal(evicted, peer);
        assert_int_equal(place_of(&pool, pool.last_peer), PEER_PLACE_RANDOM);
    }
    assert_int_equal(peers_count(pool.peers, PEER_INBOUND), 16);
    // Those five count as outbound: they took no inbound place, and nobody takes theirs.
    for (unsigned n = 111; n < 200; n++) {
        call_us(&pool, n, apart(n), &evicted);
        assert_int_equal(count_places(&pool, PEER_PLACE_RANDOM), 5);
        assert_int_equal(peers_count(pool.peers, PEER_INBOUND), 16);
    }
    pool_close(&pool);
}

static void own_node_is_known(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted;
    struct peers_config config = {.own = id_of(1)};
    pool_open(&pool, &config);
    assert_int_equal(call_us(&pool, 1, apart(1), &evicted), PEERS_IS_SELF);
    assert_int_equal(peers_count(pool.peers, PEER_INBOUND), 0);
    pool_close(&pool);
}

static void who_was_called_is_known_by_the_record_it_sends(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted;
    struct peers_view view;
    struct node_id honest = id_of(1);
    pool_open(&pool, NULL);
    // Node 2 signed a record with node 1's key; the link proves the key only.
    struct node_record lie = record_of(&pool, 2, 1, apart(2));
    lie.transport_key = key_of(1);
    assert_true(hear_record(&pool, &lie));
    struct peers_link link = link_with(&pool, 2, PEER_OUTBOUND, apart(2));
    link.key = key_of(1);
    assert_int_equal(peers_opened(pool.peers, &link, pool.now, &evicted), PEERS_ADMITTED);
    struct node_record true_one = record_of(&pool, 1, 1, apart(1));
    struct node_record others = record_of(&pool, 3, 1, apart(3));
    assert_false(peers_identify(pool.peers, 1, &others));
    assert_true(peers_identify(pool.peers, 1, &true_one));
    assert_true(peers_identify(pool.peers, 1, &true_one));
    assert_true(peers_view(pool.peers, 1, &view));
    assert_memory_equal(&view.link.id, &honest, sizeof honest);
    assert_int_equal(peers_book_count(pool.peers), 0);
    assert_false(peers_identify(pool.peers, 7, &true_one));
    // Who called us has proven who it is.
    call_us(&pool, 5, apart(5), &evicted);
    lie.transport_key = key_of(5);
    assert_false(peers_identify(pool.peers, 2, &lie));
    pool_close(&pool);
}

static void calls_that_were_not_asked_for_are_bounded(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t evicted;
    unsigned admitted = 0;
    pool_open(&pool, NULL);
    for (unsigned n = 0; n < 50; n++) {
        struct peers_link link = link_with(&pool, n, PEER_OUTBOUND, apart(n));
        admitted += peers_opened(pool.peers, &link, pool.now, &evicted) == PEERS_ADMITTED;
    }
    assert_int_equal(admitted, PEERS_OUTBOUND + PEERS_EXTRA);
    pool_close(&pool);
}

static void open_dialled(struct pool *pool, const struct peers_dial *dial)
{
    uint32_t evicted;
    struct peers_link link = link_with(pool, number_of(&dial->key), PEER_OUTBOUND, dial->endpoint);
    peers_opened(pool->peers, &link, pool->now, &evicted);
}

// Against itself: numbers that nobody knows, and any order of calls, with the same result twice.
static uint64_t random_run(uint64_t seed)
{
    struct pool pool;
    struct seeded choices = {seed};
    uint64_t trace = 0;
    pool_open(&pool, NULL);
    for (unsigned step = 0; step < 6000; step++) {
        struct peers_dial dial;
        uint32_t peer = 0;
        uint32_t evicted = 0;
        unsigned n = (unsigned)seeded_below(&choices, 400);
        uint32_t some = 1 + (uint32_t)seeded_below(&choices, pool.last_peer + 1);
        switch (seeded_below(&choices, 10)) {
        case 0:
            hear(&pool, n, 1 + seeded_below(&choices, 9), apart(n / 2));
            break;
        case 1:
            trace += (uint64_t)call_us(&pool, n, apart(n), &evicted) + evicted;
            break;
        case 2:
            peers_closed(pool.peers, some, pool.now);
            break;
        case 3:
            trace += peers_fault(pool.peers, some, (unsigned)n / 4, pool.now);
            break;
        case 4:
            peers_delivered(pool.peers, some, pool.now);
            peers_proved_work(pool.peers, some);
            break;
        case 5:
            peers_round_trip(pool.peers, some, n);
            break;
        case 6:
            if (peers_next_drop(pool.peers, pool.now, &peer))
                trace = trace * 31 + peer;
            break;
        case 7:
            if (!peers_next_dial(pool.peers, pool.now, &dial))
                break;
            trace = trace * 31 + number_of(&dial.key);
            if (n % 2 == 0)
                peers_failed(pool.peers, &dial.key, pool.now);
            else
                open_dialled(&pool, &dial);
            break;
        default:
            pool_wait(&pool, (int64_t)seeded_below(&choices, 20000));
        }
        trace = trace * 31 + peers_book_count(pool.peers);
        size_t inbound = peers_count(pool.peers, PEER_INBOUND);
        size_t outbound = peers_count(pool.peers, PEER_OUTBOUND);
        assert_true(inbound + outbound <= PEERS_INBOUND + PEERS_OUTBOUND + PEERS_EXTRA);
        assert_true(outbound <= PEERS_OUTBOUND + PEERS_EXTRA);
        trace = trace * 31 + inbound * 100 + outbound;
    }
    pool_close(&pool);
    return trace;
}

static void any_order_of_calls_keeps_the_bounds_and_is_repeatable(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        assert_true(random_run(seed) == random_run(seed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_keep_the_same_link_in_all_orders),
        cmocka_unit_test(duplicates_end_alike_where_the_called_one_is_not_known),
        cmocka_unit_test(newer_link_of_who_calls_again_replaces_the_older),
        cmocka_unit_test(duplicates_do_not_fill_inbound_places_beyond_their_number),
        cmocka_unit_test(own_node_is_known),
        cmocka_unit_test(who_was_called_is_known_by_the_record_it_sends),
        cmocka_unit_test(calls_that_were_not_asked_for_are_bounded),
        cmocka_unit_test(any_order_of_calls_keeps_the_bounds_and_is_repeatable),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
