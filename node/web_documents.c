// The documents as routes. A document is made once for all who ask the same within its life: a
// hundred readers cost what one costs.
#include "node/web_documents.h"
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "node/report.h"
#include "node/state.h"

#define CACHE_MAX       64
#define CACHE_BYTES_MAX (32u << 20)

// A document as it was answered.
struct cached_document {
    const struct report_document *document;
    bool is_private;
    uint8_t question[16]; // a hash of the parameters' values
    struct http_body *body;
    struct mono_time good_until;
};

struct web_documents {
    struct node *node;
    struct api_route *routes; // for each, context is a struct web_document
    struct web_document *documents;
    size_t count;
    struct cached_document cache[CACHE_MAX];
    size_t cache_count;
    size_t cache_bytes;
};

// The context of a route.
struct web_document {
    struct web_documents *owner;
    const struct report_document *document;
};

// ---- What was answered before

static void forget(struct web_documents *documents, size_t i)
{
    struct http_body *body = documents->cache[i].body;
    assert(body != NULL);
    documents->cache_bytes -= body->size;
    http_body_unref(body);
    documents->cache_count--;
    documents->cache[i] = documents->cache[documents->cache_count];
}

static void forget_old(struct web_documents *documents, struct mono_time now)
{
    for (size_t i = documents->cache_count; i > 0; i--) {
        if (documents->cache[i - 1].good_until.ms <= now.ms)
            forget(documents, i - 1);
    }
}

static void hash_question(const struct api_call *call, uint8_t out[16])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 16);
    for (size_t i = 0; i < call->route->parameters_count; i++) {
        const struct api_value *value = &call->values[i];
        uint8_t is_given = value->is_given;
        crypto_generichash_update(&state, &is_given, 1);
        crypto_generichash_update(&state, (const uint8_t *)value->text, strlen(value->text) + 1);
    }
    crypto_generichash_final(&state, out, 16);
}

static struct http_body *find(const struct web_documents *documents,
                              const struct cached_document *wanted)
{
    for (size_t i = 0; i < documents->cache_count; i++) {
        const struct cached_document *cached = &documents->cache[i];
        if (cached->document == wanted->document && cached->is_private == wanted->is_private &&
            memcmp(cached->question, wanted->question, sizeof(cached->question)) == 0)
            return cached->body;
    }
    return NULL;
}

static void keep(struct web_documents *documents, const struct cached_document *made)
{
    while (documents->cache_count > 0 &&
           (documents->cache_count == CACHE_MAX ||
            documents->cache_bytes + made->body->size > CACHE_BYTES_MAX))
        forget(documents, 0);
    documents->cache[documents->cache_count] = *made;
    documents->cache_count++;
    documents->cache_bytes += made->body->size;
}

// ---- Answering

static struct http_body *make(struct web_documents *documents, const struct api_call *call,
                              const struct report_document *document, struct api_reply *reply)
{
    struct report_call report;
    report_call_init(&report, document, call->identity.role);
    memcpy(report.values, call->values, sizeof(report.values));
    if (!report_write(documents->node, &report, reply->body)) {
        api_fail(reply, report.status, report.parameter, report.detail);
        return NULL;
    }
    struct http_body *body = http_body_new(reply->body->data, reply->body->size);
    buffer_reset(reply->body);
    if (body == NULL)
        api_fail(reply, 503, NULL, "There is no memory for this document now.");
    return body;
}

static void answer_document(void *context, const struct api_call *call, struct api_reply *reply)
{
    const struct web_document *route = context;
    struct web_documents *documents = route->owner;
    const struct report_document *document = route->document;
    struct cached_document wanted = {
        .document = document,
        .is_private = document->has_private_part && call->identity.role > API_PUBLIC,
    };
    hash_question(call, wanted.question);
    forget_old(documents, call->now.mono);
    struct http_body *body = find(documents, &wanted);
    if (body == NULL) {
        wanted.body = make(documents, call, document, reply);
        if (wanted.body == NULL)
            return;
        int64_t life_ms = report_life_ms(documents->node, document);
        wanted.good_until = (struct mono_time){call->now.mono.ms + life_ms};
        body = wanted.body;
        keep(documents, &wanted);
    }
    reply->shared = http_body_ref(body);
}

// ---- Routes

struct web_documents *web_documents_new(struct node *node)
{
    struct web_documents *documents = calloc(1, sizeof(*documents));
    size_t count = 0;
    while (report_get(count) != NULL)
        count++;
    if (documents == NULL)
        return NULL;
    assert(count > 0);
    documents->node = node;
    documents->routes = calloc(count, sizeof(struct api_route));
    documents->documents = calloc(count, sizeof(struct web_document));
    if (documents->routes == NULL || documents->documents == NULL) {
        web_documents_free(documents);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const struct report_document *document = report_get(i);
        if (document->path == NULL)
            continue;
        struct web_document *route = &documents->documents[documents->count];
        *route = (struct web_document){documents, document};
        documents->routes[documents->count] = (struct api_route){
            .method = API_GET,
            .path = document->path,
            .role = document->role,
            .summary = document->meaning,
            .parameters = document->parameters,
            .parameters_count = document->parameters_count,
            .answer = answer_document,
            .context = route,
        };
        documents->count++;
    }
    return documents;
}

void web_documents_free(struct web_documents *documents)
{
    if (documents == NULL)
        return;
    while (documents->cache_count > 0)
        forget(documents, 0);
    free(documents->routes);
    free(documents->documents);
    free(documents);
}

const struct api_route *web_documents_routes(const struct web_documents *documents, size_t *count)
{
    *count = documents->count;
    return documents->routes;
}
