// What the files of the HTTP server share. Nobody else includes this.
#ifndef SHOAL_NODE_NET_HTTP_INTERNAL_H
#define SHOAL_NODE_NET_HTTP_INTERNAL_H

#include <arpa/inet.h>
#include "node/net/http_server.h"
#include "node/net/internal.h"
#include "node/net/tls.h"
#include "node/net/web_socket.h"

#define HTTP_PIECE_SIZE 65536 // of an answer, handed to the kernel at once

enum http_state {
    HTTP_READING,   // a request, or waiting for one
    HTTP_HELD,      // the answer comes later
    HTTP_SENDING,   // the answer, piece by piece
    HTTP_STREAMING, // messages, until one side ends it
    HTTP_ENDED,     // nothing more is read or written
};

struct http_stream {
    bool is_socket; // WebSocket; else server-sent events
    uint32_t kinds;
    struct http_message **queue; // a ring
    size_t first, count, capacity;
    size_t bytes;
    size_t allowance;         // what was sent to it at its beginning
    struct mono_time sent_at; // of whatever was last sent
    struct mono_time heard_at;
    size_t heard_bytes; // since sent_at
    struct web_socket_reader reader;
};

struct http_connection {
    struct http_server *server; // NULL once that is gone
    struct http_connection *previous, *next;
    struct net_connection *socket;
    struct tls *tls; // NULL: plain
    uint8_t ip[16];
    char address[INET6_ADDRSTRLEN];
    bool is_loopback;
    enum http_state state;
    struct mono_time deadline; // of the state
    struct buffer in;          // not handled yet
    size_t looked_at;          // of it, in vain, for the end of a head
    char *head_text;           // what head points into; NULL: no whole head yet
    struct http_head head;
    uint64_t ticket;
    bool is_idle;           // nothing came since the last answer
    bool is_working;        // the loop of http_connection_work runs
    struct http_body *body; // being sent, with what is sent of it
    size_t body_sent;
    struct http_stream *stream;
};

struct http_server {
    struct net_loop *loop;
    struct http_server_options options;
    struct net_listener *listener;
    struct tls_identity *identity; // NULL: plain
    struct net_timer *sweep;
    struct net_timer *flush;
    struct net_timer *turn; // goes on with those that asked more than others get their turn
    bool is_flush_due;
    struct http_connection *connections;
    struct http_server_counts counts;
    uint64_t next_ticket;
    struct buffer text;    // of an answer being made
    struct buffer scratch; // bytes on their way out
    struct buffer sealed;  // the same, encrypted
};

// http_connection.c
void http_connection_accept(void *context, struct net_connection *socket);
// Goes on with what has been received, as far as answers have been taken.
void http_connection_work(struct http_connection *connection);
// Sends bytes, encrypting them. What the kernel does not take is queued.
void http_connection_write(struct http_connection *connection, const void *data, size_t size);
// Sends what is queued, and ends.
void http_connection_end(struct http_connection *connection);
// Ends it now, without another word.
void http_connection_drop(struct http_connection *connection);
void http_connection_wait(struct http_connection *connection, enum http_state state,
                          int64_t timeout_ms);
// What is overdue at this time.
void http_connection_sweep(struct http_connection *connection, struct now now);

// http_answer.c
void http_reply_init(struct http_server *server, struct http_reply *reply);
// Sends the reply's head and begins its body; takes reply->body.
void http_answer(struct http_connection *connection, struct http_reply *reply);
// The next pieces, as far as the kernel takes them; true when all is sent.
bool http_answer_more(struct http_connection *connection);
void http_answer_problem(struct http_connection *connection, int status, const char *detail);

// http_stream.c
bool http_stream_begin(struct http_connection *connection, const struct http_reply *reply);
// Queues a message; a stream that has too many is dropped, unless this is at its beginning.
void http_stream_add(struct http_connection *connection, struct http_message *message,
                     bool is_beginning);
void http_stream_end(struct http_connection *connection);
void http_stream_received(struct http_connection *connection, const uint8_t *data, size_t size);
void http_stream_flush(struct http_connection *connection);
void http_stream_sweep(struct http_connection *connection, struct now now);
// Whether its head asks for a WebSocket.
bool http_wants_socket(const struct http_head *head);

#endif
