// A document is made once for all who ask within its life: a hundred readers cost what one costs.
#include "node/http_page.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/meter.h"
#include "node/net/http_server.h"
#include "node/report.h"
#include "node/state.h"
#include "node/web/web.h"

#define DOCUMENTS_MAX 64

struct cached_document {
    struct buffer bytes; // empty before it is made
    struct mono_time good_until;
};

struct http_page {
    struct node *node;
    struct http_server *server;
    struct cached_document documents[DOCUMENTS_MAX];
};

static void fail(struct http_reply *reply, int status, const char *title, const char *detail)
{
    struct json_writer writer;
    reply->status = status;
    reply->content_type = "application/problem+json";
    json_writer_init(&writer, reply->body);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "type", "about:blank");
    json_write_text(&writer, "title", title);
    json_write_i64(&writer, "status", status);
    json_write_text(&writer, "detail", detail);
    json_end_object(&writer);
}

// ---- Documents

static void answer_document(struct http_page *page, size_t i, struct http_reply *reply)
{
    const struct report_document *document = report_get(i);
    struct cached_document *cached = &page->documents[i];
    struct mono_time now = net_loop_now(page->node->loop).mono;
    if (cached->bytes.size == 0 || now.ms >= cached->good_until.ms) {
        struct report_call call;
        report_call_init(&call, document, API_PUBLIC);
        buffer_reset(&cached->bytes);
        if (!report_write(page->node, &call, &cached->bytes)) {
            fail(reply, call.status, "the document cannot be made", call.detail);
            return;
        }
        cached->good_until = (struct mono_time){now.ms + report_life_ms(page->node, document)};
    }
    reply->content_type = "application/json";
    write_bytes(reply->body, cached->bytes.data, cached->bytes.size);
}

static bool answer_api(struct http_page *page, const char *path, struct http_reply *reply)
{
    const struct report_document *document;
    for (size_t i = 0; (document = report_get(i)) != NULL && i < DOCUMENTS_MAX; i++) {
        if (document->role != API_PUBLIC || document->path == NULL ||
            strcmp(document->path, path) != 0)
            continue;
        answer_document(page, i, reply);
        return true;
    }
    return false;
}

// ---- Everything else

static void answer_ready(const struct node *node, struct http_reply *reply)
{
    struct stratum_totals totals;
    stratum_totals(node->stratum, net_loop_now(node->loop), &totals);
    if (!totals.is_paused) {
        write_text(reply->body, "ready: miners are served\n");
        return;
    }
    reply->status = 503;
    write_format(reply->body, "not ready: %s\n", totals.pause_reason);
}

static bool answer_file(const char *path, struct http_reply *reply)
{
    const struct web_file *file;
    for (size_t i = 0; (file = web_file_get(i)) != NULL; i++) {
        if (strcmp(file->path, path) != 0)
            continue;
        reply->content_type = file->content_type;
        write_bytes(reply->body, file->data, file->size);
        return true;
    }
    return false;
}

static void on_request(void *context, const char *path, struct http_reply *reply)
{
    struct http_page *page = context;
    const size_t prefix_size = sizeof(API_PREFIX) - 1;
    if (strncmp(path, API_PREFIX, prefix_size) == 0 && answer_api(page, path + prefix_size, reply))
        return;
    if (answer_file(path, reply))
        return;
    if (strcmp(path, "/metrics") == 0) {
        reply->content_type = METER_CONTENT_TYPE;
        meter_write(page->node->meter, reply->body);
    } else if (strcmp(path, "/healthz") == 0)
        write_text(reply->body, "alive\n");
    else if (strcmp(path, "/readyz") == 0)
        answer_ready(page->node, reply);
    else
        fail(reply, 404, "Not Found",
             "There is the page at /, /api/v1/ with status, miners, blocks, payouts, links, "
             "daemons, peers, dht or chain, /metrics, /healthz and /readyz.");
}

struct http_page *http_page_new(struct node *node, char *error)
{
    struct http_page *page = calloc(1, sizeof(*page));
    if (page == NULL) {
        snprintf(error, NODE_ERROR_SIZE, "out of memory");
        return NULL;
    }
    page->node = node;
    for (size_t i = 0; i < DOCUMENTS_MAX; i++)
        buffer_init(&page->documents[i].bytes, REPORT_SIZE_MAX);
    struct http_server_options options = {
        .address = node->config->http_listen,
        .reply_size_max = REPORT_SIZE_MAX,
        .handler = on_request,
        .context = page,
    };
    char reason[HTTP_SERVER_ERROR_SIZE] = "out of memory";
    page->server = http_server_open(node->loop, &options, reason);
    if (page->server == NULL) {
        snprintf(error, NODE_ERROR_SIZE, "http-listen: %s", reason);
        free(page);
        return NULL;
    }
    char url[CONFIG_TEXT_SIZE + 16];
    snprintf(url, sizeof(url), "http://%s/", node->config->http_listen);
    log_event(node->log, LOG_INFO, "http", "status page", LOG_TEXT("url", url));
    return page;
}

void http_page_free(struct http_page *page)
{
    if (page == NULL)
        return;
    http_server_close(page->server);
    for (size_t i = 0; i < DOCUMENTS_MAX; i++)
        buffer_clear(&page->documents[i].bytes);
    free(page);
}
