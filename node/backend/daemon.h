// One coin daemon as far as calling it goes: where it is, its secrets, calls on their way, and what
// is wrong in a sentence that says what to do. Only backend's own files use it; they decide when to
// call and what follows.
#ifndef SHOAL_NODE_BACKEND_DAEMON_H
#define SHOAL_NODE_BACKEND_DAEMON_H

#include "node/backend/backend.h"
#include "node/backend/rpc.h"
#include "node/net/http_client.h"

struct daemon_link {
    struct http_client *http;
    const struct chain_params *params;
    int64_t connect_timeout_ms;
    struct http_url url;   // user and password as they are used now
    char shown[128];       // the url for messages, cut if it is long
    char cookie_file[512]; // empty: the secrets are configured
    bool has_cookie;
    unsigned cookies_count; // different ones so far
};

// False with a sentence in `error` if the config is wrong. Reads no file yet.
bool daemon_link_init(struct daemon_link *link, const struct backend_daemon_config *config,
                      const struct chain_params *params, char error[BACKEND_ERROR_SIZE]);
void daemon_link_clear(struct daemon_link *link); // wipes the secrets

// How a call ended. Exactly one of body and error is there.
struct daemon_answer {
    struct buffer *body; // the daemon's words, not empty; NULL if there are none
    int status;          // of HTTP
    const char *error;   // a sentence for the log, NULL if body is there
    bool is_unreachable; // no connection was made
    int64_t duration_ms;
};
typedef void daemon_answered(void *context, const struct daemon_answer *answer);

// A place for one call; its owner zeroes it and cancels it before it goes.
struct daemon_call {
    struct daemon_link *link;
    struct http_exchange *exchange; // NULL: nothing is on its way
    const char *body;
    size_t body_size;
    int64_t timeout_ms;
    unsigned cookie;  // the number of the one it was sent with
    bool has_retried; // after the cookie changed
    daemon_answered *answered;
    void *context;
};

struct daemon_call_spec {
    const struct buffer *body; // borrowed until answered or cancelled
    int64_t timeout_ms;
    daemon_answered *answered; // always from a later turn
    void *context;
};
// False if it could not be started: *error (static or of the link) says why. The place must be
// free.
bool daemon_call_start(struct daemon_call *call, struct daemon_link *link,
                       const struct daemon_call_spec *spec, char error[DAEMON_ERROR_SIZE]);
void daemon_call_cancel(struct daemon_call *call); // fine if nothing is on its way

// What is wrong with a reply to `method` that came with this HTTP status: an error reply, or none
// at all (NULL).
void daemon_describe_reply(const struct daemon_link *link, int status, const char *method,
                           const struct rpc_reply *reply, char error[DAEMON_ERROR_SIZE]);
// Parses a body with one reply. NULL with a sentence in `error` if it is none or an error reply;
// reply->is_error tells which.
struct json *daemon_parse_reply(const struct daemon_link *link, const struct daemon_answer *answer,
                                const char *method, struct rpc_reply *reply,
                                char error[DAEMON_ERROR_SIZE]);

#endif
