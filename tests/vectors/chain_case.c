// Whole share-chains: the objects of a case in every order of its lists, each time into an empty
// engine.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sharechain/sharechain.h"
#include "tests/vectors/vectors.h"

#define OBJECTS_MAX 4096
#define SOURCE      1

enum object_kind { OBJECT_HEADER, OBJECT_SHARE, OBJECT_BODY };

struct object {
    enum object_kind kind;
    struct buffer bytes;
    struct buffer body;
    bool has_body;
};

struct chain_run {
    const struct vector_case *c;
    struct pool pool;
    struct object *objects;
    size_t objects_count;
    struct store *store;
    struct sharechain *chain;
};

static bool read_object(struct chain_run *run, struct json_value value, struct object *object)
{
    const struct vector_case *c = run->c;
    buffer_init(&object->bytes, 1u << 20);
    buffer_init(&object->body, 1u << 20);
    if (json_is_present(json_get(value, "header"))) {
        object->kind = OBJECT_HEADER;
        return vector_read_blob(c, value, "header", &object->bytes) &&
               object->bytes.size == HEADER_SIZE;
    }
    object->has_body = json_is_present(json_get(value, "body"));
    if (object->has_body && !vector_read_blob(c, value, "body", &object->body))
        return false;
    object->kind = json_is_present(json_get(value, "share")) ? OBJECT_SHARE : OBJECT_BODY;
    if (object->kind == OBJECT_BODY)
        return object->has_body;
    return vector_read_blob(c, value, "share", &object->bytes);
}

static bool read_objects(struct chain_run *run)
{
    struct json_value list = json_get(run->c->inputs, "objects");
    size_t count = json_size(list);
    if (count == 0 || count > OBJECTS_MAX)
        return false;
    run->objects = calloc(count, sizeof(struct object));
    if (run->objects == NULL)
        return false;
    for (struct json_value value = json_first(list); json_exists(value); value = json_next(value)) {
        if (!read_object(run, value, &run->objects[run->objects_count]))
            return false;
        run->objects_count++;
    }
    return true;
}

static void feed(struct chain_run *run, const struct object *object)
{
    // A body of no bytes is a body too: give it an address.
    static const uint8_t nothing[1];
    const uint8_t *body = object->body.size > 0 ? object->body.data : nothing;
    switch (object->kind) {
    case OBJECT_HEADER:
        sharechain_add_header(run->chain, object->bytes.data);
        return;
    case OBJECT_BODY:
        sharechain_add_body(run->chain, body, object->body.size, SOURCE);
        return;
    case OBJECT_SHARE:
        break;
    }
    struct share_arrival arrival = {
        .bytes = object->bytes.data,
        .size = object->bytes.size,
        .body = object->has_body ? body : NULL,
        .body_size = object->body.size,
        .source = SOURCE,
    };
    sharechain_add_share(run->chain, &arrival);
}

static void check_verdict(const struct chain_run *run, struct json_value expect, const char *key,
                          const char *got)
{
    if (json_text_equals(json_get(expect, key), "not valid") && strcmp(got, "valid") != 0 &&
        strcmp(got, "none") != 0)
        return;
    vector_check_text(run->c, expect, key, got);
}

static void check_object(const struct chain_run *run, const struct object *object,
                         struct json_value expect)
{
    vector_known_keys(run->c, expect,
                      object->kind == OBJECT_HEADER  ? "header reason"
                      : object->kind == OBJECT_SHARE ? "share link reason"
                                                     : "reason");
    struct hash256 id;
    if (object->kind == OBJECT_HEADER) {
        header_id(object->bytes.data, &id);
        check_verdict(run, expect, "header",
                      verdict_text(header_chain_verdict(sharechain_headers(run->chain), &id)));
        return;
    }
    enum verdict share =
        sharechain_share_verdict(run->chain, object->bytes.data, object->bytes.size);
    const char *link = verdict_text(share);
    if (share == VERDICT_VALID) {
        header_id(object->bytes.data + 1, &id);
        bool misses_link;
        enum verdict verdict = sharechain_link_verdict(run->chain, &id, &misses_link);
        link = misses_link ? "none" : verdict_text(verdict);
    }
    check_verdict(run, expect, "share", verdict_text(share));
    check_verdict(run, expect, "link", link);
}

