// What pools say: answers to our requests, and notifications.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/base/json.h"
#include "node/pow/target.h"
#include "testnet/miner/client_internal.h"

#define TOKENS_MAX      4096
#define DIFFICULTY_MAX  1e18
#define PAUSE_MAX_S     300
#define METHOD_SIZE_MAX 64
#define POOL_TEXT_MAX   160

// The words of an error in any of the forms that pools use: [code, "text", ...],
// {"code":..,"message":..}, "text".
static void error_text(struct json_value error, char *out, size_t capacity)
{
    char text[POOL_TEXT_MAX] = "";
    int64_t code = 0;
    struct json_value words = error;
    struct json_value number = {0};
    if (json_is_array(error)) {
        number = json_first(error);
        words = json_next(number);
    } else if (json_is_object(error)) {
        number = json_get(error, "code");
        words = json_get(error, "message");
    }
    if (!json_to_text(words, text, sizeof text))
        snprintf(text, sizeof text, "%s", json_is_present(error) ? "without words" : "no reason");
    if (json_to_i64(number, &code))
        snprintf(out, capacity, "%lld %s", (long long)code, text);
    else
        snprintf(out, capacity, "%s", text);
}

static bool is_error(struct json_value message)
{
    bool is_true = true;
    struct json_value result = json_get(message, "result");
    if (json_is_present(json_get(message, "error")) || !json_is_present(result))
        return true;
    return json_to_bool(result, &is_true) && !is_true;
}

// The mask is what both sides allow; a pool that says nothing of use gets no rolled versions.
static void read_configure(struct client *client, struct json_value message)
{
    bool is_on = false;
    uint8_t mask[4];
    struct json_value result = json_get(message, "result");
    json_to_bool(json_get(result, "version-rolling"), &is_on);
    if (!is_on || !json_to_hex(json_get(result, "version-rolling.mask"), mask, sizeof mask))
        return;
    uint32_t allowed =
        (uint32_t)mask[0] << 24 | (uint32_t)mask[1] << 16 | (uint32_t)mask[2] << 8 | mask[3];
    client->version_mask = allowed & client->config->version_mask;
}

// "ab12" and a size into an extranonce.
static bool read_extranonce(struct json_value first, struct json_value size,
                            struct extranonce *extranonce)
{
    const char *text;
    size_t text_size;
    uint64_t second_size;
    if (!json_is_text(first) || !json_to_u64(size, &second_size))
        return false;
    json_raw(first, &text, &text_size);
    if (second_size < 1 || second_size > JOB_EXTRANONCE2_MAX || text_size % 2 != 0 ||
        text_size / 2 > JOB_EXTRANONCE1_MAX)
        return false;
    extranonce->second_size = (size_t)second_size;
    extranonce->first_size = text_size / 2;
    return hex_decode(text, text_size, extranonce->first, extranonce->first_size);
}

// The id of the first subscription is what a pool knows our session by. Whatever is odd about it is
// let be.
static void read_session(struct client *client, struct json_value subscriptions)
{
    char session[CLIENT_SESSION_MAX + 1];
    struct json_value pair = json_first(subscriptions);
    if (json_to_text(json_next(json_first(pair)), session, sizeof session))
        memcpy(client->session, session, sizeof session);
    else
        client->session[0] = '\0';
}

static bool read_subscribe(struct client *client, struct json_value message, int64_t now_us)
{
    char why[CLIENT_TEXT_MAX];
    if (is_error(message)) {
        client->session[0] = '\0';
        error_text(json_get(message, "error"), why, sizeof why);
        return client_fail(client, "pool refuses the subscription: %s", why);
    }
    struct json_value subscriptions = json_first(json_get(message, "result"));
    struct json_value first = json_next(subscriptions);
    if (!read_extranonce(first, json_next(first), &client->extranonce))
        return client_fail(client, "pool answers the subscription with a wrong extranonce");
    read_session(client, subscriptions);
    client_step(client, CLIENT_AUTHORIZING, now_us);
    return true;
}

