// Devices that would spoil shares, miners that send nothing good, and people who mean none.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/pow/target.h"
#include "tests/unit/stratum/rig.h"

static struct u256 target_of(double difficulty)
{
    return target_from_difficulty(difficulty, pow_algorithm(POW_SHA256D));
}

static struct rig *calm_rig(void)
{
    struct rig *rig = rig_new("regtest");
    rig->config.difficulty_fixed = 1e-7;
    rig_start(rig);
    return rig;
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        count++;
    }
    return count;
}

// ---- Devices

static struct rig *large_pool(void)
{
    struct rig *rig = rig_new("regtest");
    rig->config.coinbase_size_max = 2274;
    rig->config.difficulty_fixed = 1e-7;
    return rig;
}

#define DEVICE_TEXT                                                                                \
    "shoal: the coinbase of this pool can have 2274 bytes, but Antminer (stock) takes at most "    \
    "755 "                                                                                         \
    "and would spoil its shares. Use other firmware, or a pool with fewer outputs"
#define SHOWN "{\"id\":null,\"method\":\"client.show_message\",\"params\":[\"" DEVICE_TEXT "\"]}\n"

static void count_listed(void *context, const struct stratum_refused_device *device)
{
    size_t *count = context;
    (*count)++;
    assert_true(device->reason[0] != '\0');
}

static void device_that_would_spoil_shares_is_told_and_refused(void **state)
{
    (void)state;
    struct rig *rig = large_pool();
    rig_start(rig);
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_send(rig, session,
             "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"Antminer S19/x\"]}");
    rig_take(rig, session);
    rig_send(rig, session,
             "{\"id\":\"a\",\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS ".s19\"]}");
    rig_expect(rig, session,
               "{\"id\":\"a\",\"result\":false,\"error\":[24,\"" DEVICE_TEXT "\",null]}\n" SHOWN);
    assert_int_equal(rig->refused_count, 1);
    assert_string_equal(rig->refused.kind, "Antminer (stock)");
    assert_string_equal(rig->refused.user, RIG_ADDRESS ".s19");
    assert_string_equal(rig->refused.reason, DEVICE_TEXT);
    assert_int_equal(rig->refused.coinbase_max, 755);
    rig_run_ms(rig, 2999);
    rig_assert_open(rig, session);
    rig_run_ms(rig, 1);
    rig_assert_closed(rig, session, STRATUM_CLOSE_DEVICE_REFUSED);
    rig_expect(rig, session, "");
    size_t listed = 0;
    stratum_each_refused(rig->stratum, count_listed, &listed);
    assert_int_equal(listed, 1);
    rig_free(rig);
}

static void device_that_authorizes_first_is_refused_when_it_says_what_it_is(void **state)
{
    (void)state;
    struct rig *rig = large_pool();
    rig_start(rig);
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_send(rig, session,
             "{\"id\":1,\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS ".s19\"]}");
    rig_take(rig, session);
    rig_send(rig, session,
             "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"Antminer S19/x\"]}");
    const char *text = rig_take(rig, session);
    assert_non_null(strstr(text, SHOWN));
    assert_null(strstr(text, "mining.notify\",[")); // no job
    assert_int_equal(count_of(text, "\n"), 2);
    rig_run_ms(rig, 3000);
    rig_assert_closed(rig, session, STRATUM_CLOSE_DEVICE_REFUSED);
    rig_free(rig);
}

static void operator_may_let_a_device_in(void **state)
{
    (void)state;
    static const char *const trusted[] = {"whatsminer", "antminer s19"};
    static const char *const all[] = {"*"};
    for (size_t i = 0; i < 2; i++) {
        struct rig *rig = large_pool();
        rig->config.devices_trusted = i == 0 ? trusted : all;
        rig->config.devices_trusted_count = i == 0 ? 2 : 1;
        rig_start(rig);
        struct rig_miner miner = rig_miner_open(rig, "Antminer S19/x");
        assert_true(rig_view(rig, miner.session).is_device_overridden);
        assert_int_equal(rig->refused_count, 0);
        rig_free(rig);
    }
}

static void refused_devices_are_listed_once_each_and_bounded(void **state)
{
    (void)state;
    struct rig *rig = large_pool();
    rig_start(rig);
    for (size_t i = 0; i < 200; i++) {
        char line[300];
        uint64_t session = rig_connect(rig, "192.0.2.1");
        snprintf(line, sizeof(line),
                 "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"Antminer %zu\"]}",
                 i < 100 ? 0 : i);
        rig_send(rig, session, line);
        rig_send(rig, session,
                 "{\"id\":1,\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS "\"]}");
        size_t listed = 0;
        stratum_each_refused(rig->stratum, count_listed, &listed);
        assert_int_equal(listed, i < 100 ? 1 : i - 100 + 2 < 32 ? i - 100 + 2 : 32);
    }
    rig_free(rig);
}

