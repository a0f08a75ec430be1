#include "node/api/events.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define START UINT64_C(1000000)

// What was sent, or replayed.
struct heard {
    size_t count;
    uint64_t first, last;
    enum api_event_kind kind;
    char text[512]; // of the last, as a server-sent event
};

static void hear(void *context, enum api_event_kind kind, struct http_message *message)
{
    struct heard *heard = context;
    struct buffer out;
    heard->last = http_message_number(message);
    heard->first = heard->count == 0 ? heard->last : heard->first;
    heard->count++;
    heard->kind = kind;
    buffer_init(&out, sizeof(heard->text) - 1);
    http_message_write_event(message, &out);
    memset(heard->text, 0, sizeof(heard->text));
    memcpy(heard->text, out.data, out.size);
    buffer_clear(&out);
}

static struct now at(int64_t ms)
{
    return (struct now){.mono = {.ms = ms}, .wall = {.ms = (int64_t)START + ms}};
}

static void tell(struct api_events *events, enum api_event_kind kind, struct now now)
{
    struct json_writer *writer = api_event_begin(events, kind, now);
    json_write_u64(writer, "x", 5);
    api_event_end(events);
}

static void event_has_its_kind_number_and_time(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct api_events *events = api_events_new(10, 100000, hear, &heard, at(0));
    tell(events, API_EVENT_BLOCK, at(7));
    assert_int_equal(heard.kind, API_EVENT_BLOCK);
    assert_string_equal(
        heard.text, "id: 1000000\nevent: block\n"
                    "data: {\"event\":\"block\",\"number\":1000000,\"at\":1000007,\"x\":5}\n\n");
    tell(events, API_EVENT_JOB, at(8));
    assert_int_equal(heard.last, START + 1);
    api_events_free(events);
}

static void shares_beyond_ten_a_second_are_counted(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct api_events *events = api_events_new(100, 100000, hear, &heard, at(0));
    for (int i = 0; i < 25; i++) {
        if (api_events_wanted(events, API_EVENT_SHARE, at(5000 + i)))
            tell(events, API_EVENT_SHARE, at(5000 + i));
    }
    assert_int_equal(heard.count, 10);
    assert_false(api_events_wanted(events, API_EVENT_SHARE, at(5999)));
    assert_true(api_events_wanted(events, API_EVENT_SHARE, at(6000)));
    tell(events, API_EVENT_SHARE, at(6000));
    assert_non_null(strstr(heard.text, "\"skipped\":16,"));
    tell(events, API_EVENT_SHARE, at(6001));
    assert_non_null(strstr(heard.text, "\"skipped\":0,"));
    // A flood of one kind takes nothing from another.
    for (int i = 0; i < 100; i++)
        assert_true(api_events_wanted(events, API_EVENT_BLOCK, at(6000)));
    api_events_free(events);
}

static void reader_that_comes_back_gets_what_it_missed(void **state)
{
    (void)state;
    struct heard heard = {0}, replayed = {0};
    struct api_events *events = api_events_new(5, 100000, hear, &heard, at(0));
    for (int i = 0; i < 5; i++)
        tell(events, API_EVENT_LINK, at(i));
    assert_true(api_events_replay(events, START + 2, hear, &replayed));
    assert_int_equal(replayed.count, 2);
    assert_int_equal(replayed.first, START + 3);
    assert_int_equal(replayed.last, START + 4);
    replayed = (struct heard){0};
    assert_true(api_events_replay(events, START + 4, hear, &replayed));
    assert_int_equal(replayed.count, 0);
    assert_true(api_events_replay(events, START - 1, hear, &replayed));
    assert_int_equal(replayed.count, 5);
    api_events_free(events);
}

static void reader_that_comes_too_late_is_told_so(void **state)
{
    (void)state;
    struct heard heard = {0}, replayed = {0};
    struct api_events *events = api_events_new(5, 100000, hear, &heard, at(0));
    for (int i = 0; i < 8; i++)
        tell(events, API_EVENT_LINK, at(i));
    assert_true(api_events_replay(events, START + 2, hear, &replayed));
    assert_int_equal(replayed.count, 5);
    replayed = (struct heard){0};
    assert_false(api_events_replay(events, START + 1, hear, &replayed));
    assert_int_equal(replayed.count, 5);
    // Of an earlier life, and one that no event has had.
    assert_false(api_events_replay(events, 17, hear, &replayed));
    assert_false(api_events_replay(events, START + 8, hear, &replayed));
    assert_false(api_events_replay(events, UINT64_MAX, hear, &replayed));
    api_events_free(events);
}

static void history_is_bounded_in_bytes(void **state)
{
    (void)state;
    struct heard heard = {0}, replayed = {0};
    struct api_events *events = api_events_new(1000, 1000, hear, &heard, at(0));
    for (int i = 0; i < 100; i++)
        tell(events, API_EVENT_LINK, at(i));
    assert_int_equal(heard.count, 100);
    assert_false(api_events_replay(events, START, hear, &replayed));
    assert_in_range(replayed.count, 8, 12); // of about 100 bytes each
    assert_int_equal(replayed.last, START + 99);
    api_events_free(events);
}

static void event_too_large_is_left_out_and_missed(void **state)
{
    (void)state;
    struct heard heard = {0}, replayed = {0};
    static char large[HTTP_MESSAGE_SIZE_MAX];
    struct api_events *events = api_events_new(10, 100000, hear, &heard, at(0));
    memset(large, 'a', sizeof(large) - 1);
    tell(events, API_EVENT_JOB, at(0));
    struct json_writer *writer = api_event_begin(events, API_EVENT_JOB, at(1));
    json_write_text(writer, "x", large);
    api_event_end(events);
    assert_int_equal(heard.count, 1);
    tell(events, API_EVENT_JOB, at(2));
    assert_int_equal(heard.last, START + 2);
    assert_false(api_events_replay(events, START - 1, hear, &replayed));
    api_events_free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_has_its_kind_number_and_time),
        cmocka_unit_test(shares_beyond_ten_a_second_are_counted),
        cmocka_unit_test(reader_that_comes_back_gets_what_it_missed),
        cmocka_unit_test(reader_that_comes_too_late_is_told_so),
        cmocka_unit_test(history_is_bounded_in_bytes),
        cmocka_unit_test(event_too_large_is_left_out_and_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
