// What pools may say, and what they should not.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/testnet/miner/client_fixture.h"

static void requests_of_the_pool_are_answered_with_their_id(void **state)
{
    (void)state;
    struct client_fixture f;
    client_set_up_mining(&f);
    pool_says(&f, "{\"id\":\"v\\\"1\",\"method\":\"client.get_version\",\"params\":[]}");
    assert_sent(&f, "{\"id\":\"v\\\"1\",\"result\":\"tester/1\",\"error\":null}");
    pool_says(&f, "{\"id\":7,\"method\":\"mining.ping\",\"params\":[]}");
    assert_sent(&f, "{\"id\":7,\"result\":\"pong\",\"error\":null}");
    pool_says(&f, "{\"id\":8,\"method\":\"client.dance\"}");
    assert_sent(&f, "{\"id\":8,\"result\":null,\"error\":[-3,\"Method not found\",null]}");
    pool_says(&f, "{\"id\":null,\"method\":\"client.dance\"}");
    assert_sent(&f, "");
    client_tear_down(&f);
}

static void messages_are_shown_without_control_characters(void **state)
{
    (void)state;
    struct client_fixture f;
    client_set_up_mining(&f);
    assert_true(pool_says(&f, "{\"id\":null,\"method\":\"client.show_message\",\"params\":"
                              "[\"pay \\u001b[31m attention\\n\"]}"));
    assert_string_equal(f.said, "pool says: pay ?[31m attention?");
    client_tear_down(&f);
}

static void reconnect_waits_and_goes_nowhere_else(void **state)
{
    (void)state;
    struct client_fixture f;
    client_set_up_mining(&f);
    assert_false(pool_says(&f, "{\"id\":null,\"method\":\"client.reconnect\",\"params\":"
                               "[\"evil.example\",3333,20]}"));
    assert_true(client_wants_reconnect(f.client));
    assert_int_equal(client_pause_s(f.client), 20);
    assert_non_null(strstr(f.said, "evil.example: not followed"));
    client_end(f.client);
    client_begin(f.client, f.now_us);
    assert_false(client_wants_reconnect(f.client));
    assert_int_equal(client_pause_s(f.client), 0);
    pool_says(&f, SUBSCRIBED);
    assert_false(pool_says(&f, "{\"method\":\"client.reconnect\",\"params\":[\"\",1,99999999]}"));
    assert_int_equal(client_pause_s(f.client), 300);
    client_tear_down(&f);
}

static void silent_pools_are_left(void **state)
{
    (void)state;
    struct client_fixture f;
    client_set_up_mining(&f);
    assert_true(client_tick(f.client, f.now_us + 179 * SECOND_US));
    assert_false(client_tick(f.client, f.now_us + 180 * SECOND_US));
    assert_string_equal(client_error(f.client), "pool is silent for 180 s");
    client_begin(f.client, f.now_us);
    pool_says(&f, "{\"id\":1,\"error\":1}");
    assert_false(client_tick(f.client, f.now_us + 31 * SECOND_US));
    assert_non_null(strstr(client_error(f.client), "does not answer the login"));
    client_tear_down(&f);
}

static void refused_user_is_named_with_the_reason(void **state)
{
    (void)state;
    struct client_fixture f;
    client_set_up(&f);
    f.config.version_mask = 0;
    client_begin(f.client, f.now_us);
    pool_says(&f, SUBSCRIBED);
    assert_false(pool_says(&f, "{\"id\":3,\"result\":false,\"error\":[24,\"no address\",null]}"));
    assert_string_equal(client_error(f.client), "pool refuses user address.worker: 24 no address");
    assert_int_equal(client_state(f.client), CLIENT_FAILED);
    client_tear_down(&f);
}

static void lines_that_no_pool_should_send_end_the_connection(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "nonsense",
        "[1,2]",
        "{\"id\":null,\"method\":5}",
        "{\"id\":null,\"method\":\"mining.notify\",\"params\":[]}",
        "{\"id\":null,\"method\":\"mining.notify\"}",
        "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[]}",
        "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[0]}",
        "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[-1]}",
        "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[1e19]}",
        "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[1e999]}",
        "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[\"1\"]}",
        "{\"id\":null,\"method\":\"mining.set_extranonce\",\"params\":[\"aa\",0]}",
        "{\"id\":null,\"method\":\"mining.set_extranonce\",\"params\":[\"aa\",17]}",
        "{\"id\":null,\"method\":\"mining.set_extranonce\",\"params\":[\"aaa\",4]}",
        "{\"id\":null,\"method\":\"mining.set_extranonce\",\"params\":[\"zz\",4]}",
        "{\"id\":null,\"method\":\"mining.set_extranonce\",\"params\":[4,4]}",
        "{\"id\":null,\"method\":\"mining.set_version_mask\",\"params\":[\"ff\"]}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct client_fixture f;
        client_set_up_mining(&f);
        assert_false(pool_says(&f, lines[i]));
        assert_string_not_equal(client_error(f.client), "");
        assert_int_equal(client_state(f.client), CLIENT_FAILED);
        client_tear_down(&f);
    }
}