static void refused_device_on_another_port_is_the_same_device(void **state)
{
    (void)state;
    struct rig *rig = large_pool();
    rig_start(rig);
    for (size_t i = 0; i < 6; i++) {
        struct stratum_peer peer = {.family = 6, .bytes = {0x20, 1, 0x0d, 0xb8, [15] = 1}};
        uint64_t session;
        snprintf(peer.text, sizeof(peer.text), "[2001:db8::%d]:%zu", i < 3 ? 1 : 2, 40000 + i);
        assert_int_equal(stratum_connected(rig->stratum, &peer, rig->now, &session),
                         STRATUM_CONNECTED);
        rig->taps[rig->taps_count++] = (struct rig_tap){.session = session};
        rig_send(rig, session,
                 "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"Antminer S19/x\"]}");
        rig_send(rig, session,
                 "{\"id\":1,\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS "\"]}");
    }
    assert_int_equal(rig->refused_count, 6);
    size_t listed = 0;
    stratum_each_refused(rig->stratum, count_listed, &listed);
    assert_int_equal(listed, 2);
    rig_free(rig);
}

// A device of an unknown kind that cuts off the coinbase: its headers are not ours, its hashes mean
// nothing.
static void device_whose_shares_are_all_garbage_is_found_out(void **state)
{
    (void)state;
    struct rig *rig = large_pool();
    rig->grain_target = target_of(100);
    rig->config.difficulty_fixed = 50;
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "new firmware/1");
    rig_work_sized(rig, 0x22, true, 2000, 3);
    rig_miner_read(&miner);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(rig->refused_count, 0);
        struct rig_solution solution = {.time = miner.job.time, .nonce = i};
        rig_miner_submit(&miner, &solution);
    }
    assert_int_equal(rig->refused_count, 1);
    assert_non_null(strstr(rig_take(rig, miner.session), "client.show_message"));
    assert_non_null(strstr(rig->refused.reason, "cuts off a coinbase of 2048 bytes"));
    rig_run_ms(rig, 3000);
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_DEVICE_REFUSED);
    rig_free(rig);
}

static void near_misses_are_no_garbage(void **state)
{
    (void)state;
    struct rig *rig = large_pool();
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "new firmware/1");
    rig_work_sized(rig, 0x22, true, 2000, 3);
    rig_miner_read(&miner);
    for (uint32_t i = 0; i < 20; i++) {
        struct rig_solution solution = {.time = miner.job.time, .nonce = i};
        rig_miner_submit(&miner, &solution);
    }
    assert_int_equal(rig->refused_count, 0);
    rig_free(rig);
}

// ---- Invalid shares

static void low_share(struct rig_miner *miner)
{
    struct rig_solution solution = {.time = miner->job.time, .nonce = (uint32_t)miner->next_id};
    rig_miner_submit(miner, &solution);
}

static void nothing_but_invalid_shares_is_answered_in_three_steps(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->config.difficulty_fixed = 1e-3;
    rig->grain_target = target_of(1);
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    size_t resent = 0;
    size_t reconnects = 0;
    for (int64_t passed = 0; passed < 180000; passed += 5000) {
        low_share(&miner);
        miner.job.is_clean = false;
        const char *text = rig_miner_read(&miner);
        if (miner.job.is_clean) {
            resent++;
            assert_true(passed >= 60000);
        }
        if (strstr(text, "client.reconnect") != NULL) {
            reconnects++;
            assert_true(passed >= 120000);
        }
        rig_assert_open(rig, miner.session);
        rig_pass_ms(rig, 5000);
    }
    assert_int_equal(resent, 1);
    assert_int_equal(reconnects, 1);
    low_share(&miner);
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_INVALID_SHARES);
    rig_free(rig);
}

static void good_share_between_invalid_ones_wipes_the_slate(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    for (size_t i = 0; i < 50; i++) {
        miner.job.is_clean = false;
        struct rig_solution solution = rig_miner_mine(&miner, miner.difficulty);
        rig_miner_submit(&miner, &solution);
        rig_miner_submit(&miner, &solution); // a duplicate
        assert_null(strstr(rig_miner_read(&miner), "client.reconnect"));
        rig_pass_ms(rig, 10000);
    }
    rig_assert_open(rig, miner.session);
    assert_int_equal(rig_view(rig, miner.session).shares[STRATUM_DUPLICATE], 50);
    rig_free(rig);
}

