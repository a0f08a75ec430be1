#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/json.h"
#include "stratum/line.h"

// A copy of the very size of the line, so that a sanitizer sees a read beyond it.
static bool parse_sized(const char *text, size_t size, struct line *line, char **copy)
{
    *copy = malloc(size + 1);
    assert_non_null(*copy);
    memcpy(*copy, text, size);
    char *exact = realloc(*copy, size > 0 ? size : 1);
    *copy = exact;
    return line_parse(exact, size, line);
}

static void assert_parses(const char *text)
{
    struct line line;
    char *copy;
    if (!parse_sized(text, strlen(text), &line, &copy)) {
        fail_msg("refused: %s", text);
    }
    free(copy);
}

static void assert_refused_sized(const char *text, size_t size)
{
    struct line line;
    char *copy;
    if (parse_sized(text, size, &line, &copy)) {
        fail_msg("accepted: %s", text);
    }
    free(copy);
}

static void assert_refused(const char *text)
{
    assert_refused_sized(text, strlen(text));
}

static void assert_text(const struct line_value *value, const char *text)
{
    assert_int_equal(value->kind, LINE_TEXT);
    assert_int_equal(value->size, strlen(text));
    assert_memory_equal(value->text, text, value->size);
}

static void submit_is_read_whole(void **state)
{
    (void)state;
    static const char text[] =
        "{\"id\": 4, \"method\": \"mining.submit\", \"params\": [\"addr.w\", "
        "\"0000002a\", \"0000000000000001\", \"504e86ed\", \"b2957c02\"]}";
    struct line line;
    assert_true(line_parse(text, sizeof(text) - 1, &line));
    assert_text(&line.method, "mining.submit");
    assert_int_equal(line.params_count, 5);
    assert_text(&line.params[0], "addr.w");
    assert_text(&line.params[4], "b2957c02");
    uint32_t number;
    assert_true(line_to_hex_u32(&line.params[4], &number));
    assert_int_equal(number, 0xb2957c02);
    assert_int_equal(line.id.kind, LINE_NUMBER);
}

static void members_come_in_any_order_with_any_blanks(void **state)
{
    (void)state;
    static const char text[] =
        " {\t\"params\" :[ ] ,\"jsonrpc\":\"2.0\", \"extra\":{\"a\":[1,{\"b\":null}]},\"method\" : "
        "\"mining.subscribe\" ,\"id\":\"one\"}\r";
    struct line line;
    assert_true(line_parse(text, sizeof(text) - 1, &line));
    assert_text(&line.method, "mining.subscribe");
    assert_int_equal(line.params_count, 0);
    assert_text(&line.id, "one");
}

static void assert_id_comes_back(const char *id)
{
    char text[256];
    snprintf(text, sizeof(text), "{\"method\":\"m\",\"id\":%s}", id);
    struct line line;
    const char *raw;
    size_t size;
    assert_true(line_parse(text, strlen(text), &line));
    line_raw(&line.id, &raw, &size);
    assert_int_equal(size, strlen(id));
    assert_memory_equal(raw, id, size);
}

static void id_of_any_kind_comes_back_as_it_was_written(void **state)
{
    (void)state;
    assert_id_comes_back("1");
    assert_id_comes_back("-0.50e+3");
    assert_id_comes_back("18446744073709551616");
    assert_id_comes_back("\"auth\"");
    assert_id_comes_back("\"\"");
    assert_id_comes_back("\"q\\\"uo\\u00e4\\\\te\"");
    assert_id_comes_back("null");
    assert_id_comes_back("true");
    assert_id_comes_back("[1,\"a\"]");
}

static void id_without_bound_is_refused(void **state)
{
    (void)state;
    char text[200];
    memset(text, 'a', sizeof(text));
    memcpy(text, "{\"id\":\"", 7);
    memcpy(text + 7 + LINE_ID_SIZE_MAX, "\"}", 3);
    assert_parses(text);
    memcpy(text + 7 + LINE_ID_SIZE_MAX, "a\"}", 4);
    assert_refused(text);
}

static void answers_are_told_from_calls(void **state)
{
    (void)state;
    struct line line;
    static const char answer[] = "{\"id\":1,\"result\":\"pong\",\"error\":null}";
    static const char call[] = "{\"id\":1,\"method\":\"pong\",\"result\":true}";
    assert_true(line_parse(answer, sizeof(answer) - 1, &line));
    assert_true(line.is_answer);
    assert_true(line_parse(call, sizeof(call) - 1, &line));
    assert_false(line.is_answer);
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "[]",
        "null",
        "1",
        "\"a\"",
        "{",
        "}",
        "{\"id\"}",
        "{\"id\":}",
        "{id:1}",
        "{\"id\":1",
        "{\"id\":1,}",
        "{,}",
        "{\"a\":1}x",
        "{\"a\":1}{",
        "{\"a\" 1}",
        "{\"a\":tru}",
        "{\"a\":nul",
        "{\"a\":'b'}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":[}",
        "{\"a\":{]}",
        "{\"a\":[1}",
        "{\"a\":{\"b\"}}",
        "{\"a\":{1:2}}",
        "{\"a\":{\"b\":1,}}",
        "{\"params\":[1,]}",
        "{\"params\":[,1]}",
        "{\"params\":[1",
        "{\"params\":[",
        "{\"a\":\"\\",
        "{\"a\":\"\\\"}",
        "{\"a\":-}",
        "{\"a\":.}",
        "{\"a\":e}",
        "{\"a\":\"b}",
        "GET / HTTP/1.1",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_refused(lines[i]);
    }
}

