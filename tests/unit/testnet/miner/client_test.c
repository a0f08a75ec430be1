#include "testnet/miner/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "node/pow/target.h"

#define SECOND_US INT64_C(1000000)

struct fixture {
    struct stats stats;
    struct client_config config;
    struct client *client;
    int64_t now_us;
    char said[CLIENT_TEXT_MAX];
};

static void say(void *context, const char *text)
{
    struct fixture *f = context;
    snprintf(f->said, sizeof f->said, "%s", text);
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.now_us = 1000 * SECOND_US};
    f->config = (struct client_config){.pow = POW_SHA256D,
                                       .user = "address.worker",
                                       .password = "x",
                                       .agent = "tester/1",
                                       .version_mask = 0x1fffe000,
                                       .stats = &f->stats,
                                       .say = say,
                                       .context = f};
    f->client = client_new(&f->config, 41);
}

static void tear_down(struct fixture *f)
{
    client_free(f->client);
}

// The pool says a line.
static bool pool(struct fixture *f, const char *line)
{
    char text[2000];
    snprintf(text, sizeof text, "%s\n", line);
    return client_receive(f->client, text, strlen(text), f->now_us);
}

// What the client has sent since last asked; one line or more, without the last newline.
static const char *sent(struct fixture *f, char out[4000])
{
    struct buffer *output = client_output(f->client);
    snprintf(out, 4000, "%.*s", (int)output->size, (const char *)output->data);
    if (output->size > 0)
        out[output->size - 1] = '\0';
    buffer_reset(output);
    return out;
}

static void assert_sent(struct fixture *f, const char *expected)
{
    char text[4000];
    assert_string_equal(sent(f, text), expected);
}

static const char subscribed[] =
    "{\"id\":2,\"result\":[[[\"mining.notify\",\"s1\"],[\"mining.set_difficulty\",\"s2\"]],"
    "\"08000002\",4],\"error\":null}";
static const char authorized[] = "{\"id\":3,\"result\":true,\"error\":null}";

static void notify(struct fixture *f, const char *id, bool is_clean)
{
    char line[1000];
    snprintf(line, sizeof line,
             "{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"%s\","
             "\"4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000\","
             "\"0100000001\",\"072f\",[],\"20000000\",\"1c2ac4af\",\"504e86ed\",%s]}",
             id, is_clean ? "true" : "false");
    assert_true(pool(f, line));
}

// Logged in, with a job, nothing left to send.
static void set_up_mining(struct fixture *f)
{
    char text[4000];
    set_up(f);
    client_begin(f->client, f->now_us);
    pool(f, "{\"id\":1,\"result\":{\"version-rolling\":true,\"version-rolling.mask\":"
            "\"1fffe000\"},\"error\":null}");
    assert_true(pool(f, subscribed));
    assert_true(pool(f, authorized));
    assert_true(pool(f, "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[0.5]}"));
    notify(f, "j1", true);
    assert_true(client_has_work(f->client));
    sent(f, text);
}

static void login_goes_one_step_after_the_other(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    client_begin(f.client, f.now_us);
    assert_sent(&f,
                "{\"id\":1,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],"
                "{\"version-rolling.mask\":\"1fffe000\",\"version-rolling.min-bit-count\":1}]}");
    assert_true(pool(&f, "{\"id\":1,\"result\":{\"version-rolling\":true,"
                         "\"version-rolling.mask\":\"00ffe000\"},\"error\":null}"));
    assert_sent(&f, "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"tester/1\"]}");
    assert_true(pool(&f, subscribed));
    assert_sent(&f, "{\"id\":3,\"method\":\"mining.authorize\",\"params\":[\"address.worker\","
                    "\"x\"]}");
    assert_false(client_has_work(f.client));
    assert_true(pool(&f, authorized));
    assert_sent(&f, "");
    assert_int_equal(client_state(f.client), CLIENT_MINING);
    assert_false(client_has_work(f.client));
    notify(&f, "a", true);
    assert_true(client_has_work(f.client));
    tear_down(&f);
}

static void wishes_are_sent_after_the_login(void **state)
{
    (void)state;
    struct fixture f;
    char text[4000];
    set_up(&f);
    f.config.version_mask = 0;
    f.config.wants_extranonce = true;
    f.config.suggest_difficulty = 0.25;
    client_begin(f.client, f.now_us);
    assert_sent(&f, "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"tester/1\"]}");
    pool(&f, subscribed);
    sent(&f, text);
    pool(&f, authorized);
    assert_sent(&f, "{\"id\":4,\"method\":\"mining.extranonce.subscribe\",\"params\":[]}\n"
                    "{\"id\":5,\"method\":\"mining.suggest_difficulty\",\"params\":[0.25]}");
    tear_down(&f);
}

