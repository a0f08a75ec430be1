// Sockets of miners: whom the engine takes them for.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/node/node_fixture.h"

#define PATIENCE_MS 60000
// Three of these lines end a connection; twelve such connections ban an address.
#define JUNK      "this\nis\nnot Stratum\n"
#define SUBSCRIBE "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n"

struct test {
    struct node_fixture node;
    char folder[64];
    struct net_timer *patience;
    const char *words; // of the client that is open
    struct buffer heard;
    bool is_closed;
};

static void on_connected(void *context, struct net_connection *connection)
{
    struct test *test = context;
    net_connection_write(connection, test->words, strlen(test->words));
}

static void on_received(void *context, struct net_connection *connection, const uint8_t *data,
                        size_t size)
{
    struct test *test = context;
    write_bytes(&test->heard, data, size);
    net_connection_reset(connection);
}

static void on_closed(void *context, struct net_connection *connection, const char *reason)
{
    struct test *test = context;
    (void)connection;
    (void)reason;
    test->is_closed = true;
    net_loop_stop(test->node.node.loop);
}

static void on_late(void *context, struct now now)
{
    struct test *test = context;
    (void)now;
    net_loop_stop(test->node.node.loop);
}

// Work that nobody authorizes for: enough for connections to be taken.
static void serve_work(struct node *node)
{
    static const uint8_t prefix[] = {1};
    struct stratum_work work = {
        .prefix = prefix, .prefix_size = sizeof(prefix), .owner = calloc(1, sizeof(struct work))};
    assert_non_null(work.owner);
    assert_true(stratum_set_work(node->stratum, &work, net_loop_now(node->loop)));
}

static int set_up(void **state)
{
    struct test *test = calloc(1, sizeof(*test));
    char error[NODE_ERROR_SIZE];
    node_fixture_open(&test->node);
    struct node *node = &test->node.node;
    snprintf(test->folder, sizeof(test->folder), "/tmp/shoal-miners-XXXXXX");
    assert_non_null(mkdtemp(test->folder));
    struct config *config = &test->node.config;
    config->stratum_connections = 100;
    config->stratum_listen.count = 1;
    snprintf(config->stratum_listen.items[0], CONFIG_TEXT_SIZE, "unix:%s/s", test->folder);
    assert_true(miners_listen(node, error));
    serve_work(node);
    buffer_init(&test->heard, 4096);
    test->patience = net_timer_new(node->loop, on_late, test);
    net_timer_start(test->patience,
                    (struct mono_time){net_loop_now(node->loop).mono.ms + PATIENCE_MS});
    *state = test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    struct node *node = &test->node.node;
    miners_close(node);
    stratum_pause(node->stratum, "the test is over", net_loop_now(node->loop));
    net_timer_free(test->patience);
    node_fixture_close(&test->node);
    buffer_clear(&test->heard);
    rmdir(test->folder);
    free(test);
    return 0;
}

// Connects, says it, and waits for an answer or the end.
static void say(struct test *test, const char *words)
{
    static const struct net_connection_events events = {
        .connected = on_connected, .received = on_received, .closed = on_closed};
    struct net_connect_options options = {.host = test->node.config.stratum_listen.items[0]};
    test->words = words;
    test->is_closed = false;
    buffer_reset(&test->heard);
    assert_non_null(net_connect(test->node.node.loop, &options, &events, test));
    net_loop_run(test->node.node.loop);
    assert_true(test->is_closed);
}

// All who come over a unix socket have the same address.
static void one_bad_miner_on_a_unix_socket_does_not_ban_the_others(void **state)
{
    struct test *test = *state;
    for (size_t i = 0; i < 12; i++) {
        say(test, JUNK);
        assert_int_equal(test->heard.size, 0);
    }
    say(test, SUBSCRIBE);
    assert_true(test->heard.size > 0);
    assert_memory_equal(test->heard.data, "{\"id\":1,\"result\":[[", 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_bad_miner_on_a_unix_socket_does_not_ban_the_others,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