static void wrong_subscriptions_end_the_connection(void **state)
{
    (void)state;
    static const char long_extranonce[] =
        "{\"id\":2,\"result\":[[],"
        "\"000000000000000000000000000000000000000000000000000000000000000000\",4]}";
    static const char *const lines[] = {
        "{\"id\":2,\"result\":null,\"error\":null}",
        "{\"id\":2,\"result\":true}",
        "{\"id\":2,\"result\":[]}",
        "{\"id\":2,\"result\":[[],\"aa\",0]}",
        "{\"id\":2,\"result\":[[],\"aa\",-4]}",
        "{\"id\":2,\"result\":[[],\"aa\",100]}",
        "{\"id\":2,\"result\":[[],\"aa\",4.5]}",
        "{\"id\":2,\"result\":[[],\"aa\"]}",
        long_extranonce,
        "{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"a\"]}", // before the answer
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct client_fixture f;
        client_set_up(&f);
        f.config.version_mask = 0;
        client_begin(f.client, f.now_us);
        assert_false(pool_says(&f, lines[i]));
        client_tear_down(&f);
    }
}

static void lines_come_in_any_pieces(void **state)
{
    (void)state;
    struct client_fixture f;
    client_set_up(&f);
    f.config.version_mask = 0;
    client_begin(f.client, f.now_us);
    char all[1000];
    int size = snprintf(all, sizeof all, "\r\n  \n%s\r\n%s\n\n", SUBSCRIBED, AUTHORIZED);
    for (int i = 0; i < size; i++)
        assert_true(client_receive(f.client, all + i, 1, f.now_us));
    assert_int_equal(client_state(f.client), CLIENT_MINING);
    client_tear_down(&f);
}

static void endless_line_ends_the_connection(void **state)
{
    (void)state;
    struct client_fixture f;
    char piece[1000];
    size_t given = 0;
    client_set_up_mining(&f);
    memset(piece, ' ', sizeof piece);
    while (client_receive(f.client, piece, sizeof piece, f.now_us))
        given += sizeof piece;
    assert_true(given <= CLIENT_LINE_MAX);
    assert_non_null(strstr(client_error(f.client), "line of more than"));
    client_tear_down(&f);
}

static void pool_that_does_not_read_is_left(void **state)
{
    (void)state;
    struct client_fixture f;
    struct client_task task;
    client_set_up_mining(&f);
    client_take(f.client, 100000, &task);
    for (uint32_t i = 0; i < 20000; i++) {
        struct scan_hit hit = {.nonce = i};
        client_found(f.client, &task, &hit, f.now_us);
    }
    assert_true(client_output(f.client)->size <= CLIENT_OUTPUT_MAX);
    assert_false(client_tick(f.client, f.now_us));
    client_tear_down(&f);
}

// A pool gone mad: good lines with a few bytes changed. Whatever comes of it, nothing breaks and
// counts stay sound.
static void altered_lines_do_no_harm(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"q\","
        "\"4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000\",\"0100\",\"07\","
        "[\"4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000\"],\"20000000\","
        "\"1c2ac4af\",\"504e86ed\",true]}",
        "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[512.25]}",
        "{\"id\":null,\"method\":\"mining.set_extranonce\",\"params\":[\"aabbcc\",8]}",
        "{\"id\":null,\"method\":\"mining.set_version_mask\",\"params\":[\"00ffe000\"]}",
        "{\"id\":101,\"result\":null,\"error\":[23,\"Low \\u00e4 share\",null]}",
        "{\"id\":\"x\",\"method\":\"client.get_version\",\"params\":[]}",
        "{\"id\":null,\"method\":\"client.show_message\",\"params\":[\"hello\"]}",
    };
    static const char bytes[] = "\"[]{},:\\0e-.9 \n\x80\xff\0fn";
    uint64_t seed = 88172645463325252u;
    size_t survived = 0;
    for (int round = 0; round < 20000; round++) {
        struct client_fixture f;
        struct client_task task;
        char line[1000];
        client_set_up_mining(&f);
        if (client_take(f.client, 5, &task)) {
            struct scan_hit hit = {.nonce = 3};
            client_found(f.client, &task, &hit, f.now_us);
        }
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        const char *good = lines[seed % (sizeof lines / sizeof lines[0])];
        size_t size = strlen(good);
        memcpy(line, good, size);
        for (unsigned i = 0; i < 1 + (seed >> 8) % 3; i++)
            line[(seed >> (16 + 8 * i)) % size] =
                bytes[(seed >> (20 + 7 * i)) % (sizeof bytes - 1)];
        line[size] = '\n';
        bool is_fine = client_receive(f.client, line, size + 1, f.now_us);
        survived += is_fine;
        assert_int_equal(is_fine, client_state(f.client) != CLIENT_FAILED);
        if (client_take(f.client, 5, &task))
            assert_true(task.extranonce2_size >= 1 && task.extranonce2_size <= 16);
        assert_true(f.stats.accepted + f.stats.rejected + client_pending(f.client) == 1);
        client_tear_down(&f);
    }
    assert_in_range(survived, 2000, 18000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_the_pool_are_answered_with_their_id),
        cmocka_unit_test(messages_are_shown_without_control_characters),
        cmocka_unit_test(reconnect_waits_and_goes_nowhere_else),
        cmocka_unit_test(silent_pools_are_left),
        cmocka_unit_test(refused_user_is_named_with_the_reason),
        cmocka_unit_test(lines_that_no_pool_should_send_end_the_connection),
        cmocka_unit_test(wrong_subscriptions_end_the_connection),
        cmocka_unit_test(lines_come_in_any_pieces),
        cmocka_unit_test(endless_line_ends_the_connection),
        cmocka_unit_test(pool_that_does_not_read_is_left),
        cmocka_unit_test(altered_lines_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
