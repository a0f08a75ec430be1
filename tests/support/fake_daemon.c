#include "tests/support/fake_daemon.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/bytes.h"
#include "node/base/hex.h"
#include "node/base/json.h"

#define LONGPOLLS_MAX 16
#define ANSWER_MAX    (8u << 20)
#define FIRST_TIME    1700000000u

struct fake_block {
    uint8_t header[HEADER_SIZE];
    struct hash256 id;
    int64_t height;
};

struct method_count {
    const char *name;
    size_t count;
};

struct fake_daemon {
    struct net_loop *loop;
    struct fake_http *http;
    struct fake_daemon_settings settings;
    struct fake_block *blocks; // all ever made
    size_t blocks_count;
    size_t *chain; // indices of the best chain, by height
    int64_t height;
    struct hash256 stuck_tip;
    bool is_stuck;
    uint64_t template_number;
    struct fake_http_exchange *longpolls[LONGPOLLS_MAX];
    size_t longpolls_count;
    struct method_count calls[FAKE_METHODS];
    size_t requests_count;
    char *submitted;
};

// The chain.

static const struct fake_block *block_at(const struct fake_daemon *daemon, int64_t height)
{
    assert(height >= 0 && height <= daemon->height);
    return &daemon->blocks[daemon->chain[height]];
}

static const struct fake_block *find_block(const struct fake_daemon *daemon,
                                           const struct hash256 *id)
{
    for (size_t i = daemon->blocks_count; i > 0; i--) {
        if (hash_equal(&daemon->blocks[i - 1].id, id)) {
            return &daemon->blocks[i - 1];
        }
    }
    return NULL;
}

static void append_header(struct fake_daemon *daemon, const uint8_t bytes[HEADER_SIZE])
{
    daemon->height++;
    daemon->blocks =
        realloc(daemon->blocks, (daemon->blocks_count + 1) * sizeof(daemon->blocks[0]));
    daemon->chain = realloc(daemon->chain, ((size_t)daemon->height + 1) * sizeof(size_t));
    assert(daemon->blocks != NULL && daemon->chain != NULL);
    struct fake_block *block = &daemon->blocks[daemon->blocks_count];
    memcpy(block->header, bytes, HEADER_SIZE);
    header_id(block->header, &block->id);
    block->height = daemon->height;
    daemon->chain[daemon->height] = daemon->blocks_count++;
}

static void append_block(struct fake_daemon *daemon, uint32_t branch)
{
    uint8_t bytes[HEADER_SIZE];
    struct header header = {.version = 0x20000000,
                            .time = FIRST_TIME + 600 * (uint32_t)(daemon->height + 1),
                            .bits = 0x207fffff,
                            .nonce = branch};
    if (daemon->height >= 0) {
        header.prev = block_at(daemon, daemon->height)->id;
    }
    header_encode(&header, bytes);
    append_header(daemon, bytes);
}

int64_t fake_daemon_height(const struct fake_daemon *daemon)
{
    return daemon->height;
}

struct hash256 fake_daemon_id(const struct fake_daemon *daemon, int64_t height)
{
    return block_at(daemon, height)->id;
}

struct hash256 fake_daemon_tip(const struct fake_daemon *daemon)
{
    return fake_daemon_id(daemon, daemon->height);
}

const uint8_t *fake_daemon_header(const struct fake_daemon *daemon, int64_t height)
{
    return block_at(daemon, height)->header;
}

// Answers. Each writes one reply into the writer: result, error, id.

struct reply {
    struct fake_daemon *daemon;
    struct json_writer *writer;
    struct json_value params;
};

static void write_error(struct json_writer *writer, int64_t code, const char *message)
{
    json_write_null(writer, "result");
    json_begin_object(writer, "error");
    json_write_i64(writer, "code", code);
    json_write_text(writer, "message", message);
    json_end_object(writer);
}

static void answer_info(struct reply *reply)
{
    struct fake_daemon *daemon = reply->daemon;
    struct hash256 tip = fake_daemon_tip(daemon);
    const char *chain = daemon->settings.chain != NULL ? daemon->settings.chain : "regtest";
    char text[65];
    hash_to_display(&tip, text);
    json_begin_object(reply->writer, "result");
    json_write_text(reply->writer, "chain", chain);
    json_write_i64(reply->writer, "blocks", daemon->height);
    json_write_text(reply->writer, "bestblockhash", text);
    json_write_bool(reply->writer, "initialblockdownload", daemon->settings.says_syncing);
    if (!daemon->settings.tells_no_chainwork) {
        snprintf(text, sizeof(text), "%064llx", 2 * (unsigned long long)(daemon->height + 1));
        json_write_text(reply->writer, "chainwork", text);
    }
    json_end_object(reply->writer);
}