static bool object_at(const struct chain_run *run, struct json_value index, struct object **object)
{
    uint64_t i;
    if (!vector_value_u64(index, &i) || i >= run->objects_count) {
        vector_malformed(run->c, "orders", "an index without an object");
        return false;
    }
    *object = &run->objects[i];
    return true;
}

static void check_objects(const struct chain_run *run, struct json_value order,
                          struct json_value expect, bool follows_order)
{
    size_t i = 0;
    struct json_value index = json_first(order);
    for (struct json_value value = json_first(expect); json_exists(value);
         value = json_next(value), i++) {
        struct object *object = i < run->objects_count ? &run->objects[i] : NULL;
        if (follows_order && !object_at(run, index, &object))
            return;
        if (object == NULL) {
            vector_malformed(run->c, "expect.objects", "more than there are objects");
            return;
        }
        vector_where(run->c, "objects[%zu].", i);
        if (object->kind != OBJECT_BODY)
            check_object(run, object, value);
        index = json_next(index);
    }
    vector_where(run->c, "%s", "");
    size_t wanted = follows_order ? json_size(order) : run->objects_count;
    if (i != wanted)
        vector_malformed(run->c, "expect.objects", "not one for each object");
}

// ---- Links

struct credit_lines {
    char *lines[OBJECTS_MAX];
    size_t count;
};

