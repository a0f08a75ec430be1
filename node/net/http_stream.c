// Streams of an HTTP server: what a client asked to be told as it happens, as server-sent events or
// over a WebSocket. A client that does not keep up is dropped.
#include <stdlib.h>
#include <string.h>
#include "node/net/http_internal.h"

#define QUEUE_BYTES_MAX     1048576
#define SLOW_MS             20000
#define QUIET_MS            15000 // then something is sent to see whether anybody is there
#define DEAF_MS             75000 // a WebSocket that answers no ping
#define HEARD_BYTES_MAX     65536 // between two signs of life of ours
#define STREAMS_PER_ADDRESS 32
#define QUEUE_FIRST         16

bool http_wants_socket(const struct http_head *head)
{
    return head->method == HTTP_GET && http_list_has(head->fields[HTTP_UPGRADE], "websocket") &&
           http_list_has(head->fields[HTTP_CONNECTION], "upgrade");
}

// ---- Beginning and end

static bool is_one_too_many(const struct http_connection *connection)
{
    size_t count = 0;
    const struct http_connection *at = connection->server->connections;
    for (; at != NULL; at = at->next)
        count += at->stream != NULL && memcmp(at->ip, connection->ip, sizeof(at->ip)) == 0;
    return connection->server->counts.streams >= HTTP_STREAMS_MAX ||
           (!connection->is_loopback && count >= STREAMS_PER_ADDRESS);
}

static void write_event_head(struct http_connection *connection, struct buffer *out)
{
    (void)connection;
    write_text(out, "HTTP/1.1 200 OK\r\n"
                    "content-type: text/event-stream\r\n"
                    "cache-control: no-store\r\n"
                    "x-content-type-options: nosniff\r\n"
                    "cross-origin-resource-policy: same-origin\r\n"
                    "x-accel-buffering: no\r\n"
                    "connection: close\r\n\r\n"
                    "retry: 2000\n\n");
}

static void write_socket_head(const char accept[WEB_SOCKET_ACCEPT_SIZE], struct buffer *out)
{
    write_format(out,
                 "HTTP/1.1 101 Switching Protocols\r\n"
                 "upgrade: websocket\r\n"
                 "connection: upgrade\r\n"
                 "sec-websocket-accept: %s\r\n\r\n",
                 accept);
}

static bool refuse(struct http_connection *connection, int status, const char *detail)
{
    http_answer_problem(connection, status, detail);
    return true;
}

// True if the request was answered, with a stream or with a problem.
bool http_stream_begin(struct http_connection *connection, const struct http_reply *reply)
{
    struct http_server *server = connection->server;
    const struct http_head *head = &connection->head;
    bool is_socket = http_wants_socket(head);
    char accept[WEB_SOCKET_ACCEPT_SIZE];
    if (is_one_too_many(connection))
        return refuse(connection, 503, "There are too many readers of events; try again later.");
    if (is_socket && strcmp(head->fields[HTTP_SOCKET_VERSION], "13") != 0)
        return refuse(connection, 426, "Version 13 of WebSocket is spoken here.");
    if (is_socket && !web_socket_accept(head->fields[HTTP_SOCKET_KEY], accept))
        return refuse(connection, 400, "Sec-WebSocket-Key is not 16 bytes of base64.");
    struct http_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL)
        return refuse(connection, 503, "out of memory");
    stream->is_socket = is_socket;
    stream->kinds = reply->stream_kinds;
    stream->sent_at = stream->heard_at = net_loop_now(server->loop).mono;
    connection->stream = stream;
    connection->state = HTTP_STREAMING;
    server->counts.streams++;
    struct buffer *out = &server->scratch;
    buffer_reset(out);
    if (is_socket)
        write_socket_head(accept, out);
    else
        write_event_head(connection, out);
    http_connection_write(connection, out->data, out->size);
    server->options.stream_opened(server->options.context, connection->ticket);
    return true;
}

void http_stream_end(struct http_connection *connection)
{
    struct http_stream *stream = connection->stream;
    struct http_server *server = connection->server;
    if (stream == NULL)
        return;
    connection->stream = NULL;
    connection->state = HTTP_ENDED;
    server->counts.streams--;
    for (size_t i = 0; i < stream->count; i++)
        http_message_unref(stream->queue[(stream->first + i) % stream->capacity]);
    free(stream->queue);
    free(stream);
    server->options.stream_closed(server->options.context, connection->ticket);
}