static bool read_authorize(struct client *client, struct json_value message, int64_t now_us)
{
    char why[CLIENT_TEXT_MAX];
    if (is_error(message)) {
        error_text(json_get(message, "error"), why, sizeof why);
        return client_fail(client, "pool refuses user %.80s: %s", client->config->user, why);
    }
    client_step(client, CLIENT_MINING, now_us);
    return true;
}

static void read_submit(struct client *client, uint64_t id, struct json_value message,
                        int64_t now_us)
{
    struct client_submission *pending = &client->pending[id % CLIENT_PENDING_MAX];
    struct stats *stats = client->config->stats;
    char why[CLIENT_TEXT_MAX];
    if (pending->id != id)
        return; // answered already, or never asked
    stats_answer(stats, now_us - pending->sent_us);
    if (is_error(message)) {
        error_text(json_get(message, "error"), why, sizeof why);
        stats_reject(stats, why);
    } else {
        stats->accepted++;
        stats->accepted_work += pending->work;
    }
    pending->id = 0;
    client->pending_count--;
}

static bool handle_answer(struct client *client, struct json_value message, int64_t now_us)
{
    uint64_t id;
    if (!json_to_u64(json_get(message, "id"), &id))
        return true;
    if (id == REQUEST_CONFIGURE && client->state == CLIENT_CONFIGURING) {
        read_configure(client, message);
        client_step(client, CLIENT_SUBSCRIBING, now_us);
    }
    if (id == REQUEST_SUBSCRIBE && client->state == CLIENT_SUBSCRIBING)
        return read_subscribe(client, message, now_us);
    if (id == REQUEST_AUTHORIZE && client->state == CLIENT_AUTHORIZING)
        return read_authorize(client, message, now_us);
    if (id > REQUEST_SUBMIT_FIRST)
        read_submit(client, id, message, now_us);
    return true;
}

static bool on_notify(struct client *client, struct json_value params)
{
    const char *what;
    struct job job;
    if (client->extranonce.second_size == 0)
        return client_fail(client, "pool sends a job before it answers the subscription");
    if (!job_read(&job, params, &what))
        return client_fail(client, "pool sends a job that is wrong in its %s", what);
    job_clear(&client->job);
    client->job = job;
    client->epoch += job.is_clean;
    if (client->has_extranonce_next)
        client->extranonce = client->extranonce_next;
    client->has_extranonce_next = false;
    client->difficulty = client->difficulty_next;
    client->config->stats->difficulty = client->difficulty;
    client->target = target_from_difficulty(client->difficulty, pow_algorithm(client->config->pow));
    client_drop_unit(client);
    return true;
}

static bool on_set_difficulty(struct client *client, struct json_value params)
{
    double difficulty;
    if (!json_to_double(json_first(params), &difficulty) || !(difficulty > 0) ||
        difficulty > DIFFICULTY_MAX)
        return client_fail(client, "pool sets a difficulty that is no number above 0");
    client->difficulty_next = difficulty;
    return true;
}

static bool on_set_extranonce(struct client *client, struct json_value params)
{
    struct json_value first = json_first(params);
    if (!read_extranonce(first, json_next(first), &client->extranonce_next))
        return client_fail(client, "pool sets a wrong extranonce");
    client->has_extranonce_next = true;
    return true;
}

static bool on_set_version_mask(struct client *client, struct json_value params)
{
    uint8_t mask[4];
    if (client->version_mask == 0)
        return true; // not negotiated
    if (!json_to_hex(json_first(params), mask, sizeof mask))
        return client_fail(client, "pool sets a wrong version mask");
    client->version_mask =
        client->config->version_mask &
        ((uint32_t)mask[0] << 24 | (uint32_t)mask[1] << 16 | (uint32_t)mask[2] << 8 | mask[3]);
    // What was found under the old mask would be submitted with the new one.
    client->epoch++;
    client_drop_unit(client);
    return true;
}

