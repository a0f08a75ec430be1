#include "node/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

// A document over a copy of exactly its size, so that a sanitizer sees every byte read too far.
struct document {
    char *text;
    struct json *json;
    struct json_value root;
};

static struct document open_sized(const char *text, size_t size, size_t tokens_max)
{
    struct document document = {.text = malloc(size > 0 ? size : 1)};
    assert_non_null(document.text);
    memcpy(document.text, text, size);
    document.json = json_parse(document.text, size, tokens_max);
    document.root = json_root(document.json);
    return document;
}

static struct document open_text(const char *text)
{
    struct document document = open_sized(text, strlen(text), 1000);
    if (document.json == NULL)
        fail_msg("not parsed: %s", text);
    return document;
}

static void close_document(struct document *document)
{
    json_free(document->json);
    free(document->text);
}

static bool parses(const char *text, size_t size, size_t tokens_max)
{
    struct document document = open_sized(text, size, tokens_max);
    bool result = document.json != NULL;
    close_document(&document);
    return result;
}

static void texts_of_the_grammar_are_accepted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        "0",
        "-0",
        "true",
        "null",
        "\"\"",
        " \t\r\n[ \t\r\n] \t\r\n",
        "[1,2.5,-3e7,4E+2,5.25e-10,0.0]",
        "{\"\":{\"a\":[{},[],\"\"]},\"b\" : null , \"b\":1}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uABcd\"",
        "\"\x7f\xc3\xa9\xff\"",
        "[true,false,null]",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (!parses(texts[i], strlen(texts[i]), 100))
            fail_msg("refused: %s", texts[i]);
    }
}

static const char *const outside_the_grammar[] = {
    "",
    " ",
    "[",
    "]",
    "{",
    "}",
    "[}",
    "{]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1 2]",
    "[1,,2]",
    "[\"a\" \"b\"]",
    "{1:2}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\"::1}",
    "{\"a\":1:2}",
    "{a:1}",
    "{'a':1}",
    "{[]:1}",
    "[\"a\":1]",
    "1 2",
    "{}{}",
    "[] x",
    "tru",
    "truex",
    "True",
    "nul",
    "falsee",
    "undefined",
    "NaN",
    "[-]",
    "[+1]",
    "[01]",
    "[-01]",
    "[1.]",
    "[.5]",
    "[1.e5]",
    "[1e]",
    "[1e+]",
    "[0x10]",
    "[1a]",
    "[Infinity]",
    "[--1]",
    "\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\u123",
    "\"\\u\"",
    "\"\\U0041\"",
    "\"\n\"",
    "\"\t\"",
    "\"\x1f\"",
    "'a'",
    "[\x0c]",
    "\xef\xbb\xbf[]",
    "// c\n[]",
    "[1]/**/",
    "\"a\":1",
    "a",
    ",",
    ":",
    "\x80",
};

static void texts_outside_the_grammar_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(outside_the_grammar); i++) {
        if (parses(outside_the_grammar[i], strlen(outside_the_grammar[i]), 100))
            fail_msg("accepted: %s", outside_the_grammar[i]);
    }
}

static void zero_bytes_are_refused_anywhere(void **state)
{
    (void)state;
    assert_false(parses("[1]\0", 4, 10));
    assert_false(parses("[1\0]", 4, 10));
    assert_false(parses("\"a\0b\"", 5, 10));
    assert_false(parses("\"a\\\0b\"", 6, 10));
    assert_false(parses("\0[]", 3, 10));
}

static void every_cut_of_a_document_is_refused(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":[1,-2.5e+7,true,false,null],\"b\":{\"c\":\"x\\u0041\\n\"},\"d\":\"\"}";
    for (size_t size = 0; size < sizeof text - 1; size++)
        assert_false(parses(text, size, 100));
    assert_true(parses(text, sizeof text - 1, 100));
}

