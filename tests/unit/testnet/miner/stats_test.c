#include "testnet/miner/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/json.h"

static void reasons_are_counted_by_their_text(void **state)
{
    (void)state;
    struct stats stats = {0};
    stats_reject(&stats, "23 low difficulty");
    stats_reject(&stats, "21 stale");
    stats_reject(&stats, "23 low difficulty");
    assert_int_equal(stats.rejected, 3);
    assert_int_equal(stats.reasons_count, 2);
    assert_string_equal(stats.reasons[0].text, "23 low difficulty");
    assert_int_equal(stats.reasons[0].count, 2);
}

static void endless_reasons_take_no_more_room(void **state)
{
    (void)state;
    struct stats stats = {0};
    for (int i = 0; i < 1000; i++) {
        char reason[32];
        snprintf(reason, sizeof reason, "reason %d", i);
        stats_reject(&stats, reason);
    }
    assert_int_equal(stats.rejected, 1000);
    assert_int_equal(stats.reasons_count, STATS_REASONS_MAX);
    uint64_t sum = 0;
    for (size_t i = 0; i < stats.reasons_count; i++)
        sum += stats.reasons[i].count;
    assert_int_equal(sum, 1000);
    assert_string_equal(stats.reasons[STATS_REASONS_MAX - 1].text, "other reasons");
}

static void reasons_are_made_printable_and_cut(void **state)
{
    (void)state;
    struct stats stats = {0};
    char endless[1000];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    stats_reject(&stats, "\x1b[31mred\n\xe2\x82\xac");
    stats_reject(&stats, endless);
    assert_string_equal(stats.reasons[0].text, "?[31mred????");
    assert_int_equal(strlen(stats.reasons[1].text), STATS_REASON_SIZE - 1);
}

static void latencies_are_bounded_from_above(void **state)
{
    (void)state;
    struct stats stats = {0};
    assert_true(stats_latency_ms(&stats, 0.5) <= 0);
    for (int i = 0; i < 98; i++)
        stats_answer(&stats, 900);
    stats_answer(&stats, 70000);
    stats_answer(&stats, INT64_MAX);
    double half = stats_latency_ms(&stats, 0.5);
    double most = stats_latency_ms(&stats, 0.99);
    assert_true(half >= 0.9 && half <= 1.8);
    assert_true(most >= 70 && most <= 140);
    stats_answer(&stats, -5); // a clock that cannot go back did
}

static void json_report_is_json_with_all_counts(void **state)
{
    (void)state;
    struct stats stats = {.hashes = 4000, .accepted = 3, .difficulty = 0.5, .accepted_work = 2000};
    struct stats_moment moment = {.event = "report",
                                  .seconds = 2,
                                  .recent_seconds = 1,
                                  .recent_hashes = 3000,
                                  .connections = 1,
                                  .connections_wanted = 2};
    struct buffer line;
    buffer_init(&line, 10000);
    stats_reject(&stats, "21 \"odd\"");
    stats_write(&stats, &moment, true, &line);
    assert_int_equal(line.data[line.size - 1], '\n');
    struct json *json = json_parse((const char *)line.data, line.size, 1000);
    assert_non_null(json);
    struct json_value root = json_root(json);
    double rate = 0;
    uint64_t count = 0;
    assert_true(json_to_double(json_get(root, "hashrate"), &rate) && rate > 2999 && rate < 3001);
    assert_true(json_to_double(json_get(root, "hashrate_accepted"), &rate) && rate > 999 &&
                rate < 1001);
    assert_true(json_to_u64(json_get(root, "accepted"), &count) && count == 3);
    assert_true(json_to_u64(json_get(root, "rejected"), &count) && count == 1);
    assert_int_equal(json_size(json_get(root, "reasons")), 1);
    json_free(json);
    buffer_reset(&line);
    moment.recent_seconds = 0; // two reports at the same moment
    stats_write(&stats, &moment, false, &line);
    assert_non_null(memmem(line.data, line.size, "0.00 H/s hashed", 15));
    buffer_clear(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_are_counted_by_their_text),
        cmocka_unit_test(endless_reasons_take_no_more_room),
        cmocka_unit_test(reasons_are_made_printable_and_cut),
        cmocka_unit_test(latencies_are_bounded_from_above),
        cmocka_unit_test(json_report_is_json_with_all_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