static bool on_show_message(struct client *client, struct json_value params)
{
    char text[POOL_TEXT_MAX] = "(too long to show)";
    json_to_text(json_first(params), text, sizeof text);
    client_say(client, "pool says: %s", text);
    return true;
}

// Who can inject this into a plain connection could send us anywhere: we reconnect, but where we
// were told to.
static bool on_reconnect(struct client *client, struct json_value params)
{
    uint64_t pause = 0;
    char host[POOL_TEXT_MAX] = "";
    struct json_value first = json_first(params);
    json_to_text(first, host, sizeof host);
    json_to_u64(json_next(json_next(first)), &pause);
    if (host[0] != '\0')
        client_say(client, "pool wants us at %s: not followed, trying the given pools again", host);
    client->wants_reconnect = true;
    client->pause_s = pause < PAUSE_MAX_S ? (uint32_t)pause : PAUSE_MAX_S;
    return client_fail(client, "pool asks us to reconnect");
}

// The pool's request with its id as it was, up to the result.
static void begin_reply(struct client *client, struct json_value message)
{
    const char *id;
    size_t size;
    struct json_value value = json_get(message, "id");
    json_raw(value, &id, &size);
    const char *quote = json_is_text(value) ? "\"" : "";
    write_format(&client->output, "{\"id\":%s", quote);
    write_bytes(&client->output, id, size);
    write_format(&client->output, "%s,", quote);
}

static bool handle_request(struct client *client, const char *method, struct json_value message)
{
    struct json_writer json;
    if (!json_is_present(json_get(message, "id")))
        return true; // a notification that we do not know
    begin_reply(client, message);
    if (strcmp(method, "mining.ping") == 0) {
        write_text(&client->output, "\"result\":\"pong\",\"error\":null}\n");
    } else if (strcmp(method, "client.get_version") == 0) {
        write_text(&client->output, "\"result\":");
        json_writer_init(&json, &client->output);
        json_write_text(&json, NULL, client->config->agent);
        write_text(&client->output, ",\"error\":null}\n");
    } else {
        write_text(&client->output, "\"result\":null,\"error\":[-3,\"Method not found\",null]}\n");
    }
    return true;
}

static bool handle_notification(struct client *client, const char *method,
                                struct json_value message)
{
    static const struct {
        const char *method;
        bool (*handle)(struct client *client, struct json_value params);
    } handlers[] = {
        {"mining.notify", on_notify},
        {"mining.set_difficulty", on_set_difficulty},
        {"mining.set_extranonce", on_set_extranonce},
        {"mining.set_version_mask", on_set_version_mask},
        {"client.show_message", on_show_message},
        {"client.reconnect", on_reconnect},
    };
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (strcmp(handlers[i].method, method) == 0)
            return handlers[i].handle(client, json_get(message, "params"));
    }
    return handle_request(client, method, message);
}

static bool handle_message(struct client *client, struct json_value message, int64_t now_us)
{
    char method[METHOD_SIZE_MAX];
    if (!json_is_object(message))
        return client_fail(client, "pool sends a line that is no object");
    struct json_value name = json_get(message, "method");
    if (!json_is_present(name))
        return handle_answer(client, message, now_us);
    if (!json_to_text(name, method, sizeof method))
        return client_fail(client, "pool sends a method without a proper name");
    return handle_notification(client, method, message);
}

static bool is_blank(const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    }
    return true;
}

bool client_handle_line(struct client *client, const char *line, size_t size, int64_t now_us)
{
    if (is_blank(line, size))
        return true;
    struct json *json = json_parse(line, size, TOKENS_MAX);
    if (json == NULL)
        return client_fail(client, "pool sends a line that is no JSON: %.*s",
                           size < 60 ? (int)size : 60, line);
    bool is_fine = handle_message(client, json_root(json), now_us);
    json_free(json);
    return is_fine;
}
