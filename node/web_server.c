#include "node/web_server.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/api/rate.h"
#include "node/meter.h"
#include "node/report.h"
#include "node/state.h"
#include "node/web/web.h"
#include "node/web_documents.h"
#include "node/web_events.h"
#include "node/web_openapi.h"

#define FILES_MAX 96

// A file of node/web, ready to be sent.
struct web_page_file {
    const struct web_file *file;
    struct http_body *plain;
    struct http_body *gzip;
};

struct web_server {
    struct node *node;
    struct http_server *http;
    struct api_router *router;
    struct api_rate *rate;
    struct web_documents *documents;
    struct web_events *events;
    struct web_page_file files[FILES_MAX];
    size_t files_count;
};

// ---- Problems, and replies of routes as replies of the server

static void fail(struct http_reply *reply, int status, const char *detail)
{
    struct api_reply problem = {.body = reply->text};
    api_fail(&problem, status, NULL, detail);
    reply->status = problem.status;
    reply->content_type = problem.content_type;
}

static void api_reply_init(struct api_reply *reply, struct buffer *body)
{
    *reply = (struct api_reply){.status = 200, .content_type = "application/json", .body = body};
}

static void take_reply(const struct api_reply *from, struct http_reply *to)
{
    to->status = from->status;
    to->content_type = from->content_type;
    to->body = from->shared;
    to->retry_after_s = from->retry_after_s;
    to->is_held = from->is_held;
    to->is_stream = from->is_stream;
    to->stream_kinds = from->stream_kinds;
    memcpy(to->set_cookie, from->set_cookie, sizeof(to->set_cookie));
    memcpy(to->allow, from->allow, sizeof(to->allow));
    // Asked for again each time, and sent again only where it is another one.
    to->has_etag = from->status == 200 && !from->is_kept_back;
    if (to->has_etag)
        to->cache_control = "no-cache";
}

bool web_server_answer(struct web_server *web, uint64_t ticket,
                       void (*fill)(void *context, struct api_reply *reply), void *context)
{
    struct buffer body;
    struct api_reply reply;
    struct http_reply answer = {.status = 200, .cache_control = "no-store", .text = &body};
    buffer_init(&body, REPORT_SIZE_MAX);
    api_reply_init(&reply, &body);
    fill(context, &reply);
    take_reply(&reply, &answer);
    bool is_there = http_server_answer(web->http, ticket, &answer);
    buffer_clear(&body);
    return is_there;
}

// ---- Who asks

static bool check_credentials(struct web_server *web, const struct http_request *request,
                              struct api_call *call, struct api_reply *reply)
{
    const struct http_head *head = request->head;
    bool changes_something = call->route->method != API_GET;
    struct access_credentials credentials = {
        .authorization = head->fields[HTTP_AUTHORIZATION],
        .cookie = head->fields[HTTP_COOKIE],
        .address = request->address,
        .changes_something = changes_something,
        .csrf = head->fields[HTTP_CSRF],
    };
    if (web->node->access == NULL)
        return true;
    switch (access_check(web->node->access, &credentials, call->now, &call->identity,
                         &reply->retry_after_s)) {
    case ACCESS_GRANTED:
        return true;
    case ACCESS_LIMITED:
        api_fail(reply, 429, NULL, "There were too many wrong attempts from this address.");
        return false;
    case ACCESS_WRONG:
        break;
    }
    // A browser whose session is over still reads what everybody may read, and signs in again.
    call->identity.role = API_PUBLIC;
    if (credentials.authorization[0] == '\0' && (!changes_something || call->route->is_open))
        return true;
    api_fail(reply, 401, NULL,
             "The token or session is unknown, expired or revoked; or a session was shown without "
             "its X-Shoal-Csrf.");
    return false;
}

// Of everybody who reads.
static enum api_role role_min(const struct web_server *web)
{
    return web->node->config->http_public ? API_PUBLIC : API_VIEWER;
}

// ---- The API

static enum api_method method_of(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
    case HTTP_HEAD:
        return API_GET;
    case HTTP_POST:
        return API_POST;
    case HTTP_PUT:
        return API_PUT;
    case HTTP_DELETE:
        return API_DELETE;
    case HTTP_OTHER:
        return API_OTHER;
    }
    abort();
}

static void answer_call(struct web_server *web, const struct http_request *request,
                        struct api_call *call, struct api_reply *reply)
{
    struct api_request asked = {
        .method = method_of(request->head->method),
        .path = request->head->path + sizeof(API_PREFIX) - 1,
        .query = request->head->query,
        .content_type = request->head->fields[HTTP_CONTENT_TYPE],
        .body = request->body,
        .body_size = request->body_size,
    };
    if (!api_router_find(web->router, &asked, call, reply) ||
        !check_credentials(web, request, call, reply) ||
        !api_call_permitted(call, role_min(web), reply) || !api_call_read(&asked, call, reply))
        return;
    web_events_prepare(web->events, request);
    call->route->answer(call->route->context, call, reply);
}

