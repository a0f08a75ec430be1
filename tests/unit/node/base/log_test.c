#include "node/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/json.h"

// What the sink got last.
struct capture {
    char line[8192];
    size_t size;
    size_t count;
    enum log_level level;
    int64_t now_ms;
};

static void capture_line(void *context, enum log_level level, const char *line, size_t size)
{
    struct capture *capture = context;
    assert_true(size < sizeof capture->line);
    memcpy(capture->line, line, size);
    capture->line[size] = '\0';
    capture->size = size;
    capture->level = level;
    capture->count++;
}

static struct wall_time captured_clock(void *context)
{
    struct capture *capture = context;
    return (struct wall_time){capture->now_ms};
}

static struct log *open_log(struct capture *capture, enum log_form form)
{
    *capture = (struct capture){.now_ms = INT64_C(1718458205678)};
    struct log *log = log_new(LOG_DEBUG, form, capture_line, captured_clock, capture);
    assert_non_null(log);
    return log;
}

static struct json *parse_line(const struct capture *capture)
{
    assert_true(capture->size > 0 && capture->line[capture->size - 1] == '\n');
    assert_int_equal(strlen(capture->line), capture->size); // no zero inside
    struct json *json = json_parse(capture->line, capture->size, 1000);
    if (json == NULL)
        fail_msg("no JSON: %s", capture->line);
    return json;
}

static void text_line_holds_time_level_part_event_and_fields(void **state)
{
    (void)state;
    struct capture capture;
    struct log *log = open_log(&capture, LOG_FORM_TEXT);
    log_event(log, LOG_WARN, "stratum", "miner connected", LOG_TEXT("user", "bc1q.rig"),
              LOG_I64("delta", -5), LOG_U64("id", UINT64_MAX), LOG_NUMBER("difficulty", 0.5),
              LOG_BOOL("known", true));
    assert_string_equal(capture.line,
                        "2024-06-15T13:30:05.678Z warn  stratum: miner connected user=bc1q.rig "
                        "delta=-5 id=18446744073709551615 difficulty=0.5 known=true\n");
    assert_int_equal(capture.level, LOG_WARN);
    log_plain(log, LOG_ERROR, "node", "stopping");
    assert_string_equal(capture.line, "2024-06-15T13:30:05.678Z error node: stopping\n");
    log_free(log);
}

static void json_line_is_one_object_with_the_same_content(void **state)
{
    (void)state;
    struct capture capture;
    struct log *log = open_log(&capture, LOG_FORM_JSON);
    log_event(log, LOG_INFO, "stratum", "miner \"connected\"", LOG_TEXT("user", "a b"),
              LOG_TEXT("none", NULL), LOG_I64("delta", -5), LOG_U64("id", 7),
              LOG_NUMBER("difficulty", 0.5), LOG_BOOL("known", false));
    assert_string_equal(
        capture.line,
        "{\"time\":\"2024-06-15T13:30:05.678Z\",\"level\":\"info\",\"part\":\"stratum\","
        "\"event\":\"miner \\\"connected\\\"\",\"user\":\"a b\",\"none\":\"\","
        "\"delta\":-5,\"id\":7,\"difficulty\":0.5,\"known\":false}\n");
    json_free(parse_line(&capture));
    log_free(log);
}

static void control_characters_never_reach_the_sink(void **state)
{
    (void)state;
    char hostile[256];
    for (int i = 0; i < 255; i++)
        hostile[i] = (char)(i + 1);
    hostile[255] = '\0';
    for (int form = LOG_FORM_TEXT; form <= LOG_FORM_JSON; form++) {
        struct capture capture;
        struct log *log = open_log(&capture, (enum log_form)form);
        log_event(log, LOG_INFO, "stratum", "line refused", LOG_TEXT("line", hostile),
                  LOG_TEXT("c1", "\xc2\x9b"
                                 "31m"));
        for (size_t i = 0; i + 1 < capture.size; i++)
            assert_in_range((unsigned char)capture.line[i], ' ', '~');
        log_free(log);
    }
}

static void text_values_that_could_pass_for_other_fields_are_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *written;
    } cases[] = {
        {"plain-1.2/x", " v=plain-1.2/x\n"},
        {"", " v=\"\"\n"},
        {NULL, " v=\"\"\n"},
        {"a b", " v=\"a b\"\n"},
        {"a=b", " v=\"a=b\"\n"},
        {"\"", " v=\"\\\"\"\n"},
        {"\\", " v=\"\\\\\"\n"},
        {"x\n2024-06-15T13:30:05.678Z error node: forged", // a line break must not start a line
         " v=\"x\\n2024-06-15T13:30:05.678Z error node: forged\"\n"},
        {"\xc3\xa9", " v=\"\xc3\xa9\"\n"},
    };
    struct capture capture;
    struct log *log = open_log(&capture, LOG_FORM_TEXT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        log_event(log, LOG_INFO, "p", "e", LOG_TEXT("v", cases[i].value));
        assert_string_equal(strstr(capture.line, " v="), cases[i].written);
    }
    log_free(log);
}

static void levels_above_the_chosen_one_are_dropped(void **state)
{
    (void)state;
    struct capture capture;
    struct log *log = open_log(&capture, LOG_FORM_TEXT);
    for (int chosen = LOG_ERROR; chosen <= LOG_DEBUG; chosen++) {
        log_set_level(log, (enum log_level)chosen);
        for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
            capture.count = 0;
            log_plain(log, (enum log_level)level, "p", "e");
            assert_int_equal(capture.count, level <= chosen);
            assert_int_equal(log_wants(log, (enum log_level)level), level <= chosen);
        }
    }
    log_free(log);
}

