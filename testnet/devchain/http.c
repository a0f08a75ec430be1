#include "testnet/devchain/http.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "testnet/common/clock.h"
#include "testnet/common/memory.h"
#include "testnet/devchain/rpc.h"

#define SERVE_US          100000
#define CHUNK_SIZE        65536
#define HEADERS_SIZE      1024
#define CONNECTIONS_MAX   512
#define IDLE_S            120
#define AUTHORIZATION_MAX 1024

struct http {
    struct lws_context *context;
    struct daemon *daemon;
    char authorization[AUTHORIZATION_MAX]; // what the header must be; empty: not looked at
    lws_sorted_usec_list_t timer;
    struct session *held; // long polls
    size_t unsent;        // answers on their way
};

// One connection, which serves one request after the other. Memory of libwebsockets, zeroed at
// first.
struct session {
    struct lws *wsi;
    bool is_ready; // buffers are initialised
    bool is_held;
    bool is_answering;
    bool is_head_sent;
    bool is_complete; // the body is here
    bool is_last;     // the connection ends with this answer
    struct session *held_next;
    unsigned refusal; // status to answer with whatever the body is, 0 if none
    struct buffer body;
    struct now arrived;
    struct rpc_reply reply;
    size_t sent;
};

static void unhold(struct http *http, struct session *session)
{
    struct session **at = &http->held;
    while (*at != NULL && *at != session)
        at = &(*at)->held_next;
    if (*at == session)
        *at = session->held_next;
    session->is_held = false;
}

static void begin_answer(struct http *http, struct session *session)
{
    unhold(http, session);
    session->is_answering = true;
    http->unsent++;
    lws_callback_on_writable(session->wsi);
}

static void end_answer(struct http *http, struct session *session)
{
    http->unsent -= session->is_answering;
    session->is_answering = false;
}

static void begin_request(struct session *session, struct lws *wsi)
{
    session->wsi = wsi;
    if (!session->is_ready) {
        buffer_init(&session->body, RPC_BODY_MAX);
        buffer_init(&session->reply.body, RPC_REPLY_MAX);
        session->is_ready = true;
    }
    buffer_reset(&session->body);
    buffer_reset(&session->reply.body);
    session->refusal = 0;
    session->is_head_sent = false;
    session->is_complete = false;
    session->is_last = false;
    session->sent = 0;
}

static void end_session(struct http *http, struct session *session)
{
    if (session == NULL || !session->is_ready)
        return;
    unhold(http, session);
    end_answer(http, session);
    buffer_clear(&session->body);
    buffer_clear(&session->reply.body);
    session->is_ready = false;
}

// Takes the same time wherever the texts differ.
static bool is_authorized(const struct http *http, struct lws *wsi)
{
    char given[AUTHORIZATION_MAX] = "";
    if (http->authorization[0] == '\0')
        return true;
    if (lws_hdr_copy(wsi, given, sizeof given, WSI_TOKEN_HTTP_AUTHORIZATION) <= 0)
        return false;
    unsigned difference = 0;
    for (size_t i = 0; i < sizeof given; i++)
        difference |= (unsigned)(uint8_t)given[i] ^ (unsigned)(uint8_t)http->authorization[i];
    return difference == 0;
}

static void refuse(struct http *http, struct session *session)
{
    session->reply.http_status = session->refusal;
    session->reply.content_type = "text/plain";
    buffer_reset(&session->reply.body);
    switch (session->refusal) {
    case 401:
        write_text(&session->reply.body, "user or password is wrong\n");
        break;
    case 405:
        write_text(&session->reply.body, "JSON-RPC server handles only POST requests\n");
        break;
    case 411:
        write_text(&session->reply.body, "a Content-Length is wanted\n");
        break;
    default:
        write_text(&session->reply.body, "request is too large\n");
        break;
    }
    begin_answer(http, session);
}

// Asks the RPC; also called again for long polls.
static void ask(struct http *http, struct session *session)
{
    struct rpc_request request = {(const char *)session->body.data, session->body.size,
                                  session->arrived};
    enum rpc_outcome outcome = rpc_handle(http->daemon, &request, clock_now(), &session->reply);
    if (outcome == RPC_ANSWER) {
        begin_answer(http, session);
        return;
    }
    lws_set_timeout(session->wsi, NO_PENDING_TIMEOUT, 0);
    if (outcome == RPC_HOLD && !session->is_held) {
        session->is_held = true;
        session->held_next = http->held;
        http->held = session;
    }
}

static void ask_held(struct http *http)
{
    struct session *next;
    for (struct session *session = http->held; session != NULL; session = next) {
        next = session->held_next;
        ask(http, session);
    }
}

// True if a body follows that is worth reading, though it be only to keep the connection in step.
static bool has_body(struct session *session)
{
    char size[24] = "";
    if (lws_hdr_total_length(session->wsi, WSI_TOKEN_POST_URI) == 0) {
        session->refusal = 405;
        return false;
    }
    // libwebsockets does not know chunked bodies.
    if (lws_hdr_copy(session->wsi, size, sizeof size, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0) {
        session->refusal = 411;
        return false;
    }
    if (strtoull(size, NULL, 10) > RPC_BODY_MAX) {
        session->refusal = 413;
        return false;
    }
    return true;
}

// Clients with large bodies wait a second for this word, which libwebsockets does not say.
static bool send_continue(struct lws *wsi)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    unsigned char line[LWS_PRE + sizeof text];
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_EXPECT) == 0)
        return true;
    memcpy(line + LWS_PRE, text, sizeof text);
    return lws_write(wsi, line + LWS_PRE, sizeof text - 1, LWS_WRITE_HTTP_HEADERS) > 0;
}

