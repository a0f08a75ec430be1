#include "testnet/miner/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "node/pow/target.h"
#include "tests/unit/testnet/miner/client_fixture.h"

static void login_goes_one_step_after_the_other(void **state)
{
    (void)state;
    struct client_fixture f;
    client_set_up(&f);
    client_begin(f.client, f.now_us);
    assert_sent(&f,
                "{\"id\":1,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],"
                "{\"version-rolling.mask\":\"1fffe000\",\"version-rolling.min-bit-count\":1}]}");
    assert_true(pool_says(&f, "{\"id\":1,\"result\":{\"version-rolling\":true,"
                              "\"version-rolling.mask\":\"00ffe000\"},\"error\":null}"));
    assert_sent(&f, "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"tester/1\"]}");
    assert_true(pool_says(&f, SUBSCRIBED));
    assert_sent(&f, "{\"id\":3,\"method\":\"mining.authorize\",\"params\":[\"address.worker\","
                    "\"x\"]}");
    assert_false(client_has_work(f.client));
    assert_true(pool_says(&f, AUTHORIZED));
    assert_sent(&f, "");
    assert_int_equal(client_state(f.client), CLIENT_MINING);
    assert_false(client_has_work(f.client));
    pool_notifies(&f, "a", true);
    assert_true(client_has_work(f.client));
    client_tear_down(&f);
}

static void wishes_are_sent_after_the_login(void **state)
{
    (void)state;
    struct client_fixture f;
    char text[SENT_SIZE];
    client_set_up(&f);
    f.config.version_mask = 0;
    f.config.wants_extranonce = true;
    f.config.suggest_difficulty = 0.25;
    client_begin(f.client, f.now_us);
    assert_sent(&f, "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"tester/1\"]}");
    pool_says(&f, SUBSCRIBED);
    client_sent(&f, text);
    pool_says(&f, AUTHORIZED);
    assert_sent(&f, "{\"id\":4,\"method\":\"mining.extranonce.subscribe\",\"params\":[]}\n"
                    "{\"id\":5,\"method\":\"mining.suggest_difficulty\",\"params\":[0.25]}");
    client_tear_down(&f);
}

static void silence_on_configure_is_no_obstacle(void **state)
{
    (void)state;
    struct client_fixture f;
    char text[SENT_SIZE];
    client_set_up(&f);
    client_begin(f.client, f.now_us);
    client_sent(&f, text);
    assert_true(client_tick(f.client, f.now_us + 4 * SECOND_US));
    assert_sent(&f, "");
    assert_true(client_tick(f.client, f.now_us + 5 * SECOND_US));
    assert_sent(&f, "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"tester/1\"]}");
    client_tear_down(&f);
}

static void error_on_configure_means_no_rolling(void **state)
{
    (void)state;
    struct client_fixture f;
    struct client_task task;
    struct scan_hit hit = {.nonce = 7};
    char text[SENT_SIZE];
    client_set_up(&f);
    client_begin(f.client, f.now_us);
    pool_says(&f, "{\"id\":1,\"result\":null,\"error\":[-3,\"Method not found\",null]}");
    pool_says(&f, SUBSCRIBED);
    pool_says(&f, AUTHORIZED);
    pool_notifies(&f, "a", true);
    client_sent(&f, text);
    assert_true(client_take(f.client, 100, &task));
    assert_int_equal(task.version, 0x20000000);
    client_found(f.client, &task, &hit, f.now_us);
    assert_sent(&f, "{\"id\":101,\"method\":\"mining.submit\",\"params\":[\"address.worker\",\"a\","
                    "\"2a000000\",\"504e86ed\",\"00000007\"]}");
    client_tear_down(&f);
}

static void share_is_submitted_with_all_that_makes_its_header(void **state)
{
    (void)state;
    struct client_fixture f;
    struct client_task task;
    struct scan_hit hit = {.nonce = 0xb2957c02};
    client_set_up_mining(&f);
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
    client_tear_down(&f);
}

static void no_nonce_is_handed_out_twice(void **state)
{
    (void)state;
    struct client_fixture f;
    struct client_task task, before;
    client_set_up_mining(&f);
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
    client_tear_down(&f);
}

static void difficulty_counts_from_the_next_job_on(void **state)
{
    (void)state;
    struct client_fixture f;
    struct client_task before, after;
    client_set_up_mining(&f);
    client_take(f.client, 10, &before);
    pool_says(&f, "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[1e3]}");
    client_take(f.client, 10, &after);
    assert_int_equal(u256_compare(&before.work.target, &after.work.target), 0);
    pool_notifies(&f, "j2", false);
    client_take(f.client, 10, &after);
    struct u256 wanted = target_from_difficulty(1000, pow_algorithm(POW_SHA256D));
    assert_int_equal(u256_compare(&after.work.target, &wanted), 0);
    client_tear_down(&f);
}