static void every_prefix_of_a_line_is_refused(void **state)
{
    (void)state;
    static const char text[] =
        "{\"id\":\"a\\\"b\",\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],"
        "{\"version-rolling.mask\":\"ffffffff\",\"x\":[1.5e3,true,null,{}]}],\"y\":[[],{}]}";
    assert_parses(text);
    for (size_t size = 0; size < sizeof(text) - 1; size++) {
        assert_refused_sized(text, size);
    }
}

static void control_characters_in_texts_are_refused(void **state)
{
    (void)state;
    static const char nul[] = "{\"method\":\"mining\0.submit\"}";
    static const char newline[] = "{\"method\":\"mining\n.submit\"}";
    static const char escaped[] = "{\"method\":\"mining\\\0.submit\"}";
    assert_refused_sized(nul, sizeof(nul) - 1);
    assert_refused_sized(newline, sizeof(newline) - 1);
    assert_refused_sized(escaped, sizeof(escaped) - 1);
}

static void invalid_utf8_is_carried_and_not_interpreted(void **state)
{
    (void)state;
    static const char text[] = "{\"method\":\"\xff\xfe\xc0\x80\"}";
    struct line line;
    assert_true(line_parse(text, sizeof(text) - 1, &line));
    assert_int_equal(line.method.size, 4);
}

static void nest(char *text, size_t depth, char open, char close)
{
    char *at = text;
    memcpy(at, "{\"params\":[", 11);
    at += 11;
    for (size_t i = 0; i < depth; i++) {
        *at++ = open;
    }
    for (size_t i = 0; i < depth; i++) {
        *at++ = close;
    }
    memcpy(at, "]}", 3);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    char text[8000];
    nest(text, LINE_DEPTH_MAX - 2, '[', ']');
    assert_parses(text);
    nest(text, LINE_DEPTH_MAX - 1, '[', ']');
    assert_refused(text);
    nest(text, 3900, '[', ']');
    assert_refused(text);
    memset(text, '{', 7000);
    assert_refused_sized(text, 7000);
}

static void more_parameters_than_kept_are_still_checked(void **state)
{
    (void)state;
    static const char many[] = "{\"params\":[1,2,3,4,5,6,7,8,9,10,[11]]}";
    struct line line;
    assert_true(line_parse(many, sizeof(many) - 1, &line));
    assert_int_equal(line.params_count, LINE_PARAMS_MAX);
    assert_refused("{\"params\":[1,2,3,4,5,6,7,8,9,10,[11}]}");
}

static void params_that_are_no_array_count_as_none(void **state)
{
    (void)state;
    static const char text[] = "{\"params\":{\"a\":[1,2]},\"method\":5}";
    struct line line;
    assert_true(line_parse(text, sizeof(text) - 1, &line));
    assert_int_equal(line.params_count, 0);
    assert_int_equal(line.method.kind, LINE_ABSENT);
}

static struct line_value value_of(const char *text, struct line *line, char *memory)
{
    snprintf(memory, 200, "{\"params\":[%s]}", text);
    assert_true(line_parse(memory, strlen(memory), line));
    return line->params[0];
}

static void assert_number(const char *text, double wanted)
{
    struct line line;
    char memory[200];
    double number;
    struct line_value value = value_of(text, &line, memory);
    assert_true(line_to_double(&value, &number));
    assert_true(number == wanted);
}

static void assert_no_number(const char *text)
{
    struct line line;
    char memory[200];
    double number;
    struct line_value value = value_of(text, &line, memory);
    if (line_to_double(&value, &number)) {
        fail_msg("a number: %s", text);
    }
}

static void numbers_are_read_in_the_forms_miners_use(void **state)
{
    (void)state;
    assert_number("16", 16);
    assert_number("1e+06", 1e6);
    assert_number("0.00015", 0.00015);
    assert_number("\"16\"", 16);
    assert_number("-5", -5);
    assert_no_number("1e999");
    assert_no_number("1.2.3");
    assert_no_number("--1");
    assert_no_number("\"\"");
    assert_no_number("\"0x10\"");
    assert_no_number("\"nan\"");
    assert_no_number("\"inf\"");
    assert_no_number("\" 1\"");
    assert_no_number("null");
    assert_no_number("[1]");
}