static int begin(struct http *http, struct session *session, struct lws *wsi)
{
    begin_request(session, wsi);
    bool is_waiting = has_body(session);
    if (!is_authorized(http, wsi))
        session->refusal = 401;
    if (is_waiting)
        return send_continue(wsi) ? 0 : -1;
    session->is_last = true; // what may come of a body cannot be told from a next request
    refuse(http, session);
    return 0;
}

// False if the connection is to be closed.
static bool finish_body(struct http *http, struct session *session)
{
    // A client that sends its next request before it has the answer: libwebsockets 4.1 calls this
    // over and over then, and no client of a coin daemon does it.
    if (session->is_complete)
        return false;
    session->is_complete = true;
    if (session->is_last)
        return true; // its answer is on the way
    if (session->refusal != 0) {
        refuse(http, session);
        return true;
    }
    session->arrived = clock_now();
    ask(http, session);
    ask_held(http); // it may have been a block
    return true;
}

// False if the connection is to be closed.
static bool send_head(struct session *session)
{
    unsigned char headers[LWS_PRE + HEADERS_SIZE];
    unsigned char *start = headers + LWS_PRE;
    unsigned char *at = start;
    unsigned char *end = headers + sizeof headers;
    const struct rpc_reply *reply = &session->reply;
    static const char challenge[] = "Basic realm=\"jsonrpc\"";
    if (lws_add_http_common_headers(session->wsi, reply->http_status, reply->content_type,
                                    reply->body.size, &at, end) != 0)
        return false;
    if (reply->http_status == 401 &&
        lws_add_http_header_by_token(session->wsi, WSI_TOKEN_HTTP_WWW_AUTHENTICATE,
                                     (const unsigned char *)challenge, sizeof challenge - 1, &at,
                                     end) != 0)
        return false;
    session->is_head_sent = true;
    return lws_finalize_write_http_header(session->wsi, start, &at, end) == 0;
}

static bool send_chunk(struct session *session)
{
    unsigned char chunk[LWS_PRE + CHUNK_SIZE];
    size_t left = session->reply.body.size - session->sent;
    size_t size = left < CHUNK_SIZE ? left : CHUNK_SIZE;
    memcpy(chunk + LWS_PRE, session->reply.body.data + session->sent, size);
    session->sent += size;
    enum lws_write_protocol kind = size == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP;
    return lws_write(session->wsi, chunk + LWS_PRE, size, kind) == (int)size;
}

// Head, then chunks, each when the socket has room. Non-zero closes the connection, as
// libwebsockets wants it.
static int send_reply(struct http *http, struct session *session)
{
    if (!session->is_head_sent) {
        if (!send_head(session))
            return -1;
    } else if (!send_chunk(session)) {
        return -1;
    }
    if (session->sent < session->reply.body.size) {
        lws_callback_on_writable(session->wsi);
        return 0;
    }
    end_answer(http, session);
    if (session->is_last)
        return -1;
    return lws_http_transaction_completed(session->wsi) != 0 ? -1 : 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    struct session *session = user;
    struct http *http = lws_context_user(lws_get_context(wsi));
    if (reason == LWS_CALLBACK_HTTP)
        return begin(http, session, wsi);
    if (reason == LWS_CALLBACK_HTTP_BODY) {
        if (session->refusal == 0)
            write_bytes(&session->body, in, size);
        return 0;
    }
    if (reason == LWS_CALLBACK_HTTP_BODY_COMPLETION)
        return finish_body(http, session) ? 0 : -1;
    if (reason == LWS_CALLBACK_HTTP_WRITEABLE)
        return send_reply(http, session);
    if (reason == LWS_CALLBACK_CLOSED_HTTP || reason == LWS_CALLBACK_HTTP_DROP_PROTOCOL) {
        end_session(http, session);
        return 0;
    }
    // Nothing but HTTP: no upgrade to WebSocket.
    return reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION ? 1 : 0;
}

static void on_timer(lws_sorted_usec_list_t *timer)
{
    (void)timer; // its only purpose is that lws_service returns
}

static bool set_password(struct http *http, const char *password)
{
    static const char scheme[] = "Basic ";
    if (password == NULL)
        return true;
    memcpy(http->authorization, scheme, sizeof scheme);
    return lws_b64_encode_string(password, (int)strlen(password),
                                 http->authorization + sizeof scheme - 1,
                                 (int)(sizeof http->authorization - sizeof scheme)) > 0;
}

struct http *http_open(struct daemon *daemon, const struct http_options *options)
{
    static const struct lws_protocols protocols[] = {
        {.name = "http", .callback = on_event, .per_session_data_size = sizeof(struct session)},
        {0}};
    struct http *http = memory_new(1, sizeof *http);
    http->daemon = daemon;
    bool is_v6 = strchr(options->bind, ':') != NULL;
    struct lws_context_creation_info info = {
        .port = options->port,
        .iface = options->bind,
        .protocols = protocols,
        .user = http,
        .gid = -1,
        .uid = -1,
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   (is_v6 ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6),
        .keepalive_timeout = IDLE_S,
        .max_http_header_pool = CONNECTIONS_MAX,
    };
    lws_set_log_level(0, NULL); // what goes wrong is said here, in our words
    if (set_password(http, options->password))
        http->context = lws_create_context(&info);
    if (http->context != NULL)
        return http;
    free(http);
    return NULL;
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    lws_context_destroy(http->context);
    free(http);
}

void http_serve(struct http *http)
{
    lws_sul_schedule(http->context, 0, &http->timer, on_timer, SERVE_US);
    lws_service(http->context, 0);
    ask_held(http);
}

bool http_is_answering(const struct http *http)
{
    return http->unsent > 0;
}

uint16_t http_port(const struct http *http)
{
    return (uint16_t)lws_get_vhost_listen_port(lws_get_vhost_by_name(http->context, "default"));
}