static void extranonce_counts_from_the_next_job_on(void **state)
{
    (void)state;
    struct client_fixture f;
    struct client_task task;
    client_set_up_mining(&f);
    client_take(f.client, 10, &task);
    assert_true(pool_says(&f, "{\"id\":null,\"method\":\"mining.set_extranonce\",\"params\":"
                              "[\"aabb\",8]}"));
    client_take(f.client, 10, &task);
    assert_int_equal(task.extranonce2_size, 4);
    pool_notifies(&f, "j1", false); // even with the same id
    client_take(f.client, 10, &task);
    assert_int_equal(task.extranonce2_size, 8);
    client_tear_down(&f);
}

static void shares_of_old_jobs_count_until_a_clean_one_comes(void **state)
{
    (void)state;
    struct client_fixture f;
    struct client_task task;
    struct scan_hit hit = {.nonce = 1};
    char text[SENT_SIZE];
    client_set_up_mining(&f);
    client_take(f.client, 10, &task);
    pool_notifies(&f, "j2", false);
    client_found(f.client, &task, &hit, f.now_us);
    assert_non_null(strstr(client_sent(&f, text), "\"j1\""));
    pool_notifies(&f, "j3", true);
    client_found(f.client, &task, &hit, f.now_us);
    assert_sent(&f, "");
    assert_int_equal(f.stats.submitted, 1);
    assert_int_equal(f.stats.discarded, 1);
    client_tear_down(&f);
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
    struct client_fixture f;
    struct client_task task;
    client_set_up_mining(&f);
    client_take(f.client, 1000, &task);
    for (uint32_t i = 0; i < 8; i++) {
        struct scan_hit hit = {.nonce = i};
        client_found(f.client, &task, &hit, f.now_us);
    }
    f.now_us += 3000;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        assert_true(pool_says(&f, answers[i]));
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
    client_tear_down(&f);
}

static void unanswered_shares_are_counted_when_too_many_wait(void **state)
{
    (void)state;
    struct client_fixture f;
    struct client_task task;
    client_set_up_mining(&f);
    client_take(f.client, 1000, &task);
    for (uint32_t i = 0; i < 300; i++) {
        struct scan_hit hit = {.nonce = i};
        client_found(f.client, &task, &hit, f.now_us);
    }
    assert_int_equal(client_pending(f.client), 256);
    assert_int_equal(f.stats.unanswered, 44);
    client_end(f.client);
    assert_int_equal(f.stats.unanswered, 300);
    client_tear_down(&f);
}

static void share_good_enough_for_the_bits_is_a_block(void **state)
{
    (void)state;
    struct client_fixture f;
    struct client_task task;
    struct scan_hit hit = {.nonce = 1};
    client_set_up_mining(&f);
    client_take(f.client, 10, &task);
    memset(hit.hash.bytes, 0xff, 28);
    client_found(f.client, &task, &hit, f.now_us);
    assert_int_equal(f.stats.blocks, 0);
    memset(hit.hash.bytes + 20, 0, 12);
    client_found(f.client, &task, &hit, f.now_us);
    assert_int_equal(f.stats.blocks, 1);
    client_tear_down(&f);
}

static void session_is_taken_up_again(void **state)
{
    (void)state;
    struct client_fixture f;
    char text[SENT_SIZE];
    client_set_up_mining(&f);
    client_end(f.client);
    assert_false(client_has_work(f.client));
    f.config.version_mask = 0;
    client_sent(&f, text);
    client_begin(f.client, f.now_us);
    assert_sent(&f, "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"tester/1\",\"s1\"]}");
    // Refused: without it next time.
    assert_false(pool_says(&f, "{\"id\":2,\"result\":null,\"error\":[20,\"no session\",null]}"));
    assert_string_equal(client_error(f.client), "pool refuses the subscription: 20 no session");
    client_begin(f.client, f.now_us);
    assert_sent(&f, "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"tester/1\"]}");
    client_tear_down(&f);
}

static void hits_of_an_earlier_connection_are_discarded(void **state)
{
    (void)state;
    struct client_fixture f;
    struct client_task task;
    struct scan_hit hit = {.nonce = 1};
    client_set_up_mining(&f);
    client_take(f.client, 10, &task);
    client_end(f.client);
    client_found(f.client, &task, &hit, f.now_us);
    client_begin(f.client, f.now_us);
    pool_says(&f, SUBSCRIBED);
    client_found(f.client, &task, &hit, f.now_us);
    assert_int_equal(f.stats.discarded, 2);
    assert_int_equal(f.stats.submitted, 0);
    client_tear_down(&f);
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
        cmocka_unit_test(session_is_taken_up_again),
        cmocka_unit_test(hits_of_an_earlier_connection_are_discarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
