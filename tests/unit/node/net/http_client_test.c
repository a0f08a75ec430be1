// The HTTP client against a server that misbehaves in every way, on one loop.
#include "node/net/http_client.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/support/fake_daemon_http.h"

#define GUARD_MS 15000

struct seen {
    enum http_result result;
    int status;
    char body[256];
    size_t body_size;
    char detail[256];
    int count;
};

struct world {
    struct net_loop *loop;
    struct net_timer *guard;
    struct net_timer *pulse;
    int pulses;
    struct fake_http *server;
    struct http_client *client;
    enum fake_fault fault;
    bool heals; // after one fault
    char method[8];
    char authorization[128];
    char request[256];
    char url[96];
    int served;
    int waited_for;
    int vanished;
    struct http_exchange *to_cancel;
    struct seen seen[20];
};

static void on_guard(void *context, struct now now)
{
    (void)context;
    (void)now;
    fail_msg("the test hangs");
}

static void serve(void *context, struct fake_http_exchange *exchange,
                  const struct fake_http_request *request)
{
    struct world *world = context;
    world->served++;
    snprintf(world->method, sizeof(world->method), "%s", request->method);
    snprintf(world->authorization, sizeof(world->authorization), "%s", request->authorization);
    snprintf(world->request, sizeof(world->request), "%s", request->body);
    if (world->fault != FAULT_NONE) {
        fake_http_misbehave(exchange, world->fault);
        world->fault = world->heals ? FAULT_NONE : world->fault;
        return;
    }
    fake_http_answer(exchange, 200, "{\"fine\":1}", 10);
}

static void vanished(void *context, struct fake_http_exchange *exchange)
{
    struct world *world = context;
    (void)exchange;
    world->vanished++;
}

static void world_init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    world->loop = net_loop_new();
    world->guard = net_timer_new(world->loop, on_guard, world);
    net_timer_start(world->guard, (struct mono_time){net_loop_now(world->loop).mono.ms + GUARD_MS});
    const struct fake_http_options options = {
        .handler = serve, .vanished = vanished, .context = world};
    world->server = fake_http_new(world->loop, &options);
    world->client = http_client_new(world->loop);
    snprintf(world->url, sizeof(world->url), "http://127.0.0.1:%u/", fake_http_port(world->server));
}

static void world_clear(struct world *world)
{
    http_client_free(world->client);
    fake_http_free(world->server);
    net_timer_free(world->guard);
    net_timer_free(world->pulse);
    net_loop_free(world->loop);
}

struct world_slot {
    struct world *world;
    size_t index;
};

static void answered(void *context, const struct http_answer *answer)
{
    struct world_slot *slot = context;
    struct world *world = slot->world;
    struct seen *seen = &world->seen[slot->index];
    seen->count++;
    seen->result = answer->result;
    seen->status = answer->status;
    seen->body_size = answer->body->size;
    snprintf(seen->body, sizeof(seen->body), "%.*s", (int)answer->body->size,
             answer->body->size > 0 ? (const char *)answer->body->data : "");
    snprintf(seen->detail, sizeof(seen->detail), "%s", answer->detail);
    assert_true(answer->duration_ms >= 0);
    free(slot);
    if (world->to_cancel != NULL) {
        http_exchange_cancel(world->to_cancel);
        world->to_cancel = NULL;
    }
    if (--world->waited_for == 0) {
        net_loop_stop(world->loop);
    }
}

static struct http_request request_to(struct world *world, size_t index, int64_t timeout_ms)
{
    struct world_slot *slot = malloc(sizeof(*slot));
    *slot = (struct world_slot){.world = world, .index = index};
    world->waited_for++;
    return (struct http_request){.url = world->url,
                                 .body = "{}",
                                 .body_size = 2,
                                 .timeout_ms = timeout_ms,
                                 .connect_timeout_ms = 1000,
                                 .answered = answered,
                                 .context = slot};
}

static struct seen *ask(struct world *world, int64_t timeout_ms)
{
    struct http_request request = request_to(world, 0, timeout_ms);
    assert_non_null(http_client_start(world->client, &request));
    assert_int_equal(world->seen[0].count, 0); // never from inside the call
    net_loop_run(world->loop);
    return &world->seen[0];
}