static void nesting_is_accepted_to_32_and_no_deeper(void **state)
{
    (void)state;
    char text[200];
    for (int depth = 31; depth <= 33; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        assert_int_equal(parses(text, 2 * (size_t)depth, 100), depth <= 32);
    }
    // Objects count too, and what was closed does not.
    struct buffer buffer;
    buffer_init(&buffer, 10000);
    for (int i = 0; i < 32; i++)
        write_text(&buffer, "{\"a\":");
    write_text(&buffer, "1");
    for (int i = 0; i < 32; i++)
        write_text(&buffer, "}");
    assert_true(parses((const char *)buffer.data, buffer.size, 100));
    buffer_reset(&buffer);
    write_text(&buffer, "[");
    for (int i = 0; i < 100; i++)
        write_text(&buffer, "[[]],");
    write_text(&buffer, "0]");
    assert_true(parses((const char *)buffer.data, buffer.size, 1000));
    buffer_clear(&buffer);
}

static void token_limit_counts_values_and_names(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,{}],\"b\":\"c\"}"; // object a array 1 object b c
    assert_false(parses(text, sizeof text - 1, 0));
    assert_false(parses(text, sizeof text - 1, 6));
    assert_true(parses(text, sizeof text - 1, 7));
    assert_true(parses("1", 1, 1));
    assert_false(parses("1", 1, 0));
}

static void members_are_found_by_name_on_their_level_only(void **state)
{
    (void)state;
    struct document document = open_text("{\"a\":{\"x\":1,\"y\":[{\"z\":2}]},\"x\":3,\"\":4,"
                                         "\"n\\u0061me\":5,\"x\":6,\"v\":\"w\",\"nil\":null}");
    struct json_value root = document.root;
    uint64_t number;
    assert_int_equal(json_size(root), 7);
    assert_true(json_to_u64(json_get(root, "x"), &number) && number == 3); // the first of two
    assert_true(json_to_u64(json_get(json_get(root, "a"), "x"), &number) && number == 1);
    assert_true(json_to_u64(json_get(root, ""), &number) && number == 4);
    assert_true(json_to_u64(json_get(root, "name"), &number) && number == 5);
    assert_false(json_exists(json_get(root, "y")));
    assert_false(json_exists(json_get(root, "z")));
    assert_false(json_exists(json_get(root, "w"))); // a value, not a name
    assert_false(json_exists(json_get(root, "n")));
    assert_false(json_exists(json_get(root, "xx")));
    struct json_value nil = json_get(root, "nil");
    assert_true(json_exists(nil) && json_is_null(nil) && !json_is_present(nil));
    close_document(&document);
}

static void absent_values_are_taken_by_every_accessor(void **state)
{
    (void)state;
    struct document document = open_text("[\"text\"]");
    struct json_value cases[] = {
        json_get(document.root, "a"),                // no object
        json_get(json_first(document.root), "a"),    // a string
        json_first(json_first(document.root)),       // no container
        json_next(document.root),                    // the root has no neighbour
        json_next(json_get(document.root, "a")),     // of nothing
        json_get(json_get(document.root, "a"), "b"), // inside nothing
        json_first(json_get(document.root, "a")),    // of nothing
        json_root(NULL),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_value value = cases[i];
        assert_false(json_exists(value) || json_is_present(value) || json_is_null(value));
        assert_false(json_is_object(value) || json_is_array(value) || json_is_text(value));
        assert_false(json_is_number(value));
        assert_int_equal(json_size(value), 0);
        int64_t i64;
        uint64_t u64;
        double number;
        bool truth;
        char text[10];
        assert_false(json_to_i64(value, &i64) || json_to_u64(value, &u64));
        assert_false(json_to_double(value, &number) || json_to_bool(value, &truth));
        assert_false(json_to_text(value, text, sizeof text) || json_text_equals(value, ""));
        assert_false(json_to_hex(value, text, 0));
        const char *raw;
        size_t size = 1;
        json_raw(value, &raw, &size);
        assert_int_equal(size, 0);
        size = 1;
        json_name(value, &raw, &size);
        assert_int_equal(size, 0);
    }
    close_document(&document);
}

