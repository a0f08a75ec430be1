// One connection of the HTTP server: bytes in, one request at a time, its answer out.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "node/net/http_internal.h"

#define IDLE_MS 60000 // between requests
#define HEAD_MS 10000 // from the first byte of a head to its last
#define BODY_MS 20000
#define HELD_MS 20000
#define SEND_MS 20000 // for the kernel to take what it was given
#define IN_MAX  (HTTP_HEAD_SIZE_MAX + HTTP_BODY_SIZE_MAX + NET_READ_SIZE + 2 * 16384)

#define CONNECTIONS_PER_ADDRESS 64
#define REQUESTS_AT_ONCE        16 // of one connection, before others have their turn

void http_connection_wait(struct http_connection *connection, enum http_state state,
                          int64_t timeout_ms)
{
    struct now now = net_loop_now(connection->server->loop);
    connection->state = state;
    connection->deadline = (struct mono_time){now.mono.ms + timeout_ms};
}

// ---- Ending

static void forget(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    server->counts.connections--;
}

static void forget_request(struct http_connection *connection)
{
    free(connection->head_text);
    connection->head_text = NULL;
    connection->ticket = 0;
    http_body_unref(connection->body);
    connection->body = NULL;
}

static void on_closed(void *context, struct net_connection *socket, const char *reason)
{
    struct http_connection *connection = context;
    (void)socket;
    (void)reason;
    if (connection->server != NULL) {
        http_stream_end(connection);
        forget(connection);
    }
    forget_request(connection);
    buffer_clear(&connection->in);
    tls_free(connection->tls);
    free(connection);
}

void http_connection_drop(struct http_connection *connection)
{
    http_stream_end(connection);
    connection->state = HTTP_ENDED;
    net_connection_reset(connection->socket);
}

void http_connection_end(struct http_connection *connection)
{
    http_stream_end(connection);
    connection->state = HTTP_ENDED;
    if (connection->tls != NULL) {
        struct buffer *sealed = &connection->server->sealed;
        buffer_reset(sealed);
        tls_end(connection->tls);
        tls_take(connection->tls, sealed);
        net_connection_write(connection->socket, sealed->data, sealed->size);
    }
    net_connection_close(connection->socket);
}

// ---- Bytes

void http_connection_write(struct http_connection *connection, const void *data, size_t size)
{
    struct http_server *server = connection->server;
    if (connection->tls == NULL) {
        net_connection_write(connection->socket, data, size);
        return;
    }
    buffer_reset(&server->sealed);
    bool is_sealed = tls_send(connection->tls, data, size);
    tls_take(connection->tls, &server->sealed);
    if (is_sealed && !server->sealed.failed)
        net_connection_write(connection->socket, server->sealed.data, server->sealed.size);
    else
        http_connection_drop(connection);
}

// False if it is over.
static bool unseal(struct http_connection *connection, const uint8_t *data, size_t size)
{
    struct buffer *sealed = &connection->server->sealed;
    bool is_fine = tls_receive(connection->tls, data, size, &connection->in);
    buffer_reset(sealed);
    tls_take(connection->tls, sealed);
    net_connection_write(connection->socket, sealed->data, sealed->size);
    return is_fine;
}

static void on_received(void *context, struct net_connection *socket, const uint8_t *data,
                        size_t size)
{
    struct http_connection *connection = context;
    (void)socket;
    if (connection->server == NULL || connection->state == HTTP_ENDED)
        return;
    if (connection->is_idle)
        http_connection_wait(connection, HTTP_READING, HEAD_MS);
    connection->is_idle = false;
    if (connection->tls == NULL)
        write_bytes(&connection->in, data, size);
    else if (!unseal(connection, data, size))
        connection->in.failed = true;
    bool is_over = connection->in.failed;
    http_connection_work(connection);
    if (is_over && connection->state != HTTP_ENDED)
        http_connection_end(connection);
}

static void on_drained(void *context, struct net_connection *socket)
{
    struct http_connection *connection = context;
    (void)socket;
    if (connection->server == NULL)
        return;
    if (connection->state == HTTP_STREAMING)
        http_stream_flush(connection);
    else
        http_connection_work(connection);
}

// ---- Whom we answer

