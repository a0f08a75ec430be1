// The server with real sockets of loopback, whose other ends are plain ones: what they send lies in
// the kernel until the loop runs.
#include "node/net/http_server.h"
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/node/net/tcp_world.h"

#define GUARD_MS     30000
#define LARGE_SIZE   (4u << 20)
#define GET(path)    "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define MESSAGE_SIZE 30000

struct fixture {
    struct net_loop *loop;
    struct log *log;
    struct http_server *server;
    struct net_timer *guard;
    struct net_timer *tick;
    uint64_t ticket; // of the newest request
    uint64_t opened, closed;
};

static void on_request(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct fixture *fixture = context;
    const char *path = request->head->path;
    fixture->ticket = request->ticket;
    if (strcmp(path, "/held") == 0) {
        reply->is_held = true;
    } else if (strcmp(path, "/events") == 0) {
        reply->is_stream = true;
        reply->stream_kinds = 5;
    } else if (strcmp(path, "/large") == 0) {
        for (unsigned i = 0; i < LARGE_SIZE / 8; i++)
            write_text(reply->text, "12345678");
    } else if (strcmp(path, "/endless") == 0) {
        for (unsigned i = 0; i < LARGE_SIZE; i++)
            write_text(reply->text, "12345678");
    } else {
        write_format(reply->text, "%s %zu %.*s", path, request->body_size, (int)request->body_size,
                     request->body);
    }
}

static void on_opened(void *context, uint64_t ticket)
{
    struct fixture *fixture = context;
    fixture->opened = ticket;
}

static void on_stream_closed(void *context, uint64_t ticket)
{
    struct fixture *fixture = context;
    fixture->closed = ticket;
}

static void on_guard(void *context, struct now now)
{
    (void)context;
    (void)now;
    fail_msg("the test hangs");
}

static void on_tick(void *context, struct now now)
{
    struct fixture *fixture = context;
    (void)now;
    net_loop_stop(fixture->loop);
}

static int set_up(void **state)
{
    char error[HTTP_SERVER_ERROR_SIZE];
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->loop = net_loop_new();
    fixture->log = log_new_silent();
    fixture->guard = net_timer_new(fixture->loop, on_guard, fixture);
    fixture->tick = net_timer_new(fixture->loop, on_tick, fixture);
    struct now now = net_loop_now(fixture->loop);
    net_timer_start(fixture->guard, (struct mono_time){now.mono.ms + GUARD_MS});
    struct http_server_options options = {
        .address = "127.0.0.1:0",
        .reply_size_max = LARGE_SIZE,
        .handler = on_request,
        .stream_opened = on_opened,
        .stream_closed = on_stream_closed,
        .context = fixture,
        .log = fixture->log,
    };
    fixture->server = http_server_open(fixture->loop, &options, error);
    *state = fixture;
    return fixture->server == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    http_server_close(fixture->server);
    net_timer_free(fixture->guard);
    net_timer_free(fixture->tick);
    net_loop_free(fixture->loop);
    log_free(fixture->log);
    free(fixture);
    return 0;
}

// Some turns of the loop.
static void turn(struct fixture *fixture)
{
    struct now now = net_loop_now(fixture->loop);
    net_timer_start(fixture->tick, (struct mono_time){now.mono.ms + 5});
    net_loop_run(fixture->loop);
}

static int dial(struct fixture *fixture)
{
    return plain_client(http_server_port(fixture->server));
}