// ---- Messages

static bool grow(struct http_stream *stream)
{
    size_t capacity = stream->capacity == 0 ? QUEUE_FIRST : 2 * stream->capacity;
    struct http_message **queue = calloc(capacity, sizeof(struct http_message *));
    if (queue == NULL)
        return false;
    for (size_t i = 0; i < stream->count; i++)
        queue[i] = stream->queue[(stream->first + i) % stream->capacity];
    free(stream->queue);
    stream->queue = queue;
    stream->capacity = capacity;
    stream->first = 0;
    return true;
}

static void drop_slow(struct http_connection *connection)
{
    connection->server->counts.dropped++;
    http_connection_drop(connection);
}

void http_stream_add(struct http_connection *connection, struct http_message *message,
                     bool is_beginning)
{
    struct http_stream *stream = connection->stream;
    size_t size = http_message_size(message);
    if (is_beginning)
        stream->allowance += size;
    bool is_full = stream->bytes + size > QUEUE_BYTES_MAX + stream->allowance;
    if (is_full || (stream->count == stream->capacity && !grow(stream))) {
        drop_slow(connection);
        return;
    }
    stream->queue[(stream->first + stream->count) % stream->capacity] = http_message_ref(message);
    stream->count++;
    stream->bytes += size;
}

static void take_first(struct http_stream *stream, struct buffer *out)
{
    struct http_message *message = stream->queue[stream->first];
    if (stream->is_socket)
        http_message_write_socket(message, out);
    else
        http_message_write_event(message, out);
    stream->bytes -= http_message_size(message);
    stream->first = (stream->first + 1) % stream->capacity;
    stream->count--;
    http_message_unref(message);
}

static void send_now(struct http_connection *connection, const struct buffer *out)
{
    connection->stream->sent_at = net_loop_now(connection->server->loop).mono;
    connection->stream->heard_bytes = 0;
    http_connection_write(connection, out->data, out->size);
}

void http_stream_flush(struct http_connection *connection)
{
    struct buffer *out = &connection->server->scratch;
    while (connection->state == HTTP_STREAMING && connection->stream->count > 0 &&
           net_connection_queued(connection->socket) == 0) {
        buffer_reset(out);
        while (connection->stream->count > 0 && out->size < HTTP_PIECE_SIZE)
            take_first(connection->stream, out);
        send_now(connection, out);
    }
}

// ---- What comes in, and what does not

void http_stream_received(struct http_connection *connection, const uint8_t *data, size_t size)
{
    struct http_stream *stream = connection->stream;
    if (size == 0)
        return;
    stream->heard_at = net_loop_now(connection->server->loop).mono;
    stream->heard_bytes += size;
    // Nobody is asked for anything here: who talks all the time is up to no good.
    if (stream->heard_bytes > HEARD_BYTES_MAX) {
        http_connection_drop(connection);
        return;
    }
    if (!stream->is_socket)
        return;
    struct buffer answer;
    buffer_init(&answer, 2 * HEARD_BYTES_MAX);
    unsigned code = web_socket_read(&stream->reader, data, size, &answer);
    // A pong that finds no room is left out: the client has enough to read.
    if (answer.size > 0 && !answer.failed && net_connection_queued(connection->socket) == 0)
        http_connection_write(connection, answer.data, answer.size);
    buffer_clear(&answer);
    if (code != 0 && connection->state == HTTP_STREAMING)
        http_connection_end(connection);
}

static void send_sign_of_life(struct http_connection *connection)
{
    struct buffer *out = &connection->server->scratch;
    buffer_reset(out);
    if (connection->stream->is_socket)
        web_socket_write(WEB_SOCKET_PING, NULL, 0, out);
    else
        write_text(out, ":\n\n");
    send_now(connection, out);
}

void http_stream_sweep(struct http_connection *connection, struct now now)
{
    struct http_stream *stream = connection->stream;
    bool is_choked = net_connection_queued(connection->socket) > 0;
    int64_t silent_ms = now.mono.ms - stream->sent_at.ms;
    bool is_deaf = stream->is_socket && now.mono.ms - stream->heard_at.ms > DEAF_MS;
    if ((is_choked && silent_ms > SLOW_MS) || is_deaf)
        drop_slow(connection);
    else if (!is_choked && silent_ms > QUIET_MS)
        send_sign_of_life(connection);
}