static void silence_on_configure_is_no_obstacle(void **state)
{
    (void)state;
    struct fixture f;
    char text[4000];
    set_up(&f);
    client_begin(f.client, f.now_us);
    sent(&f, text);
    assert_true(client_tick(f.client, f.now_us + 4 * SECOND_US));
    assert_sent(&f, "");
    assert_true(client_tick(f.client, f.now_us + 5 * SECOND_US));
    assert_sent(&f, "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"tester/1\"]}");
    tear_down(&f);
}

static void error_on_configure_means_no_rolling(void **state)
{
    (void)state;
    struct fixture f;
    struct client_task task;
    struct scan_hit hit = {.nonce = 7};
    char text[4000];
    set_up(&f);
    client_begin(f.client, f.now_us);
    pool(&f, "{\"id\":1,\"result\":null,\"error\":[-3,\"Method not found\",null]}");
    pool(&f, subscribed);
    pool(&f, authorized);
    notify(&f, "a", true);
    sent(&f, text);
    assert_true(client_take(f.client, 100, &task));
    assert_int_equal(task.version, 0x20000000);
    client_found(f.client, &task, &hit, f.now_us);
    assert_sent(&f, "{\"id\":101,\"method\":\"mining.submit\",\"params\":[\"address.worker\",\"a\","
                    "\"2a000000\",\"504e86ed\",\"00000007\"]}");
    tear_down(&f);
}

static void share_is_submitted_with_all_that_makes_its_header(void **state)
{
    (void)state;
    struct fixture f;
    struct client_task task;
    struct scan_hit hit = {.nonce = 0xb2957c02};
    set_up_mining(&f);
    assert_true(client_take(f.client, 1000, &task));
    assert_int_equal(task.first, 0);
    assert_int_equal(task.count, 1000);
    assert_int_equal(task.version & ~0x1fffe000u, 0x20000000);
    struct u256 half = target_from_difficulty(0.5, pow_algorithm(POW_SHA256D));
    assert_int_equal(u256_compare(&task.work.target, &half), 0);
    client_found(f.client, &task, &hit, f.now_us);
    char expected[300];
    snprintf(expected, sizeof expected,
             "{\"id\":101,\"method\":\"mining.submit\",\"params\":[\"address.worker\",\"j1\","
             "\"2a000000\",\"504e86ed\",\"b2957c02\",\"%08x\"]}",
             task.version & 0x1fffe000);
    assert_sent(&f, expected);
    assert_int_equal(client_pending(f.client), 1);
    // The header is the one that the submission describes.
    struct header header;
    header_decode(task.work.header, &header);
    assert_int_equal(header.version, task.version);
    assert_int_equal(header.time, 0x504e86ed);
    uint8_t coinbase[] = {1, 0, 0, 0, 1, 8, 0, 0, 2, 42, 0, 0, 0, 7, 0x2f};
    struct hash256 root;
    sha256d(coinbase, sizeof coinbase, &root);
    assert_true(hash_equal(&root, &header.merkle_root));
    tear_down(&f);
}

static void no_nonce_is_handed_out_twice(void **state)
{
    (void)state;
    struct fixture f;
    struct client_task task, before;
    set_up_mining(&f);
    assert_true(client_take(f.client, UINT64_C(1) << 40, &before));
    assert_int_equal(before.count, 0x400000); // with rolled versions a header is left early
    for (int i = 0; i < 1000; i++) {
        assert_true(client_take(f.client, 0x300000, &task));
        bool is_same_header = memcmp(task.work.header, before.work.header, 76) == 0;
        if (is_same_header)
            assert_true(task.first == before.first + before.count);
        else
            assert_int_equal(task.first, 0);
        assert_true(is_same_header ||
                    memcmp(task.extranonce2, before.extranonce2, sizeof task.extranonce2) != 0);
        before = task;
    }
    tear_down(&f);
}

