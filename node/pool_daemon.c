// The anchor of a new pool from a running daemon: a few calls, one after the other.
#include <stdio.h>
#include <string.h>
#include "node/backend/daemon.h"
#include "node/base/hex.h"
#include "node/command_pool.h"

// Heights of anchors are multiples of it (protocol section 1).
#define ANCHOR_PERIOD 2016
// So deep that no reorganisation reaches it.
#define ANCHOR_DEPTH    144
#define CALL_TIMEOUT_MS 10000

struct asker {
    struct net_loop *loop;
    struct http_client *http;
    struct daemon_link link;
    struct daemon_call call;
    struct json *reply; // of the last call; its text lives in `body`
    struct buffer body;
    struct json_value result;
    const char *method;
    bool is_good;
    char *error;
};

static void on_answered(void *context, const struct daemon_answer *answer)
{
    struct asker *asker = context;
    struct rpc_reply reply;
    net_loop_stop(asker->loop);
    if (answer->error != NULL) {
        snprintf(asker->error, POOL_FILE_ERROR_SIZE, "daemon: %s", answer->error);
        return;
    }
    char problem[DAEMON_ERROR_SIZE];
    asker->reply = daemon_parse_reply(&asker->link, answer, asker->method, &reply, problem);
    if (asker->reply == NULL) {
        snprintf(asker->error, POOL_FILE_ERROR_SIZE, "daemon: %s", problem);
        return;
    }
    asker->body = *answer->body; // the reply is a view of it
    buffer_init(answer->body, asker->body.size_max);
    asker->result = reply.result;
    asker->is_good = true;
}

struct parameter {
    const char *text; // or
    int64_t number;
    bool is_false; // a boolean false
};

static void write_parameter(struct json_writer *writer, const struct parameter *parameter)
{
    if (parameter->is_false)
        json_write_bool(writer, NULL, false);
    else if (parameter->text != NULL)
        json_write_text(writer, NULL, parameter->text);
    else
        json_write_i64(writer, NULL, parameter->number);
}

static void forget_reply(struct asker *asker)
{
    json_free(asker->reply);
    buffer_clear(&asker->body);
    asker->reply = NULL;
}

// One call to its end: asker->result. False with the sentence written.
static bool call(struct asker *asker, const char *method, const struct parameter *parameters,
                 size_t count)
{
    struct buffer body;
    struct json_writer writer;
    char problem[DAEMON_ERROR_SIZE] = "out of memory";
    forget_reply(asker);
    buffer_init(&body, 4096);
    json_writer_init(&writer, &body);
    rpc_begin_call(&writer, 1, method);
    for (size_t i = 0; i < count; i++)
        write_parameter(&writer, &parameters[i]);
    rpc_end_call(&writer);
    asker->method = method;
    asker->is_good = false;
    asker->call = (struct daemon_call){0};
    struct daemon_call_spec spec = {&body, CALL_TIMEOUT_MS, on_answered, asker};
    if (!body.failed && daemon_call_start(&asker->call, &asker->link, &spec, problem)) {
        net_loop_run(asker->loop);
        daemon_call_cancel(&asker->call);
    } else {
        snprintf(asker->error, POOL_FILE_ERROR_SIZE, "daemon: %s", problem);
    }
    buffer_clear(&body);
    return asker->is_good;
}

static bool fail(struct asker *asker, const char *text)
{
    snprintf(asker->error, POOL_FILE_ERROR_SIZE, "daemon: %s", text);
    return false;
}

static bool check_chain(struct asker *asker, int64_t *height)
{
    if (!call(asker, "getblockchaininfo", NULL, 0))
        return false;
    const struct chain_params *chain = asker->link.params;
    struct json_value name = json_get(asker->result, "chain");
    bool is_right = false;
    for (size_t i = 0; i < 4 && chain->rpc_chain_names[i] != NULL; i++)
        is_right = is_right || json_text_equals(name, chain->rpc_chain_names[i]);
    if (!is_right) {
        char text[64] = "none";
        json_to_text(name, text, sizeof(text));
        snprintf(asker->error, POOL_FILE_ERROR_SIZE,
                 "daemon: it runs the chain \"%.60s\", the pool's chain is %s", text, chain->name);
        return false;
    }
    return json_to_i64(json_get(asker->result, "blocks"), height) ||
           fail(asker, "getblockchaininfo names no number of blocks");
}

// The header at a height as on the wire.
static bool get_header(struct asker *asker, int64_t height, uint8_t header[HEADER_SIZE])
{
    char id[65];
    if (!call(asker, "getblockhash", &(struct parameter){.number = height}, 1))
        return false;
    if (!json_to_text(asker->result, id, sizeof(id)))
        return fail(asker, "getblockhash gives no hash");
    const struct parameter parameters[2] = {{.text = id}, {.is_false = true}};
    if (!call(asker, "getblockheader", parameters, 2))
        return false;
    struct hash256 wanted, found;
    if (!json_to_hex(asker->result, header, HEADER_SIZE) || !hash_from_display(&wanted, id))
        return fail(asker, "getblockheader gives no header of 80 bytes");
    header_id(header, &found);
    return hash_equal(&wanted, &found) || fail(asker, "getblockheader gives another header");
}

static bool ask_anchor(struct asker *asker, struct pool *pool)
{
    int64_t tip_height;
    if (!check_chain(asker, &tip_height))
        return false;
    int64_t deep = tip_height > ANCHOR_DEPTH ? tip_height - ANCHOR_DEPTH : 0;
    int64_t height = deep - deep % ANCHOR_PERIOD;
    pool->anchor_height = (uint32_t)height;
    if (!get_header(asker, height, pool->anchor_header))
        return false;
    if (!pool->chain->retarget_reaches_before || height == 0)
        return true;
    uint8_t bytes[HEADER_SIZE];
    struct header before;
    if (!get_header(asker, height - 1, bytes))
        return false;
    header_decode(bytes, &before);
    pool->anchor_prev_time = before.time;
    return true;
}

bool pool_daemon_anchor(const struct pool_daemon *daemon, struct pool *pool,
                        char error[POOL_FILE_ERROR_SIZE])
{
    struct asker asker = {.error = error, .loop = net_loop_new()};
    struct backend_daemon_config config = {daemon->url, daemon->user, daemon->password,
                                           daemon->cookie_file};
    char problem[BACKEND_ERROR_SIZE] = "out of memory";
    bool is_good = false;
    asker.http = asker.loop == NULL ? NULL : http_client_new(asker.loop);
    if (asker.http != NULL && daemon_link_init(&asker.link, &config, pool->chain, problem)) {
        asker.link.http = asker.http;
        asker.link.connect_timeout_ms = CALL_TIMEOUT_MS;
        is_good = ask_anchor(&asker, pool);
        forget_reply(&asker);
        daemon_link_clear(&asker.link);
    } else {
        snprintf(error, POOL_FILE_ERROR_SIZE, "daemon: %s", problem);
    }
    http_client_free(asker.http);
    net_loop_free(asker.loop);
    return is_good;
}