static void hex_is_padded_on_the_left_and_of_either_case(void **state)
{
    (void)state;
    struct line line;
    char memory[200];
    uint32_t number;
    uint8_t bytes[2];
    struct line_value value = value_of("\"aB1\"", &line, memory);
    assert_true(line_to_hex_u32(&value, &number));
    assert_int_equal(number, 0xab1);
    value = value_of("\"123456789\"", &line, memory);
    assert_false(line_to_hex_u32(&value, &number));
    value = value_of("\"\"", &line, memory);
    assert_false(line_to_hex_u32(&value, &number));
    value = value_of("\"0x1\"", &line, memory);
    assert_false(line_to_hex_u32(&value, &number));
    value = value_of("17", &line, memory);
    assert_false(line_to_hex_u32(&value, &number));
    value = value_of("\"12F\"", &line, memory);
    assert_false(line_to_hex(&value, bytes, 2));
    value = value_of("\"12Fa\"", &line, memory);
    assert_true(line_to_hex(&value, bytes, 2));
    assert_int_equal(bytes[1], 0xfa);
}

static void assert_copies_as(const char *text, const char *wanted)
{
    struct line line;
    char memory[200];
    char out[12];
    size_t size;
    struct line_value value = value_of(text, &line, memory);
    assert_true(line_to_text(&value, out, sizeof(out), &size));
    assert_string_equal(out, wanted);
    assert_int_equal(size, strlen(wanted));
}

static void texts_are_copied_with_escapes_resolved_and_cut_to_fit(void **state)
{
    (void)state;
    assert_copies_as("\"plain\"", "plain");
    assert_copies_as("\"a\\/b\\\\\\\"\"", "a/b\\\"");
    assert_copies_as("\"\\u0041\\u00e9\\u0000x\"", "A??x");
    assert_copies_as("\"\\u00\"", "?00");
    assert_copies_as("\"0123456789abcdef\"", "0123456789a");
    assert_copies_as("\"\\t0123456789abcdef\"", "\t0123456789");
}

static void containers_are_walked(void **state)
{
    (void)state;
    struct line line;
    char memory[200];
    struct line_value name;
    struct line_value value =
        value_of("{\"a\":1 , \"b\" : [2,{\"c\":3}],\"d\":\"x\"}", &line, memory);
    struct line_cursor cursor = line_enter(&value);
    assert_true(line_next(&cursor, &name, &value));
    assert_text(&name, "a");
    assert_true(line_next(&cursor, &name, &value));
    assert_text(&name, "b");
    assert_int_equal(value.kind, LINE_ARRAY);
    assert_true(line_next(&cursor, &name, &value));
    assert_text(&value, "x");
    assert_false(line_next(&cursor, &name, &value));
    value = value_of("[]", &line, memory);
    cursor = line_enter(&value);
    assert_false(line_next(&cursor, &name, &value));
    value = value_of("5", &line, memory);
    cursor = line_enter(&value);
    assert_false(line_next(&cursor, &name, &value));
}

// Whether both readers take the line as one; then its method must be the same for both.
static bool is_read_by_both(const char *text, size_t size)
{
    struct line line;
    char method[64];
    struct json *json = json_parse(text, size, 100);
    bool is_object = json != NULL && json_is_object(json_root(json));
    bool is_both = line_parse(text, size, &line) && is_object;
    // The general reader also takes a newline for a blank; the scanner never sees one.
    if (is_object && !is_both && memchr(text, '\n', size) == NULL) {
        fail_msg("refused: %s", text);
    }
    if (is_both) {
        struct json_value value = json_get(json_root(json), "method");
        assert_int_equal(json_is_text(value), line.method.kind == LINE_TEXT);
        if (json_to_text(value, method, sizeof(method)) && !line.method.has_escapes) {
            assert_true(line_text_is(&line.method, method));
        }
    }
    json_free(json);
    return is_both;
}

// Every single-byte change of a line: where the general JSON reader accepts it as an object of our
// depth, so must the scanner.
static void scanner_agrees_with_the_general_json_reader(void **state)
{
    (void)state;
    static const char text[] =
        "{\"id\":7,\"method\":\"mining.submit\",\"params\":[\"w\",\"2a\",[1]]}";
    char copy[sizeof(text)];
    size_t both = 0;
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        for (unsigned byte = 1; byte < 256; byte++) {
            memcpy(copy, text, sizeof(text));
            copy[at] = (char)byte;
            both += is_read_by_both(copy, sizeof(text) - 1);
        }
    }
    assert_true(both > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(submit_is_read_whole),
        cmocka_unit_test(members_come_in_any_order_with_any_blanks),
        cmocka_unit_test(id_of_any_kind_comes_back_as_it_was_written),
        cmocka_unit_test(id_without_bound_is_refused),
        cmocka_unit_test(answers_are_told_from_calls),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(every_prefix_of_a_line_is_refused),
        cmocka_unit_test(control_characters_in_texts_are_refused),
        cmocka_unit_test(invalid_utf8_is_carried_and_not_interpreted),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(more_parameters_than_kept_are_still_checked),
        cmocka_unit_test(params_that_are_no_array_count_as_none),
        cmocka_unit_test(numbers_are_read_in_the_forms_miners_use),
        cmocka_unit_test(hex_is_padded_on_the_left_and_of_either_case),
        cmocka_unit_test(texts_are_copied_with_escapes_resolved_and_cut_to_fit),
        cmocka_unit_test(containers_are_walked),
        cmocka_unit_test(scanner_agrees_with_the_general_json_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
