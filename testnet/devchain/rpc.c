#include "testnet/devchain/rpc.h"

#include <stdlib.h>
#include <string.h>
#include "testnet/devchain/rpc_call.h"

#define TOKENS_MAX      1000000
#define METHOD_SIZE_MAX 64
#define RESULT_TYPE     "application/json"

// What one HTTP request asks for, a single call or a batch.
struct answering {
    struct daemon *daemon;
    const struct rpc_request *request;
    struct now now;
    struct buffer *out;
    bool may_hold;
};

enum call_end { CALL_DONE, CALL_HELD, CALL_NOTIFICATION };

static const char garbage[] = "\xfe\xff{\"result\": [1, 2, \x01 <<<oops";
static const char page[] =
    "<html><head><title>500 Internal Server Error</title></head><body>oops</body></html>";

static void write_id(struct buffer *out, struct json_value request)
{
    struct json_value id = json_get(request, "id");
    const char *text = "null";
    size_t size = 4;
    if (json_exists(id))
        json_raw(id, &text, &size);
    const char *quote = json_is_text(id) ? "\"" : "";
    write_text(out, quote);
    write_bytes(out, text, size);
    write_text(out, quote);
}

static void write_error(struct buffer *out, int code, const char *message)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer, NULL);
    json_write_i64(&writer, "code", code);
    json_write_text(&writer, "message", message);
    json_end_object(&writer);
}

static bool is_version_2(struct json_value request)
{
    return json_text_equals(json_get(request, "jsonrpc"), "2.0");
}

// Version 2.0 has either a result or an error, bitcoind's older form has both, one of them null.
static void write_envelope(struct buffer *out, struct json_value request,
                           const struct rpc_call *call, const struct buffer *result)
{
    bool is_new = is_version_2(request);
    write_text(out, is_new ? "{\"jsonrpc\":\"2.0\"," : "{");
    if (call->code == 0) {
        write_text(out, "\"result\":");
        write_bytes(out, result->data, result->size);
        write_text(out, is_new ? "," : ",\"error\":null,");
    } else {
        write_text(out, is_new ? "\"error\":" : "\"result\":null,\"error\":");
        write_error(out, call->code, call->message);
        write_text(out, ",");
    }
    write_text(out, "\"id\":");
    write_id(out, request);
    write_text(out, "}");
}

static void run(struct rpc_call *call, struct json_value request)
{
    char name[METHOD_SIZE_MAX];
    struct json_value method = json_get(request, "method");
    if (!json_is_object(request) || !json_is_text(method)) {
        rpc_fail(call, RPC_INVALID_REQUEST, "Invalid request: an object with a method is wanted");
        return;
    }
    const struct rpc_method *found =
        json_to_text(method, name, sizeof name) ? rpc_method_find(name) : NULL;
    call->params = json_get(request, "params");
    if (found == NULL) {
        rpc_fail(call, RPC_METHOD_NOT_FOUND, "Method not found");
        return;
    }
    if (json_is_present(call->params) && !json_is_array(call->params) &&
        !json_is_object(call->params)) {
        rpc_fail(call, RPC_INVALID_REQUEST, "Params must be an array or object");
        return;
    }
    const struct fault *fault = &call->daemon->fault;
    bool is_hit = fault_hits(fault, name);
    call->is_spoiled = is_hit && fault->kind == FAULT_OTHER_CHAIN;
    if (is_hit && fault->kind == FAULT_WARMUP)
        rpc_fail(call, RPC_IN_WARMUP, "Loading block index...");
    else
        found->function(call);
}

static unsigned http_status(int code)
{
    switch (code) {
    case 0:
        return 200;
    case RPC_INVALID_REQUEST:
        return 400;
    case RPC_METHOD_NOT_FOUND:
        return 404;
    default:
        return 500;
    }
}

// Answers one call at the end of the output.
static enum call_end answer_call(const struct answering *answering, struct json_value request,
                                 unsigned *status)
{
    struct buffer result;
    buffer_init(&result, RPC_REPLY_MAX);
    struct rpc_call call = {.daemon = answering->daemon,
                            .now = answering->now,
                            .arrived = answering->request->arrived,
                            .may_hold = answering->may_hold};
    json_writer_init(&call.result, &result);
    run(&call, request);
    if (call.code == 0 && !call.is_held && result.failed)
        rpc_fail(&call, RPC_MISC_ERROR, "The answer is larger than this daemon gives");
    enum call_end end = call.is_held ? CALL_HELD : CALL_DONE;
    if (end == CALL_DONE && is_version_2(request) && !json_exists(json_get(request, "id")))
        end = CALL_NOTIFICATION;
    if (end == CALL_DONE)
        write_envelope(answering->out, request, &call, &result);
    buffer_clear(&result);
    *status = is_version_2(request) ? 200 : http_status(call.code);
    return end;
}

