#include "node/report.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "node/report_parts.h"

#define REQUEST_TOKENS_MAX 32
// To make "payouts" the window is walked: a long one more rarely.
#define LIFE_PER_WINDOW_LINK_MS 1

// ---- Calls

void report_call_init(struct report_call *call, const struct report_document *document,
                      enum api_role role)
{
    call->document = document;
    call->role = role;
    call->status = 200;
    call->parameter = NULL;
    call->detail[0] = '\0';
    assert(document->parameters_count <= API_PARAMETERS_MAX);
    for (size_t i = 0; i < document->parameters_count; i++)
        api_parameter_default(&document->parameters[i], &call->values[i]);
}

void report_fail(struct report_call *call, int status, const char *parameter, const char *format,
                 ...)
{
    va_list arguments;
    call->status = status;
    call->parameter = parameter;
    va_start(arguments, format);
    vsnprintf(call->detail, sizeof(call->detail), format, arguments);
    va_end(arguments);
}

// "from, limit", for people.
static void list_parameters(const struct report_document *document, char *out, size_t capacity)
{
    size_t used = 0;
    snprintf(out, capacity, "none");
    for (size_t i = 0; i < document->parameters_count && used < capacity; i++) {
        int added = snprintf(out + used, capacity - used, "%s%s", i == 0 ? "" : ", ",
                             document->parameters[i].name);
        used += added > 0 ? (size_t)added : 0;
    }
}

bool report_set(struct report_call *call, const char *name, const char *text, size_t size)
{
    const struct report_document *document = call->document;
    const struct api_parameter *parameter =
        api_parameter_find(document->parameters, document->parameters_count, name);
    if (parameter == NULL) {
        char known[128];
        list_parameters(document, known, sizeof(known));
        report_fail(call, 400, NULL, "there is no parameter \"%.40s\"; \"%s\" takes: %s", name,
                    document->name, known);
        return false;
    }
    size_t i = (size_t)(parameter - document->parameters);
    if (api_parameter_read(parameter, text, size, &call->values[i], call->detail))
        return true;
    call->status = 400;
    call->parameter = parameter->name;
    return false;
}

const struct api_value *report_value(const struct report_call *call, const char *name)
{
    const struct report_document *document = call->document;
    const struct api_parameter *parameter =
        api_parameter_find(document->parameters, document->parameters_count, name);
    assert(parameter != NULL);
    return &call->values[parameter - document->parameters];
}

uint64_t report_number(const struct report_call *call, const char *name)
{
    return report_value(call, name)->number;
}

bool report_hash(struct report_call *call, const char *name, bool is_display, struct hash256 *hash)
{
    const struct api_value *value = report_value(call, name);
    return value->is_given &&
           (is_display ? hash_from_display(hash, value->text) : hash_from_hex(hash, value->text));
}

bool report_is_private(const struct report_call *call)
{
    return call->role >= API_VIEWER;
}

// ---- Documents

const struct report_document *report_find(const char *name)
{
    const struct report_document *document;
    for (size_t i = 0; (document = report_get(i)) != NULL; i++) {
        if (strcmp(document->name, name) == 0)
            return document;
    }
    return NULL;
}

int64_t report_life_ms(const struct node *node, const struct report_document *document)
{
    struct link_view tip;
    struct window_view window;
    if (document->write != report_payouts)
        return document->life_ms;
    sharechain_tip(node->sharechain, &tip);
    bool has_window = sharechain_window(node->sharechain, &tip.id, &window);
    return document->life_ms + (has_window ? LIFE_PER_WINDOW_LINK_MS * window.links_count : 0);
}

static bool is_in_path(const struct report_document *document, const char *name)
{
    size_t size = strlen(name);
    const char *at = document->path;
    while (at != NULL && (at = strchr(at, '{')) != NULL) {
        at++;
        if (strncmp(at, name, size) == 0 && at[size] == '}')
            return true;
    }
    return false;
}

static bool has_what_it_needs(struct report_call *call)
{
    const struct report_document *document = call->document;
    for (size_t i = 0; i < document->parameters_count; i++) {
        const struct api_parameter *parameter = &document->parameters[i];
        if (call->values[i].is_given || !is_in_path(document, parameter->name))
            continue;
        report_fail(call, 400, parameter->name, "\"%s\" needs \"%s\": %s", document->name,
                    parameter->name, parameter->meaning);
        return false;
    }
    return true;
}