static void difficulty_counts_from_the_next_job_on(void **state)
{
    (void)state;
    struct fixture f;
    struct client_task before, after;
    set_up_mining(&f);
    client_take(f.client, 10, &before);
    pool(&f, "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[1e3]}");
    client_take(f.client, 10, &after);
    assert_int_equal(u256_compare(&before.work.target, &after.work.target), 0);
    notify(&f, "j2", false);
    client_take(f.client, 10, &after);
    struct u256 wanted = target_from_difficulty(1000, pow_algorithm(POW_SHA256D));
    assert_int_equal(u256_compare(&after.work.target, &wanted), 0);
    tear_down(&f);
}

static void extranonce_counts_from_the_next_job_on(void **state)
{
    (void)state;
    struct fixture f;
    struct client_task task;
    set_up_mining(&f);
    client_take(f.client, 10, &task);
    assert_true(pool(&f, "{\"id\":null,\"method\":\"mining.set_extranonce\",\"params\":"
                         "[\"aabb\",8]}"));
    client_take(f.client, 10, &task);
    assert_int_equal(task.extranonce2_size, 4);
    notify(&f, "j1", false); // even with the same id
    client_take(f.client, 10, &task);
    assert_int_equal(task.extranonce2_size, 8);
    tear_down(&f);
}

static void shares_of_old_jobs_count_until_a_clean_one_comes(void **state)
{
    (void)state;
    struct fixture f;
    struct client_task task;
    struct scan_hit hit = {.nonce = 1};
    char text[4000];
    set_up_mining(&f);
    client_take(f.client, 10, &task);
    notify(&f, "j2", false);
    client_found(f.client, &task, &hit, f.now_us);
    assert_non_null(strstr(sent(&f, text), "\"j1\""));
    notify(&f, "j3", true);
    client_found(f.client, &task, &hit, f.now_us);
    assert_sent(&f, "");
    assert_int_equal(f.stats.submitted, 1);
    assert_int_equal(f.stats.discarded, 1);
    tear_down(&f);
}

static void answers_are_counted_by_what_they_say(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "{\"id\":101,\"result\":true,\"error\":null}",
        "{\"id\":102,\"result\":null,\"error\":[23,\"Low difficulty share\",null]}",
        "{\"id\":103,\"result\":false,\"error\":null}",
        "{\"id\":104,\"error\":{\"code\":21,\"message\":\"Stale\"}}",
        "{\"id\":105,\"result\":null,\"error\":\"plainly no\"}",
        "{\"id\":106,\"result\":true}",
        "{\"id\":106,\"result\":true}", // twice
        "{\"id\":999,\"result\":true}", // never asked
        "{\"id\":107,\"result\":null,\"error\":[{},[]]}",
        "{\"id\":\"108\",\"result\":true}", // not our id
        "{\"id\":-1,\"result\":true}",
        "{\"result\":true}",
    };
    struct fixture f;
    struct client_task task;
    set_up_mining(&f);
    client_take(f.client, 1000, &task);
    for (uint32_t i = 0; i < 8; i++) {
        struct scan_hit hit = {.nonce = i};
        client_found(f.client, &task, &hit, f.now_us);
    }
    f.now_us += 3000;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        assert_true(pool(&f, answers[i]));
    assert_int_equal(f.stats.submitted, 8);
    assert_int_equal(f.stats.accepted, 2);
    assert_int_equal(f.stats.rejected, 5);
    assert_int_equal(client_pending(f.client), 1);
    assert_string_equal(f.stats.reasons[0].text, "23 Low difficulty share");
    assert_string_equal(f.stats.reasons[1].text, "no reason");
    assert_string_equal(f.stats.reasons[2].text, "21 Stale");
    assert_string_equal(f.stats.reasons[3].text, "plainly no");
    assert_string_equal(f.stats.reasons[4].text, "without words");
    // Two shares of difficulty 0.5 are 2^32 hashes.
    assert_true(f.stats.accepted_work > 4.29e9 && f.stats.accepted_work < 4.3e9);
    assert_true(stats_latency_ms(&f.stats, 1) >= 3);
    client_end(f.client);
    assert_int_equal(f.stats.unanswered, 1);
    tear_down(&f);
}

static void unanswered_shares_are_counted_when_too_many_wait(void **state)
{
    (void)state;
    struct fixture f;
    struct client_task task;
    set_up_mining(&f);
    client_take(f.client, 1000, &task);
    for (uint32_t i = 0; i < 300; i++) {
        struct scan_hit hit = {.nonce = i};
        client_found(f.client, &task, &hit, f.now_us);
    }
    assert_int_equal(client_pending(f.client), 256);
    assert_int_equal(f.stats.unanswered, 44);
    client_end(f.client);
    assert_int_equal(f.stats.unanswered, 300);
    tear_down(&f);
}

