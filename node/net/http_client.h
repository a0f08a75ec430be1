// HTTP requests on the loop (libcurl): many at once, never blocking, with every size and time
// bounded. Only http and https, no redirects, no proxies from the environment, no compression. Used
// for the daemon's RPC.
#ifndef SHOAL_NODE_NET_HTTP_CLIENT_H
#define SHOAL_NODE_NET_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/net/loop.h"

struct http_client;
struct http_exchange; // one request on its way

enum http_result {
    HTTP_OK,           // an answer arrived whole, with whatever status
    HTTP_NAME_UNKNOWN, // the host name does not resolve
    HTTP_REFUSED,      // nobody listens there, or no route
    HTTP_TIMED_OUT,    // no connection or no whole answer in time
    HTTP_BROKEN,       // the connection ended early, or what came is no HTTP
    HTTP_TOO_LARGE,    // body or headers beyond the cap
    HTTP_TLS_FAILED,   // certificate or handshake
    HTTP_FAILED,       // anything else; see detail
};
const char *http_result_text(enum http_result result);

struct http_answer {
    enum http_result result;
    int status; // 0 unless HTTP_OK
    struct buffer
        *body; // empty unless HTTP_OK; the receiver may take its memory and leave an empty buffer
    int64_t duration_ms;
    const char *detail; // of a failure, in the words of the library; never contains secrets
};
// The exchange is gone after return.
typedef void http_answered(void *context, const struct http_answer *answer);

struct http_request {
    const char *url;  // without user and password
    const char *user; // NULL = no authentication
    const char *password;
    const void *body; // NULL = GET, else POST; borrowed until answered or cancelled
    size_t body_size;
    const char *content_type;   // of the body; NULL = application/json
    int64_t timeout_ms;         // for everything
    int64_t connect_timeout_ms; // for resolving and connecting
    size_t reply_size_max;      // 0 = LIMIT_RPC_REPLY_SIZE
    http_answered *answered;
    void *context;
};

struct http_client *http_client_new(struct net_loop *loop);
// Cancels every request.
void http_client_free(struct http_client *client);
// Copies what the request points to, but not the body. `answered` comes exactly once, in a later
// turn, unless cancelled. NULL if out of memory or the url is no http(s) url.
struct http_exchange *http_client_start(struct http_client *client,
                                        const struct http_request *request);
// Ends it without a call of `answered`. Not from inside its own `answered`.
void http_exchange_cancel(struct http_exchange *exchange);

#define HTTP_URL_SIZE    512
#define HTTP_SECRET_SIZE 256
struct http_url {
    char url[HTTP_URL_SIZE]; // without user and password: fit to be shown
    bool has_port;
    char user[HTTP_SECRET_SIZE]; // empty if none
    char password[HTTP_SECRET_SIZE];
};
// Splits http://user:password@host:port/path; default_port (0 = none) is put in where the url has
// none. False if it is no http or https url or too long.
bool http_url_parse(const char *text, uint16_t default_port, struct http_url *out);

#endif
