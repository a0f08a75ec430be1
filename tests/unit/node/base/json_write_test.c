#include "node/base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/node/base/seeded.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void begin(struct json_writer *writer, struct buffer *buffer)
{
    buffer_init(buffer, 1 << 20);
    json_writer_init(writer, buffer);
}

static void assert_written(struct buffer *buffer, const char *expected)
{
    assert_false(buffer->failed);
    write_u8(buffer, 0);
    assert_string_equal((const char *)buffer->data, expected);
    buffer_clear(buffer);
}

static void commas_stand_between_values_and_nowhere_else(void **state)
{
    (void)state;
    struct buffer buffer;
    struct json_writer writer;
    begin(&writer, &buffer);
    json_begin_object(&writer, NULL);
    json_begin_array(&writer, "empty");
    json_end_array(&writer);
    json_begin_array(&writer, "list");
    json_write_u64(&writer, NULL, UINT64_MAX);
    json_write_i64(&writer, NULL, INT64_MIN);
    json_begin_object(&writer, NULL);
    json_end_object(&writer);
    json_write_null(&writer, NULL);
    json_end_array(&writer);
    json_write_text(&writer, "text", "x");
    json_write_text(&writer, "none", NULL);
    json_write_bool(&writer, "yes", true);
    json_write_bool(&writer, "no", false);
    json_write_hex(&writer, "hex", "\x00\xff", 2);
    json_end_object(&writer);
    assert_written(&buffer,
                   "{\"empty\":[],\"list\":[18446744073709551615,-9223372036854775808,{},null],"
                   "\"text\":\"x\",\"none\":null,\"yes\":true,\"no\":false,\"hex\":\"00ff\"}");
}

static void outermost_values_need_no_container(void **state)
{
    (void)state;
    struct buffer buffer;
    struct json_writer writer;
    begin(&writer, &buffer);
    json_write_text(&writer, NULL, "a");
    assert_written(&buffer, "\"a\"");
}

static void text_is_escaped_where_json_terminals_or_utf8_need_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *json;
    } cases[] = {
        {"", "\"\""},
        {"a/b<c>", "\"a/b<c>\""},
        {"\"\\", "\"\\\"\\\\\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1b[31m\x1f\x7f", "\"\\u0001\\u001b[31m\\u001f\\u007f\""},
        {"\xc2\x80\xc2\x9b\xc2\xa0", "\"\\u0080\\u009b\xc2\xa0\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
         "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\""},
        // No UTF-8: stray and missing continuation, long forms, surrogates, beyond U+10FFFF.
        {"\x80", "\"\\ufffd\""},
        {"\xc3", "\"\\ufffd\""},
        {"\xc3\"", "\"\\ufffd\\\"\""},
        {"\xe2\x82", "\"\\ufffd\\ufffd\""},
        {"\xc0\xaf", "\"\\ufffd\\ufffd\""},
        {"\xc1\xbf", "\"\\ufffd\\ufffd\""},
        {"\xe0\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xf0\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"\xf5\xff", "\"\\ufffd\\ufffd\""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer buffer;
        struct json_writer writer;
        begin(&writer, &buffer);
        json_write_text(&writer, NULL, cases[i].text);
        assert_written(&buffer, cases[i].json);
    }
}

static void sized_text_may_hold_zeros_and_ends_at_its_size(void **state)
{
    (void)state;
    struct buffer buffer;
    struct json_writer writer;
    begin(&writer, &buffer);
    json_begin_object(&writer, NULL);
    json_write_text_sized(&writer, "a\n", "x\0y\xe2\x82\xac", 5); // the last character is cut
    json_end_object(&writer);
    assert_written(&buffer, "{\"a\\n\":\"x\\u0000y\\ufffd\\ufffd\"}");
}

static void doubles_are_short_and_give_the_same_number_again(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *json;
    } cases[] = {
        {0, "0"},
        {0.1, "0.1"},
        {-2.5, "-2.5"},
        {1e300, "1e+300"},
        {1.0 / 3, "0.3333333333333333"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer buffer;
        struct json_writer writer;
        begin(&writer, &buffer);
        json_write_double(&writer, NULL, cases[i].value);
        assert_written(&buffer, cases[i].json);
    }
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = seeded_next(&seed);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        struct buffer buffer;
        struct json_writer writer;
        begin(&writer, &buffer);
        json_write_double(&writer, NULL, value);
        struct json *json = json_parse((const char *)buffer.data, buffer.size, 1);
        double again;
        assert_true(json_to_double(json_root(json), &again));
        assert_memory_equal(&again, &value, sizeof value);
        json_free(json);
        buffer_clear(&buffer);
    }
}

static void long_hex_is_written_whole(void **state)
{
    (void)state;
    uint8_t bytes[1000];
    uint64_t seed = 2;
    seeded_fill(&seed, bytes, sizeof bytes);
    struct buffer buffer;
    struct json_writer writer;
    begin(&writer, &buffer);
    json_write_hex(&writer, NULL, bytes, sizeof bytes);
    struct json *json = json_parse((const char *)buffer.data, buffer.size, 1);
    uint8_t again[1000];
    assert_true(json_to_hex(json_root(json), again, sizeof again));
    assert_memory_equal(again, bytes, sizeof bytes);
    json_free(json);
    buffer_clear(&buffer);
}

static void any_bytes_become_a_string_that_parses(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 5000; i++) {
        char bytes[40];
        seeded_fill(&seed, bytes, sizeof bytes);
        struct buffer buffer;
        struct json_writer writer;
        begin(&writer, &buffer);
        json_write_text_sized(&writer, NULL, bytes, sizeof bytes);
        struct json *json = json_parse((const char *)buffer.data, buffer.size, 1);
        assert_true(json_is_text(json_root(json)));
        json_free(json);
        buffer_clear(&buffer);
    }
}

static void full_buffer_is_a_failure_not_half_a_document(void **state)
{
    (void)state;
    char array[16];
    struct buffer buffer;
    struct json_writer writer;
    buffer_init_fixed(&buffer, array, sizeof array);
    json_writer_init(&writer, &buffer);
    json_begin_array(&writer, NULL);
    json_write_text(&writer, NULL, "longer than sixteen");
    json_end_array(&writer);
    assert_true(buffer.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between_values_and_nowhere_else),
        cmocka_unit_test(outermost_values_need_no_container),
        cmocka_unit_test(text_is_escaped_where_json_terminals_or_utf8_need_it),
        cmocka_unit_test(sized_text_may_hold_zeros_and_ends_at_its_size),
        cmocka_unit_test(doubles_are_short_and_give_the_same_number_again),
        cmocka_unit_test(long_hex_is_written_whole),
        cmocka_unit_test(any_bytes_become_a_string_that_parses),
        cmocka_unit_test(full_buffer_is_a_failure_not_half_a_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