static enum rpc_outcome answer_single(struct answering *answering, struct json_value request,
                                      struct rpc_reply *reply)
{
    answering->may_hold = true;
    switch (answer_call(answering, request, &reply->http_status)) {
    case CALL_HELD:
        return RPC_HOLD;
    case CALL_NOTIFICATION:
        reply->http_status = 204;
        return RPC_ANSWER;
    case CALL_DONE:
        break;
    }
    write_text(answering->out, "\n");
    return RPC_ANSWER;
}

static void answer_batch(const struct answering *answering, struct json_value batch)
{
    bool needs_comma = false;
    write_text(answering->out, "[");
    for (struct json_value v = json_first(batch); json_exists(v); v = json_next(v)) {
        unsigned status;
        size_t before = answering->out->size;
        if (needs_comma)
            write_text(answering->out, ",");
        if (answer_call(answering, v, &status) == CALL_DONE)
            needs_comma = true;
        else if (!answering->out->failed)
            answering->out->size = before; // a notification leaves no trace
    }
    write_text(answering->out, "]\n");
}

// The fault that the request runs into, FAULT_OFF if none. Faults of single answers (warmup,
// other-chain) are not meant here.
static enum fault_kind transport_fault(const struct daemon *daemon, struct json_value root)
{
    const struct fault *fault = &daemon->fault;
    if (fault->kind == FAULT_WARMUP || fault->kind == FAULT_OTHER_CHAIN)
        return FAULT_OFF;
    char name[METHOD_SIZE_MAX];
    if (!json_is_array(root)) {
        bool is_named = json_to_text(json_get(root, "method"), name, sizeof name);
        return is_named && fault_hits(fault, name) ? fault->kind : FAULT_OFF;
    }
    for (struct json_value v = json_first(root); json_exists(v); v = json_next(v)) {
        if (json_to_text(json_get(v, "method"), name, sizeof name) && fault_hits(fault, name))
            return fault->kind;
    }
    return FAULT_OFF;
}

// True if the request met a fault: *outcome and the reply say what becomes of it.
static bool meet_fault(enum fault_kind kind, struct rpc_reply *reply, enum rpc_outcome *outcome)
{
    *outcome = RPC_ANSWER;
    switch (kind) {
    case FAULT_HANG:
        *outcome = RPC_SILENCE;
        return true;
    case FAULT_GARBAGE:
        write_bytes(&reply->body, garbage, sizeof garbage - 1);
        return true;
    case FAULT_ERROR500:
        reply->http_status = 500;
        reply->content_type = "text/html";
        write_text(&reply->body, page);
        return true;
    case FAULT_EMPTY:
        return true;
    case FAULT_OFF:
    case FAULT_WARMUP:
    case FAULT_OTHER_CHAIN:
        break;
    }
    return false;
}

static enum rpc_outcome answer(struct answering *answering, struct json_value root,
                               struct rpc_reply *reply)
{
    enum rpc_outcome outcome;
    if (meet_fault(transport_fault(answering->daemon, root), reply, &outcome))
        return outcome;
    if (!json_is_array(root))
        return answer_single(answering, root, reply);
    answer_batch(answering, root);
    return RPC_ANSWER;
}

enum rpc_outcome rpc_handle(struct daemon *daemon, const struct rpc_request *request,
                            struct now now, struct rpc_reply *reply)
{
    reply->http_status = 200;
    reply->content_type = RESULT_TYPE;
    buffer_reset(&reply->body);
    struct json *json = json_parse(request->body, request->size, TOKENS_MAX);
    if (json == NULL) {
        reply->http_status = 500;
        write_text(&reply->body, "{\"result\":null,\"error\":");
        write_error(&reply->body, RPC_PARSE_ERROR, "Parse error");
        write_text(&reply->body, ",\"id\":null}\n");
        return RPC_ANSWER;
    }
    struct answering answering = {daemon, request, now, &reply->body, false};
    enum rpc_outcome outcome = answer(&answering, json_root(json), reply);
    json_free(json);
    return outcome;
}
