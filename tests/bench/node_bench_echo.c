#include "tests/bench/node_bench_echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "node/net/tcp.h"
#include "tests/bench/node_bench_process.h"

#define CONNECTIONS_MAX 8192

struct echo {
    struct net_connection *connections[CONNECTIONS_MAX];
    size_t count;
    char broadcast[ECHO_BROADCAST_MAX];
};

static void broadcast(struct echo *echo, const char *line)
{
    static const char begin[] = "{\"method\":\"mining.notify\",\"params\":[\"";
    static const char end[] = "\",true]}\n";
    size_t size = strtoul(line + 1, NULL, 10);
    if (size < sizeof begin + sizeof end || size > ECHO_BROADCAST_MAX)
        process_fail("echo: a broadcast of %zu bytes", size);
    memset(echo->broadcast, '0', size);
    memcpy(echo->broadcast, begin, sizeof begin - 1);
    memcpy(echo->broadcast + size - (sizeof end - 1), end, sizeof end - 1);
    for (size_t i = 0; i < echo->count; i++)
        net_connection_write(echo->connections[i], echo->broadcast, size);
}

// Our load writes each line with one call, and waits for the answer: no line comes in parts.
static void on_received(void *context, struct net_connection *connection, const uint8_t *data,
                        size_t size)
{
    const char *text = (const char *)data;
    const char *end = text + size;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        if (newline == NULL)
            process_fail("echo: a line came in parts");
        if (*text == ECHO_BROADCAST)
            broadcast(context, text);
        else
            net_connection_write(connection, ECHO_ANSWER, sizeof ECHO_ANSWER - 1);
        text = newline + 1;
    }
}

static void on_closed(void *context, struct net_connection *connection, const char *reason)
{
    struct echo *echo = context;
    (void)reason;
    for (size_t i = 0; i < echo->count; i++) {
        if (echo->connections[i] == connection) {
            echo->connections[i] = echo->connections[--echo->count];
            return;
        }
    }
}

static const struct net_connection_events events = {.received = on_received, .closed = on_closed};

static void on_accepted(void *context, struct net_connection *connection)
{
    struct echo *echo = context;
    if (echo->count == CONNECTIONS_MAX) {
        net_connection_reset(connection);
        return;
    }
    echo->connections[echo->count++] = connection;
    net_connection_begin(connection, &events, echo);
}

void echo_serve(uint16_t port)
{
    char address[64], error[NET_ERROR_SIZE];
    struct echo *echo = calloc(1, sizeof *echo);
    struct log *log = log_new_silent();
    struct net_loop *loop = net_loop_new();
    if (echo == NULL || log == NULL || loop == NULL)
        process_fail("echo: out of memory");
    net_open_files_max();
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    struct net_listen_options options = {
        .address = address, .accepted = on_accepted, .context = echo, .log = log};
    if (net_listener_open(loop, &options, error) == NULL)
        process_fail("echo: %s", error);
    net_loop_run(loop);
}
