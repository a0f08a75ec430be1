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

#define API_PREFIX         "/api/v1/"
#define API_PARAMETERS_MAX 8
#define API_TEXT_SIZE      256
#define API_BODY_SIZE_MAX  16384 // of a request

enum api_method { API_GET, API_POST, API_PUT, API_DELETE };

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
};

// The answer, empty at first: status 200, JSON.
struct api_reply {
    int status;
    const char *content_type;
    struct buffer *body;   // with a cap
    char set_cookie[256];  // "" for none
    int64_t retry_after_s; // 0 for none
    bool is_kept_back;     // never in a cache, never with an ETag: it holds a secret
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
};

// Makes the reply a problem: type, title (of the status), status, detail (a sentence: what, where,
// what would be right). `parameter` (may be NULL) names what was wrong.
void api_fail(struct api_reply *reply, int status, const char *parameter, const char *detail);

#endif