static void silent_log_stays_silent(void **state)
{
    (void)state;
    struct log *log = log_new_silent();
    log_set_level(log, LOG_DEBUG);
    assert_false(log_wants(log, LOG_ERROR));
    log_plain(log, LOG_ERROR, "p", "e");
    log_free(log);
    log_free(NULL);
}

static void level_names_are_the_four_words(void **state)
{
    (void)state;
    enum log_level level = LOG_ERROR;
    assert_true(log_level_from_text("debug", &level) && level == LOG_DEBUG);
    assert_true(log_level_from_text("info", &level) && level == LOG_INFO);
    assert_true(log_level_from_text("warn", &level) && level == LOG_WARN);
    assert_true(log_level_from_text("error", &level) && level == LOG_ERROR);
    assert_false(log_level_from_text("Info", &level));
    assert_false(log_level_from_text("", &level));
    assert_false(log_level_from_text("information", &level));
}

static void long_text_is_cut_between_characters_and_the_line_says_so(void **state)
{
    (void)state;
    char text[601] =
        "x"; // characters of two bytes begin at odd places: byte 512 is in the middle of one
    for (size_t i = 1; i + 1 < 600; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    struct capture capture;
    struct log *log = open_log(&capture, LOG_FORM_JSON);
    log_event(log, LOG_INFO, "p", "e", LOG_TEXT("long", text), LOG_U64("after", 1));
    struct json *json = parse_line(&capture);
    char value[600];
    assert_true(json_to_text(json_get(json_root(json), "long"), value, sizeof value));
    assert_int_equal(strlen(value), 511);
    assert_memory_equal(value, text, 511);
    assert_true(json_is_present(json_get(json_root(json), "after")));
    bool truncated = false;
    assert_true(json_to_bool(json_get(json_root(json), "truncated"), &truncated) && truncated);
    json_free(json);
    text[512] = '\0';
    text[511] = 'y'; // 512 bytes exactly: nothing is lost
    log_event(log, LOG_INFO, "p", "e", LOG_TEXT("long", text));
    json = parse_line(&capture);
    assert_false(json_exists(json_get(json_root(json), "truncated")));
    json_free(json);
    log_free(log);
}

// Every size around the end of the line, with values that grow sixfold when escaped.
static void lines_too_long_lose_whole_fields_and_stay_well_formed(void **state)
{
    (void)state;
    char text[513];
    for (size_t size = 0; size <= 512; size++) {
        memset(text, '\x01', size);
        text[size] = '\0';
        struct capture capture;
        struct log *log = open_log(&capture, LOG_FORM_JSON);
        log_event(log, LOG_INFO, text, text, LOG_TEXT("a", text), LOG_TEXT("b", text),
                  LOG_TEXT("c", text), LOG_U64("d", 4));
        struct json *json = parse_line(&capture);
        bool has_all = json_exists(json_get(json_root(json), "a")) &&
                       json_exists(json_get(json_root(json), "b")) &&
                       json_exists(json_get(json_root(json), "c")) &&
                       json_exists(json_get(json_root(json), "d"));
        assert_int_equal(json_exists(json_get(json_root(json), "truncated")), !has_all);
        if (size <= 100 || size >= 200)
            assert_int_equal(has_all, size <= 100);
        assert_true(capture.size <= 4096);
        json_free(json);
        log_free(log);
        log = open_log(&capture, LOG_FORM_TEXT);
        log_event(log, LOG_INFO, "p", "e", LOG_TEXT("a", text), LOG_TEXT("b", text),
                  LOG_TEXT("c", text));
        assert_int_equal(capture.line[capture.size - 1], '\n');
        log_free(log);
    }
}

static void stamps_follow_the_calendar(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *stamp;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1970-01-01T00:00:00.000Z"},
        {INT64_C(1709164800001), "2024-02-29T00:00:00.001Z"},
        {INT64_C(4102444799999), "2099-12-31T23:59:59.999Z"},
        {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
    };
    struct capture capture;
    struct log *log = open_log(&capture, LOG_FORM_TEXT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        capture.now_ms = cases[i].ms;
        log_plain(log, LOG_INFO, "p", "e");
        assert_memory_equal(capture.line, cases[i].stamp, 24);
    }
    capture.now_ms = INT64_MAX;
    log_plain(log, LOG_INFO, "p", "e");
    assert_non_null(strstr(capture.line, "Z info  p: e\n"));
    log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_line_holds_time_level_part_event_and_fields),
        cmocka_unit_test(json_line_is_one_object_with_the_same_content),
        cmocka_unit_test(control_characters_never_reach_the_sink),
        cmocka_unit_test(text_values_that_could_pass_for_other_fields_are_quoted),
        cmocka_unit_test(levels_above_the_chosen_one_are_dropped),
        cmocka_unit_test(silent_log_stays_silent),
        cmocka_unit_test(level_names_are_the_four_words),
        cmocka_unit_test(long_text_is_cut_between_characters_and_the_line_says_so),
        cmocka_unit_test(lines_too_long_lose_whole_fields_and_stay_well_formed),
        cmocka_unit_test(stamps_follow_the_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