static void answer_best(struct reply *reply)
{
    struct hash256 tip = fake_daemon_tip(reply->daemon);
    char text[65];
    hash_to_display(&tip, text);
    json_write_text(reply->writer, "result", text);
}

static void answer_hash(struct reply *reply)
{
    int64_t height = -1;
    char text[65];
    if (!json_to_i64(json_first(reply->params), &height) || height < 0 ||
        height > reply->daemon->height) {
        write_error(reply->writer, -8, "Block height out of range");
        return;
    }
    hash_to_display(&block_at(reply->daemon, height)->id, text);
    json_write_text(reply->writer, "result", text);
}

static void answer_header(struct reply *reply)
{
    char text[65] = "";
    struct hash256 id;
    bool is_verbose = true;
    json_to_text(json_first(reply->params), text, sizeof(text));
    json_to_bool(json_next(json_first(reply->params)), &is_verbose);
    const struct fake_block *block =
        hash_from_display(&id, text) ? find_block(reply->daemon, &id) : NULL;
    if (block == NULL) {
        write_error(reply->writer, -5, "Block not found");
    } else if (is_verbose) {
        json_begin_object(reply->writer, "result");
        json_write_i64(reply->writer, "height", block->height);
        json_write_i64(reply->writer, "confirmations",
                       1); // as bcoin: also for blocks off the chain
        json_end_object(reply->writer);
    } else {
        json_write_hex(reply->writer, "result", block->header, HEADER_SIZE);
    }
}

static void write_template_fields(struct fake_daemon *daemon, const struct fake_block *prev,
                                  struct json_writer *writer)
{
    // SHA256d of 64 zero bytes: no transactions but the coinbase.
    static const char commitment[] =
        "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9";
    struct header header;
    char text[96];
    header_decode(prev->header, &header);
    hash_to_display(&prev->id, text);
    json_write_u64(writer, "version", 0x20000000);
    json_begin_array(writer, "rules");
    json_write_text(writer, NULL, "csv");
    json_write_text(writer, NULL, "!segwit");
    json_end_array(writer);
    json_write_text(writer, "previousblockhash", text);
    json_begin_array(writer, "transactions");
    json_end_array(writer);
    json_write_u64(writer, "coinbasevalue", 5000000000u);
    json_write_text(writer, "bits", "207fffff");
    json_write_i64(writer, "height", prev->height + 1);
    json_write_u64(writer, "mintime", header.time + 1);
    json_write_u64(writer, "curtime", header.time + 600);
    json_write_text(writer, "default_witness_commitment", commitment);
    if (!daemon->settings.has_no_longpoll) {
        snprintf(text + 64, sizeof(text) - 64, "%llu", (unsigned long long)daemon->template_number);
        json_write_text(writer, "longpollid", text);
    }
}

static void answer_template(struct reply *reply)
{
    struct fake_daemon *daemon = reply->daemon;
    bool sticks = daemon->settings.template_is_stuck;
    if (sticks && !daemon->is_stuck) {
        daemon->stuck_tip = fake_daemon_tip(daemon);
    }
    daemon->is_stuck = sticks;
    const struct fake_block *prev =
        sticks ? find_block(daemon, &daemon->stuck_tip) : block_at(daemon, daemon->height);
    json_begin_object(reply->writer, "result");
    write_template_fields(daemon, prev, reply->writer);
    json_end_object(reply->writer);
}

static void answer_submit(struct reply *reply)
{
    struct fake_daemon *daemon = reply->daemon;
    const char *text = "";
    size_t size = 0;
    uint8_t header[HEADER_SIZE];
    json_raw(json_first(reply->params), &text, &size);
    free(daemon->submitted);
    daemon->submitted = strndup(text, size);
    const char *result = daemon->settings.submit_result;
    if (result == NULL || strcmp(result, "null") == 0) {
        json_write_null(reply->writer, "result");
        if (daemon->settings.submit_extends && size >= 2 * HEADER_SIZE &&
            hex_decode(text, 2 * HEADER_SIZE, header, HEADER_SIZE)) {
            append_header(daemon, header);
        }
        return;
    }
    json_write_text(reply->writer, "result", result);
}