static void answer_api(struct web_server *web, const struct http_request *request,
                       struct http_reply *reply)
{
    struct api_call call = {
        .now = net_loop_now(web->node->loop),
        .is_secure = request->is_secure,
        .ticket = request->ticket,
        .cookie = request->head->fields[HTTP_COOKIE],
    };
    struct api_reply answer;
    snprintf(call.identity.address, sizeof(call.identity.address), "%s", request->address);
    api_reply_init(&answer, reply->text);
    answer_call(web, request, &call, &answer);
    api_call_clear(&call);
    take_reply(&answer, reply);
}

// ---- Health

// NULL while miners are served.
static const char *not_ready(const struct node *node, struct stratum_totals *totals)
{
    stratum_totals(node->stratum, net_loop_now(node->loop), totals);
    return totals->is_paused ? totals->pause_reason : NULL;
}

static void answer_ready(const struct node *node, struct http_reply *reply)
{
    struct stratum_totals totals;
    const char *reason = not_ready(node, &totals);
    if (reason == NULL) {
        write_text(reply->text, "ready: miners are served\n");
        return;
    }
    reply->status = 503;
    write_format(reply->text, "not ready: %s\n", reason);
}

static void answer_health(const struct node *node, struct http_reply *reply)
{
    struct json_writer writer;
    struct stratum_totals totals;
    const char *reason = not_ready(node, &totals);
    reply->status = reason == NULL ? 200 : 503;
    reply->content_type = "application/json";
    json_writer_init(&writer, reply->text);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "status", reason == NULL ? "ok" : "failing");
    json_write_bool(&writer, "is_live", true);
    json_write_bool(&writer, "is_ready", reason == NULL);
    json_begin_array(&writer, "reasons");
    if (reason != NULL)
        json_write_text(&writer, NULL, reason);
    json_end_array(&writer);
    json_end_object(&writer);
}

static void answer_metrics(struct web_server *web, const struct http_request *request,
                           struct http_reply *reply)
{
    static const struct api_route route = {.method = API_GET, .path = "metrics"};
    struct api_call call = {.route = &route, .now = net_loop_now(web->node->loop)};
    struct api_reply refusal;
    api_reply_init(&refusal, reply->text);
    if (!check_credentials(web, request, &call, &refusal) ||
        !api_call_permitted(&call, role_min(web), &refusal)) {
        take_reply(&refusal, reply);
        return;
    }
    reply->content_type = METER_CONTENT_TYPE;
    meter_write(web->node->meter, reply->text);
}

// ---- Files

static const struct web_page_file *find_file(const struct web_server *web, const char *path)
{
    for (size_t i = 0; i < web->files_count; i++) {
        if (strcmp(web->files[i].file->path, path) == 0)
            return &web->files[i];
    }
    return NULL;
}

static void answer_file(const struct web_page_file *file, const struct http_head *head,
                        struct http_reply *reply)
{
    bool is_smaller = file->gzip->size < file->plain->size;
    reply->is_gzip = is_smaller && http_list_has(head->fields[HTTP_ACCEPT_ENCODING], "gzip");
    reply->varies = is_smaller;
    reply->body = http_body_ref(reply->is_gzip ? file->gzip : file->plain);
    reply->content_type = file->file->content_type;
    reply->cache_control = "no-cache";
    reply->has_etag = true;
}

static bool load_files(struct web_server *web)
{
    const struct web_file *file;
    for (size_t i = 0; (file = web_file_get(i)) != NULL; i++) {
        struct web_page_file *loaded = &web->files[i];
        assert(i < FILES_MAX);
        loaded->file = file;
        loaded->plain = http_body_new(file->data, file->size);
        loaded->gzip = http_body_new(file->gzip, file->gzip_size);
        web->files_count++;
        if (loaded->plain == NULL || loaded->gzip == NULL)
            return false;
    }
    return true;
}

// ---- Requests

static void answer_page(struct web_server *web, const struct http_request *request,
                        struct http_reply *reply)
{
    const struct http_head *head = request->head;
    const struct web_page_file *file = find_file(web, head->path);
    if (file != NULL)
        answer_file(file, head, reply);
    else if (strcmp(head->path, "/livez") == 0)
        write_text(reply->text, "alive\n");
    else if (strcmp(head->path, "/readyz") == 0)
        answer_ready(web->node, reply);
    else if (strcmp(head->path, "/healthz") == 0)
        answer_health(web->node, reply);
    else if (strcmp(head->path, "/metrics") == 0)
        answer_metrics(web, request, reply);
    else
        fail(reply, 404,
             "There is the dashboard at /, what it reads under " API_PREFIX
             ", and /livez, /readyz, /healthz and /metrics.");
}