static void add_credit_line(void *context, const struct script *script, const struct u256 *weight)
{
    struct credit_lines *lines = context;
    struct buffer line;
    buffer_init(&line, 512);
    char decimal[80];
    u256_to_decimal(weight, decimal);
    for (size_t i = 0; i < script->size; i++)
        write_format(&line, "%02x", script->bytes[i]);
    write_format(&line, ":%s", decimal);
    write_u8(&line, 0);
    if (lines->count < OBJECTS_MAX)
        lines->lines[lines->count++] = (char *)line.data;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_credits(const struct chain_run *run, const struct hash256 *id,
                          struct json_value expect)
{
    struct credit_lines *lines = calloc(1, sizeof(*lines));
    sharechain_link_credits(run->chain, id, add_credit_line, lines);
    qsort(lines->lines, lines->count, sizeof(char *), compare_lines);
    size_t i = 0;
    for (struct json_value value = json_first(expect); json_exists(value);
         value = json_next(value), i++) {
        if (i >= lines->count || !json_text_equals(value, lines->lines[i]))
            vector_mismatch(run->c, "credits", i < lines->count ? lines->lines[i] : "(none)",
                            "another line");
    }
    if (i != lines->count)
        vector_mismatch(run->c, "credits", "another number of lines", "as many as expected");
    for (i = 0; i < lines->count; i++)
        free(lines->lines[i]);
    free(lines);
}

static void check_window(const struct chain_run *run, const struct window_view *view,
                         struct json_value expect, const char *names)
{
    vector_known_keys(run->c, expect, names);
    vector_check_hash(run->c, expect, "link", &view->epoch);
    vector_check_u64(run->c, expect, "height", view->epoch_height);
    vector_check_u256(run->c, expect, "sum", &view->sum);
    vector_check_u64(run->c, expect, "links", view->links_count);
}

static void check_payout(const struct chain_run *run, const struct hash256 *id,
                         struct json_value expect)
{
    static struct coinbase_output outputs[COINBASE_OUTPUTS_MAX];
    size_t count = 0;
    struct hash256 hash;
    if (!sharechain_share_outputs(run->chain, id, outputs, &count)) {
        vector_mismatch(run->c, "payout", "none", "a list");
        return;
    }
    vector_outputs_sha256(outputs, count, &hash);
    vector_check_u64(run->c, expect, "payout_count", count);
    vector_check_hash(run->c, expect, "payout_sha256", &hash);
}

static void check_link(const struct chain_run *run, struct json_value expect)
{
    struct hash256 id;
    struct link_view view;
    struct window_view window;
    if (!vector_read_hash(run->c, expect, "id", &id))
        return;
    if (!sharechain_link(run->chain, &id, &view)) {
        vector_mismatch(run->c, "id", "no valid link", "a valid link");
        return;
    }
    vector_known_keys(run->c, expect,
                      "id height link_bits cum_work weight detached tip tip_height epoch window "
                      "payout_count payout_sha256 credits");
    vector_check_u64(run->c, expect, "height", view.height);
    vector_check_bits(run->c, expect, "link_bits", view.link_bits);
    vector_check_u256(run->c, expect, "cum_work", &view.work);
    vector_check_u256(run->c, expect, "weight", &view.weight);
    vector_check_bool(run->c, expect, "detached", view.is_detached);
    vector_check_hash(run->c, expect, "tip", &view.tip);
    vector_check_i64(run->c, expect, "tip_height", view.tip_height);
    check_credits(run, &id, json_get(expect, "credits"));
    check_payout(run, &id, expect);
    if (sharechain_window(run->chain, &id, &window))
        check_window(run, &window, json_get(expect, "window"), "sum links");
    if (sharechain_share_window(run->chain, &id, &window))
        check_window(run, &window, json_get(expect, "epoch"), "link height sum links");
}

static void check_links(const struct chain_run *run, struct json_value expect)
{
    struct sharechain_counts counts;
    sharechain_counts(run->chain, &counts);
    if (counts.links != json_size(expect))
        vector_mismatch(run->c, "links", "another number of valid links", "as many as expected");
    size_t i = 0;
    for (struct json_value value = json_first(expect); json_exists(value);
         value = json_next(value), i++) {
        vector_where(run->c, "links[%zu].", i);
        check_link(run, value);
    }
    vector_where(run->c, "%s", "");
}

// ---- One order

static void run_order(struct chain_run *run, struct json_value order, struct json_value expect,
                      bool follows_order)
{
    run->store = store_memory_new();
    run->chain = sharechain_new(run->c->env, &run->pool, run->store, NULL);
    for (struct json_value index = json_first(order); json_exists(index);
         index = json_next(index)) {
        struct object *object;
        if (object_at(run, index, &object))
            feed(run, object);
    }
    struct link_view tip;
    sharechain_tip(run->chain, &tip);
    vector_known_keys(run->c, expect, "tip tip_height objects links");
    vector_check_hash(run->c, expect, "tip", &tip.id);
    vector_check_u64(run->c, expect, "tip_height", tip.height);
    check_objects(run, order, json_get(expect, "objects"), follows_order);
    if (json_exists(json_get(expect, "links")))
        check_links(run, json_get(expect, "links"));
    sharechain_free(run->chain);
    store_close(run->store);
}

static void run_orders(struct chain_run *run)
{
    const struct vector_case *c = run->c;
    struct json_value orders = json_get(c->inputs, "orders");
    if (json_size(orders) == 0)
        vector_malformed(c, "orders", "there are none");
    for (struct json_value order = json_first(orders); json_exists(order); order = json_next(order))
        run_order(run, order, c->expect, false);
    struct json_value partial = json_get(c->inputs, "partial");
    for (struct json_value part = json_first(partial); json_exists(part); part = json_next(part))
        run_order(run, json_get(part, "order"), json_get(part, "expect"), true);
}

enum case_outcome vector_chain_case(const struct vector_case *c)
{
    struct chain_run run = {.c = c};
    if (vector_read_pool(c, &run.pool)) {
        if (read_objects(&run))
            run_orders(&run);
        else
            vector_malformed(c, "objects", "not a list of headers, shares and bodies");
    }
    for (size_t i = 0; run.objects != NULL && i < run.objects_count + 1; i++) {
        if (i >= json_size(json_get(c->inputs, "objects")))
            break;
        buffer_clear(&run.objects[i].bytes);
        buffer_clear(&run.objects[i].body);
    }
    free(run.objects);
    return vector_outcome(c);
}