static const struct {
    const char *name;
    void (*answer)(struct reply *reply);
} methods[FAKE_METHODS] = {
    {"getblockchaininfo", answer_info},    {"getbestblockhash", answer_best},
    {"getblockhash", answer_hash},         {"getblockheader", answer_header},
    {"getblocktemplate", answer_template}, {"submitblock", answer_submit},
};

static size_t method_index(struct json_value call)
{
    size_t i = 0;
    while (i < FAKE_METHODS && !json_text_equals(json_get(call, "method"), methods[i].name)) {
        i++;
    }
    return i;
}

static void write_reply(struct fake_daemon *daemon, struct json_value call,
                        struct json_writer *writer)
{
    const struct fake_daemon_settings *settings = &daemon->settings;
    struct reply reply = {.daemon = daemon, .writer = writer, .params = json_get(call, "params")};
    uint64_t id = 0;
    size_t method = method_index(call);
    json_begin_object(writer, NULL);
    if (method == FAKE_METHODS) {
        write_error(writer, -32601, "Method not found");
    } else if (settings->error_code != 0 &&
               strcmp(settings->error_method, methods[method].name) == 0) {
        write_error(writer, settings->error_code, settings->error_message);
    } else {
        methods[method].answer(&reply);
    }
    if (method < FAKE_METHODS) {
        daemon->calls[method].count++;
    }
    if (json_to_u64(json_get(call, "id"), &id)) {
        json_write_u64(writer, "id", id);
    }
    json_end_object(writer);
}

static void answer_call(struct fake_daemon *daemon, struct fake_http_exchange *exchange,
                        struct json_value call)
{
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, ANSWER_MAX);
    json_writer_init(&writer, &out);
    write_reply(daemon, call, &writer);
    fake_http_answer(exchange, 200, (const char *)out.data, out.size);
    buffer_clear(&out);
}

static void answer_batch(struct fake_daemon *daemon, struct fake_http_exchange *exchange,
                         struct json_value batch)
{
    struct buffer out;
    struct json_writer writer;
    size_t left = json_size(batch) - (daemon->settings.batch == BATCH_SHORT ? 1 : 0);
    buffer_init(&out, ANSWER_MAX);
    json_writer_init(&writer, &out);
    if (daemon->settings.batch == BATCH_REFUSED || daemon->settings.batch == BATCH_RESETS) {
        json_begin_object(&writer, NULL);
        write_error(&writer, -32600, "Batches are not supported");
        json_end_object(&writer);
    } else {
        json_begin_array(&writer, NULL);
        struct json_value call = json_first(batch);
        for (; json_exists(call) && left > 0; call = json_next(call), left--) {
            write_reply(daemon, call, &writer);
        }
        json_end_array(&writer);
    }
    bool is_empty = daemon->settings.batch == BATCH_HTTP_400;
    if (daemon->settings.batch == BATCH_RESETS) {
        fake_http_reset_next(exchange);
    }
    fake_http_answer(exchange, is_empty ? 400 : 200, (const char *)out.data,
                     is_empty ? 0 : out.size);
    buffer_clear(&out);
}

// Long-polls wait until the tip is another than the one in their id.

static void answer_longpolls(struct fake_daemon *daemon)
{
    static const char call[] = "{\"id\":1,\"method\":\"getblocktemplate\",\"params\":[{}]}";
    struct json *json = json_parse(call, sizeof(call) - 1, 64);
    while (daemon->longpolls_count > 0) {
        struct fake_http_exchange *exchange = daemon->longpolls[--daemon->longpolls_count];
        daemon->calls[4].count--; // it was counted when it came
        answer_call(daemon, exchange, json_root(json));
    }
    json_free(json);
}

// Answers what is due after the present call is through.
static void tip_changed(struct fake_daemon *daemon)
{
    daemon->template_number++;
    if (!daemon->settings.template_is_stuck) {
        answer_longpolls(daemon);
    }
}

static bool should_wait(const struct fake_daemon *daemon, struct json_value call)
{
    char tip[65];
    char id[128] = "";
    struct hash256 hash = fake_daemon_tip(daemon);
    hash_to_display(&hash, tip);
    if (!json_text_equals(json_get(call, "method"), "getblocktemplate") ||
        daemon->settings.longpoll_never_waits || daemon->settings.has_no_longpoll ||
        !json_to_text(json_get(json_first(json_get(call, "params")), "longpollid"), id,
                      sizeof(id))) {
        return false;
    }
    return strncmp(id, tip, 64) == 0 || daemon->settings.template_is_stuck;
}

