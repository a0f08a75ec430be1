// An HTTP/1.1 server on the loop, plain or with TLS: requests with bounded bodies to one handler,
// answers now or later, and streams (server-sent events, WebSocket) that share their messages.
// Every size, number and time is bounded, and a client that is too slow is dropped: nothing that a
// client does may cost the others. Refuses requests whose Host is neither an IP address, localhost
// nor a name of ours: a page of another site must not read this one through a name that it points
// here; and what changes something, or a WebSocket, whose Origin is another site.
#ifndef SHOAL_NODE_NET_HTTP_SERVER_H
#define SHOAL_NODE_NET_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/log.h"
#include "node/net/http_body.h"
#include "node/net/http_head.h"
#include "node/net/http_message.h"
#include "node/net/loop.h"

#define HTTP_BODY_SIZE_MAX   16384 // of a request
#define HTTP_CONNECTIONS_MAX 256
#define HTTP_STREAMS_MAX     220 // the rest is for requests
#define HTTP_NAMES_MAX       8

struct http_server;

// Borrowed for the call of the handler.
struct http_request {
    const struct http_head *head;
    const char *body; // not ended by a zero
    size_t body_size;
    const char *address; // whence, without port: "192.0.2.7", "2001:db8::1"
    bool is_loopback;
    bool is_secure;    // over TLS
    bool wants_socket; // a WebSocket: the answer is a stream or a refusal
    uint64_t ticket;   // its name for http_server_answer, never given twice
};

struct http_reply {
    int status;                // 200 at first
    const char *content_type;  // "text/plain; charset=utf-8" at first; borrowed until sent
    struct buffer *text;       // the body where `body` is NULL; empty at first, with a cap
    struct http_body *body;    // NULL at first; the handler's reference goes to the server
    const char *cache_control; // "no-store" at first
    bool has_etag;             // of the body; answers If-None-Match
    bool is_gzip;              // the body is: Content-Encoding, and Vary
    bool varies;               // by Accept-Encoding, although this one is not encoded
    char set_cookie[256];      // "" for none, as are the following
    char allow[40];
    const char *location;
    int64_t retry_after_s; // 0 for none
    bool is_held;          // nothing is sent yet: http_server_answer follows
    bool is_stream;        // no body, but messages from now on: http_server_publish
    uint32_t stream_kinds; // a bit for each kind that it wants
};

// Called on the loop for each request.
typedef void http_handler(void *context, const struct http_request *request,
                          struct http_reply *reply);
// A stream stands: the place to send it what it missed (http_server_send), by the ticket of its
// request. And its end; also called for each stream by http_server_close.
typedef void http_stream_opened(void *context, uint64_t ticket);
typedef void http_stream_closed(void *context, uint64_t ticket);

struct http_server_options {
    const char *address;               // "127.0.0.1:8080" or "[::1]:8080"
    const char *names[HTTP_NAMES_MAX]; // by which Host may call us besides addresses; borrowed
    size_t names_count;
    const char *certificate; // of TLS: PEM files; NULL for plain
    const char *key;
    size_t reply_size_max; // of http_reply.text
    http_handler *handler;
    http_stream_opened *stream_opened;
    http_stream_closed *stream_closed;
    void *context;
    struct log *log;
};

#define HTTP_SERVER_ERROR_SIZE 256
// NULL with a sentence in `error`.
struct http_server *http_server_open(struct net_loop *loop,
                                     const struct http_server_options *options,
                                     char error[HTTP_SERVER_ERROR_SIZE]);
// Ends every connection; the rest happens in later turns of the loop, at the latest in
// net_loop_free.
void http_server_close(struct http_server *server);
uint16_t http_server_port(const struct http_server *server);

// The answer to a request that was held: as the handler's. Takes reply->body also where the client
// is gone meanwhile (false). Held for more than 20 s, a request is ended without an answer.
bool http_server_answer(struct http_server *server, uint64_t ticket, struct http_reply *reply);

// Queues a message for all streams whose kinds it is one of (a bit), or for one stream; nothing
// happens if that is gone. A stream whose queue passes 1 MiB, or that takes nothing for 20 s, is
// dropped; what http_server_send gives it at its beginning does not count.
void http_server_publish(struct http_server *server, uint32_t kind, struct http_message *message);
void http_server_send(struct http_server *server, uint64_t ticket, struct http_message *message);

struct http_server_counts {
    size_t connections, streams;
    uint64_t requests, refused; // refused: connections beyond a limit
    uint64_t dropped;           // streams that were too slow
};
void http_server_counts(const struct http_server *server, struct http_server_counts *counts);

#endif
