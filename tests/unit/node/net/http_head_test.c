#include "node/net/http_head.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

// A copy of its own size: reading beyond it is seen by sanitizers.
static int parse_sized(const char *text, size_t size, struct http_head *head, char **copy)
{
    const char *wrong = NULL;
    *copy = malloc(size);
    memcpy(*copy, text, size);
    int status = http_head_parse(*copy, size, head, &wrong);
    assert_true(status == 0 || (wrong != NULL && wrong[0] != '\0'));
    return status;
}

static int status_of(const char *text)
{
    struct http_head head;
    char *copy;
    int status = parse_sized(text, strlen(text), &head, &copy);
    free(copy);
    return status;
}

static void head_is_taken_apart(void **state)
{
    (void)state;
    static const char text[] = "POST /api/v1/x%2Fy?a=1&b=%20 HTTP/1.1\r\n"
                               "Host:  node:8080 \t\r\n"
                               "CONTENT-LENGTH: 16384\r\n"
                               "Content-Type: application/json\r\n"
                               "cookie: a=b; c=d\r\n"
                               "X-Shoal-Csrf: t\r\n"
                               "X-Unknown: whatever\r\n"
                               "User-Agent: \xc3\xa9\r\n"
                               "\r\n";
    struct http_head head;
    char *copy;
    assert_int_equal(parse_sized(text, sizeof(text) - 1, &head, &copy), 0);
    assert_int_equal(head.method, HTTP_POST);
    assert_string_equal(head.path, "/api/v1/x%2Fy");
    assert_string_equal(head.query, "a=1&b=%20");
    assert_string_equal(head.fields[HTTP_HOST], "node:8080");
    assert_string_equal(head.fields[HTTP_COOKIE], "a=b; c=d");
    assert_string_equal(head.fields[HTTP_CSRF], "t");
    assert_string_equal(head.fields[HTTP_ORIGIN], "");
    assert_int_equal(head.body_size, 16384);
    assert_true(head.keeps_alive);
    free(copy);
}

static void methods_are_told_apart_and_others_are_others(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum http_method method;
    } cases[] = {{"GET", HTTP_GET},   {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},
                 {"PUT", HTTP_PUT},   {"DELETE", HTTP_DELETE}, {"PATCH", HTTP_OTHER},
                 {"get", HTTP_OTHER}, {"BREW", HTTP_OTHER},    {"GETGET", HTTP_OTHER}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        struct http_head head;
        char *copy;
        int size = snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", cases[i].text);
        assert_int_equal(parse_sized(text, (size_t)size, &head, &copy), 0);
        assert_int_equal(head.method, cases[i].method);
        free(copy);
    }
}

static void connection_stays_as_version_and_field_say(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keeps_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: CLOSE\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_head head;
        char *copy;
        assert_int_equal(parse_sized(cases[i].text, strlen(cases[i].text), &head, &copy), 0);
        assert_int_equal(head.keeps_alive, cases[i].keeps_alive);
        free(copy);
    }
}

static void malformed_heads_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"\r\n\r\n", 400},
        {"GET\r\nHost: a\r\n\r\n", 400},
        {"GET /\r\nHost: a\r\n\r\n", 400}, // HTTP/0.9
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/1.11\r\nHost: a\r\n\r\n", 505},
        {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /# HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /\t HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400}, // no Host
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: a\x7f\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nCookie: a\r\nCookie: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n", 417},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = status_of(cases[i].text);
        if (status != cases[i].status)
            fail_msg("case %zu gives %d, not %d: %s", i, status, cases[i].status, cases[i].text);
    }
    static const char zero[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";
    struct http_head head;
    char *copy;
    assert_int_equal(parse_sized(zero, sizeof(zero) - 1, &head, &copy), 400);
    free(copy);
}

// Whoever stands between may take another length than we do: the way requests are smuggled.
static void lengths_that_can_be_read_in_two_ways_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        int status;
    } cases[] = {
        {"Content-Length: 5", 0},
        {"Content-Length: 0", 0},
        {"Content-Length: 005", 0},
        {"Content-Length:", 400},
        {"Content-Length: -1", 400},
        {"Content-Length: +5", 400},
        {"Content-Length: 5 5", 400},
        {"Content-Length: 5, 5", 400},
        {"Content-Length: 0x5", 400},
        {"Content-Length: 5.0", 400},
        {"Content-Length: 99999999999999999999", 400},
        {"Content-Length: 5\r\nContent-Length: 5", 400},
        {"Content-Length: 5\r\ncontent-length: 6", 400},
        {"Content-Length:\r\nContent-Length: 6", 400},
        {"Transfer-Encoding: chunked", 411},
        {"Transfer-Encoding:", 411},
        {"Transfer-Encoding: chunked\r\nContent-Length: 5", 411},
        {"Content-Length: 5\r\nTransfer-Encoding: identity", 411},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", cases[i].field);
        int status = status_of(text);
        if (status != cases[i].status)
            fail_msg("\"%s\" gives %d, not %d", cases[i].field, status, cases[i].status);
    }
}

static void sizes_and_numbers_are_bounded(void **state)
{
    (void)state;
    char text[HTTP_HEAD_SIZE_MAX];
    int size = snprintf(text, sizeof(text), "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n",
                        HTTP_TARGET_SIZE_MAX - 1, 0);
    assert_true(size > 0);
    assert_int_equal(status_of(text), 0);
    snprintf(text, sizeof(text), "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_TARGET_SIZE_MAX, 0);
    assert_int_equal(status_of(text), 414);
    for (unsigned count = HTTP_FIELDS_MAX - 1; count <= HTTP_FIELDS_MAX; count++) {
        size_t used = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n");
        for (unsigned i = 0; i < count; i++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "X-%u: y\r\n", i);
        snprintf(text + used, sizeof(text) - used, "\r\n");
        assert_int_equal(status_of(text), count < HTTP_FIELDS_MAX ? 0 : 431);
    }
}

static void end_is_found_wherever_the_bytes_are_cut(void **state)
{
    (void)state;
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next";
    const size_t end = sizeof("GET / HTTP/1.1\r\nHost: a\r\n\r\n") - 1;
    for (size_t cut = 0; cut < end; cut++) {
        assert_int_equal(http_head_end(text, cut, 0), 0);
        assert_int_equal(http_head_end(text, sizeof(text) - 1, cut), end);
    }
}

static void lists_are_searched_word_by_word(void **state)
{
    (void)state;
    assert_true(http_list_has("gzip, deflate, br", "gzip"));
    assert_true(http_list_has("deflate,GZIP;q=0.5", "gzip"));
    assert_true(http_list_has(" , gzip ", "gzip"));
    assert_false(http_list_has("gzip;q=0", "gzip"));
    assert_false(http_list_has("gzip; q=0.000, br", "gzip"));
    assert_false(http_list_has("xgzip, gzipx", "gzip"));
    assert_false(http_list_has("", "gzip"));
    assert_false(http_list_has(",,,", "gzip"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_is_taken_apart),
        cmocka_unit_test(methods_are_told_apart_and_others_are_others),
        cmocka_unit_test(connection_stays_as_version_and_field_say),
        cmocka_unit_test(malformed_heads_are_refused),
        cmocka_unit_test(lengths_that_can_be_read_in_two_ways_are_refused),
        cmocka_unit_test(sizes_and_numbers_are_bounded),
        cmocka_unit_test(end_is_found_wherever_the_bytes_are_cut),
        cmocka_unit_test(lists_are_searched_word_by_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
