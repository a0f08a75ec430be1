#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/log.h"
#include "stratum/ban.h"

static void zero_random(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 7, size);
}

static const struct env test_env = {.random = zero_random};
static const struct stratum_network lan = {4, {192, 168}, 16};
static const struct stratum_config test_config = {
    .ban_ms = 600000, .networks_trusted = &lan, .networks_trusted_count = 1};
static const struct mono_time start = {1000000};

static struct stratum_peer ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct stratum_peer){.family = 4, .bytes = {a, b, c, d}};
}

static struct stratum_peer ipv6(uint8_t subnet, uint8_t host)
{
    return (struct stratum_peer){
        .family = 6, .bytes = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, subnet, 0, 0, 0, 0, 0, 0, 0, host}};
}

static bool offend(struct ban_table *table, struct stratum_peer peer, enum ban_offence offence,
                   size_t times, struct mono_time now)
{
    bool is_ban = false;
    for (size_t i = 0; i < times; i++) {
        is_ban = ban_add_offence(table, &peer, offence, now) || is_ban;
    }
    return is_ban;
}

static void score_fills_up_to_a_ban_and_the_ban_ends(void **state)
{
    (void)state;
    struct ban_table *table = ban_table_new(&test_env, &test_config);
    struct stratum_peer peer = ipv4(203, 0, 113, 1);
    assert_false(offend(table, peer, BAN_SHARE_INVALID, 99, start));
    assert_false(ban_is_banned(table, &peer, start));
    assert_true(offend(table, peer, BAN_SHARE_INVALID, 1, start));
    assert_true(ban_is_banned(table, &peer, start));
    assert_int_equal(ban_count(table, start), 1);
    struct mono_time later = {start.ms + test_config.ban_ms - 1};
    assert_true(ban_is_banned(table, &peer, later));
    later.ms++;
    assert_false(ban_is_banned(table, &peer, later));
    assert_int_equal(ban_count(table, later), 0);
    ban_table_free(table);
}

static void score_fades_and_good_shares_take_it_away(void **state)
{
    (void)state;
    struct ban_table *table = ban_table_new(&test_env, &test_config);
    struct stratum_peer peer = ipv4(203, 0, 113, 1);
    assert_false(offend(table, peer, BAN_SHARE_INVALID, 99, start));
    struct mono_time later = {start.ms + 60000};
    assert_false(offend(table, peer, BAN_SHARE_INVALID, 19, later));
    assert_true(offend(table, peer, BAN_SHARE_INVALID, 2, later));
    struct stratum_peer other = ipv4(203, 0, 113, 2);
    for (size_t i = 0; i < 1000; i++) {
        assert_false(offend(table, other, BAN_SHARE_INVALID, 1, start));
        assert_false(offend(table, other, BAN_SHARE_GOOD, 1, start));
    }
    ban_table_free(table);
}

static void ipv6_is_banned_by_64_and_ipv4_by_address(void **state)
{
    (void)state;
    struct ban_table *table = ban_table_new(&test_env, &test_config);
    struct stratum_peer same = ipv6(1, 99);
    struct stratum_peer other = ipv6(2, 1);
    assert_true(offend(table, ipv6(1, 1), BAN_FLOOD, 2, start));
    assert_true(ban_is_banned(table, &same, start));
    assert_false(ban_is_banned(table, &other, start));
    struct stratum_peer neighbour = ipv4(203, 0, 113, 2);
    assert_true(offend(table, ipv4(203, 0, 113, 1), BAN_FLOOD, 2, start));
    assert_false(ban_is_banned(table, &neighbour, start));
    // The same address, as an IPv6 socket reports it.
    struct stratum_peer mapped = {
        .family = 6, .bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 1}};
    assert_true(ban_is_banned(table, &mapped, start));
    ban_table_free(table);
}

static void loopback_and_trusted_networks_are_never_banned(void **state)
{
    (void)state;
    struct ban_table *table = ban_table_new(&test_env, &test_config);
    struct stratum_peer loopback6 = {.family = 6, .bytes = {[15] = 1}};
    const struct stratum_peer peers[] = {
        ipv4(127, 0, 0, 1),
        ipv4(127, 9, 9, 9),
        ipv4(192, 168, 0, 1),
        ipv4(192, 168, 255, 7),
        loopback6,
        {.family = 6, .bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 3, 3}},
    };
    for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
        assert_true(ban_is_trusted(table, &peers[i]));
        assert_false(offend(table, peers[i], BAN_FLOOD, 100, start));
        assert_false(ban_is_banned(table, &peers[i], start));
    }
    const struct stratum_peer strangers[] = {ipv4(192, 169, 0, 1), ipv4(128, 0, 0, 1), ipv6(0, 1)};
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        assert_false(ban_is_trusted(table, &strangers[i]));
        assert_true(offend(table, strangers[i], BAN_FLOOD, 2, start));
    }
    ban_table_free(table);
}

static void sessions_of_an_address_are_counted(void **state)
{
    (void)state;
    struct ban_table *table = ban_table_new(&test_env, &test_config);
    struct stratum_peer first = ipv6(1, 1);
    struct stratum_peer second = ipv6(1, 2);
    assert_true(ban_session_joined(table, &first));
    assert_true(ban_session_joined(table, &second));
    assert_int_equal(ban_sessions(table, &first), 2);
    ban_sweep(table, start);
    assert_int_equal(ban_sessions(table, &first), 2);
    ban_session_left(table, &first);
    ban_session_left(table, &second);
    assert_int_equal(ban_sessions(table, &first), 0);
    ban_session_left(table, &first);
    assert_int_equal(ban_sessions(table, &first), 0);
    ban_table_free(table);
}

static void refused_user_waits_longer_each_time(void **state)
{
    (void)state;
    struct ban_table *table = ban_table_new(&test_env, &test_config);
    struct mono_time now = start;
    int64_t wanted = 3000;
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(ban_user_backoff_ms(table, "wrong", now), wanted);
        wanted = wanted * 2 < 600000 ? wanted * 2 : 600000;
        now.ms += 1000;
        ban_sweep(table, now);
    }
    assert_int_equal(ban_user_backoff_ms(table, "other", now), 3000);
    now.ms += 3700000;
    assert_int_equal(ban_user_backoff_ms(table, "wrong", now), 3000);
    ban_table_free(table);
}

static void flood_of_addresses_does_not_displace_a_ban(void **state)
{
    (void)state;
    struct ban_table *table = ban_table_new(&test_env, &test_config);
    struct stratum_peer banned = ipv4(198, 51, 100, 1);
    assert_true(offend(table, banned, BAN_FLOOD, 2, start));
    for (uint32_t i = 0; i < 100000; i++) {
        struct stratum_peer peer = ipv4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i);
        ban_add_offence(table, &peer, BAN_SHARE_INVALID, start);
    }
    assert_true(ban_is_banned(table, &banned, start));
    ban_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score_fills_up_to_a_ban_and_the_ban_ends),
        cmocka_unit_test(score_fades_and_good_shares_take_it_away),
        cmocka_unit_test(ipv6_is_banned_by_64_and_ipv4_by_address),
        cmocka_unit_test(loopback_and_trusted_networks_are_never_banned),
        cmocka_unit_test(sessions_of_an_address_are_counted),
        cmocka_unit_test(refused_user_waits_longer_each_time),
        cmocka_unit_test(flood_of_addresses_does_not_displace_a_ban),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
