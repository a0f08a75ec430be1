#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dht/record_store.h"
#include "tests/unit/sharechain/seeded.h"

static struct record_store *make_store(size_t count_max)
{
    struct record_store_config config = {.count_max = count_max};
    return record_store_new(&config);
}

static struct now at(int64_t seconds)
{
    return (struct now){{seconds * 1000}, {seconds * 1000}};
}

// Our own id is zeros, so the first byte of a key is its distance.
static struct record_put make_put(uint8_t key, uint8_t maker, uint8_t network)
{
    static const uint8_t record[RECORD_SIZE_MAX] = {1};
    uint8_t ipv4[4] = {20, network, 1, 1};
    struct record_put put = {.seq = 5, .expiry = 7200, .record = {record, sizeof record}};
    put.key.bytes[0] = key;
    put.maker.bytes[0] = maker;
    put.asker = address_ipv4(ipv4);
    return put;
}

static enum dht_status put_at(struct record_store *store, const struct record_put *put, int64_t s)
{
    return record_store_put(store, put, at(s));
}

static size_t count_under(struct record_store *store, uint8_t key)
{
    struct seeded seeded = {1};
    struct env env = {.random = seeded_random, .context = &seeded};
    struct message_bytes out[RECORD_STORE_KEY_MAX];
    struct hash256 hash = {{key}};
    return record_store_get(store, &hash, &env, out, RECORD_STORE_KEY_MAX);
}

static void newer_record_replaces_and_older_one_is_refused(void **state)
{
    (void)state;
    struct record_store *store = make_store(16);
    struct record_put put = make_put(1, 1, 1);
    static const uint8_t other[RECORD_SIZE_MAX] = {2};
    assert_int_equal(put_at(store, &put, 0), DHT_OK);
    assert_int_equal(put_at(store, &put, 0), DHT_OK);
    put.record.data = other;
    assert_int_equal(put_at(store, &put, 0), DHT_OLD);
    put.seq = 4;
    assert_int_equal(put_at(store, &put, 0), DHT_OLD);
    put.seq = 6;
    assert_int_equal(put_at(store, &put, 0), DHT_OK);
    assert_int_equal(record_store_count(store), 1);
    struct seeded seeded = {1};
    struct env env = {.random = seeded_random, .context = &seeded};
    struct message_bytes out;
    assert_int_equal(record_store_get(store, &put.key, &env, &out, 1), 1);
    assert_int_equal(out.data[0], 2);
    assert_int_equal(out.size, RECORD_SIZE_MAX);
    record_store_free(store);
}

static void record_lives_two_hours_or_until_it_expires(void **state)
{
    (void)state;
    struct record_store *store = make_store(16);
    struct record_put soon = make_put(1, 1, 1);
    struct record_put late = make_put(2, 2, 2);
    soon.expiry = 100;
    late.expiry = 1000000;
    put_at(store, &soon, 0);
    put_at(store, &late, 0);
    record_store_expire(store, at(99));
    assert_int_equal(record_store_count(store), 2);
    record_store_expire(store, at(100));
    assert_int_equal(count_under(store, 1), 0);
    record_store_expire(store, at(7199));
    assert_int_equal(count_under(store, 2), 1);
    record_store_expire(store, at(7200));
    assert_int_equal(record_store_count(store), 0);
    record_store_free(store);
}

static void neighbourhood_may_fill_eight_places(void **state)
{
    (void)state;
    struct record_store *store = make_store(64);
    for (uint8_t i = 0; i < 8; i++) {
        struct record_put put = make_put(i, i, 1);
        assert_int_equal(put_at(store, &put, 0), DHT_OK);
    }
    struct record_put ninth = make_put(9, 9, 1);
    assert_int_equal(put_at(store, &ninth, 0), DHT_FULL);
    // Nor by having another neighbourhood's record renewed in its name.
    struct record_put other = make_put(9, 9, 2);
    assert_int_equal(put_at(store, &other, 0), DHT_OK);
    assert_int_equal(put_at(store, &ninth, 0), DHT_OK);
    struct record_put more = make_put(10, 10, 2);
    for (uint8_t i = 0; i < 7; i++, more.maker.bytes[0]++)
        assert_int_equal(put_at(store, &more, 0), DHT_OK);
    assert_int_equal(put_at(store, &more, 0), DHT_FULL);
    record_store_free(store);
}

static void key_holds_64_records(void **state)
{
    (void)state;
    struct record_store *store = make_store(200);
    for (uint8_t i = 0; i < RECORD_STORE_KEY_MAX; i++) {
        struct record_put put = make_put(1, i, i);
        assert_int_equal(put_at(store, &put, 0), DHT_OK);
    }
    struct record_put more = make_put(1, 100, 100);
    assert_int_equal(put_at(store, &more, 0), DHT_FULL);
    more = make_put(2, 100, 100);
    assert_int_equal(put_at(store, &more, 0), DHT_OK);
    assert_int_equal(count_under(store, 1), RECORD_STORE_KEY_MAX);
    record_store_free(store);
}

static void full_store_gives_up_the_furthest_for_a_nearer(void **state)
{
    (void)state;
    struct record_store *store = make_store(4);
    for (uint8_t i = 0; i < 4; i++) {
        struct record_put put = make_put((uint8_t)(10 + i), i, i);
        assert_int_equal(put_at(store, &put, 0), DHT_OK);
    }
    struct record_put further = make_put(20, 20, 20);
    struct record_put nearer = make_put(1, 21, 21);
    assert_int_equal(put_at(store, &further, 0), DHT_FULL);
    assert_int_equal(put_at(store, &nearer, 0), DHT_OK);
    assert_int_equal(count_under(store, 13), 0);
    assert_int_equal(count_under(store, 1), 1);
    assert_int_equal(record_store_count(store), 4);
    record_store_free(store);
}

static void choice_among_many_gives_each_the_same_chance(void **state)
{
    (void)state;
    struct seeded seeded = {1};
    struct env env = {.random = seeded_random, .context = &seeded};
    struct record_store *store = make_store(64);
    uint8_t records[10][RECORD_SIZE_MAX] = {{0}};
    unsigned chosen[10] = {0};
    struct message_bytes out[3];
    struct hash256 key = {{1}};
    for (uint8_t i = 0; i < 10; i++) {
        struct record_put put = make_put(1, i, i);
        records[i][0] = i;
        put.record.data = records[i];
        put_at(store, &put, 0);
    }
    for (unsigned i = 0; i < 10000; i++) {
        assert_int_equal(record_store_get(store, &key, &env, out, 3), 3);
        for (unsigned k = 0; k < 3; k++)
            chosen[out[k].data[0]]++;
    }
    for (unsigned i = 0; i < 10; i++)
        assert_in_range(chosen[i], 2800, 3200);
    record_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newer_record_replaces_and_older_one_is_refused),
        cmocka_unit_test(record_lives_two_hours_or_until_it_expires),
        cmocka_unit_test(neighbourhood_may_fill_eight_places),
        cmocka_unit_test(key_holds_64_records),
        cmocka_unit_test(full_store_gives_up_the_furthest_for_a_nearer),
        cmocka_unit_test(choice_among_many_gives_each_the_same_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
