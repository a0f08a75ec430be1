#include "node/net/http_server.h"
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include "node/net/internal.h"

#define CHUNK_SIZE      16384
#define HEADERS_SIZE    2048
#define PATH_SIZE_MAX   512
#define CONNECTIONS_MAX 256
#define IDLE_S          30

struct http_server {
    struct lws_context *context;
    struct http_server_options options;
};

// One connection; memory of libwebsockets, zeroed at first.
struct http_session {
    struct buffer body;
    size_t sent;
    bool is_head; // headers only
};

// ---- Whom we answer

static bool is_local_name(const char *host)
{
    char name[128];
    uint8_t ip[16];
    size_t size = strlen(host);
    if (size == 0 || size >= sizeof(name))
        return false;
    memcpy(name, host, size + 1);
    if (name[0] == '[') {
        char *end = strchr(name, ']');
        if (end == NULL)
            return false;
        *end = '\0';
        return inet_pton(AF_INET6, name + 1, ip) == 1;
    }
    char *colon = strrchr(name, ':');
    if (colon != NULL && colon[1 + strspn(colon + 1, "0123456789")] != '\0')
        return false;
    if (colon != NULL)
        *colon = '\0';
    return strcmp(name, "localhost") == 0 || inet_pton(AF_INET, name, ip) == 1;
}

static bool has_local_host(struct lws *wsi)
{
    char host[128] = "";
    return lws_hdr_copy(wsi, host, sizeof(host), WSI_TOKEN_HOST) > 0 && is_local_name(host);
}

// ---- Answering

static bool add_header(struct lws *wsi, const char *name, const char *value, unsigned char **at,
                       unsigned char *end)
{
    return lws_add_http_header_by_name(wsi, (const unsigned char *)name,
                                       (const unsigned char *)value, (int)strlen(value), at,
                                       end) == 0;
}

static bool write_headers(struct lws *wsi, const struct http_reply *reply)
{
    unsigned char headers[LWS_PRE + HEADERS_SIZE];
    unsigned char *start = headers + LWS_PRE;
    unsigned char *at = start;
    unsigned char *end = headers + sizeof(headers) - 1;
    bool is_good =
        lws_add_http_common_headers(wsi, (unsigned)reply->status, reply->content_type,
                                    (lws_filepos_t)reply->body->size, &at, end) == 0 &&
        add_header(wsi, "cache-control:", "no-store", &at, end) &&
        add_header(wsi, "x-content-type-options:", "nosniff", &at, end) &&
        add_header(wsi, "referrer-policy:", "no-referrer", &at, end) &&
        add_header(wsi, "x-frame-options:", "DENY", &at, end) &&
        add_header(wsi, "content-security-policy:",
                   "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                   "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                   &at, end);
    return is_good && lws_finalize_write_http_header(wsi, start, &at, end) == 0;
}

static void make_reply(const struct http_server *server, struct lws *wsi, const char *path,
                       struct http_reply *reply)
{
    reply->status = 200;
    reply->content_type = "text/plain; charset=utf-8";
    if (!has_local_host(wsi)) {
        reply->status = 403;
        write_text(reply->body, "This page is served to addresses, not to names: use the IP "
                                "address of the node, or localhost.\n");
        return;
    }
    if (strlen(path) > PATH_SIZE_MAX) {
        reply->status = 414;
        write_text(reply->body, "The path is too long.\n");
        return;
    }
    server->options.handler(server->options.context, path, reply);
    if (!reply->body->failed)
        return;
    buffer_reset(reply->body);
    reply->status = 500;
    reply->content_type = "text/plain; charset=utf-8";
    write_text(reply->body, "The answer is too large.\n");
}

static int begin_request(const struct http_server *server, struct http_session *session,
                         struct lws *wsi, const char *path)
{
    bool is_get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
    session->is_head = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
    buffer_clear(&session->body);
    buffer_init(&session->body, server->options.reply_size_max);
    session->sent = 0;
    struct http_reply reply = {.body = &session->body};
    if (is_get || session->is_head) {
        make_reply(server, wsi, path, &reply);
    } else {
        lws_return_http_status(wsi, 405, "Only GET and HEAD are served here.");
        return -1;
    }
    if (!write_headers(wsi, &reply))
        return -1;
    if (session->is_head || reply.body->size == 0) {
        buffer_clear(&session->body);
        return lws_http_transaction_completed(wsi) ? -1 : 0;
    }
    lws_callback_on_writable(wsi);
    return 0;
}