static void flood_of_invalid_shares_is_a_ban(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->config.difficulty_fixed = 1e-3;
    rig->grain_target = target_of(1);
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    size_t sent = 0;
    while (!rig_tap(rig, miner.session)->is_closed && sent < 1000) {
        low_share(&miner);
        sent++;
    }
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_INVALID_SHARES);
    assert_int_equal(sent, 100);
    uint64_t session;
    assert_int_equal(rig_try_connect(rig, "192.0.2.7", &session), STRATUM_REFUSED_BANNED);
    assert_int_equal(rig_try_connect(rig, "192.0.2.8", &session), STRATUM_CONNECTED);
    assert_int_equal(rig_totals(rig).bans, 1);
    rig_run_ms(rig, 600000);
    assert_int_equal(rig_try_connect(rig, "192.0.2.7", &session), STRATUM_CONNECTED);
    rig_free(rig);
}

static void flood_of_lines_is_closed(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->config.lines_per_second = 10;
    rig->config.lines_burst = 50;
    rig->config.difficulty_fixed = 1e-7;
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    for (size_t i = 0; i < 200; i++) {
        rig_send(rig, miner.session, "{\"id\":1,\"method\":\"mining.ping\",\"params\":[]}");
        rig_pass_ms(rig, 100);
    }
    rig_assert_open(rig, miner.session);
    for (size_t i = 0; i < 60; i++) {
        rig_send(rig, miner.session, "{\"id\":1,\"method\":\"mining.ping\",\"params\":[]}");
    }
    rig_assert_closed(rig, miner.session, STRATUM_CLOSE_FLOOD);
    rig_free(rig);
}

static void flood_of_grains_is_welcome(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->config.lines_per_second = 1;
    rig->config.lines_burst = 10;
    rig->grain_target = target_of(1e-7);
    rig->config.difficulty_fixed = 1e-7;
    rig_start(rig);
    struct rig_miner miner = rig_miner_open(rig, "test/1");
    for (size_t i = 0; i < 100; i++) {
        rig->shares_count = 0;
        assert_non_null(strstr(rig_miner_share(&miner), "\"result\":true"));
    }
    rig_assert_open(rig, miner.session);
    rig_free(rig);
}

// ---- Hostile bytes

static void assert_junk(const void *bytes, size_t size)
{
    struct rig *rig = calm_rig();
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_send(rig, session, "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}");
    rig_take(rig, session);
    for (size_t i = 0; i < 3; i++) {
        rig_assert_open(rig, session);
        rig_send_bytes(rig, session, bytes, size);
        rig_send_bytes(rig, session, "\n", 1);
    }
    rig_expect(rig, session, "");
    rig_assert_closed(rig, session, STRATUM_CLOSE_JUNK);
    assert_int_equal(rig_totals(rig).lines_junk, 3);
    rig_free(rig);
}

static void junk_is_not_answered_and_closed_at_the_third_line(void **state)
{
    (void)state;
    assert_junk("hello", 5);
    assert_junk("{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[}", 47);
    assert_junk("{\"method\":\"mining\0.submit\"}", 26);
    assert_junk("[{\"id\":1}]", 10);
    assert_junk("{\"id\":1}", 8);
    assert_junk("\0\0\0\0", 4);
    assert_junk("\xff\xfe\xfd", 3);
    assert_junk("{\"id\":11111111111111111111111111111111111111111111111111111111111111111111111"
                "11,\"method\":\"mining.ping\"}",
                104);
}

