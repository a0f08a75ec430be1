// The control socket, asked by clients on the same loop.
#include "node/control.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/node/node_fixture.h"

#define CLIENTS_MAX 20

struct client {
    struct test *test;
    struct net_connection *connection; // NULL once it is closed
    struct buffer answers;
    size_t lines;
    bool is_connected;
};

struct test {
    struct node_fixture node;
    struct control *control;
    struct client clients[CLIENTS_MAX];
    struct net_timer *patience;
    size_t closed, connected;
    bool is_late;
};

static void on_connected(void *context, struct net_connection *connection)
{
    struct client *client = context;
    (void)connection;
    client->is_connected = true;
    client->test->connected++;
    net_loop_stop(client->test->node.node.loop);
}

static void on_received(void *context, struct net_connection *connection, const uint8_t *data,
                        size_t size)
{
    struct client *client = context;
    (void)connection;
    write_bytes(&client->answers, data, size);
    for (size_t i = 0; i < size; i++)
        client->lines += data[i] == '\n' ? 1 : 0;
    net_loop_stop(client->test->node.node.loop);
}

static void on_closed(void *context, struct net_connection *connection, const char *reason)
{
    struct client *client = context;
    (void)connection;
    (void)reason;
    client->connection = NULL;
    client->test->closed++;
    net_loop_stop(client->test->node.node.loop);
}

static const struct net_connection_events events = {
    .connected = on_connected, .received = on_received, .closed = on_closed};

static void on_late(void *context, struct now now)
{
    struct test *test = context;
    (void)now;
    test->is_late = true;
    net_loop_stop(test->node.node.loop);
}

static int set_up(void **state)
{
    struct test *test = calloc(1, sizeof(*test));
    char error[NODE_ERROR_SIZE];
    node_fixture_open(&test->node);
    snprintf(test->node.config.data, sizeof(test->node.config.data), "/tmp/shoal-control-XXXXXX");
    assert_non_null(mkdtemp(test->node.config.data));
    test->control = control_new(&test->node.node, error);
    assert_non_null(test->control);
    test->patience = net_timer_new(test->node.node.loop, on_late, test);
    net_timer_start(test->patience,
                    (struct mono_time){net_loop_now(test->node.node.loop).mono.ms + 60000});
    *state = test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    control_free(test->control);
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (test->clients[i].connection != NULL)
            net_connection_reset(test->clients[i].connection);
    }
    net_timer_free(test->patience);
    node_fixture_close(&test->node);
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        buffer_clear(&test->clients[i].answers);
    rmdir(test->node.config.data);
    free(test);
    return 0;
}

static void run_until(struct test *test, const size_t *counter, size_t wanted)
{
    while (*counter < wanted && !test->is_late)
        net_loop_run(test->node.node.loop);
    assert_false(test->is_late);
}

static struct client *dial(struct test *test, size_t i)
{
    struct client *client = &test->clients[i];
    char host[CONFIG_TEXT_SIZE + 32];
    snprintf(host, sizeof(host), "unix:%s/control.sock", test->node.config.data);
    struct net_connect_options options = {.host = host, .send_bytes_max = 1 << 20};
    client->test = test;
    buffer_init(&client->answers, 64 << 20);
    client->connection = net_connect(test->node.node.loop, &options, &events, client);
    assert_non_null(client->connection);
    return client;
}

static struct client *open_client(struct test *test, size_t i)
{
    struct client *client = dial(test, i);
    run_until(test, &test->connected, test->connected + 1);
    return client;
}

static void send_text(struct client *client, const char *text)
{
    assert_true(net_connection_write(client->connection, text, strlen(text)) != NET_WRITE_OVERFLOW);
}

static void socket_is_for_its_user_only(void **state)
{
    struct test *test = *state;
    char path[CONFIG_TEXT_SIZE + 32];
    struct stat status;
    snprintf(path, sizeof(path), "%s/control.sock", test->node.config.data);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void line_in_pieces_is_one_request(void **state)
{
    struct test *test = *state;
    struct client *client = open_client(test, 0);
    send_text(client, "{\"comm");
    send_text(client, "and\":\"dae");
    send_text(client, "mons\"}\n");
    run_until(test, &client->lines, 1);
    assert_memory_equal(client->answers.data, "{\"document\":\"daemons\"", 21);
}

static void several_lines_are_answered_in_order(void **state)
{
    struct test *test = *state;
    struct client *client = open_client(test, 0);
    send_text(client, "{\"command\":\"daemons\"}\nnonsense\n{\"command\":\"blocks\"}\n");
    run_until(test, &client->lines, 3);
    write_u8(&client->answers, '\0');
    const char *text = (const char *)client->answers.data;
    const char *first = strstr(text, "\"daemons\""), *second = strstr(text, "{\"error\":");
    const char *third = strstr(text, "\"blocks\"");
    assert_true(first != NULL && second != NULL && third != NULL);
    assert_true(first < second && second < third);
}

static void line_that_is_too_long_ends_the_connection(void **state)
{
    struct test *test = *state;
    struct client *client = open_client(test, 0);
    char *text = malloc(9001);
    memset(text, 'x', 9000);
    text[9000] = '\0';
    send_text(client, text);
    free(text);
    run_until(test, &test->closed, 1);
    assert_null(client->connection);
    write_u8(&client->answers, '\0');
    assert_non_null(strstr((const char *)client->answers.data, "at most 4095 characters"));
    client = open_client(test, 1); // the others are served as before
    send_text(client, "{\"command\":\"blocks\"}\n");
    run_until(test, &client->lines, 1);
}

static void client_that_does_not_read_costs_one_answer(void **state)
{
    struct test *test = *state;
    node_fixture_grow(&test->node, 300, 7); // a large document
    struct client *client = open_client(test, 0);
    net_connection_pause(client->connection, true);
    for (int i = 0; i < 40; i++)
        send_text(client, "{\"command\":\"credits\"}\n");
    struct client *other = open_client(test, 1);
    send_text(other, "{\"command\":\"blocks\"}\n");
    run_until(test, &other->lines, 1);
    net_connection_pause(client->connection, false);
    run_until(test, &client->lines, 40); // nothing was lost meanwhile
    assert_non_null(client->connection);
}

static void connections_are_bounded(void **state)
{
    struct test *test = *state;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        dial(test, i);
    run_until(test, &test->closed, CLIENTS_MAX - 16);
    send_text(&test->clients[0], "{\"command\":\"blocks\"}\n");
    run_until(test, &test->clients[0].lines, 1);
    assert_int_equal(test->closed, CLIENTS_MAX - 16);
}

static void data_directory_that_is_not_there_is_named(void **state)
{
    struct test *test = *state;
    struct node *node = &test->node.node;
    struct config other = {.data = "/nowhere/at/all"};
    char error[NODE_ERROR_SIZE];
    node->config = &other;
    assert_null(control_new(node, error));
    assert_non_null(strstr(error, "/nowhere/at/all/control.sock"));
    node->config = &test->node.config;
}

int main(void)
{
#define CONTROL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(socket_is_for_its_user_only),
        CONTROL_TEST(line_in_pieces_is_one_request),
        CONTROL_TEST(several_lines_are_answered_in_order),
        CONTROL_TEST(line_that_is_too_long_ends_the_connection),
        CONTROL_TEST(client_that_does_not_read_costs_one_answer),
        CONTROL_TEST(connections_are_bounded),
        CONTROL_TEST(data_directory_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