static void share_good_enough_for_the_bits_is_a_block(void **state)
{
    (void)state;
    struct fixture f;
    struct client_task task;
    struct scan_hit hit = {.nonce = 1};
    set_up_mining(&f);
    client_take(f.client, 10, &task);
    memset(hit.hash.bytes, 0xff, 28);
    client_found(f.client, &task, &hit, f.now_us);
    assert_int_equal(f.stats.blocks, 0);
    memset(hit.hash.bytes + 20, 0, 12);
    client_found(f.client, &task, &hit, f.now_us);
    assert_int_equal(f.stats.blocks, 1);
    tear_down(&f);
}

static void requests_of_the_pool_are_answered_with_their_id(void **state)
{
    (void)state;
    struct fixture f;
    set_up_mining(&f);
    pool(&f, "{\"id\":\"v\\\"1\",\"method\":\"client.get_version\",\"params\":[]}");
    assert_sent(&f, "{\"id\":\"v\\\"1\",\"result\":\"tester/1\",\"error\":null}");
    pool(&f, "{\"id\":7,\"method\":\"mining.ping\",\"params\":[]}");
    assert_sent(&f, "{\"id\":7,\"result\":\"pong\",\"error\":null}");
    pool(&f, "{\"id\":8,\"method\":\"client.dance\"}");
    assert_sent(&f, "{\"id\":8,\"result\":null,\"error\":[-3,\"Method not found\",null]}");
    pool(&f, "{\"id\":null,\"method\":\"client.dance\"}");
    assert_sent(&f, "");
    tear_down(&f);
}

static void messages_are_shown_without_control_characters(void **state)
{
    (void)state;
    struct fixture f;
    set_up_mining(&f);
    assert_true(pool(&f, "{\"id\":null,\"method\":\"client.show_message\",\"params\":"
                         "[\"pay \\u001b[31m attention\\n\"]}"));
    assert_string_equal(f.said, "pool says: pay ?[31m attention?");
    tear_down(&f);
}

static void reconnect_waits_and_goes_nowhere_else(void **state)
{
    (void)state;
    struct fixture f;
    set_up_mining(&f);
    assert_false(pool(&f, "{\"id\":null,\"method\":\"client.reconnect\",\"params\":"
                          "[\"evil.example\",3333,20]}"));
    assert_true(client_wants_reconnect(f.client));
    assert_int_equal(client_pause_s(f.client), 20);
    assert_non_null(strstr(f.said, "evil.example: not followed"));
    client_end(f.client);
    client_begin(f.client, f.now_us);
    assert_false(client_wants_reconnect(f.client));
    assert_int_equal(client_pause_s(f.client), 0);
    pool(&f, subscribed);
    assert_false(pool(&f, "{\"method\":\"client.reconnect\",\"params\":[\"\",1,99999999]}"));
    assert_int_equal(client_pause_s(f.client), 300);
    tear_down(&f);
}

static void session_is_taken_up_again(void **state)
{
    (void)state;
    struct fixture f;
    char text[4000];
    set_up_mining(&f);
    client_end(f.client);
    assert_false(client_has_work(f.client));
    f.config.version_mask = 0;
    sent(&f, text);
    client_begin(f.client, f.now_us);
    assert_sent(&f, "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"tester/1\",\"s1\"]}");
    // Refused: without it next time.
    assert_false(pool(&f, "{\"id\":2,\"result\":null,\"error\":[20,\"no session\",null]}"));
    assert_string_equal(client_error(f.client), "pool refuses the subscription: 20 no session");
    client_begin(f.client, f.now_us);
    assert_sent(&f, "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"tester/1\"]}");
    tear_down(&f);
}

static void hits_of_an_earlier_connection_are_discarded(void **state)
{
    (void)state;
    struct fixture f;
    struct client_task task;
    struct scan_hit hit = {.nonce = 1};
    set_up_mining(&f);
    client_take(f.client, 10, &task);
    client_end(f.client);
    client_found(f.client, &task, &hit, f.now_us);
    client_begin(f.client, f.now_us);
    pool(&f, subscribed);
    client_found(f.client, &task, &hit, f.now_us);
    assert_int_equal(f.stats.discarded, 2);
    assert_int_equal(f.stats.submitted, 0);
    tear_down(&f);
}