static void post_carries_body_and_credentials(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct http_request request = request_to(&world, 0, 1000);
    request.user = "alice";
    request.password = "wonder:land";
    request.body = "{\"method\":\"x\"}";
    request.body_size = 14;
    assert_non_null(http_client_start(world.client, &request));
    net_loop_run(world.loop);
    assert_string_equal(world.method, "POST");
    assert_string_equal(world.request, "{\"method\":\"x\"}");
    // echo -n 'alice:wonder:land' | base64
    assert_string_equal(world.authorization, "Basic YWxpY2U6d29uZGVyOmxhbmQ=");
    assert_int_equal(world.seen[0].result, HTTP_OK);
    assert_int_equal(world.seen[0].status, 200);
    assert_string_equal(world.seen[0].body, "{\"fine\":1}");
    world_clear(&world);
}

static void get_has_no_body(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct http_request request = request_to(&world, 0, 1000);
    request.body = NULL;
    assert_non_null(http_client_start(world.client, &request));
    net_loop_run(world.loop);
    assert_string_equal(world.method, "GET");
    assert_string_equal(world.authorization, "");
    assert_string_equal(world.request, "");
    world_clear(&world);
}

static void every_fault_has_its_result(void **state)
{
    (void)state;
    static const struct {
        enum fake_fault fault;
        enum http_result result;
        int status;
    } cases[] = {
        {FAULT_HANG, HTTP_TIMED_OUT, 0},
        {FAULT_GARBAGE, HTTP_OK, 200},
        {FAULT_NOT_HTTP, HTTP_BROKEN, 0},
        {FAULT_HTTP_500, HTTP_OK, 500},
        {FAULT_EMPTY, HTTP_OK, 200},
        {FAULT_CLOSE_AT_ONCE, HTTP_BROKEN, 0},
        {FAULT_RESET, HTTP_BROKEN, 0},
        {FAULT_CLOSE_MID_BODY, HTTP_BROKEN, 0},
        {FAULT_HUGE, HTTP_TOO_LARGE, 0},
        {FAULT_HUGE_UNSIZED, HTTP_TOO_LARGE, 0},
        {FAULT_ENDLESS_HEADER, HTTP_TOO_LARGE, 0},
        {FAULT_DRIP, HTTP_TIMED_OUT, 0},
        {FAULT_REDIRECT, HTTP_OK, 302},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world world;
        world_init(&world);
        world.fault = cases[i].fault;
        bool is_timeout = cases[i].result == HTTP_TIMED_OUT;
        const struct seen *seen = ask(&world, is_timeout ? 150 : 5000);
        if (seen->result != cases[i].result || seen->status != cases[i].status) {
            fail_msg("fault %d: %s, status %d (%s)", (int)cases[i].fault,
                     http_result_text(seen->result), seen->status, seen->detail);
        }
        assert_int_equal(world.served, 1); // a fresh connection is not tried twice
        assert_true(seen->result == HTTP_OK || seen->body_size == 0);
        world_clear(&world);
    }
}

static void nobody_there_is_refused_and_an_unknown_name_is_said(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    fake_http_free(world.server);
    world.server = NULL;
    assert_int_equal(ask(&world, 2000)->result, HTTP_REFUSED);
    // A label of 64 characters is no name, so no resolver on the network is asked.
    snprintf(world.url, sizeof(world.url), "http://x%063d/", 0);
    world.seen[0].count = 0;
    assert_int_equal(ask(&world, 5000)->result, HTTP_NAME_UNKNOWN);
    world_clear(&world);
}

static void on_pulse(void *context, struct now now)
{
    struct world *world = context;
    world->pulses++;
    net_timer_start(world->pulse, (struct mono_time){now.mono.ms + 5});
}

static void many_requests_wait_together_and_the_loop_goes_on(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.fault = FAULT_HANG;
    world.pulse = net_timer_new(world.loop, on_pulse, &world);
    net_timer_start(world.pulse, net_loop_now(world.loop).mono);
    for (size_t i = 0; i < 20; i++) {
        struct http_request request = request_to(&world, i, 200);
        assert_non_null(http_client_start(world.client, &request));
    }
    int64_t started_ms = net_loop_now(world.loop).mono.ms;
    net_loop_run(world.loop);
    int64_t took_ms = net_loop_now(world.loop).mono.ms - started_ms;
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(world.seen[i].count, 1);
        assert_int_equal(world.seen[i].result, HTTP_TIMED_OUT);
    }
    assert_int_equal(world.served, 20);
    assert_true(took_ms >= 200 && took_ms < 2000); // together, not one after the other
    assert_true(world.pulses > 10);
    world_clear(&world);
}