static void say(int client, const char *text)
{
    assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

// What there is until the text holds `wanted`, or the other side ends it; to be freed.
static char *hear(struct fixture *fixture, int client, const char *wanted, size_t *size)
{
    size_t capacity = LARGE_SIZE + 65536;
    char *text = calloc(1, capacity + 1);
    *size = 0;
    for (;;) {
        ssize_t count = recv(client, text + *size, capacity - *size, MSG_DONTWAIT);
        *size += count > 0 ? (size_t)count : 0;
        if (count == 0 || (count < 0 && errno != EAGAIN))
            return text;
        if (wanted != NULL && memmem(text, *size, wanted, strlen(wanted)) != NULL)
            return text;
        turn(fixture);
    }
}

static void assert_hears(struct fixture *fixture, int client, const char *wanted)
{
    size_t size;
    char *text = hear(fixture, client, wanted, &size);
    if (memmem(text, size, wanted, strlen(wanted)) == NULL)
        fail_msg("\"%s\" is not in \"%.300s\"", wanted, text);
    free(text);
}

static void assert_ended(struct fixture *fixture, int client)
{
    size_t size;
    free(hear(fixture, client, NULL, &size));
    close(client);
}

static void request_and_body_reach_the_handler(void **state)
{
    struct fixture *fixture = *state;
    int client = dial(fixture);
    say(client, "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel");
    turn(fixture);
    say(client, "lo" GET("/b"));
    assert_hears(fixture, client, "/a 5 hello");
    say(client, GET("/c"));
    assert_hears(fixture, client, "/c 0 ");
    close(client);
}

static void answer_may_come_later_and_the_next_request_waits(void **state)
{
    struct fixture *fixture = *state;
    struct buffer body;
    int client = dial(fixture);
    say(client, GET("/held") GET("/next"));
    while (fixture->ticket == 0)
        turn(fixture);
    turn(fixture);
    uint64_t ticket = fixture->ticket;
    buffer_init(&body, 100);
    write_text(&body, "at last");
    struct http_reply reply = {.status = 201, .content_type = "text/plain", .text = &body};
    assert_true(http_server_answer(fixture->server, ticket, &reply));
    assert_hears(fixture, client, "at last");
    // Once only, and only those that wait.
    assert_false(http_server_answer(fixture->server, ticket, &reply));
    assert_false(http_server_answer(fixture->server, ticket + 99, &reply));
    buffer_clear(&body);
    close(client);
}

static void answer_to_a_client_that_is_gone_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    struct buffer body;
    struct linger linger = {.l_onoff = 1};
    int client = dial(fixture);
    say(client, GET("/held"));
    while (fixture->ticket == 0)
        turn(fixture);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(client);
    turn(fixture);
    buffer_init(&body, 100);
    struct http_reply reply = {.status = 200, .content_type = "text/plain", .text = &body};
    http_server_answer(fixture->server, fixture->ticket, &reply);
    turn(fixture);
    buffer_clear(&body);
}

static void large_answer_is_whole_and_one_too_large_is_500(void **state)
{
    struct fixture *fixture = *state;
    size_t size;
    int client = dial(fixture);
    say(client, "GET /large HTTP/1.0\r\nHost: localhost\r\n\r\n");
    char *text = hear(fixture, client, NULL, &size);
    char *body = memmem(text, size, "\r\n\r\n", 4);
    assert_non_null(body);
    assert_int_equal(size - (size_t)(body + 4 - text), LARGE_SIZE);
    free(text);
    close(client);
    client = dial(fixture);
    say(client, GET("/endless"));
    assert_hears(fixture, client, "HTTP/1.1 500 ");
    close(client);
}

static struct http_message *make_message(uint64_t number)
{
    char text[MESSAGE_SIZE];
    memset(text, 'x', sizeof(text));
    return http_message_new("test", number, text, sizeof(text));
}

static int open_stream(struct fixture *fixture)
{
    fixture->opened = 0;
    int client = dial(fixture);
    say(client, GET("/events"));
    while (fixture->opened == 0)
        turn(fixture);
    return client;
}

static void stream_gets_the_kinds_that_it_wants(void **state)
{
    struct fixture *fixture = *state;
    size_t size;
    int client = open_stream(fixture);
    for (unsigned kind = 0; kind < 4; kind++) {
        char json[] = {'"', (char)('a' + kind), '"'};
        struct http_message *message = http_message_new("k", kind, json, sizeof(json));
        http_server_publish(fixture->server, 1u << kind, message);
        http_message_unref(message);
    }
    char *text = hear(fixture, client, "data: \"c\"\n\n", &size);
    assert_non_null(strstr(text, "data: \"a\"\n\n"));
    assert_null(strstr(text, "data: \"b\"\n\n"));
    assert_null(strstr(text, "data: \"d\"\n\n"));
    free(text);
    close(client);
}