static void silent_pools_are_left(void **state)
{
    (void)state;
    struct fixture f;
    set_up_mining(&f);
    assert_true(client_tick(f.client, f.now_us + 179 * SECOND_US));
    assert_false(client_tick(f.client, f.now_us + 180 * SECOND_US));
    assert_string_equal(client_error(f.client), "pool is silent for 180 s");
    client_begin(f.client, f.now_us);
    pool(&f, "{\"id\":1,\"error\":1}");
    assert_false(client_tick(f.client, f.now_us + 31 * SECOND_US));
    assert_non_null(strstr(client_error(f.client), "does not answer the login"));
    tear_down(&f);
}

static void refused_user_is_named_with_the_reason(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.config.version_mask = 0;
    client_begin(f.client, f.now_us);
    pool(&f, subscribed);
    assert_false(pool(&f, "{\"id\":3,\"result\":false,\"error\":[24,\"no address\",null]}"));
    assert_string_equal(client_error(f.client), "pool refuses user address.worker: 24 no address");
    assert_int_equal(client_state(f.client), CLIENT_FAILED);
    tear_down(&f);
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
        struct fixture f;
        set_up_mining(&f);
        assert_false(pool(&f, lines[i]));
        assert_string_not_equal(client_error(f.client), "");
        assert_int_equal(client_state(f.client), CLIENT_FAILED);
        tear_down(&f);
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
        struct fixture f;
        set_up(&f);
        f.config.version_mask = 0;
        client_begin(f.client, f.now_us);
        assert_false(pool(&f, lines[i]));
        tear_down(&f);
    }
}

static void lines_come_in_any_pieces(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.config.version_mask = 0;
    client_begin(f.client, f.now_us);
    char all[1000];
    int size = snprintf(all, sizeof all, "\r\n  \n%s\r\n%s\n\n", subscribed, authorized);
    for (int i = 0; i < size; i++)
        assert_true(client_receive(f.client, all + i, 1, f.now_us));
    assert_int_equal(client_state(f.client), CLIENT_MINING);
    tear_down(&f);
}

static void endless_line_ends_the_connection(void **state)
{
    (void)state;
    struct fixture f;
    char piece[1000];
    size_t given = 0;
    set_up_mining(&f);
    memset(piece, ' ', sizeof piece);
    while (client_receive(f.client, piece, sizeof piece, f.now_us))
        given += sizeof piece;
    assert_true(given <= CLIENT_LINE_MAX);
    assert_non_null(strstr(client_error(f.client), "line of more than"));
    tear_down(&f);
}

static void pool_that_does_not_read_is_left(void **state)
{
    (void)state;
    struct fixture f;
    struct client_task task;
    set_up_mining(&f);
    client_take(f.client, 100000, &task);
    for (uint32_t i = 0; i < 20000; i++) {
        struct scan_hit hit = {.nonce = i};
        client_found(f.client, &task, &hit, f.now_us);
    }
    assert_true(client_output(f.client)->size <= CLIENT_OUTPUT_MAX);
    assert_false(client_tick(f.client, f.now_us));
    tear_down(&f);
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
        struct fixture f;
        struct client_task task;
        char line[1000];
        set_up_mining(&f);
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
        tear_down(&f);
    }
    assert_in_range(survived, 2000, 18000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(login_goes_one_step_after_the_other),
        cmocka_unit_test(wishes_are_sent_after_the_login),
        cmocka_unit_test(silence_on_configure_is_no_obstacle),
        cmocka_unit_test(error_on_configure_means_no_rolling),
        cmocka_unit_test(share_is_submitted_with_all_that_makes_its_header),
        cmocka_unit_test(no_nonce_is_handed_out_twice),
        cmocka_unit_test(difficulty_counts_from_the_next_job_on),
        cmocka_unit_test(extranonce_counts_from_the_next_job_on),
        cmocka_unit_test(shares_of_old_jobs_count_until_a_clean_one_comes),
        cmocka_unit_test(answers_are_counted_by_what_they_say),
        cmocka_unit_test(unanswered_shares_are_counted_when_too_many_wait),
        cmocka_unit_test(share_good_enough_for_the_bits_is_a_block),
        cmocka_unit_test(requests_of_the_pool_are_answered_with_their_id),
        cmocka_unit_test(messages_are_shown_without_control_characters),
        cmocka_unit_test(reconnect_waits_and_goes_nowhere_else),
        cmocka_unit_test(session_is_taken_up_again),
        cmocka_unit_test(hits_of_an_earlier_connection_are_discarded),
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
