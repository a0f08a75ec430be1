#include "tests/unit/dht/peers_fixture.h"

#define HOUR_MS 3600000

static void newest_record_holds(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    pool_open(&pool, NULL);
    assert_true(hear(&pool, 1, 5, host(20, 1, 1, 1)));
    assert_true(hear(&pool, 1, 5, host(20, 1, 1, 1)));
    assert_false(hear(&pool, 1, 4, host(20, 2, 1, 1)));
    assert_false(hear(&pool, 1, 5, host(20, 2, 1, 1))); // two records of one seq
    assert_true(hear(&pool, 1, 6, host(20, 3, 1, 1)));
    assert_int_equal(peers_book_count(pool.peers), 1);
    assert_true(peers_next_dial(pool.peers, pool.now, &dial));
    struct endpoint newest = host(20, 3, 1, 1);
    assert_true(endpoint_equal(&dial.endpoint, &newest));
    pool_close(&pool);
}

static void own_record_is_refused(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_config config = {.own = id_of(1)};
    pool_open(&pool, &config);
    assert_false(hear(&pool, 1, 1, apart(1)));
    assert_true(hear(&pool, 2, 1, apart(2)));
    pool_close(&pool);
}

static void expired_record_leaves(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    pool_open(&pool, NULL);
    hear_many(&pool, 1, 2);
    struct node_record old = record_of(&pool, 3, 1, apart(3));
    pool_wait(&pool, RECORD_LIFETIME_SECONDS * 1000 - 1);
    assert_true(hear(&pool, 2, 2, apart(2)));
    assert_int_equal(peers_book_count(pool.peers), 2);
    pool_wait(&pool, 1);
    assert_false(hear_record(&pool, &old));
    assert_true(peers_next_dial(pool.peers, pool.now, &dial));
    assert_int_equal(number_of(&dial.key), 2);
    assert_int_equal(peers_book_count(pool.peers), 1);
    pool_close(&pool);
}

static void node_that_has_no_endpoint_any_more_leaves(void **state)
{
    (void)state;
    struct pool pool;
    pool_open(&pool, NULL);
    hear_many(&pool, 1, 1);
    struct node_record record = record_of(&pool, 1, 2, apart(1));
    record.flags = 0;
    memset(&record.ipv4, 0, sizeof record.ipv4);
    assert_false(hear_record(&pool, &record));
    assert_int_equal(peers_book_count(pool.peers), 0);
    pool_close(&pool);
}

static void neighbourhoods_are_bounded(void **state)
{
    (void)state;
    struct pool pool;
    unsigned taken = 0;
    pool_open(&pool, NULL);
    for (unsigned n = 0; n < 250; n++)
        taken += hear(&pool, n, 1, host(20, 1, 1, (uint8_t)n));
    assert_int_equal(taken, PEERS_BOOK_NEAR_MAX);
    for (unsigned n = 0; n < 250; n++)
        taken += hear(&pool, 1000 + n, 1, host(20, 1, (uint8_t)(2 + n), 1));
    assert_int_equal(taken, PEERS_BOOK_WIDE_MAX);
    for (unsigned n = 0; n < 250; n++)
        taken += hear(&pool, 2000 + n, 1, host6(1, 1, (uint8_t)n, 1));
    assert_int_equal(taken, PEERS_BOOK_WIDE_MAX + PEERS_BOOK_NEAR_MAX);
    // Nor by moving there with a newer record.
    assert_true(hear(&pool, 3000, 1, host(21, 1, 1, 1)));
    assert_false(hear(&pool, 3000, 2, host(20, 1, 1, 251)));
    assert_true(hear(&pool, 3000, 2, host(21, 1, 1, 2)));
    pool_close(&pool);
}

static void crowded_pool_has_one_neighbourhood(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_config config = {.is_crowded = true};
    pool_open(&pool, &config);
    for (unsigned n = 0; n < 200; n++)
        assert_true(hear(&pool, n, 1, host(127, 0, 0, 1)));
    pool_close(&pool);
}