static bool meets_fault(const struct fake_daemon *daemon, struct json_value call)
{
    const struct fake_daemon_settings *settings = &daemon->settings;
    return settings->fault != FAULT_NONE &&
           (settings->fault_method == NULL ||
            json_text_equals(json_get(call, "method"), settings->fault_method) ||
            json_text_equals(json_get(json_first(call), "method"), settings->fault_method));
}

static void handle_call(struct fake_daemon *daemon, struct fake_http_exchange *exchange,
                        struct json_value root)
{
    int64_t height = daemon->height;
    if (meets_fault(daemon, root)) {
        fake_http_misbehave(exchange, daemon->settings.fault);
        return;
    }
    if (json_is_array(root)) {
        answer_batch(daemon, exchange, root);
    } else if (should_wait(daemon, root) && daemon->longpolls_count < LONGPOLLS_MAX) {
        daemon->calls[4].count++;
        daemon->longpolls[daemon->longpolls_count++] = exchange;
    } else {
        answer_call(daemon, exchange, root);
    }
    if (daemon->height != height) {
        tip_changed(daemon);
    }
}

static void on_request(void *context, struct fake_http_exchange *exchange,
                       const struct fake_http_request *request)
{
    struct fake_daemon *daemon = context;
    const char *wanted = daemon->settings.authorization;
    daemon->requests_count++;
    if (wanted != NULL && strcmp(wanted, request->authorization) != 0) {
        fake_http_answer(exchange, 401, "", 0);
        return;
    }
    struct json *json = json_parse(request->body, request->body_size, 100000);
    assert(json != NULL);
    handle_call(daemon, exchange, json_root(json));
    json_free(json);
}

static void on_vanished(void *context, struct fake_http_exchange *exchange)
{
    struct fake_daemon *daemon = context;
    for (size_t i = 0; i < daemon->longpolls_count; i++) {
        if (daemon->longpolls[i] == exchange) {
            daemon->longpolls[i] = daemon->longpolls[--daemon->longpolls_count];
            return;
        }
    }
}

// Driving it.

struct fake_daemon *fake_daemon_new(struct net_loop *loop, uint16_t port)
{
    struct fake_daemon *daemon = calloc(1, sizeof(*daemon));
    assert(daemon != NULL);
    const struct fake_http_options options = {
        .handler = on_request, .vanished = on_vanished, .context = daemon, .port = port};
    daemon->loop = loop;
    daemon->http = fake_http_new(loop, &options);
    daemon->height = -1;
    for (size_t i = 0; i < FAKE_METHODS; i++) {
        daemon->calls[i].name = methods[i].name;
    }
    append_block(daemon, 0);
    return daemon;
}

void fake_daemon_free(struct fake_daemon *daemon)
{
    if (daemon == NULL) {
        return;
    }
    fake_http_free(daemon->http);
    free(daemon->blocks);
    free(daemon->chain);
    free(daemon->submitted);
    free(daemon);
}

struct fake_daemon_settings *fake_daemon_settings(struct fake_daemon *daemon)
{
    return &daemon->settings;
}

uint16_t fake_daemon_port(const struct fake_daemon *daemon)
{
    return fake_http_port(daemon->http);
}

void fake_daemon_mine(struct fake_daemon *daemon, size_t count, uint32_t branch)
{
    for (size_t i = 0; i < count; i++) {
        append_block(daemon, branch);
    }
    tip_changed(daemon);
}

void fake_daemon_reorganise(struct fake_daemon *daemon, size_t depth, size_t count, uint32_t branch)
{
    assert((int64_t)depth <= daemon->height);
    daemon->height -= (int64_t)depth;
    fake_daemon_mine(daemon, count, branch);
}

size_t fake_daemon_calls(const struct fake_daemon *daemon, const char *method)
{
    for (size_t i = 0; i < FAKE_METHODS; i++) {
        if (strcmp(daemon->calls[i].name, method) == 0) {
            return daemon->calls[i].count;
        }
    }
    return 0;
}

size_t fake_daemon_requests(const struct fake_daemon *daemon)
{
    return daemon->requests_count;
}

size_t fake_daemon_longpolls(const struct fake_daemon *daemon)
{
    return daemon->longpolls_count;
}

const char *fake_daemon_submitted(const struct fake_daemon *daemon)
{
    return daemon->submitted != NULL ? daemon->submitted : "";
}
