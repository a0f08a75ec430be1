#include "testnet/miner/client.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/json.h"
#include "node/pow/target.h"
#include "testnet/common/memory.h"
#include "testnet/miner/client_internal.h"

#define SECOND_US        INT64_C(1000000)
#define CONFIGURE_WAIT_S 5 // pools that do not know mining.configure may stay silent
#define LOGIN_WAIT_S     30
#define SILENCE_MAX_S    180 // pools send a job every 30 s or so
#define ALL_NONCES       UINT64_C(0x100000000)
#define ROLLED_NONCES                                                                              \
    UINT64_C(                                                                                      \
        0x400000) // with version rolling a header is left early, so that many versions are used

struct client *client_new(const struct client_config *config, uint64_t seed)
{
    struct client *client = memory_new(1, sizeof *client);
    client->config = config;
    client->counter = seed;
    buffer_init(&client->input, CLIENT_LINE_MAX);
    buffer_init(&client->output, CLIENT_OUTPUT_MAX);
    return client;
}

void client_free(struct client *client)
{
    if (client == NULL)
        return;
    job_clear(&client->job);
    buffer_clear(&client->input);
    buffer_clear(&client->output);
    free(client);
}

// Texts hold what a pool sent: nothing of it may reach the terminal but printable ASCII.
static void clean(char *text)
{
    for (char *at = text; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~')
            *at = '?';
    }
}

bool client_fail(struct client *client, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(client->error, sizeof client->error, format, arguments);
    va_end(arguments);
    clean(client->error);
    client->state = CLIENT_FAILED;
    return false;
}

void client_say(struct client *client, const char *format, ...)
{
    char text[CLIENT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    clean(text);
    client->config->say(client->config->context, text);
}

static void begin_request(struct client *client, struct json_writer *json, uint64_t id,
                          const char *method)
{
    json_writer_init(json, &client->output);
    json_begin_object(json, NULL);
    json_write_u64(json, "id", id);
    json_write_text(json, "method", method);
    json_begin_array(json, "params");
}

static void end_request(struct client *client, struct json_writer *json)
{
    json_end_array(json);
    json_end_object(json);
    write_text(&client->output, "\n");
}

static void write_hex32(struct json_writer *json, const char *name, uint32_t value)
{
    char text[9];
    snprintf(text, sizeof text, "%08" PRIx32, value);
    json_write_text(json, name, text);
}

static void send_configure(struct client *client)
{
    struct json_writer json;
    begin_request(client, &json, REQUEST_CONFIGURE, "mining.configure");
    json_begin_array(&json, NULL);
    json_write_text(&json, NULL, "version-rolling");
    json_end_array(&json);
    json_begin_object(&json, NULL);
    write_hex32(&json, "version-rolling.mask", client->config->version_mask);
    json_write_u64(&json, "version-rolling.min-bit-count", 1);
    json_end_object(&json);
    end_request(client, &json);
}

static void send_subscribe(struct client *client)
{
    struct json_writer json;
    begin_request(client, &json, REQUEST_SUBSCRIBE, "mining.subscribe");
    json_write_text(&json, NULL, client->config->agent);
    if (client->session[0] != '\0')
        json_write_text(&json, NULL, client->session);
    end_request(client, &json);
}

static void send_authorize(struct client *client)
{
    struct json_writer json;
    begin_request(client, &json, REQUEST_AUTHORIZE, "mining.authorize");
    json_write_text(&json, NULL, client->config->user);
    json_write_text(&json, NULL, client->config->password);
    end_request(client, &json);
}

static void send_wishes(struct client *client)
{
    struct json_writer json;
    if (client->config->wants_extranonce) {
        begin_request(client, &json, REQUEST_EXTRANONCE, "mining.extranonce.subscribe");
        end_request(client, &json);
    }
    if (client->config->suggest_difficulty > 0) {
        begin_request(client, &json, REQUEST_SUGGEST, "mining.suggest_difficulty");
        json_write_double(&json, NULL, client->config->suggest_difficulty);
        end_request(client, &json);
    }
}

void client_step(struct client *client, enum client_state state, int64_t now_us)
{
    client->state = state;
    client->step_us = now_us;
    switch (state) {
    case CLIENT_CONFIGURING:
        send_configure(client);
        break;
    case CLIENT_SUBSCRIBING:
        send_subscribe(client);
        break;
    case CLIENT_AUTHORIZING:
        send_authorize(client);
        break;
    case CLIENT_MINING:
        send_wishes(client);
        break;
    case CLIENT_IDLE:
    case CLIENT_FAILED:
        break;
    }
}

void client_begin(struct client *client, int64_t now_us)
{
    client_end(client);
    client->error[0] = '\0';
    client->wants_reconnect = false;
    client->pause_s = 0;
    client->heard_us = now_us;
    client->difficulty_next = 1;
    client->extranonce = (struct extranonce){0};
    client->has_extranonce_next = false;
    client->version_mask = 0;
    bool has_wish = client->config->version_mask != 0;
    client_step(client, has_wish ? CLIENT_CONFIGURING : CLIENT_SUBSCRIBING, now_us);
}

void client_end(struct client *client)
{
    client->state = CLIENT_IDLE;
    client->config->stats->unanswered += client->pending_count;
    memset(client->pending, 0, sizeof client->pending);
    client->pending_count = 0;
    buffer_reset(&client->input);
    buffer_reset(&client->output);
    job_clear(&client->job);
    client->epoch++;
    client_drop_unit(client);
}

bool client_receive(struct client *client, const void *data, size_t size, int64_t now_us)
{
    client->heard_us = now_us;
    write_bytes(&client->input, data, size);
    if (client->input.failed)
        return client_fail(client, "pool sends a line of more than %u bytes", CLIENT_LINE_MAX);
    size_t done = 0;
    while (done < client->input.size) {
        const char *line = (const char *)client->input.data + done;
        const char *end = memchr(line, '\n', client->input.size - done);
        if (end == NULL)
            break;
        size_t line_size = (size_t)(end - line);
        done += line_size + 1;
        if (!client_handle_line(client, line, line_size, now_us))
            return false;
    }
    buffer_consume(&client->input, done);
    return true;
}

bool client_tick(struct client *client, int64_t now_us)
{
    int64_t waited_s = (now_us - client->step_us) / SECOND_US;
    bool is_mining = client->state == CLIENT_MINING;
    if (client->state == CLIENT_FAILED)
        return false;
    if (client->state == CLIENT_CONFIGURING && waited_s >= CONFIGURE_WAIT_S)
        client_step(client, CLIENT_SUBSCRIBING, now_us);
    else if (!is_mining && waited_s >= LOGIN_WAIT_S)
        return client_fail(client, "pool does not answer the login for %d s", LOGIN_WAIT_S);
    if (is_mining && (now_us - client->heard_us) / SECOND_US >= SILENCE_MAX_S)
        return client_fail(client, "pool is silent for %d s", SILENCE_MAX_S);
    if (client->output.failed)
        return client_fail(client, "pool does not read what we send");
    return true;
}

struct buffer *client_output(struct client *client)
{
    return &client->output;
}

enum client_state client_state(const struct client *client)
{
    return client->state;
}

const char *client_error(const struct client *client)
{
    return client->error;
}

bool client_wants_reconnect(const struct client *client)
{
    return client->wants_reconnect;
}

uint32_t client_pause_s(const struct client *client)
{
    return client->pause_s;
}

size_t client_pending(const struct client *client)
{
    return client->pending_count;
}

bool client_has_work(const struct client *client)
{
    return client->state == CLIENT_MINING && client->job.id[0] != '\0';
}

void client_drop_unit(struct client *client)
{
    client->unit_next = 0;
    client->unit_end = 0;
}

// The bits of `number`, lowest first, laid into the bits of the mask.
static uint32_t spread(uint32_t number, uint32_t mask)
{
    uint32_t spread = 0;
    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
        if ((mask & bit) == 0)
            continue;
        spread |= (number & 1) != 0 ? bit : 0;
        number >>= 1;
    }
    return spread;
}