static void full_book_gives_up_strangers_of_its_largest_network(void **state)
{
    (void)state;
    struct pool pool;
    unsigned count = 0;
    pool_open(&pool, NULL);
    // 16 networks of 64 fill it.
    for (unsigned n = 0; n < PEERS_BOOK_MAX; n++)
        count += hear(&pool, n, 1, host(20, (uint8_t)(n / 64), (uint8_t)(n % 64), 1));
    assert_int_equal(count, PEERS_BOOK_MAX);
    // Honest nodes, each of its own network, still find a place.
    for (unsigned n = 0; n < 100; n++)
        assert_true(hear(&pool, 5000 + n, 1, host(30, (uint8_t)n, 1, 1)));
    assert_int_equal(peers_book_count(pool.peers), PEERS_BOOK_MAX);
    // More of the flood does not, and the honest ones are all there: they know better already.
    for (unsigned n = 0; n < 100; n++)
        assert_false(hear(&pool, 7000 + n, 1, host(20, (uint8_t)(n % 16), (uint8_t)(100 + n), 1)));
    for (unsigned n = 0; n < 100; n++)
        assert_false(hear(&pool, 5000 + n, 0, host(31, (uint8_t)n, 1, 1)));
    pool_close(&pool);
}

static void failing_nodes_give_way(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    pool_open(&pool, NULL);
    for (unsigned n = 0; n < PEERS_BOOK_NEAR_MAX; n++)
        assert_true(hear(&pool, n, 1, host(20, 1, 1, (uint8_t)n)));
    assert_false(hear(&pool, 100, 1, host(20, 1, 1, 100)));
    // One at a time, as all are of one network; all fail three times within minutes.
    for (unsigned i = 0; i < 3 * PEERS_BOOK_NEAR_MAX; i++) {
        while (!peers_next_dial(pool.peers, pool.now, &dial))
            pool_wait(&pool, PEERS_RETRY_MIN_MS);
        peers_failed(pool.peers, &dial.key, pool.now);
    }
    assert_true(hear(&pool, 100, 1, host(20, 1, 1, 100)));
    assert_int_equal(peers_book_count(pool.peers), PEERS_BOOK_NEAR_MAX);
    pool_close(&pool);
}

static void sample_is_random_bounded_and_well_formed(void **state)
{
    (void)state;
    struct pool pool;
    struct buffer out;
    unsigned seen[40] = {0};
    pool_open(&pool, NULL);
    hear_many(&pool, 0, 40);
    buffer_init(&out, 1 << 20);
    for (unsigned round = 0; round < 50; round++) {
        struct node_record record;
        uint64_t in_this = 0;
        buffer_reset(&out);
        assert_int_equal(peers_sample(pool.peers, 16, pool.now, &out), 16);
        struct reader reader = reader_init(out.data, out.size);
        for (unsigned i = 0; i < 16; i++) {
            uint16_t size = read_u16(&reader);
            assert_true(record_decode(read_view(&reader, size), size, &record));
            unsigned n = number_of(&record.transport_key);
            assert_false(in_this >> n & 1);
            in_this |= UINT64_C(1) << n;
            seen[n]++;
        }
        assert_true(reader_is_done(&reader));
    }
    for (unsigned n = 0; n < 40; n++)
        assert_in_range(seen[n], 5, 40); // 20 are expected
    uint8_t small[100];
    struct buffer fixed;
    buffer_init_fixed(&fixed, small, sizeof small);
    assert_int_equal(peers_sample(pool.peers, 16, pool.now, &fixed), 0);
    assert_false(fixed.failed);
    buffer_clear(&out);
    pool_close(&pool);
}

static size_t count_sample(struct pool *pool)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    size_t count = peers_sample(pool->peers, 1000, pool->now, &out);
    buffer_clear(&out);
    return count;
}