static void line_too_long_is_closed_before_and_after_subscribe(void **state)
{
    (void)state;
    static char line[20000];
    memset(line, 'a', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (size_t i = 0; i < 4; i++) {
        bool is_subscribed = i % 2 == 1;
        size_t limit = is_subscribed ? 8192 : 4096;
        struct rig *rig = calm_rig();
        uint64_t session = rig_connect(rig, "192.0.2.1");
        if (is_subscribed) {
            rig_send(rig, session, "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}");
        }
        if (i < 2) { // in pieces, and never an end
            for (size_t at = 0; at < limit; at += 512) {
                rig_assert_open(rig, session);
                rig_send_bytes(rig, session, line, 512);
            }
            rig_assert_open(rig, session);
            rig_send_bytes(rig, session, line, 1);
        } else { // at once
            rig_send_bytes(rig, session, line + sizeof(line) - limit - 2, limit + 2);
        }
        rig_assert_closed(rig, session, STRATUM_CLOSE_LINE_TOO_LONG);
        rig_free(rig);
    }
}

static void tls_is_hung_up_on_at_once(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_send_bytes(rig, session, "\x16", 1);
    rig_assert_closed(rig, session, STRATUM_CLOSE_NOT_STRATUM);
    rig_expect(rig, session, "");
    rig_free(rig);
}

static void browser_gets_a_page_that_says_what_this_port_is(void **state)
{
    (void)state;
    struct rig *rig = calm_rig();
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_send_bytes(rig, session, "GET / HT", 8);
    rig_assert_open(rig, session);
    rig_send_bytes(rig, session, "TP/1.1\r\nHost: a\r\n\r\n", 19);
    rig_assert_closed(rig, session, STRATUM_CLOSE_NOT_STRATUM);
    const char *text = rig_take(rig, session);
    assert_memory_equal(text, "HTTP/1.1 400 ", 13);
    const char *body = strstr(text, "\r\n\r\n");
    const char *length = strstr(text, "Content-Length: ");
    assert_non_null(body);
    assert_non_null(length);
    assert_int_equal(strtoul(length + 16, NULL, 10), strlen(body + 4));
    rig_free(rig);
}

static void odd_values_are_survived(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[null,null]}",
        "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[[],{}]}",
        "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"\",\"0\"]}",
        "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":{\"a\":1}}",
        "{\"id\":1,\"method\":\"mining.subscribe\"}",
        "{\"id\":[],\"method\":\"mining.subscribe\",\"params\":null}",
        "{\"id\":{},\"method\":\"mining.authorize\",\"params\":[[],[]]}",
        "{\"id\":true,\"method\":\"mining.suggest_difficulty\",\"params\":[-1]}",
        "{\"id\":1,\"method\":\"mining.suggest_difficulty\",\"params\":[1e308]}",
        "{\"id\":1,\"method\":\"mining.suggest_difficulty\",\"params\":[1e-308]}",
        "{\"id\":1,\"method\":\"mining.suggest_difficulty\",\"params\":[0]}",
        "{\"id\":1,\"method\":\"mining.suggest_difficulty()\"}",
        "{\"id\":1,\"method\":\"mining.suggest_difficulty(\"}",
        "{\"id\":1,\"method\":\"mining.suggest_difficulty)\"}",
        "{\"id\":1,\"method\":\"mining.suggest_difficulty(x\"}",
        "{\"id\":1,\"method\":\"(\"}",
        "{\"id\":1,\"method\":\")\"}",
        "{\"id\":1,\"method\":\"\"}",
        "{\"id\":1,\"method\":\"mining.suggest_target\",\"params\":[\"0\"]}",
        "{\"id\":1,\"method\":\"mining.suggest_target\",\"params\":[\"zz\"]}",
        "{\"id\":1,\"method\":\"mining.suggest_target\",\"params\":[5]}",
        "{\"id\":1,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],[]]}",
        ("{\"id\":1,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],"
         "{\"version-rolling.mask\":-5,\"version-rolling.min-bit-count\":-5}]}"),
        "{\"id\":1,\"method\":\"mining.configure\",\"params\":[{}]}",
    };
    struct rig *rig = calm_rig();
    uint64_t session = rig_connect(rig, "192.0.2.1");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        rig_send(rig, session, lines[i]);
        const char *text = rig_take(rig, session);
        if (count_of(text, "\n") != 1) {
            fail_msg("%s\n-> %s", lines[i], text);
        }
    }
    rig_assert_open(rig, session);
    rig_free(rig);
}

static void names_from_outside_cannot_break_a_line_of_ours(void **state)
{
    (void)state;
    struct rig *rig = large_pool();
    rig_start(rig);
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_send(
        rig, session,
        "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"Antminer\\\"\\n\\\\x\xce\xb3\"]}");
    rig_send(rig, session,
             "{\"id\":1,\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS ".\\\"<>\"]}");
    assert_string_equal(rig->refused.user_agent, "Antminer???x??");
    assert_string_equal(rig->refused.user, RIG_ADDRESS ".---");
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_that_would_spoil_shares_is_told_and_refused),
        cmocka_unit_test(device_that_authorizes_first_is_refused_when_it_says_what_it_is),
        cmocka_unit_test(operator_may_let_a_device_in),
        cmocka_unit_test(refused_devices_are_listed_once_each_and_bounded),
        cmocka_unit_test(refused_device_on_another_port_is_the_same_device),
        cmocka_unit_test(device_whose_shares_are_all_garbage_is_found_out),
        cmocka_unit_test(near_misses_are_no_garbage),
        cmocka_unit_test(nothing_but_invalid_shares_is_answered_in_three_steps),
        cmocka_unit_test(good_share_between_invalid_ones_wipes_the_slate),
        cmocka_unit_test(flood_of_invalid_shares_is_a_ban),
        cmocka_unit_test(flood_of_lines_is_closed),
        cmocka_unit_test(flood_of_grains_is_welcome),
        cmocka_unit_test(junk_is_not_answered_and_closed_at_the_third_line),
        cmocka_unit_test(line_too_long_is_closed_before_and_after_subscribe),
        cmocka_unit_test(tls_is_hung_up_on_at_once),
        cmocka_unit_test(browser_gets_a_page_that_says_what_this_port_is),
        cmocka_unit_test(odd_values_are_survived),
        cmocka_unit_test(names_from_outside_cannot_break_a_line_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