static void on_request(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct web_server *web = context;
    const struct http_head *head = request->head;
    struct mono_time now = net_loop_now(web->node->loop).mono;
    if (!request->is_loopback && !api_rate_take(web->rate, request->address, now)) {
        fail(reply, 429, "These are more than 50 requests a second from this address.");
        reply->retry_after_s = 1;
        return;
    }
    if (strncmp(head->path, API_PREFIX, sizeof(API_PREFIX) - 1) == 0) {
        answer_api(web, request, reply);
        return;
    }
    answer_page(web, request, reply);
    if (reply->status == 404 || head->method == HTTP_GET || head->method == HTTP_HEAD)
        return;
    http_body_unref(reply->body);
    reply->body = NULL;
    reply->has_etag = reply->is_gzip = false;
    reply->cache_control = "no-store";
    fail(reply, 405, "This can be read with GET or HEAD only.");
    snprintf(reply->allow, sizeof(reply->allow), "GET, HEAD");
}

static void on_stream_opened(void *context, uint64_t ticket)
{
    struct web_server *web = context;
    web_events_stream_opened(web->events, ticket);
}

static void on_stream_closed(void *context, uint64_t ticket)
{
    (void)context;
    (void)ticket;
}

// ---- Making it

static bool listen_at(struct web_server *web, char *error)
{
    const struct config *config = web->node->config;
    bool is_secure = config->http_tls_cert[0] != '\0';
    struct http_server_options options = {
        .address = config->http_listen,
        .names_count = config->http_host.count,
        .certificate = is_secure ? config->http_tls_cert : NULL,
        .key = is_secure ? config->http_tls_key : NULL,
        .reply_size_max = REPORT_SIZE_MAX,
        .handler = on_request,
        .stream_opened = on_stream_opened,
        .stream_closed = on_stream_closed,
        .context = web,
        .log = web->node->log,
    };
    for (size_t i = 0; i < config->http_host.count; i++)
        options.names[i] = config->http_host.items[i];
    if (is_secure != (config->http_tls_key[0] != '\0')) {
        snprintf(error, NODE_ERROR_SIZE, "%s: missing; TLS needs http-tls-cert and http-tls-key",
                 is_secure ? "http-tls-key" : "http-tls-cert");
        return false;
    }
    char reason[HTTP_SERVER_ERROR_SIZE];
    web->http = http_server_open(web->node->loop, &options, reason);
    if (web->http == NULL) {
        snprintf(error, NODE_ERROR_SIZE, "http-listen: %s", reason);
        return false;
    }
    char url[CONFIG_TEXT_SIZE + 16];
    snprintf(url, sizeof(url), "%s://%s/", is_secure ? "https" : "http", config->http_listen);
    log_event(web->node->log, LOG_INFO, "http", "dashboard", LOG_TEXT("url", url));
    return true;
}

static bool add_own_routes(struct web_server *web)
{
    size_t count;
    const struct api_route *routes = web_documents_routes(web->documents, &count);
    if (!web_server_add(web, routes, count))
        return false;
    routes = web_events_routes(web->events, &count);
    return web_server_add(web, routes, count) && web_server_add(web, web_openapi_route(), 1);
}

struct web_server *web_server_new(struct node *node, char *error)
{
    struct web_server *web = calloc(1, sizeof(*web));
    snprintf(error, NODE_ERROR_SIZE, "out of memory");
    if (web == NULL)
        return NULL;
    web->node = node;
    web->router = api_router_new();
    web->rate = api_rate_new(&node->env);
    web->documents = web_documents_new(node);
    web->events = web_events_new(node);
    bool is_made = web->router != NULL && web->rate != NULL && web->documents != NULL &&
                   web->events != NULL && load_files(web) && add_own_routes(web);
    if (!is_made || !listen_at(web, error)) {
        web_server_free(web);
        return NULL;
    }
    web_events_serve(web->events, web->http);
    node->web_events = web->events;
    return web;
}

void web_server_free(struct web_server *web)
{
    if (web == NULL)
        return;
    web->node->web_events = NULL;
    http_server_close(web->http);
    web_events_free(web->events);
    web_documents_free(web->documents);
    api_router_free(web->router);
    api_rate_free(web->rate);
    for (size_t i = 0; i < web->files_count; i++) {
        http_body_unref(web->files[i].plain);
        http_body_unref(web->files[i].gzip);
    }
    free(web);
}

bool web_server_add(struct web_server *web, const struct api_route *routes, size_t count)
{
    return api_router_add(web->router, routes, count);
}

const struct api_route *web_server_route(const struct web_server *web, size_t i)
{
    return api_router_get(web->router, i);
}

void web_server_counts(const struct web_server *web, struct http_server_counts *counts)
{
    http_server_counts(web->http, counts);
}