static void raw_text_is_the_value_as_it_was_written(void **state)
{
    (void)state;
    struct document document =
        open_text("[ {\"a\" : [1, 2]} , \"x\\u0041\\n\" ,-1.50e3, true, [ ] ]");
    static const char *const raws[] = {"{\"a\" : [1, 2]}", "x\\u0041\\n", "-1.50e3", "true", "[ ]"};
    size_t i = 0;
    for (struct json_value v = json_first(document.root); json_exists(v); v = json_next(v)) {
        const char *text;
        size_t size;
        json_raw(v, &text, &size);
        assert_int_equal(size, strlen(raws[i]));
        assert_memory_equal(text, raws[i], size);
        json_name(v, &text, &size);
        assert_int_equal(size, 0); // no member
        i++;
    }
    assert_int_equal(i, COUNT_OF(raws));
    close_document(&document);
}

static void walk_over_an_object_gives_values_and_names(void **state)
{
    (void)state;
    struct document document =
        open_text("[{\"one\":{\"deep\":[1,[2]]},\"t\\u0077o\":[],\"three\":3},\"behind\"]");
    static const char *const names[] = {"one", "t\\u0077o", "three"};
    size_t i = 0;
    struct json_value object = json_first(document.root);
    for (struct json_value v = json_first(object); json_exists(v); v = json_next(v)) {
        const char *text = NULL;
        size_t size = 0;
        json_name(v, &text, &size);
        if (i == COUNT_OF(names)) {
            fail_msg("there is a fourth: %.*s", (int)size, text);
            return;
        }
        assert_int_equal(size, strlen(names[i]));
        assert_memory_equal(text, names[i], size);
        i++;
    }
    assert_int_equal(i, 3);
    assert_true(json_text_equals(json_next(object), "behind"));
    close_document(&document);
}

static void integers_are_taken_to_the_ends_of_their_range(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_u64, is_i64;
        uint64_t u64;
        int64_t i64;
    } cases[] = {
        {"0", true, true, 0, 0},
        {"-0", false, true, 0, 0},
        {"-1", false, true, 0, -1},
        {"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
        {"9223372036854775808", true, false, UINT64_C(9223372036854775808), 0},
        {"-9223372036854775808", false, true, 0, INT64_MIN},
        {"-9223372036854775809", false, false, 0, 0},
        {"18446744073709551615", true, false, UINT64_MAX, 0},
        {"18446744073709551616", false, false, 0, 0},
        {"18446744073709551620", false, false, 0, 0},
        {"99999999999999999999999", false, false, 0, 0},
        {"1.0", false, false, 0, 0},
        {"1e3", false, false, 0, 0},
        {"\"1\"", false, false, 0, 0},
        {"true", false, false, 0, 0},
        {"[1]", false, false, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct document document = open_text(cases[i].text);
        uint64_t u64 = 0;
        int64_t i64 = 0;
        assert_int_equal(json_to_u64(document.root, &u64), cases[i].is_u64);
        assert_int_equal(json_to_i64(document.root, &i64), cases[i].is_i64);
        assert_true(u64 == cases[i].u64);
        assert_true(i64 == cases[i].i64);
        close_document(&document);
    }
}

static void doubles_are_read_unless_out_of_range(void **state)
{
    (void)state;
    char long_number[200] = "0.";
    memset(long_number + 2, '1', 150);
    static const char *const good[] = {"0.1", "-1e-7", "1E+20", "123456789012345678901234567890"};
    const char *const wrong[] = {"1e999", "-1e999", "\"1.5\"", "null", "[1.5]", long_number};
    double number;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct document document = open_text(good[i]);
        assert_true(json_to_double(document.root, &number));
        double expected = strtod(good[i], NULL);
        assert_memory_equal(&number, &expected, sizeof number);
        close_document(&document);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct document document = open_text(wrong[i]);
        assert_false(json_to_double(document.root, &number));
        close_document(&document);
    }
}

