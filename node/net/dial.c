#include "node/net/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define TIMEOUT_DEFAULT_MS 10000

// An outbound connection on its way. It outlives the connection while a request of libuv still
// points to it.
struct net_dial {
    struct net_connection *connection; // NULL once abandoned
    struct net_timer *timer;
    uv_getaddrinfo_t lookup;
    uv_connect_t connect;
    struct addrinfo *addresses;
    const struct addrinfo *at;
    bool is_pending; // a request is with libuv
};

static void try_address(struct net_dial *dial);

static void free_dial(struct net_dial *dial)
{
    net_timer_free(dial->timer);
    uv_freeaddrinfo(dial->addresses);
    free(dial);
}

void net_dial_abandon(struct net_dial *dial)
{
    dial->connection = NULL;
    net_timer_free(dial->timer);
    dial->timer = NULL;
    uv_cancel((uv_req_t *)&dial->lookup); // does nothing if it is not waiting
    if (!dial->is_pending) {
        free_dial(dial);
    }
}

static void fail(struct net_dial *dial, int code)
{
    net_connection_fail(dial->connection, uv_strerror(code));
}

// The handle of a failed attempt is closed; a new one takes its place.
static void on_attempt_closed(uv_handle_t *handle)
{
    struct net_connection *connection = handle->data;
    struct net_dial *dial = connection->dial;
    if (dial == NULL) {
        net_connection_finish(connection); // it was closed meanwhile
        return;
    }
    uv_tcp_init(&connection->loop->uv, &connection->uv.tcp);
    connection->uv.handle.data = connection;
    try_address(dial);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct net_dial *dial = request->data;
    struct net_connection *connection = dial->connection;
    dial->is_pending = false;
    if (connection == NULL) {
        free_dial(dial);
        return;
    }
    if (status != 0 && dial->at != NULL && dial->at->ai_next != NULL) {
        dial->at = dial->at->ai_next;
        uv_close(&connection->uv.handle, on_attempt_closed);
        return;
    }
    if (status != 0) {
        fail(dial, status);
        return;
    }
    connection->dial = NULL;
    free_dial(dial);
    if (!net_connection_open(connection)) {
        net_connection_fail(connection, "reset by the peer");
        return;
    }
    net_connection_pause(connection, false);
    if (connection->state == CONNECTION_OPEN && connection->events->connected != NULL) {
        connection->events->connected(connection->context, connection);
    }
}

static void try_address(struct net_dial *dial)
{
    int result =
        uv_tcp_connect(&dial->connect, &dial->connection->uv.tcp, dial->at->ai_addr, on_connect);
    if (result != 0) {
        fail(dial, result);
        return;
    }
    dial->is_pending = true;
}

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct net_dial *dial = request->data;
    dial->is_pending = false;
    dial->addresses = addresses;
    if (dial->connection == NULL) {
        free_dial(dial);
        return;
    }
    if (status != 0) {
        fail(dial, status);
        return;
    }
    dial->at = addresses;
    try_address(dial);
}

static void on_timeout(void *context, struct now now)
{
    struct net_dial *dial = context;
    (void)now;
    fail(dial, UV_ETIMEDOUT);
}

static void begin(struct net_dial *dial, const struct net_connect_options *options)
{
    struct net_connection *connection = dial->connection;
    struct net_loop *loop = connection->loop;
    dial->connect.data = dial;
    dial->lookup.data = dial;
    if (strncmp(options->host, "unix:", 5) == 0) {
        uv_pipe_init(&loop->uv, &connection->uv.pipe, 0);
        connection->uv.handle.data = connection;
        if (strlen(options->host + 5) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
            fail(dial, UV_ENAMETOOLONG);
            return;
        }
        uv_pipe_connect(&dial->connect, &connection->uv.pipe, options->host + 5, on_connect);
        dial->is_pending = true;
        return;
    }
    uv_tcp_init(&loop->uv, &connection->uv.tcp);
    connection->uv.handle.data = connection;
    char port[8];
    snprintf(port, sizeof(port), "%u", (unsigned)options->port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    int result = uv_getaddrinfo(&loop->uv, &dial->lookup, on_lookup, options->host, port, &hints);
    if (result != 0) {
        fail(dial, result);
        return;
    }
    dial->is_pending = true;
}

struct net_connection *net_connect(struct net_loop *loop, const struct net_connect_options *options,
                                   const struct net_connection_events *events, void *context)
{
    struct net_connection *connection = net_connection_new(loop, options->send_bytes_max);
    struct net_dial *dial = calloc(1, sizeof(*dial));
    struct net_timer *timer = net_timer_new(loop, on_timeout, dial);
    if (connection == NULL || dial == NULL || timer == NULL) {
        if (connection != NULL) {
            net_connection_drop(connection);
        }
        free(dial);
        net_timer_free(timer);
        return NULL;
    }
    connection->events = events;
    connection->context = context;
    connection->dial = dial;
    dial->connection = connection;
    dial->timer = timer;
    int64_t timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_DEFAULT_MS;
    net_timer_start(timer, (struct mono_time){net_loop_now(loop).mono.ms + timeout_ms});
    begin(dial, options);
    return connection;
}