bool report_write(struct node *node, struct report_call *call, struct buffer *out)
{
    struct json_writer writer;
    if (call->status != 200 || !has_what_it_needs(call))
        return false;
    json_writer_init(&writer, out);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "document", call->document->name);
    json_write_i64(&writer, "now", wall_seconds(net_loop_now(node->loop).wall));
    call->document->write(node, call, &writer);
    json_end_object(&writer);
    if (call->status == 200 && out->failed)
        report_fail(call, 500, NULL, "the document is too large, or memory is out");
    if (call->status != 200)
        buffer_reset(out);
    return call->status == 200;
}

// ---- The control socket

static void write_error(struct buffer *out, const char *text)
{
    struct json_writer writer;
    buffer_reset(out);
    json_writer_init(&writer, out);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "error", text);
    json_end_object(&writer);
}

// One member of a request, as its text.
static bool set_member(struct report_call *call, struct json_value member)
{
    const char *name_text, *text;
    size_t name_size, size;
    char name[32], value[API_TEXT_SIZE];
    json_name(member, &name_text, &name_size);
    snprintf(name, sizeof(name), "%.*s", (int)(name_size < 32 ? name_size : 31), name_text);
    if (strcmp(name, "command") == 0)
        return true;
    if (json_to_text(member, value, sizeof(value)))
        return report_set(call, name, value, strlen(value));
    json_raw(member, &text, &size);
    return report_set(call, name, text, size);
}

static bool read_members(struct report_call *call, struct json_value root)
{
    for (struct json_value v = json_first(root); json_exists(v); v = json_next(v)) {
        if (!set_member(call, v))
            return false;
    }
    return true;
}

static void write_unknown(struct buffer *out)
{
    char known[512] = "";
    size_t used = 0;
    const struct report_document *document;
    for (size_t i = 0; (document = report_get(i)) != NULL && used < sizeof(known); i++) {
        int added = snprintf(known + used, sizeof(known) - used, "%s%s", i == 0 ? "" : ", ",
                             document->name);
        used += added > 0 ? (size_t)added : 0;
    }
    char text[600];
    snprintf(text, sizeof(text), "there is no such command; there are: %s", known);
    write_error(out, text);
}

static void answer_root(struct node *node, struct json_value root, struct buffer *out)
{
    char name[32];
    struct report_call call;
    if (!json_is_object(root) || !json_to_text(json_get(root, "command"), name, sizeof(name))) {
        write_error(out, "a request is an object as in {\"command\":\"status\"}");
        return;
    }
    const struct report_document *document = report_find(name);
    if (document == NULL) {
        write_unknown(out);
        return;
    }
    // Who may open the socket is the node's owner.
    report_call_init(&call, document, API_ADMIN);
    if (!read_members(&call, root) || !report_write(node, &call, out))
        write_error(out, call.detail);
}

void report_answer(struct node *node, const void *request, size_t size, struct buffer *out)
{
    struct json *json = json_parse(request, size, REQUEST_TOKENS_MAX);
    if (json == NULL) {
        write_error(out, "the request is no JSON");
        return;
    }
    answer_root(node, json_root(json), out);
    json_free(json);
}

// ---- What the documents share

void report_write_block_id(struct json_writer *writer, const char *name, const struct hash256 *id)
{
    char text[65];
    hash_to_display(id, text);
    json_write_text(writer, name, text);
}

void report_write_id(struct json_writer *writer, const char *name, const struct hash256 *id)
{
    json_write_hex(writer, name, id->bytes, sizeof(id->bytes));
}

void report_write_payee(struct json_writer *writer, const struct node *node,
                        const struct script *script)
{
    char address[ADDRESS_SIZE_MAX];
    bool has_address = address_encode(node->pool->chain, script, address);
    json_write_text(writer, "address", has_address ? address : NULL);
    json_write_hex(writer, "script", script->bytes, script->size);
}

void report_write_u256(struct json_writer *writer, const char *name, const struct u256 *value)
{
    char text[80];
    u256_to_decimal(value, text);
    json_write_text(writer, name, text);
}

void report_write_sats(struct json_writer *writer, const char *name, uint64_t sats)
{
    struct u256 value = u256_from_u64(sats);
    report_write_u256(writer, name, &value);
}

void report_write_next(struct json_writer *writer, bool has_more, uint64_t from)
{
    if (has_more)
        json_write_u64(writer, "next", from);
    else
        json_write_null(writer, "next");
}