static void cancelled_request_is_not_answered(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.fault = FAULT_HANG;
    struct http_request hanging = request_to(&world, 1, 5000);
    world.to_cancel = http_client_start(world.client, &hanging);
    struct http_request request = request_to(&world, 0, 100);
    http_client_start(world.client, &request);
    world.waited_for = 1;     // the cancelled one does not come
    net_loop_run(world.loop); // its timeout cancels the other from inside `answered`
    free(hanging.context);
    assert_int_equal(world.seen[0].count, 1);
    assert_int_equal(world.seen[1].count, 0);
    world_clear(&world);
    assert_int_equal(world.seen[1].count, 0);
}

static void freed_client_answers_nothing_any_more(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.fault = FAULT_HANG;
    struct http_request request = request_to(&world, 0, 5000);
    http_client_start(world.client, &request);
    world_clear(&world);
    assert_int_equal(world.seen[0].count, 0);
    free(request.context);
}

static void connection_is_kept_for_the_next_request(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    for (int i = 0; i < 5; i++) {
        world.seen[0].count = 0;
        assert_int_equal(ask(&world, 1000)->result, HTTP_OK);
        assert_int_equal(fake_http_connections(world.server), 1);
    }
    world_clear(&world);
}

// A daemon closes a kept connection just when it is used again: the request goes out anew.
static void connection_that_was_closed_meanwhile_is_made_again(void **state)
{
    (void)state;
    static const enum fake_fault faults[] = {FAULT_CLOSE_AT_ONCE, FAULT_RESET};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        world_init(&world);
        assert_int_equal(ask(&world, 1000)->result, HTTP_OK);
        world.fault = faults[i];
        world.heals = true;
        world.seen[0].count = 0;
        assert_int_equal(ask(&world, 1000)->result, HTTP_OK);
        assert_int_equal(world.served, 3);
        world_clear(&world);
    }
}

static void answer_within_its_cap_is_taken_and_one_byte_more_refused(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    for (size_t cap = 9; cap <= 10; cap++) {
        struct http_request request = request_to(&world, cap, 1000);
        request.reply_size_max = cap;
        http_client_start(world.client, &request);
        net_loop_run(world.loop);
    }
    assert_int_equal(world.seen[9].result, HTTP_TOO_LARGE);
    assert_int_equal(world.seen[10].result, HTTP_OK);
    world_clear(&world);
}

static void environment_names_no_proxy(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    assert_int_equal(ask(&world, 1000)->result, HTTP_OK);
    unsetenv("http_proxy");
    world_clear(&world);
}

static void only_http_urls_are_taken(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    static const char *const urls[] = {
        "file:///etc/passwd", "ftp://127.0.0.1/", "",           "http://",
        "127.0.0.1:8332",     "http://a b/",      "gopher://x/"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct http_request request = request_to(&world, 0, 1000);
        request.url = urls[i];
        assert_null(http_client_start(world.client, &request));
        free(request.context);
    }
    world_clear(&world);
}

static void url_is_split_into_what_may_be_shown_and_secrets(void **state)
{
    (void)state;
    struct http_url url;
    assert_true(http_url_parse("http://bob:p%40ss@node.lan", 8332, &url));
    assert_string_equal(url.url, "http://node.lan:8332/");
    assert_string_equal(url.user, "bob");
    assert_string_equal(url.password, "p@ss");
    assert_true(http_url_parse("https://[::1]:9332/wallet/x", 8332, &url));
    assert_string_equal(url.url, "https://[::1]:9332/wallet/x");
    assert_string_equal(url.user, "");
    assert_true(url.has_port);
    assert_true(http_url_parse("http://10.0.0.1", 0, &url));
    assert_false(url.has_port);
    assert_false(http_url_parse("http://host:99999", 8332, &url));
    char text[HTTP_URL_SIZE + 64];
    memset(text, 'a', sizeof(text));
    memcpy(text, "http://", 7);
    text[sizeof(text) - 1] = '\0';
    assert_false(http_url_parse(text, 8332, &url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(post_carries_body_and_credentials),
        cmocka_unit_test(get_has_no_body),
        cmocka_unit_test(every_fault_has_its_result),
        cmocka_unit_test(nobody_there_is_refused_and_an_unknown_name_is_said),
        cmocka_unit_test(many_requests_wait_together_and_the_loop_goes_on),
        cmocka_unit_test(cancelled_request_is_not_answered),
        cmocka_unit_test(freed_client_answers_nothing_any_more),
        cmocka_unit_test(connection_is_kept_for_the_next_request),
        cmocka_unit_test(connection_that_was_closed_meanwhile_is_made_again),
        cmocka_unit_test(answer_within_its_cap_is_taken_and_one_byte_more_refused),
        cmocka_unit_test(environment_names_no_proxy),
        cmocka_unit_test(only_http_urls_are_taken),
        cmocka_unit_test(url_is_split_into_what_may_be_shown_and_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