static int write_more(struct http_session *session, struct lws *wsi)
{
    unsigned char chunk[LWS_PRE + CHUNK_SIZE];
    size_t left = session->body.size - session->sent;
    size_t size = left < CHUNK_SIZE ? left : CHUNK_SIZE;
    if (size == 0)
        return 0;
    memcpy(chunk + LWS_PRE, session->body.data + session->sent, size);
    bool is_last = size == left;
    if (lws_write(wsi, chunk + LWS_PRE, size, is_last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) <
        (int)size)
        return -1;
    session->sent += size;
    if (!is_last) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    buffer_clear(&session->body);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    struct http_session *session = user;
    if (reason == LWS_CALLBACK_HTTP)
        return begin_request(lws_context_user(lws_get_context(wsi)), session, wsi, in);
    if (reason == LWS_CALLBACK_HTTP_WRITEABLE)
        return write_more(session, wsi);
    // A connection that is no longer HTTP would be out of reach of the time-outs and of the check
    // of the host's name.
    if (reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE)
        return -1;
    if (reason == LWS_CALLBACK_CLOSED_HTTP && session != NULL)
        buffer_clear(&session->body);
    return lws_callback_http_dummy(wsi, reason, user, in, size);
}

// ---- Opening and closing

// Splits "host:port" or "[host]:port".
static bool split_address(const char *address, char host[64], int *port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address)
        return false;
    const char *start = address;
    const char *end = colon;
    if (*start == '[' && end[-1] == ']') {
        start++;
        end--;
    }
    size_t size = (size_t)(end - start);
    char *rest;
    long number = strtol(colon + 1, &rest, 10);
    if (size == 0 || size >= 64 || *rest != '\0' || rest == colon + 1 || number < 1 ||
        number > 65535)
        return false;
    memcpy(host, start, size);
    host[size] = '\0';
    *port = (int)number;
    return true;
}

static const struct lws_protocols protocols[] = {
    {.name = "http", .callback = on_event, .per_session_data_size = sizeof(struct http_session)},
    {.name = NULL},
};

static struct lws_context *make_context(struct net_loop *loop, struct http_server *server)
{
    void *loops[1] = {&loop->uv};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .foreign_loops = loops,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .fd_limit_per_thread = CONNECTIONS_MAX,
        .timeout_secs = IDLE_S,
        .keepalive_timeout = IDLE_S,
        .user = server,
    };
    lws_set_log_level(0, NULL);
    return lws_create_context(&info);
}

struct http_server *http_server_open(struct net_loop *loop,
                                     const struct http_server_options *options,
                                     char error[HTTP_SERVER_ERROR_SIZE])
{
    char host[64];
    int port;
    if (!split_address(options->address, host, &port)) {
        snprintf(error, HTTP_SERVER_ERROR_SIZE,
                 "\"%.100s\" is no address to listen on: give an IP address and a port, such as "
                 "127.0.0.1:8080",
                 options->address);
        return NULL;
    }
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return NULL;
    server->options = *options;
    server->context = make_context(loop, server);
    struct lws_context_creation_info vhost = {
        .port = port,
        .iface = host,
        .protocols = protocols,
        .options = strchr(host, ':') == NULL ? LWS_SERVER_OPTION_DISABLE_IPV6 : 0,
        .timeout_secs = IDLE_S,
        .keepalive_timeout = IDLE_S,
    };
    if (server->context != NULL && lws_create_vhost(server->context, &vhost) != NULL)
        return server;
    snprintf(error, HTTP_SERVER_ERROR_SIZE,
             "cannot listen on %.100s: another program uses the port, or the address is not of "
             "this machine (or the package libwebsockets-evlib-uv is missing)",
             options->address);
    http_server_close(server);
    return NULL;
}

void http_server_close(struct http_server *server)
{
    if (server == NULL)
        return;
    if (server->context != NULL)
        lws_context_destroy(server->context);
    free(server);
}
