// The routes of the HTTP API: one table from which requests are dispatched and checked, and against
// which the published description (openapi.json) is tested. A route says who may use it, what
// parameters it takes, and which function answers. Whatever is wrong with a request is answered
// here, as application/problem+json (RFC 9457), before the function is called. No I/O.
#ifndef SHOAL_NODE_API_ROUTE_H
#define SHOAL_NODE_API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/json.h"
#include "node/base/time.h"
#include "node/net/http_body.h"

#define API_PREFIX         "/api/v1/"
#define API_PARAMETERS_MAX 8
#define API_TEXT_SIZE      256
#define API_BODY_SIZE_MAX  16384 // of a request

// No route has the last: it is what requests have that no route takes.
enum api_method { API_GET, API_POST, API_PUT, API_DELETE, API_OTHER };

// Each role may do what those before it may.
enum api_role { API_PUBLIC, API_VIEWER, API_OPERATOR, API_ADMIN };
const char *api_role_text(enum api_role role); // "viewer"
// False unless it is one of them.
bool api_role_from_text(const char *text, enum api_role *role);

enum api_kind {
    API_NUMBER, // whole, min..max
    API_HASH,   // 64 hex digits
    API_WORD,   // one of a list
    API_NAME,   // text of 1..max bytes of UTF-8 without control characters
};

struct api_parameter {
    const char *name; // in the query; a path's {name} is a parameter, too
    enum api_kind kind;
    uint64_t min, max;   // of a number; of a name's size
    uint64_t number;     // the value where none is given
    const char *words;   // "hour day week", the first is the value where none is given
    const char *meaning; // a sentence, for people and openapi.json
};

// The value of a parameter after its check.
struct api_value {
    bool is_given;
    uint64_t number;
    char text[API_TEXT_SIZE]; // percent-decoded
};

// Who asks; from access.h.
struct api_identity {
    enum api_role role; // API_PUBLIC: nobody
    char name[64];      // of the account, "" for nobody
    char token[17];     // id of the token that was shown, "" for a session or nobody
    char address[64];   // whence, without port
    uint64_t session;   // its number, 0 for a token or nobody
};

struct api_call {
    const struct api_route *route;
    struct api_value values[API_PARAMETERS_MAX]; // in the order of the route's parameters
    struct json_value body;                      // an object, or nothing (json_exists)
    struct api_identity identity;
    struct now now;
    bool is_secure;           // over TLS: cookies are marked so
    uint64_t ticket;          // names the request to whoever answers later (is_held)
    const char *cookie;       // the header, "" for none: to end the session that it holds
    struct json *document;    // owns body
    char name[API_TEXT_SIZE]; // of {name} in the path, before its check
};

// The answer, empty at first: status 200, JSON.
struct api_reply {
    int status;
    const char *content_type;
    struct buffer *body;      // with a cap
    char set_cookie[256];     // "" for none
    int64_t retry_after_s;    // 0 for none
    bool is_kept_back;        // never in a cache, never with an ETag: it holds a secret
    struct http_body *shared; // instead of body: one copy for all who ask; its reference is given
    bool is_stream;           // events from now on, of the kinds whose bits are set
    uint32_t stream_kinds;
    bool is_held;   // nothing yet: the answer comes by web_server_answer, within 20 s
    char allow[40]; // of a 405: the methods that there are
};

struct api_route {
    enum api_method method;
    const char *path; // behind the prefix: "links", "links/{id}", "peers/{address}/ban"
    enum api_role role;
    bool has_body; // takes a JSON object
    const char *summary;
    const struct api_parameter *parameters; // those of the path first, in its order
    size_t parameters_count;
    void (*answer)(void *context, const struct api_call *call, struct api_reply *reply);
    void *context;
    bool is_open; // role public even where http-public=0: how else would one sign in
};

// A request as it came, nothing of it decoded.
struct api_request {
    enum api_method method;
    const char *path;         // behind the prefix
    const char *query;        // behind "?", "" for none
    const char *content_type; // "" for none
    const char *body;
    size_t body_size;
};

struct api_router;

// NULL if out of memory.
struct api_router *api_router_new(void);
void api_router_free(struct api_router *router);
// Routes are borrowed for the router's life. False if out of memory.
bool api_router_add(struct api_router *router, const struct api_route *routes, size_t count);
// Route i, NULL past the end.
const struct api_route *api_router_get(const struct api_router *router, size_t i);

// The three steps before a route's answer is called, in this order; after false the reply is a
// problem. Finding it: 404, or 405 with what is allowed. A path without braces goes before one
// with.
bool api_router_find(const struct api_router *router, const struct api_request *request,
                     struct api_call *call, struct api_reply *reply);
// Whether call->identity may: 401 for nobody, 403 for one of a lower role. `role_min` is asked of
// everybody where the route is not open.
bool api_call_permitted(const struct api_call *call, enum api_role role_min,
                        struct api_reply *reply);
// Fills values and body: an unknown, doubled, malformed or missing parameter, and a body that is
// no JSON object, are problems. To be followed by api_call_clear in either case.
bool api_call_read(const struct api_request *request, struct api_call *call,
                   struct api_reply *reply);
void api_call_clear(struct api_call *call);

// Makes the reply a problem: type, title (of the status), status, detail (a sentence: what, where,
// what would be right). `parameter` (may be NULL) names what was wrong.
void api_fail(struct api_reply *reply, int status, const char *parameter, const char *detail);

#endif