static void private_addresses_are_neither_dialled_nor_told(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    pool_open(&pool, NULL);
    assert_false(hear(&pool, 1, 1, host(192, 168, 1, 1)));
    assert_false(hear(&pool, 1, 1, host(127, 0, 0, 1)));
    struct node_record both = record_of(&pool, 2, 1, host(10, 0, 0, 1));
    struct endpoint public = host6(1, 1, 1, 1);
    record_set_endpoint(&both, &public);
    assert_true(hear_record(&pool, &both));
    assert_int_equal(count_sample(&pool), 0);
    assert_true(hear(&pool, 3, 1, apart(3)));
    assert_int_equal(count_sample(&pool), 1);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(peers_next_dial(pool.peers, pool.now, &dial));
        assert_true(number_of(&dial.key) == 3 || endpoint_equal(&dial.endpoint, &public));
    }
    pool_close(&pool);

    struct peers_config config = {.is_crowded = true};
    pool_open(&pool, &config);
    assert_true(hear(&pool, 1, 1, host(127, 0, 0, 1)));
    assert_int_equal(count_sample(&pool), 1);
    pool_close(&pool);
}

static void failing_and_expired_nodes_are_not_told(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    pool_open(&pool, NULL);
    hear_many(&pool, 1, 2);
    assert_true(peers_next_dial(pool.peers, pool.now, &dial));
    assert_int_equal(count_sample(&pool), 2);
    peers_failed(pool.peers, &dial.key, pool.now);
    assert_int_equal(count_sample(&pool), 1);
    pool_wait(&pool, 2 * HOUR_MS);
    assert_int_equal(count_sample(&pool), 0);
    pool_close(&pool);
}

static void other_family_is_tried_after_a_failure(void **state)
{
    (void)state;
    struct pool pool;
    struct peers_dial dial;
    pool_open(&pool, NULL);
    struct node_record record = record_of(&pool, 1, 1, apart(1));
    struct endpoint six = host6(1, 1, 1, 1);
    record_set_endpoint(&record, &six);
    assert_true(hear_record(&pool, &record));
    for (unsigned i = 0; i < 3; i++) {
        assert_true(peers_next_dial(pool.peers, pool.now, &dial));
        assert_int_equal(dial.endpoint.address.family, i == 1 ? ADDRESS_IPV6 : ADDRESS_IPV4);
        peers_failed(pool.peers, &dial.key, pool.now);
        pool_wait(&pool, 120000);
    }
    pool_close(&pool);
}

static void other_family_is_tried_a_second_later_and_then_both_wait(void **state)
{
    (void)state;
    static const int64_t waits_ms[] = {1000, 60000, 120000};
    struct pool pool;
    struct peers_dial dial;
    pool_open(&pool, NULL);
    struct node_record record = record_of(&pool, 1, 1, apart(1));
    struct endpoint six = host6(1, 1, 1, 1);
    record_set_endpoint(&record, &six);
    assert_true(hear_record(&pool, &record));
    for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
        assert_true(peers_next_dial(pool.peers, pool.now, &dial));
        peers_failed(pool.peers, &dial.key, pool.now);
        pool_wait(&pool, waits_ms[i] - 1);
        assert_false(peers_next_dial(pool.peers, pool.now, &dial));
        pool_wait(&pool, 1);
    }
    pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_record_holds),
        cmocka_unit_test(own_record_is_refused),
        cmocka_unit_test(expired_record_leaves),
        cmocka_unit_test(node_that_has_no_endpoint_any_more_leaves),
        cmocka_unit_test(neighbourhoods_are_bounded),
        cmocka_unit_test(crowded_pool_has_one_neighbourhood),
        cmocka_unit_test(full_book_gives_up_strangers_of_its_largest_network),
        cmocka_unit_test(failing_nodes_give_way),
        cmocka_unit_test(sample_is_random_bounded_and_well_formed),
        cmocka_unit_test(private_addresses_are_neither_dialled_nor_told),
        cmocka_unit_test(failing_and_expired_nodes_are_not_told),
        cmocka_unit_test(other_family_is_tried_after_a_failure),
        cmocka_unit_test(other_family_is_tried_a_second_later_and_then_both_wait),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