// Whether text up to its port (if any) is an IP address, localhost or a name of ours.
static bool is_own_host(const struct http_server *server, const char *host)
{
    char name[256];
    uint8_t ip[16];
    size_t size = strlen(host);
    if (size == 0 || size >= sizeof(name))
        return false;
    memcpy(name, host, size + 1);
    char *end = name[0] == '[' ? strchr(name, ']') : NULL;
    char *colon = strrchr(end == NULL ? name : end, ':');
    if (colon != NULL && colon[1 + strspn(colon + 1, "0123456789")] != '\0')
        return false;
    if (colon != NULL)
        *colon = '\0';
    if (name[0] == '[') {
        if (end == NULL || end[1] != '\0')
            return false;
        *end = '\0';
        return inet_pton(AF_INET6, name + 1, ip) == 1;
    }
    if (strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, ip) == 1)
        return true;
    for (size_t i = 0; i < server->options.names_count; i++) {
        if (strcasecmp(server->options.names[i], name) == 0)
            return true;
    }
    return false;
}

// Browsers say from which site a request comes. One without Origin is from no other site.
static bool is_own_origin(const struct http_head *head)
{
    const char *origin = head->fields[HTTP_ORIGIN];
    const char *host = strstr(origin, "://");
    return origin[0] == '\0' ||
           (host != NULL && strcasecmp(host + 3, head->fields[HTTP_HOST]) == 0);
}

// NULL if the request may go on.
static const char *refusal(const struct http_connection *connection)
{
    const struct http_head *head = &connection->head;
    bool is_reading = head->method == HTTP_GET || head->method == HTTP_HEAD;
    if (!is_own_host(connection->server, head->fields[HTTP_HOST]))
        return "This node is called by its IP address, localhost, or a name that its "
               "configuration lists as http-host; the header field Host says another one.";
    if ((!is_reading || http_wants_socket(head)) && !is_own_origin(head))
        return "The header field Origin names another site.";
    return NULL;
}

// ---- Requests

static void dispatch(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    const char *detail = refusal(connection);
    size_t body_size = (size_t)connection->head.body_size;
    connection->ticket = server->next_ticket;
    server->next_ticket++;
    server->counts.requests++;
    if (detail != NULL) {
        buffer_consume(&connection->in, body_size);
        http_answer_problem(connection, 403, detail);
        return;
    }
    struct http_request request = {
        .head = &connection->head,
        .body = (const char *)connection->in.data,
        .body_size = body_size,
        .address = connection->address,
        .is_loopback = connection->is_loopback,
        .is_secure = connection->tls != NULL,
        .wants_socket = http_wants_socket(&connection->head),
        .ticket = connection->ticket,
    };
    struct http_reply reply;
    http_reply_init(server, &reply);
    server->options.handler(server->options.context, &request, &reply);
    buffer_consume(&connection->in, body_size);
    if (reply.is_held)
        http_connection_wait(connection, HTTP_HELD, HELD_MS);
    else
        http_answer(connection, &reply);
}

// Refuses what cannot be read: where the next request would begin is not known either.
static void refuse(struct http_connection *connection, int status, const char *detail)
{
    connection->head.keeps_alive = false;
    http_answer_problem(connection, status, detail);
}