static void reader_that_does_not_read_is_dropped_and_others_are_not(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_counts counts = {0};
    int slow = open_stream(fixture);
    uint64_t slow_ticket = fixture->opened;
    int quick = open_stream(fixture);
    char bytes[65536];
    uint64_t number = 0;
    // The kernel takes some megabytes for the slow one; then its queue fills.
    while (counts.dropped == 0 && number < 2000) {
        struct http_message *message = make_message(++number);
        http_server_publish(fixture->server, 1, message);
        http_message_unref(message);
        if (number % 8 == 0)
            turn(fixture);
        while (recv(quick, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
            ;
        http_server_counts(fixture->server, &counts);
    }
    assert_int_equal(counts.dropped, 1);
    assert_int_equal(fixture->closed, slow_ticket);
    assert_int_equal(counts.streams, 1);
    struct http_message *last = http_message_new("k", 1, "\"last\"", 6);
    http_server_publish(fixture->server, 1, last);
    http_message_unref(last);
    assert_hears(fixture, quick, "data: \"last\"\n\n");
    close(quick);
    assert_ended(fixture, slow);
}

// What a reader missed may be more than what it may owe later.
static void beginning_of_a_stream_may_be_large(void **state)
{
    struct fixture *fixture = *state;
    struct http_server_counts counts;
    int client = open_stream(fixture);
    for (uint64_t i = 1; i <= 70; i++) {
        struct http_message *message = make_message(i);
        http_server_send(fixture->server, fixture->opened, message);
        http_message_unref(message);
    }
    assert_hears(fixture, client, "id: 70\n");
    http_server_counts(fixture->server, &counts);
    assert_int_equal(counts.dropped, 0);
    assert_int_equal(counts.streams, 1);
    close(client);
    while (counts.streams > 0) {
        turn(fixture);
        http_server_counts(fixture->server, &counts);
    }
    assert_int_equal(fixture->closed, fixture->opened);
}

static void closing_ends_streams_and_requests_under_way(void **state)
{
    struct fixture *fixture = *state;
    int stream = open_stream(fixture);
    int held = dial(fixture);
    say(held, GET("/held"));
    turn(fixture);
    http_server_close(fixture->server);
    fixture->server = NULL;
    assert_int_equal(fixture->closed, fixture->opened);
    assert_ended(fixture, stream);
    assert_ended(fixture, held);
}

static void address_that_is_none_or_taken_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char error[HTTP_SERVER_ERROR_SIZE], address[64];
    struct http_server_options options = {
        .address = "nowhere", .handler = on_request, .log = fixture->log};
    assert_null(http_server_open(fixture->loop, &options, error));
    assert_non_null(strstr(error, "nowhere"));
    snprintf(address, sizeof(address), "127.0.0.1:%u", http_server_port(fixture->server));
    options.address = address;
    assert_null(http_server_open(fixture->loop, &options, error));
    assert_non_null(strstr(error, "another program"));
    options.certificate = "/nowhere/cert.pem";
    options.key = "/nowhere/key.pem";
    assert_null(http_server_open(fixture->loop, &options, error));
    assert_non_null(strstr(error, "/nowhere/cert.pem"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(request_and_body_reach_the_handler, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answer_may_come_later_and_the_next_request_waits, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answer_to_a_client_that_is_gone_is_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(large_answer_is_whole_and_one_too_large_is_500, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(stream_gets_the_kinds_that_it_wants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reader_that_does_not_read_is_dropped_and_others_are_not,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(beginning_of_a_stream_may_be_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_ends_streams_and_requests_under_way, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(address_that_is_none_or_taken_is_refused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