static void kinds_do_not_pass_for_each_other(void **state)
{
    (void)state;
    struct document document = open_text("[true,false,null,\"true\",1,{},[]]");
    static const struct {
        bool is_bool, truth, is_null, is_text, is_number, is_object, is_array;
    } cases[] = {
        {true, true, false, false, false, false, false},
        {true, false, false, false, false, false, false},
        {false, false, true, false, false, false, false},
        {false, false, false, true, false, false, false},
        {false, false, false, false, true, false, false},
        {false, false, false, false, false, true, false},
        {false, false, false, false, false, false, true},
    };
    struct json_value v = json_first(document.root);
    for (size_t i = 0; i < COUNT_OF(cases); i++, v = json_next(v)) {
        bool truth = false;
        assert_int_equal(json_to_bool(v, &truth), cases[i].is_bool);
        assert_int_equal(truth, cases[i].truth);
        assert_int_equal(json_is_null(v), cases[i].is_null);
        assert_int_equal(json_is_present(v), !cases[i].is_null);
        assert_int_equal(json_is_text(v), cases[i].is_text);
        assert_int_equal(json_is_number(v), cases[i].is_number);
        assert_int_equal(json_is_object(v), cases[i].is_object);
        assert_int_equal(json_is_array(v), cases[i].is_array);
    }
    assert_false(json_exists(v));
    close_document(&document);
}

static void escapes_are_resolved(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *text; // NULL: refused
    } cases[] = {
        {"\"\"", ""},
        {"\"plain\"", "plain"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u007f\\u0080\\u07ff\"", "A\x7f\xc2\x80\xdf\xbf"},
        {"\"\\u0800\\ud7ff\\ue000\\uFFFF\"", "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"},
        {"\"\\ud800\\udc00\"", "\xf0\x90\x80\x80"},
        {"\"\\uDBFF\\uDFFF\"", "\xf4\x8f\xbf\xbf"},
        {"\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!"},
        {"\"\xc3\xa9\"", "\xc3\xa9"},
        {"\"\\ud800\"", NULL},
        {"\"\\ud800x\"", NULL},
        {"\"\\ud800\\n12345\"", NULL},
        {"\"\\ud800\\u0041\"", NULL},
        {"\"\\ud800\\ud800\"", NULL},
        {"\"\\udc00\"", NULL},
        {"\"\\udc00\\ud800\"", NULL},
        {"\"\\udc00\\udc00\"", NULL},
        {"\"a\\u0000b\"", NULL},
        {"1", NULL},
        {"[\"a\"]", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct document document = open_text(cases[i].json);
        char text[64];
        bool is_text = json_to_text(document.root, text, sizeof text);
        assert_int_equal(is_text, cases[i].text != NULL);
        if (is_text) {
            assert_string_equal(text, cases[i].text);
            assert_true(json_text_equals(document.root, cases[i].text));
        }
        close_document(&document);
    }
}

static void text_needs_room_for_all_of_it_and_the_zero(void **state)
{
    (void)state;
    struct document document = open_text("\"ab\\u20ac\""); // 2 + 3 bytes
    char text[8] = "xxxxxxx";
    for (size_t capacity = 0; capacity < 6; capacity++) {
        assert_false(json_to_text(document.root, text, capacity));
        assert_int_equal(text[capacity], 'x');
    }
    assert_true(json_to_text(document.root, text, 6));
    assert_string_equal(text, "ab\xe2\x82\xac");
    close_document(&document);
    document = open_text("\"\"");
    assert_false(json_to_text(document.root, text, 0));
    assert_true(json_to_text(document.root, text, 1));
    close_document(&document);
}

static void text_equality_is_of_the_whole_text(void **state)
{
    (void)state;
    struct document document = open_text("\"ab\"");
    assert_true(json_text_equals(document.root, "ab"));
    assert_false(json_text_equals(document.root, "a"));
    assert_false(json_text_equals(document.root, "abc"));
    assert_false(json_text_equals(document.root, ""));
    assert_false(json_text_equals(document.root, "aB"));
    close_document(&document);
    document = open_text("\"a\\u0000\"");
    assert_false(json_text_equals(document.root, "a"));
    close_document(&document);
}

