#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>
#include "dht/half_open.h"
#include "tests/unit/sharechain/seeded.h"

struct fixture {
    struct seeded seeded;
    struct env env;
    struct half_open *table;
    int64_t now_ms;
};

static void open_table(struct fixture *fixture)
{
    *fixture = (struct fixture){.now_ms = 1000};
    fixture->env = seeded_env(&fixture->seeded);
    fixture->table = half_open_new(&fixture->env);
    assert_non_null(fixture->table);
}

static void close_table(struct fixture *fixture)
{
    half_open_free(fixture->table);
    seeded_env_clear(&fixture->env);
}

static struct address host(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return address_ipv4((const uint8_t[4]){a, b, c, d});
}

static enum half_open_verdict enter(struct fixture *fixture, struct address address)
{
    return half_open_enter(fixture->table, &address, (struct mono_time){fixture->now_ms});
}

static void neighbourhood_has_eight_places_and_gets_them_back(void **state)
{
    (void)state;
    struct fixture fixture;
    open_table(&fixture);
    for (uint8_t i = 0; i < HALF_OPEN_GROUP_MAX; i++)
        assert_int_equal(enter(&fixture, host(10, 0, 0, i)), HALF_OPEN_ADMITTED);
    assert_int_equal(enter(&fixture, host(10, 0, 0, 200)), HALF_OPEN_GROUP_FULL);
    assert_int_equal(enter(&fixture, host(10, 0, 1, 200)), HALF_OPEN_ADMITTED);
    struct address gone = host(10, 0, 0, 3);
    half_open_leave(fixture.table, &gone);
    assert_int_equal(enter(&fixture, host(10, 0, 0, 200)), HALF_OPEN_ADMITTED);
    assert_int_equal(half_open_count(fixture.table), HALF_OPEN_GROUP_MAX + 1);
    close_table(&fixture);
}

static void neighbourhood_of_ipv6_is_a_48(void **state)
{
    (void)state;
    struct fixture fixture;
    uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1};
    open_table(&fixture);
    for (uint8_t i = 0; i < HALF_OPEN_GROUP_MAX; i++) {
        bytes[6] = i;
        assert_int_equal(enter(&fixture, address_ipv6(bytes)), HALF_OPEN_ADMITTED);
    }
    bytes[6] = 99;
    assert_int_equal(enter(&fixture, address_ipv6(bytes)), HALF_OPEN_GROUP_FULL);
    bytes[5] = 2;
    assert_int_equal(enter(&fixture, address_ipv6(bytes)), HALF_OPEN_ADMITTED);
    close_table(&fixture);
}

static void all_together_have_256_places(void **state)
{
    (void)state;
    struct fixture fixture;
    open_table(&fixture);
    for (unsigned i = 0; i < HALF_OPEN_MAX; i++) {
        fixture.now_ms += 20;
        assert_int_equal(enter(&fixture, host(10, 1, (uint8_t)i, 1)), HALF_OPEN_ADMITTED);
    }
    fixture.now_ms += 10000;
    assert_int_equal(enter(&fixture, host(11, 0, 0, 1)), HALF_OPEN_FULL);
    struct address gone = host(10, 1, 17, 1);
    half_open_leave(fixture.table, &gone);
    assert_int_equal(enter(&fixture, host(11, 0, 0, 1)), HALF_OPEN_ADMITTED);
    close_table(&fixture);
}

static void address_that_comes_again_and_again_waits(void **state)
{
    (void)state;
    struct fixture fixture;
    struct address address = host(10, 0, 0, 1);
    open_table(&fixture);
    for (unsigned i = 0; i < HALF_OPEN_ADDRESS_BURST; i++) {
        assert_int_equal(enter(&fixture, address), HALF_OPEN_ADMITTED);
        half_open_leave(fixture.table, &address);
    }
    assert_int_equal(enter(&fixture, address), HALF_OPEN_ADDRESS_RATE);
    assert_int_equal(enter(&fixture, host(10, 0, 0, 2)), HALF_OPEN_ADMITTED);
    fixture.now_ms += HALF_OPEN_ADDRESS_MS - 1;
    assert_int_equal(enter(&fixture, address), HALF_OPEN_ADDRESS_RATE);
    fixture.now_ms += 1;
    assert_int_equal(enter(&fixture, address), HALF_OPEN_ADMITTED);
    assert_int_equal(enter(&fixture, address), HALF_OPEN_ADDRESS_RATE);
    close_table(&fixture);
}

static void all_together_come_no_faster_than_the_rate(void **state)
{
    (void)state;
    struct fixture fixture;
    unsigned admitted = 0;
    open_table(&fixture);
    // Ten seconds of a thousand strangers a second, each from elsewhere, each leaving at once.
    for (unsigned i = 0; i < 10000; i++, fixture.now_ms++) {
        struct address address = host((uint8_t)(20 + i / 2560), (uint8_t)(i / 10), (uint8_t)i, 1);
        if (enter(&fixture, address) != HALF_OPEN_ADMITTED)
            continue;
        half_open_leave(fixture.table, &address);
        admitted++;
    }
    assert_in_range(admitted, 11 * HALF_OPEN_ACCEPTS_SECOND, 12 * HALF_OPEN_ACCEPTS_SECOND + 1);
    close_table(&fixture);
}

static void refused_ones_use_up_no_rate(void **state)
{
    (void)state;
    struct fixture fixture;
    open_table(&fixture);
    for (uint8_t i = 0; i < HALF_OPEN_GROUP_MAX; i++)
        assert_int_equal(enter(&fixture, host(10, 0, 0, i)), HALF_OPEN_ADMITTED);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(enter(&fixture, host(10, 0, 0, 200)), HALF_OPEN_GROUP_FULL);
    assert_int_equal(enter(&fixture, host(10, 9, 0, 1)), HALF_OPEN_ADMITTED);
    close_table(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbourhood_has_eight_places_and_gets_them_back),
        cmocka_unit_test(neighbourhood_of_ipv6_is_a_48),
        cmocka_unit_test(all_together_have_256_places),
        cmocka_unit_test(address_that_comes_again_and_again_waits),
        cmocka_unit_test(all_together_come_no_faster_than_the_rate),
        cmocka_unit_test(refused_ones_use_up_no_rate),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