// The next header: an extranonce that is never used again, and another version while there are
// some.
static void begin_unit(struct client *client)
{
    uint32_t mask = client->version_mask;
    client->counter++;
    for (size_t i = 0; i < sizeof client->unit_extranonce2; i++)
        client->unit_extranonce2[i] = (uint8_t)(i < 8 ? client->counter >> (8 * i) : 0);
    client->unit_version = (client->job.version & ~mask) | spread((uint32_t)client->counter, mask);
    job_header(&client->job, &client->extranonce, client->unit_extranonce2, client->unit_version,
               client->unit.header);
    client->unit.target = client->target;
    scan_work_prepare(&client->unit);
    client->unit_next = 0;
    client->unit_end = mask != 0 ? ROLLED_NONCES : ALL_NONCES;
}

bool client_take(struct client *client, uint64_t count, struct client_task *task)
{
    if (!client_has_work(client))
        return false;
    if (client->unit_next == client->unit_end)
        begin_unit(client);
    uint64_t left = client->unit_end - client->unit_next;
    task->work = client->unit;
    task->first = (uint32_t)client->unit_next;
    task->count = count < left ? count : left;
    task->epoch = client->epoch;
    task->time = client->job.time;
    task->bits = client->job.bits;
    task->version = client->unit_version;
    task->extranonce2_size = client->extranonce.second_size;
    memcpy(task->extranonce2, client->unit_extranonce2, sizeof task->extranonce2);
    memcpy(task->job_id, client->job.id, sizeof task->job_id);
    client->unit_next += task->count;
    return true;
}

static void send_submit(struct client *client, const struct client_task *task, uint32_t nonce)
{
    struct json_writer json;
    begin_request(client, &json, client->submit_id, "mining.submit");
    json_write_text(&json, NULL, client->config->user);
    json_write_text(&json, NULL, task->job_id);
    json_write_hex(&json, NULL, task->extranonce2, task->extranonce2_size);
    write_hex32(&json, NULL, task->time);
    write_hex32(&json, NULL, nonce);
    if (client->version_mask != 0)
        write_hex32(&json, NULL, task->version & client->version_mask);
    end_request(client, &json);
}

static bool is_block(const struct client_task *task, const struct hash256 *hash)
{
    struct u256 target;
    return target_expand(task->bits, &target) && target_is_met(hash, &target);
}

void client_found(struct client *client, const struct client_task *task, const struct scan_hit *hit,
                  int64_t now_us)
{
    struct stats *stats = client->config->stats;
    if (task->epoch != client->epoch || !client_has_work(client)) {
        stats->discarded++;
        return;
    }
    if (client->submit_id < REQUEST_SUBMIT_FIRST)
        client->submit_id = REQUEST_SUBMIT_FIRST;
    client->submit_id++;
    struct client_submission *pending = &client->pending[client->submit_id % CLIENT_PENDING_MAX];
    if (pending->id != 0)
        stats->unanswered++;
    else
        client->pending_count++;
    struct u256 work = target_work(&task->work.target);
    *pending = (struct client_submission){
        .id = client->submit_id, .sent_us = now_us, .work = u256_to_double(&work)};
    send_submit(client, task, hit->nonce);
    stats->submitted++;
    stats->blocks += is_block(task, &hit->hash);
}