static void hex_strings_have_exactly_the_wanted_size(void **state)
{
    (void)state;
    struct document document = open_text("[\"00Ff\",\"00f\",\"zz00\",\"0\\u00300\",1234]");
    uint8_t bytes[2];
    struct json_value v = json_first(document.root);
    assert_true(json_to_hex(v, bytes, 2));
    assert_int_equal(bytes[1], 0xff);
    assert_false(json_to_hex(v, bytes, 1));
    while (json_exists(v = json_next(v)))
        assert_false(json_to_hex(v, bytes, 2));
    close_document(&document);
}

// A million elements: a walk that looks at all earlier ones again would not end within the
// time-out.
static void huge_containers_are_walked_in_linear_time(void **state)
{
    (void)state;
    const size_t count = 1000000;
    struct buffer buffer;
    buffer_init(&buffer, 64 << 20);
    struct json_writer writer;
    json_writer_init(&writer, &buffer);
    json_begin_object(&writer, NULL);
    json_begin_array(&writer, "array");
    for (size_t i = 0; i < count; i++) {
        json_begin_array(&writer, NULL);
        json_write_u64(&writer, NULL, i);
        json_end_array(&writer);
    }
    json_end_array(&writer);
    json_begin_object(&writer, "object");
    for (size_t i = 0; i < count; i++)
        json_write_u64(&writer, "k", i);
    json_end_object(&writer);
    json_write_bool(&writer, "last", true);
    json_end_object(&writer);
    assert_false(buffer.failed);
    struct document document = open_sized((const char *)buffer.data, buffer.size, 7 + 4 * count);
    assert_non_null(document.json);
    size_t i = 0;
    struct json_value array = json_get(document.root, "array");
    for (struct json_value v = json_first(array); json_exists(v); v = json_next(v)) {
        uint64_t number;
        assert_true(json_to_u64(json_first(v), &number) && number == i);
        i++;
    }
    assert_int_equal(i, count);
    i = 0;
    struct json_value object = json_get(document.root, "object");
    for (struct json_value v = json_first(object); json_exists(v); v = json_next(v)) {
        uint64_t number;
        assert_true(json_to_u64(v, &number) && number == i);
        i++;
    }
    assert_int_equal(i, count);
    // Finding what stands behind them steps over them at once.
    for (i = 0; i < count; i++)
        assert_true(json_exists(json_get(document.root, "last")));
    close_document(&document);
    buffer_clear(&buffer);
}

// Texts that make a tokenizer without a grammar search all it has read, again and again.
static void hostile_texts_are_refused_in_linear_time(void **state)
{
    (void)state;
    const size_t size = 8 << 20;
    static const char *const patterns[] = {"[",       "{\"a\":", "\"a\":", "]",
                                           "\"\\u00", "[]",      "-",      "[{}"};
    char *text = malloc(size);
    assert_non_null(text);
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        for (size_t j = 0; j < size; j++)
            text[j] = patterns[i][j % strlen(patterns[i])];
        assert_null(json_parse(text, size, size));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_the_grammar_are_accepted),
        cmocka_unit_test(texts_outside_the_grammar_are_refused),
        cmocka_unit_test(zero_bytes_are_refused_anywhere),
        cmocka_unit_test(every_cut_of_a_document_is_refused),
        cmocka_unit_test(nesting_is_accepted_to_32_and_no_deeper),
        cmocka_unit_test(token_limit_counts_values_and_names),
        cmocka_unit_test(members_are_found_by_name_on_their_level_only),
        cmocka_unit_test(absent_values_are_taken_by_every_accessor),
        cmocka_unit_test(raw_text_is_the_value_as_it_was_written),
        cmocka_unit_test(walk_over_an_object_gives_values_and_names),
        cmocka_unit_test(integers_are_taken_to_the_ends_of_their_range),
        cmocka_unit_test(doubles_are_read_unless_out_of_range),
        cmocka_unit_test(kinds_do_not_pass_for_each_other),
        cmocka_unit_test(escapes_are_resolved),
        cmocka_unit_test(text_needs_room_for_all_of_it_and_the_zero),
        cmocka_unit_test(text_equality_is_of_the_whole_text),
        cmocka_unit_test(hex_strings_have_exactly_the_wanted_size),
        cmocka_unit_test(huge_containers_are_walked_in_linear_time),
        cmocka_unit_test(hostile_texts_are_refused_in_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