// Takes the head off what was received. False if it is not whole yet, or was refused.
static bool take_head(struct http_connection *connection)
{
    struct buffer *in = &connection->in;
    const char *wrong = "The head of a request has at most 8192 bytes.";
    if (in->size == 0)
        return false;
    size_t size = http_head_end((const char *)in->data, in->size, connection->looked_at);
    connection->looked_at = size == 0 ? in->size : 0;
    if (size > HTTP_HEAD_SIZE_MAX || (size == 0 && in->size > HTTP_HEAD_SIZE_MAX)) {
        connection->head = (struct http_head){.method = HTTP_GET};
        refuse(connection, 431, wrong);
        return false;
    }
    if (size == 0)
        return false;
    connection->head_text = malloc(size);
    if (connection->head_text == NULL) {
        http_connection_drop(connection);
        return false;
    }
    memcpy(connection->head_text, in->data, size);
    buffer_consume(in, size);
    int status = http_head_parse(connection->head_text, size, &connection->head, &wrong);
    if (status == 0 && connection->head.body_size > HTTP_BODY_SIZE_MAX) {
        status = 413;
        wrong = "The body of a request has at most 16384 bytes.";
    }
    if (status != 0) {
        refuse(connection, status, wrong);
        return false;
    }
    if (connection->head.body_size > in->size) {
        http_connection_wait(connection, HTTP_READING, BODY_MS);
        if (connection->head.fields[HTTP_EXPECT][0] != '\0')
            http_connection_write(connection, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
    return true;
}

// One step: false if there is nothing more to do now.
static bool step(struct http_connection *connection)
{
    if (connection->state == HTTP_SENDING) {
        if (!http_answer_more(connection))
            return false;
        bool is_last = !connection->head.keeps_alive;
        forget_request(connection);
        if (is_last) {
            http_connection_end(connection);
            return false;
        }
        connection->is_idle = connection->in.size == 0;
        http_connection_wait(connection, HTTP_READING, connection->is_idle ? IDLE_MS : HEAD_MS);
    }
    if (connection->state != HTTP_READING)
        return false;
    // Clients of old send an empty line after a body.
    if (connection->head_text == NULL && connection->looked_at == 0 && connection->in.size >= 2 &&
        memcmp(connection->in.data, "\r\n", 2) == 0)
        buffer_consume(&connection->in, 2);
    if (connection->head_text == NULL && !take_head(connection))
        return connection->state == HTTP_SENDING;
    if (connection->in.size < connection->head.body_size)
        return false;
    dispatch(connection);
    return true;
}

void http_connection_work(struct http_connection *connection)
{
    if (connection->is_working)
        return;
    connection->is_working = true;
    int steps = 0;
    while (steps < REQUESTS_AT_ONCE && step(connection))
        steps++;
    connection->is_working = false;
    if (connection->state == HTTP_STREAMING) {
        struct buffer in = connection->in;
        free(connection->head_text);
        connection->head_text = NULL;
        buffer_init(&connection->in, IN_MAX);
        http_stream_received(connection, in.data, in.size);
        buffer_clear(&in);
    }
    if (connection->state == HTTP_ENDED)
        return;
    if (connection->in.size == 0)
        buffer_clear(&connection->in);
    // Nothing more is read from whoever does not take his answers, or asks faster than others get
    // their turn.
    bool is_busy = steps == REQUESTS_AT_ONCE;
    net_connection_pause(connection->socket, is_busy || connection->state == HTTP_SENDING ||
                                                 connection->state == HTTP_HELD);
    if (is_busy)
        net_timer_start(connection->server->turn, net_loop_now(connection->server->loop).mono);
}

void http_connection_sweep(struct http_connection *connection, struct now now)
{
    if (connection->state == HTTP_STREAMING)
        http_stream_sweep(connection, now);
    else if (connection->state != HTTP_ENDED && mono_is_due(connection->deadline, now))
        http_connection_drop(connection);
}

// ---- Accepting

static const struct net_connection_events connection_events = {
    .received = on_received,
    .drained = on_drained,
    .closed = on_closed,
};

static void fill_peer(struct http_connection *connection)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t loopback[16] = {[15] = 1};
    const uint8_t *ip = net_connection_peer(connection->socket)->ip;
    bool is_v4 = memcmp(ip, mapped, sizeof(mapped)) == 0;
    memcpy(connection->ip, ip, sizeof(connection->ip));
    inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? ip + 12 : ip, connection->address,
              sizeof(connection->address));
    connection->is_loopback = is_v4 ? ip[12] == 127 : memcmp(ip, loopback, sizeof(loopback)) == 0;
}

static bool is_one_too_many(const struct http_connection *connection)
{
    size_t count = 0;
    const struct http_connection *at = connection->server->connections;
    for (; at != NULL; at = at->next)
        count += memcmp(at->ip, connection->ip, sizeof(at->ip)) == 0 ? 1 : 0;
    return !connection->is_loopback && count >= CONNECTIONS_PER_ADDRESS;
}

void http_connection_accept(void *context, struct net_connection *socket)
{
    struct http_server *server = context;
    struct http_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        net_connection_reset(socket);
        return;
    }
    connection->server = server;
    connection->socket = socket;
    fill_peer(connection);
    if (server->identity != NULL)
        connection->tls = tls_new(server->identity);
    bool is_short = server->identity != NULL && connection->tls == NULL;
    if (is_short || is_one_too_many(connection)) {
        server->counts.refused++;
        tls_free(connection->tls);
        free(connection);
        net_connection_reset(socket);
        return;
    }
    buffer_init(&connection->in, IN_MAX);
    connection->next = server->connections;
    if (server->connections != NULL)
        server->connections->previous = connection;
    server->connections = connection;
    server->counts.connections++;
    http_connection_wait(connection, HTTP_READING, HEAD_MS);
    net_connection_begin(socket, &connection_events, connection);
}
