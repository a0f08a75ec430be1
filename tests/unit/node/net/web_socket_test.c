#include "node/net/web_socket.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "node/net/http_message.h"

struct fixture {
    struct web_socket_reader reader;
    struct buffer out;
};

static void begin(struct fixture *fixture)
{
    memset(&fixture->reader, 0, sizeof(fixture->reader));
    buffer_init(&fixture->out, 1 << 20);
}

// The code after which all was read, or 0; byte by byte as well as at once, with the same end.
static unsigned read_all(const void *data, size_t size, struct buffer *answer)
{
    struct fixture whole, pieces;
    begin(&whole);
    begin(&pieces);
    unsigned code = web_socket_read(&whole.reader, data, size, &whole.out);
    unsigned code_of_pieces = 0;
    for (size_t i = 0; i < size && code_of_pieces == 0; i++)
        code_of_pieces = web_socket_read(&pieces.reader, (const uint8_t *)data + i, 1, &pieces.out);
    assert_int_equal(code, code_of_pieces);
    assert_int_equal(whole.out.size, pieces.out.size);
    if (whole.out.size > 0)
        assert_memory_equal(whole.out.data, pieces.out.data, whole.out.size);
    buffer_clear(&pieces.out);
    if (answer != NULL)
        *answer = whole.out;
    else
        buffer_clear(&whole.out);
    return code;
}

static void key_of_the_rfc_gets_the_answer_of_the_rfc(void **state)
{
    (void)state;
    char accept[WEB_SOCKET_ACCEPT_SIZE];
    assert_true(web_socket_accept("dGhlIHNhbXBsZSBub25jZQ==", accept));
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void keys_that_are_not_16_bytes_are_refused(void **state)
{
    (void)state;
    char accept[WEB_SOCKET_ACCEPT_SIZE];
    static const char *const keys[] = {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
                                       "dGhlIHNhbXBsZSBub25jZQQQ", "dGhl!HNhbXBsZSBub25jZQ=="};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_false(web_socket_accept(keys[i], accept));
}

static void frames_have_the_length_in_its_shortest_form(void **state)
{
    (void)state;
    static const uint8_t data[70000] = {1};
    static const struct {
        size_t size, head_size;
        uint8_t head[10];
    } cases[] = {{0, 2, {0x81, 0}},
                 {125, 2, {0x81, 125}},
                 {126, 4, {0x81, 126, 0, 126}},
                 {65535, 4, {0x81, 126, 0xff, 0xff}},
                 {65536, 10, {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buffer out;
        buffer_init(&out, 1 << 20);
        web_socket_write(WEB_SOCKET_TEXT, data, cases[i].size, &out);
        assert_int_equal(out.size, cases[i].head_size + cases[i].size);
        assert_memory_equal(out.data, cases[i].head, cases[i].head_size);
        buffer_clear(&out);
    }
}

static void ping_is_answered_with_what_was_in_it(void **state)
{
    (void)state;
    // "Hello" with the mask of RFC 6455, 5.7.
    static const uint8_t ping[] = {0x89, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                   0x7f, 0x9f, 0x4d, 0x51, 0x58};
    static const uint8_t pong[] = {0x8a, 0x05, 'H', 'e', 'l', 'l', 'o'};
    struct buffer answer;
    assert_int_equal(read_all(ping, sizeof(ping), &answer), 0);
    assert_int_equal(answer.size, sizeof(pong));
    assert_memory_equal(answer.data, pong, sizeof(pong));
    buffer_clear(&answer);
}

static void close_is_answered_and_ends_it(void **state)
{
    (void)state;
    static const uint8_t close[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8};
    static const uint8_t wanted[] = {0x88, 0x02, 0x03, 0xe8};
    struct buffer answer;
    assert_int_equal(read_all(close, sizeof(close), &answer), 1000);
    assert_int_equal(answer.size, sizeof(wanted));
    assert_memory_equal(answer.data, wanted, sizeof(wanted));
    buffer_clear(&answer);
}

static void what_a_client_says_is_passed_over(void **state)
{
    (void)state;
    // A text in two frames with a pong between them, then an empty binary.
    static const uint8_t data[] = {0x01, 0x81, 1, 2, 3, 4, 'x',  0x8a, 0x80, 1, 2, 3, 4,
                                   0x80, 0x80, 1, 2, 3, 4, 0x82, 0x80, 1,    2, 3, 4};
    struct buffer answer;
    assert_int_equal(read_all(data, sizeof(data), &answer), 0);
    assert_int_equal(answer.size, 0);
    buffer_clear(&answer);
}

static void frames_against_the_rules_end_it(void **state)
{
    (void)state;
    static const struct {
        uint8_t data[14];
        size_t size;
        unsigned code;
    } cases[] = {
        {{0x81, 0x01, 'x'}, 3, 1002},                    // no mask
        {{0xc1, 0x80, 0, 0, 0, 0}, 6, 1002},             // reserved bit
        {{0x83, 0x80, 0, 0, 0, 0}, 6, 1002},             // unknown kind
        {{0x8b, 0x80, 0, 0, 0, 0}, 6, 1002},             // unknown kind of control
        {{0x09, 0x80, 0, 0, 0, 0}, 6, 1002},             // a control frame in pieces
        {{0x89, 0xfe, 0, 126, 0, 0, 0, 0}, 8, 1002},     // a large one
        {{0x80, 0x80, 0, 0, 0, 0}, 6, 1002},             // goes on with nothing
        {{0x82, 0xfe, 0x10, 0x01, 0, 0, 0, 0}, 8, 1009}, // 4097 bytes
        {{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, 14, 1009},
        {{0x01, 0x80, 0, 0, 0, 0, 0x01, 0x80, 0, 0, 0, 0}, 12, 1002}, // begins twice
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned code = read_all(cases[i].data, cases[i].size, NULL);
        if (code != cases[i].code)
            fail_msg("case %zu gives %u, not %u", i, code, cases[i].code);
    }
}

static void message_is_framed_for_both_kinds_of_stream(void **state)
{
    (void)state;
    static const char event[] = "id: 7\nevent: link\ndata: {\"a\":1}\n\n";
    static const char frame[] = "\x81\x07{\"a\":1}";
    struct buffer out;
    struct http_message *message = http_message_new("link", 7, "{\"a\":1}", 7);
    buffer_init(&out, 1 << 20);
    http_message_write_event(message, &out);
    assert_int_equal(out.size, sizeof(event) - 1);
    assert_memory_equal(out.data, event, sizeof(event) - 1);
    buffer_reset(&out);
    http_message_write_socket(message, &out);
    assert_int_equal(out.size, sizeof(frame) - 1);
    assert_memory_equal(out.data, frame, sizeof(frame) - 1);
    buffer_clear(&out);
    http_message_unref(http_message_ref(message));
    http_message_unref(message);
    static const char large[HTTP_MESSAGE_SIZE_MAX] = {0};
    assert_null(http_message_new("link", 7, large, sizeof(large)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_of_the_rfc_gets_the_answer_of_the_rfc),
        cmocka_unit_test(keys_that_are_not_16_bytes_are_refused),
        cmocka_unit_test(frames_have_the_length_in_its_shortest_form),
        cmocka_unit_test(ping_is_answered_with_what_was_in_it),
        cmocka_unit_test(close_is_answered_and_ends_it),
        cmocka_unit_test(what_a_client_says_is_passed_over),
        cmocka_unit_test(frames_against_the_rules_end_it),
        cmocka_unit_test(message_is_framed_for_both_kinds_of_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
