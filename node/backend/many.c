#include "node/backend/many.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "node/limits.h"

#define BODY_SIZE_MAX (1u << 20)

static void on_batch(void *context, const struct daemon_answer *answer);
static void on_single(void *context, const struct daemon_answer *answer);

void many_init(struct many *many)
{
    memset(many, 0, sizeof(*many));
    for (size_t i = 0; i < MANY_LANES; i++) {
        many->lanes[i].many = many;
        buffer_init(&many->lanes[i].body, BODY_SIZE_MAX);
    }
}

void many_cancel(struct many *many)
{
    for (size_t i = 0; i < MANY_LANES; i++) {
        daemon_call_cancel(&many->lanes[i].call);
    }
    many->is_running = false;
}

void many_clear(struct many *many)
{
    many_cancel(many);
    for (size_t i = 0; i < MANY_LANES; i++) {
        buffer_clear(&many->lanes[i].body);
    }
}

static void end(struct many *many, const char *error)
{
    many_cancel(many);
    many->spec.ended(many->spec.context, error);
}

static bool send_lane(struct many_lane *lane, daemon_answered *answered,
                      char error[DAEMON_ERROR_SIZE])
{
    struct many *many = lane->many;
    const struct daemon_call_spec spec = {.body = &lane->body,
                                          .timeout_ms = many->spec.timeout_ms,
                                          .answered = answered,
                                          .context = lane};
    return daemon_call_start(&lane->call, many->spec.link, &spec, error);
}

static bool send_batch(struct many *many, char error[DAEMON_ERROR_SIZE])
{
    struct many_lane *lane = &many->lanes[0];
    struct json_writer writer;
    buffer_reset(&lane->body);
    json_writer_init(&writer, &lane->body);
    json_begin_array(&writer, NULL);
    for (size_t i = 0; i < many->spec.count; i++) {
        many->spec.write(many->spec.context, i, &writer);
    }
    json_end_array(&writer);
    return send_lane(lane, on_batch, error);
}

static bool send_single(struct many_lane *lane, char error[DAEMON_ERROR_SIZE])
{
    struct many *many = lane->many;
    struct json_writer writer;
    lane->index = many->next++;
    buffer_reset(&lane->body);
    json_writer_init(&writer, &lane->body);
    many->spec.write(many->spec.context, lane->index, &writer);
    return send_lane(lane, on_single, error);
}

static bool send_singles(struct many *many, char error[DAEMON_ERROR_SIZE])
{
    many->next = 0;
    for (size_t i = 0; i < MANY_LANES && many->next < many->spec.count; i++) {
        if (!send_single(&many->lanes[i], error)) {
            many_cancel(many);
            return false;
        }
    }
    return true;
}

bool many_start(struct many *many, const struct many_spec *spec, char error[DAEMON_ERROR_SIZE])
{
    assert(!many->is_running && spec->count > 0 && spec->count <= MANY_CALLS_MAX);
    many->spec = *spec;
    many->taken = 0;
    memset(many->is_seen, 0, sizeof(many->is_seen));
    many->is_running =
        spec->count > 1 && *spec->has_batch ? send_batch(many, error) : send_singles(many, error);
    return many->is_running;
}

// The reply to a call of ours; false if it was the last one that is looked at: it all has ended, or
// the receiver has cancelled it.
static bool take_reply(struct many *many, size_t i, const struct rpc_reply *reply)
{
    if (i >= many->spec.count || many->is_seen[i]) {
        end(many, "the daemon answers what was not asked");
        return false;
    }
    many->is_seen[i] = true;
    many->taken++;
    bool goes_on = many->spec.take(many->spec.context, i, reply);
    if (many->is_running && !goes_on) {
        end(many, NULL);
    }
    return many->is_running && goes_on;
}

static void take_batch(struct many *many, struct json_value array)
{
    struct json_value value = json_first(array);
    for (; json_exists(value); value = json_next(value)) {
        struct rpc_reply reply;
        if (!rpc_read_reply(value, &reply) || !reply.has_id || reply.id >= many->spec.count) {
            end(many, "the daemon's answer to a batch is malformed");
            return;
        }
        if (!take_reply(many, (size_t)reply.id, &reply)) {
            return;
        }
    }
    end(many,
        many->taken == many->spec.count ? NULL : "the daemon's answer to a batch lacks replies");
}

// Daemons without batches answer them in many ways: an error reply, an HTTP error, nothing.
// Whatever is no array leads to single calls, which show whether the daemon works.
static void on_batch(void *context, const struct daemon_answer *answer)
{
    struct many_lane *lane = context;
    struct many *many = lane->many;
    struct json *json = NULL;
    if (answer->body != NULL) {
        json = json_parse((const char *)answer->body->data, answer->body->size, LIMIT_RPC_TOKENS);
    }
    if (json != NULL && json_is_array(json_root(json))) {
        take_batch(many, json_root(json));
        json_free(json);
        return;
    }
    json_free(json);
    char error[DAEMON_ERROR_SIZE] = "";
    *many->spec.has_batch = false;
    if (!send_singles(many, error)) {
        end(many, error);
    }
}

static void on_single(void *context, const struct daemon_answer *answer)
{
    struct many_lane *lane = context;
    struct many *many = lane->many;
    char error[DAEMON_ERROR_SIZE] = "";
    struct rpc_reply reply = {0};
    if (answer->body == NULL) {
        end(many, answer->error);
        return;
    }
    struct json *json = daemon_parse_reply(many->spec.link, answer, "a call", &reply, error);
    if (json == NULL && !reply.is_error) {
        end(many, error);
        return;
    }
    bool goes_on = take_reply(many, lane->index, &reply);
    json_free(json);
    if (!goes_on) {
        return;
    }
    if (many->taken == many->spec.count) {
        end(many, NULL);
    } else if (many->next < many->spec.count && !send_single(lane, error)) {
        end(many, error);
    }
}
