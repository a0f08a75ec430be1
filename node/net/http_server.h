// A small read-only HTTP server on the loop (libwebsockets): GET and HEAD, one handler, every size
// bounded. For the status page and its documents. Refuses requests whose Host is neither an IP
// address nor localhost: a page of another site must not read this one through a name that it
// points here.
#ifndef SHOAL_NODE_NET_HTTP_SERVER_H
#define SHOAL_NODE_NET_HTTP_SERVER_H

#include <stdbool.h>
#include "node/base/bytes.h"
#include "node/net/loop.h"

struct http_server;

struct http_reply {
    int status;               // 200 at first
    const char *content_type; // "text/plain; charset=utf-8" at first; borrowed
    struct buffer *body;      // empty, with a cap
};

// Called on the loop for each request. `path` begins with "/" and holds no query; borrowed for the
// call.
typedef void http_handler(void *context, const char *path, struct http_reply *reply);

struct http_server_options {
    const char *address; // "127.0.0.1:8080" or "[::1]:8080"
    size_t reply_size_max;
    http_handler *handler;
    void *context;
};

#define HTTP_SERVER_ERROR_SIZE 256
// NULL with a sentence in `error`.
struct http_server *http_server_open(struct net_loop *loop,
                                     const struct http_server_options *options,
                                     char error[HTTP_SERVER_ERROR_SIZE]);
// Ends every connection; the rest happens in later turns of the loop, at the latest in
// net_loop_free.
void http_server_close(struct http_server *server);

#endif
