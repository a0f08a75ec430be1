// Answers: their head with what browsers are told to be strict about, and their body piece by
// piece.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "node/net/http_internal.h"
#include "node/net/http_status.h"

#define SEND_MS 20000 // for the client to take what was sent

void http_reply_init(struct http_server *server, struct http_reply *reply)
{
    buffer_reset(&server->text);
    *reply = (struct http_reply){
        .status = 200,
        .content_type = "text/plain; charset=utf-8",
        .cache_control = "no-store",
        .text = &server->text,
    };
}

// ---- The head

static void write_field(struct buffer *out, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        write_format(out, "%s: %s\r\n", name, value);
}

static void write_strict_fields(const struct http_connection *connection, struct buffer *out)
{
    write_text(out, "content-security-policy: default-src 'none'; script-src 'self'; "
                    "style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; "
                    "manifest-src 'self'; base-uri 'none'; form-action 'none'; "
                    "frame-ancestors 'none'\r\n"
                    "x-content-type-options: nosniff\r\n"
                    "x-frame-options: DENY\r\n"
                    "referrer-policy: no-referrer\r\n"
                    "cross-origin-opener-policy: same-origin\r\n"
                    "cross-origin-resource-policy: same-origin\r\n");
    if (connection->tls != NULL)
        write_text(out, "strict-transport-security: max-age=31536000\r\n");
}

static bool has_body(int status)
{
    return status != 101 && status != 204 && status != 304;
}

static void write_head(const struct http_connection *connection, const struct http_reply *reply,
                       struct buffer *out)
{
    write_format(out, "HTTP/1.1 %d %s\r\n", reply->status, http_status_text(reply->status));
    if (has_body(reply->status)) {
        write_field(out, "content-type", reply->content_type);
        write_format(out, "content-length: %zu\r\n", reply->body->size);
    }
    write_field(out, "cache-control", reply->cache_control);
    write_field(out, "etag", reply->has_etag ? reply->body->etag : NULL);
    write_field(out, "content-encoding", reply->is_gzip && reply->status == 200 ? "gzip" : NULL);
    write_field(out, "vary", reply->is_gzip || reply->varies ? "accept-encoding" : NULL);
    write_field(out, "set-cookie", reply->set_cookie);
    write_field(out, "allow", reply->allow);
    write_field(out, "location", reply->location);
    if (reply->status == 401)
        write_field(out, "www-authenticate", "Bearer");
    if (reply->status == 426)
        write_field(out, "sec-websocket-version", "13");
    if (reply->retry_after_s > 0)
        write_format(out, "retry-after: %" PRId64 "\r\n", reply->retry_after_s);
    write_strict_fields(connection, out);
    write_format(out, "connection: %s\r\n\r\n",
                 connection->head.keeps_alive ? "keep-alive" : "close");
}

// Whether If-None-Match names this body.
static bool is_known(const struct http_connection *connection, const struct http_reply *reply)
{
    const struct http_head *head = &connection->head;
    const char *list = head->fields[HTTP_IF_NONE_MATCH];
    bool is_reading = head->method == HTTP_GET || head->method == HTTP_HEAD;
    return reply->has_etag && reply->status == 200 && is_reading && list[0] != '\0' &&
           (strcmp(list, "*") == 0 || strstr(list, reply->body->etag) != NULL);
}

// ---- The body

// The text that the handler wrote becomes a body. False if there is no memory.
static bool make_body(struct http_server *server, struct http_reply *reply)
{
    if (reply->body == NULL && reply->text->failed) {
        buffer_reset(reply->text);
        reply->status = 500;
        reply->has_etag = false;
        reply->content_type = "text/plain; charset=utf-8";
        write_text(reply->text, "The answer is too large.\n");
    }
    if (reply->body == NULL)
        reply->body = http_body_new(reply->text->data, reply->text->size);
    // What a large answer needed is not kept for the small ones.
    if (server->text.capacity > HTTP_PIECE_SIZE)
        buffer_clear(&server->text);
    return reply->body != NULL;
}

void http_answer(struct http_connection *connection, struct http_reply *reply)
{
    struct http_server *server = connection->server;
    if (reply->is_stream && http_stream_begin(connection, reply))
        return;
    if (!make_body(server, reply)) {
        http_connection_drop(connection);
        return;
    }
    if (is_known(connection, reply))
        reply->status = 304;
    struct buffer *out = &server->scratch;
    buffer_reset(out);
    write_head(connection, reply, out);
    connection->body = reply->body;
    reply->body = NULL;
    bool is_empty = connection->head.method == HTTP_HEAD || !has_body(reply->status);
    connection->body_sent = is_empty ? connection->body->size : 0;
    // A small body goes out with its head.
    size_t left = connection->body->size - connection->body_sent;
    if (left > 0 && left <= HTTP_PIECE_SIZE) {
        write_bytes(out, connection->body->data, left);
        connection->body_sent += left;
    }
    http_connection_wait(connection, HTTP_SENDING, SEND_MS);
    if (out->failed)
        http_connection_drop(connection);
    else
        http_connection_write(connection, out->data, out->size);
}

bool http_answer_more(struct http_connection *connection)
{
    const struct http_body *body = connection->body;
    while (connection->state == HTTP_SENDING && net_connection_queued(connection->socket) == 0) {
        size_t left = body->size - connection->body_sent;
        if (left == 0)
            return true;
        size_t size = left < HTTP_PIECE_SIZE ? left : HTTP_PIECE_SIZE;
        http_connection_wait(connection, HTTP_SENDING, SEND_MS);
        http_connection_write(connection, body->data + connection->body_sent, size);
        connection->body_sent += size;
    }
    return false;
}

void http_answer_problem(struct http_connection *connection, int status, const char *detail)
{
    struct http_reply reply;
    http_reply_init(connection->server, &reply);
    reply.status = status;
    reply.content_type = "application/problem+json";
    http_problem_write(status, NULL, detail, reply.text);
    http_answer(connection, &reply);
}
