#include "node/net/http_server.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/net/http_internal.h"

#define SWEEP_MS 1000
#define FLUSH_MS 20
// The largest that is written at once: a piece, or a stream's messages, with what frames them.
#define SCRATCH_SIZE (2 * HTTP_PIECE_SIZE)

// ---- Time

static void sweep_later(struct http_server *server)
{
    struct now now = net_loop_now(server->loop);
    net_timer_start(server->sweep, (struct mono_time){now.mono.ms + SWEEP_MS});
}

static void on_sweep(void *context, struct now now)
{
    struct http_server *server = context;
    struct http_connection *next;
    for (struct http_connection *at = server->connections; at != NULL; at = next) {
        next = at->next;
        http_connection_sweep(at, now);
    }
    sweep_later(server);
}

static void on_turn(void *context, struct now now)
{
    struct http_server *server = context;
    (void)now;
    for (struct http_connection *at = server->connections; at != NULL; at = at->next) {
        if (at->state == HTTP_SENDING || (at->state == HTTP_READING && at->in.size > 0))
            http_connection_work(at);
    }
}

static void on_flush(void *context, struct now now)
{
    struct http_server *server = context;
    (void)now;
    server->is_flush_due = false;
    for (struct http_connection *at = server->connections; at != NULL; at = at->next) {
        if (at->state == HTTP_STREAMING)
            http_stream_flush(at);
    }
}

// What happens in the same moment goes out together.
static void flush_later(struct http_server *server)
{
    if (server->is_flush_due)
        return;
    server->is_flush_due = true;
    struct now now = net_loop_now(server->loop);
    net_timer_start(server->flush, (struct mono_time){now.mono.ms + FLUSH_MS});
}

// ---- Streams

static struct http_connection *find_ticket(struct http_server *server, uint64_t ticket)
{
    struct http_connection *at = server->connections;
    while (at != NULL && at->ticket != ticket)
        at = at->next;
    return at;
}

void http_server_publish(struct http_server *server, uint32_t kind, struct http_message *message)
{
    bool is_any = false;
    for (struct http_connection *at = server->connections; at != NULL; at = at->next) {
        if (at->state != HTTP_STREAMING || (at->stream->kinds & kind) == 0)
            continue;
        http_stream_add(at, message, false);
        is_any = true;
    }
    if (is_any)
        flush_later(server);
}

void http_server_send(struct http_server *server, uint64_t ticket, struct http_message *message)
{
    struct http_connection *connection = find_ticket(server, ticket);
    if (connection == NULL || connection->state != HTTP_STREAMING)
        return;
    http_stream_add(connection, message, true);
    flush_later(server);
}

bool http_server_answer(struct http_server *server, uint64_t ticket, struct http_reply *reply)
{
    struct http_connection *connection = find_ticket(server, ticket);
    if (connection == NULL || connection->state != HTTP_HELD) {
        http_body_unref(reply->body);
        reply->body = NULL;
        return false;
    }
    http_answer(connection, reply);
    http_connection_work(connection);
    return true;
}

void http_server_counts(const struct http_server *server, struct http_server_counts *counts)
{
    *counts = server->counts;
    counts->refused += net_listener_refused_count(server->listener);
}

// ---- Opening and closing

static bool listen_at(struct http_server *server, char error[HTTP_SERVER_ERROR_SIZE])
{
    const struct http_server_options *options = &server->options;
    if (options->certificate != NULL) {
        server->identity = tls_identity_open(options->certificate, options->key, error);
        if (server->identity == NULL)
            return false;
    }
    struct net_listen_options listen_options = {
        .address = options->address,
        .connections_max = HTTP_CONNECTIONS_MAX,
        .send_bytes_max = 2 * SCRATCH_SIZE,
        .accepted = http_connection_accept,
        .context = server,
        .log = options->log,
    };
    server->listener = net_listener_open(server->loop, &listen_options, error);
    return server->listener != NULL;
}

_Static_assert(NET_ERROR_SIZE == HTTP_SERVER_ERROR_SIZE && TLS_ERROR_SIZE == NET_ERROR_SIZE,
               "one array takes the sentences of all");

struct http_server *http_server_open(struct net_loop *loop,
                                     const struct http_server_options *options,
                                     char error[HTTP_SERVER_ERROR_SIZE])
{
    snprintf(error, HTTP_SERVER_ERROR_SIZE, "out of memory");
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return NULL;
    server->loop = loop;
    server->options = *options;
    server->next_ticket = 1;
    buffer_init(&server->text, options->reply_size_max);
    buffer_init(&server->scratch, SCRATCH_SIZE);
    buffer_init(&server->sealed, 2 * SCRATCH_SIZE);
    server->sweep = net_timer_new(loop, on_sweep, server);
    server->flush = net_timer_new(loop, on_flush, server);
    server->turn = net_timer_new(loop, on_turn, server);
    if (server->sweep != NULL && server->flush != NULL && server->turn != NULL &&
        listen_at(server, error)) {
        sweep_later(server);
        return server;
    }
    http_server_close(server);
    return NULL;
}

void http_server_close(struct http_server *server)
{
    if (server == NULL)
        return;
    net_listener_close(server->listener);
    net_timer_free(server->sweep);
    net_timer_free(server->flush);
    net_timer_free(server->turn);
    struct http_connection *next;
    for (struct http_connection *at = server->connections; at != NULL; at = next) {
        next = at->next;
        http_connection_drop(at);
        at->server = NULL;
    }
    tls_identity_free(server->identity);
    buffer_clear(&server->text);
    buffer_clear(&server->scratch);
    buffer_clear(&server->sealed);
    free(server);
}

uint16_t http_server_port(const struct http_server *server)
{
    return net_listener_port(server->listener);
}
