#include "dht/link.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "dht/link_state.h"

#define PROLOGUE "shoal/1"

_Static_assert(RECORD_SIZE_MAX <= RECORD_PAYLOAD_SIZE, "a record fits in message 3");

static struct mono_time later(struct mono_time time, int64_t ms)
{
    return (struct mono_time){time.ms + ms};
}

static void drop_memory(struct link *link)
{
    if (link->handshake != NULL)
        sodium_memzero(link->handshake, sizeof *link->handshake);
    free(link->handshake);
    link->handshake = NULL;
    frame_cipher_clear(&link->sender);
    frame_cipher_clear(&link->receiver);
    send_queue_clear(&link->queue);
    buffer_clear(&link->pending);
    for (size_t i = 0; i < LINK_LANES_COUNT; i++)
        buffer_clear(&link->assemblies[i].bytes);
    if (!link->is_receiving)
        buffer_clear(&link->in);
}

void link_fail(struct link *link, enum link_close reason)
{
    if (link->reason != LINK_OPEN)
        return;
    link->reason = reason;
    drop_memory(link);
}

void link_finish(struct link *link, struct now now)
{
    if (link->reason == LINK_OPEN || link->is_told)
        return;
    link->is_told = true;
    link->events->closed(link->context, link->reason, now);
}

bool link_is_closed(const struct link *link)
{
    return link->reason != LINK_OPEN;
}

static void begin_noise(struct link *link, const struct link_config *config)
{
    uint8_t prologue[sizeof PROLOGUE - 1 + 32];
    uint8_t ephemeral_secret[NOISE_KEY_SIZE];
    memcpy(prologue, PROLOGUE, sizeof PROLOGUE - 1);
    memcpy(prologue + sizeof PROLOGUE - 1, config->membership->pool_id.bytes, 32);
    env_random_bytes(config->env, ephemeral_secret, sizeof ephemeral_secret);
    const struct noise_config noise = {
        .role = config->peer != NULL ? NOISE_INITIATOR : NOISE_RESPONDER,
        .prologue = prologue,
        .prologue_size = sizeof prologue,
        .psk = config->membership->is_private ? config->membership->secret : NULL,
        .static_secret = config->identity->transport_secret,
        .static_key = config->identity->transport_key.bytes,
        .ephemeral_secret = ephemeral_secret,
        .remote_static = config->peer != NULL ? config->peer->bytes : NULL,
    };
    noise_init(&link->handshake->noise, &noise);
    sodium_memzero(ephemeral_secret, sizeof ephemeral_secret);
}

void link_write_handshake(struct link *link, const void *payload, size_t size)
{
    if (!noise_write(&link->handshake->noise, payload, size, &link->pending))
        link_fail(link, link->pending.failed ? LINK_CLOSE_MEMORY : LINK_CLOSE_HANDSHAKE_FAILED);
}

static void call_peer(struct link *link, const struct link_config *config)
{
    assert(config->record_size < RECORD_PAYLOAD_SIZE); // so its size fits in a byte
    link->peer = *config->peer;
    link->has_peer = true;
    link->handshake->payload[0] = (uint8_t)config->record_size;
    memcpy(link->handshake->payload + 1, config->record, config->record_size);
    link_write_handshake(link, NULL, 0);
}

struct link *link_new(const struct link_config *config, struct now now)
{
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    link->handshake = calloc(1, sizeof *link->handshake);
    if (link->handshake == NULL) {
        free(link);
        return NULL;
    }
    link->env = config->env;
    link->membership = config->membership;
    link->identity = config->identity;
    link->events = config->events;
    link->context = config->context;
    link->started = now.mono;
    buffer_init(&link->in, FRAME_SIZE_MAX);
    buffer_init(&link->pending, LINK_HANDSHAKE_1 + LINK_HANDSHAKE_2 + LINK_HANDSHAKE_3);
    size_t queue_bytes_max = config->queue_bytes_max;
    send_queue_init(&link->queue, queue_bytes_max == 0 ? LINK_QUEUE_BYTES : queue_bytes_max);
    begin_noise(link, config);
    if (config->peer != NULL)
        call_peer(link, config);
    return link;
}

void link_free(struct link *link)
{
    if (link == NULL)
        return;
    assert(!link->is_receiving);
    drop_memory(link);
    sodium_memzero(link, sizeof *link);
    free(link);
}

static bool seal(struct link *link, uint8_t type, const struct frame_payload *payload,
                 struct buffer *out)
{
    if (frame_cipher_is_used_up(&link->sender)) {
        link_fail(link, LINK_CLOSE_USED_UP);
        return false;
    }
    if (!frame_seal(&link->sender, type, payload, out)) {
        link_fail(link, LINK_CLOSE_MEMORY);
        return false;
    }
    return true;
}

static bool pull_ping(struct link *link, struct buffer *out, struct now now)
{
    const struct frame_payload payload = {.body = link->ping, .body_size = PING_SIZE};
    env_random_bytes(link->env, link->ping, PING_SIZE);
    link->owes_ping = false;
    link->awaits_pong = true;
    link->ping_sent = now.mono;
    return seal(link, TYPE_PING, &payload, out);
}

static bool pull_pong(struct link *link, struct buffer *out)
{
    const struct frame_payload payload = {.body = link->pong, .body_size = PING_SIZE};
    link->owes_pong = false;
    return seal(link, TYPE_PONG, &payload, out);
}

// Appends one frame; false if nothing is left or the link failed.
static bool pull_frame(struct link *link, struct buffer *out, struct now now)
{
    struct send_frame frame;
    if (link->owes_pong)
        return pull_pong(link, out);
    if (link->owes_ping)
        return pull_ping(link, out, now);
    if (!send_queue_next(&link->queue, &frame) || !seal(link, frame.type, &frame.payload, out))
        return false;
    send_queue_advance(&link->queue, &frame);
    return true;
}

void link_pull(struct link *link, struct buffer *out, size_t size, struct now now)
{
    size_t before = out->size;
    if (!link_has_output(link))
        return;
    if (link->pending.size > 0) {
        write_bytes(out, link->pending.data, link->pending.size);
        buffer_clear(&link->pending);
        if (out->failed)
            link_fail(link, LINK_CLOSE_MEMORY);
    }
    bool goes_on = link_is_open(link);
    while (goes_on && out->size - before < size)
        goes_on = pull_frame(link, out, now);
    link->bytes_sent += out->size - before;
}

bool link_has_output(const struct link *link)
{
    return !link_is_closed(link) &&
           (link->pending.size > 0 ||
            (link->handshake == NULL &&
             (link->owes_ping || link->owes_pong || link->queue.messages_count > 0)));
}

static bool awaits_answer(const struct link *link)
{
    return link->owes_ping || link->awaits_pong;
}

// Any whole frame shows that somebody is there, be it the answer or not; half a frame does not.
static struct mono_time silence_deadline(const struct link *link)
{
    struct mono_time since = link->unanswered_since;
    if (link->frame_seen.ms > since.ms)
        since = link->frame_seen;
    return later(since, LINK_PING_ANSWER_MS);
}

void link_tick(struct link *link, struct now now)
{
    if (!link_is_closed(link) && link->handshake != NULL &&
        now.mono.ms >= later(link->started, LINK_HANDSHAKE_MS).ms)
        link_fail(link, LINK_CLOSE_HANDSHAKE_TIMEOUT);
    if (link_is_open(link) && awaits_answer(link) && now.mono.ms >= silence_deadline(link).ms)
        link_fail(link, LINK_CLOSE_SILENT);
    if (link_is_open(link) && now.mono.ms >= later(link->ping_due, LINK_PING_MS).ms) {
        if (!awaits_answer(link))
            link->unanswered_since = now.mono;
        link->owes_ping = true;
        link->ping_due = now.mono;
    }
    link_finish(link, now);
}

struct mono_time link_next_deadline(const struct link *link)
{
    if (link_is_closed(link))
        return link->is_told ? MONO_NEVER : (struct mono_time){INT64_MIN};
    if (link->handshake != NULL)
        return later(link->started, LINK_HANDSHAKE_MS);
    struct mono_time ping = later(link->ping_due, LINK_PING_MS);
    return awaits_answer(link) ? mono_min(ping, silence_deadline(link)) : ping;
}

static bool queue_message(struct link *link, enum link_lane lane,
                          const struct send_message *message)
{
    assert((unsigned)lane < LINK_LANES_COUNT && message->type >= LINK_TYPE_MIN &&
           message->size <= LINK_MESSAGE_MAX);
    return !link_is_closed(link) && send_queue_add(&link->queue, lane, message);
}

bool link_send(struct link *link, enum link_lane lane, uint8_t type, const void *data, size_t size)
{
    const struct send_message message = {.type = type, .size = size, .data = data};
    return queue_message(link, lane, &message);
}

bool link_send_shared(struct link *link, enum link_lane lane, uint8_t type,
                      struct shared_bytes *bytes)
{
    const struct send_message message = {
        .type = type, .size = shared_bytes_size(bytes), .shared = bytes};
    return queue_message(link, lane, &message);
}

void link_close(struct link *link)
{
    link_fail(link, LINK_CLOSE_OWNER);
    link->is_told = true;
}

bool link_is_open(const struct link *link)
{
    return !link_is_closed(link) && link->handshake == NULL;
}

enum link_close link_close_reason(const struct link *link)
{
    return link->reason;
}

enum record_verdict link_record_verdict(const struct link *link)
{
    return link->record_verdict;
}

const struct transport_key *link_peer(const struct link *link)
{
    return link->has_peer ? &link->peer : NULL;
}

void link_stats(const struct link *link, struct link_stats *stats)
{
    bool is_open = link_is_open(link);
    *stats = (struct link_stats){
        .bytes_received = link->bytes_received,
        .bytes_sent = link->bytes_sent,
        .frames_received = is_open ? link->receiver.count : 0,
        .frames_sent = is_open ? link->sender.count : 0,
        .queued_bytes = link->queue.bytes,
        .queued_messages = link->queue.messages_count,
        .memory = sizeof *link + link->in.capacity + link->pending.capacity + link->queue.bytes,
        .round_trip_ms = (uint32_t)(link->round_trip_ms + 0.5),
        .round_trip_variation_ms = (uint32_t)(link->variation_ms + 0.5),
    };
    if (link->handshake != NULL)
        stats->memory += sizeof *link->handshake;
    for (size_t i = 0; i < LINK_LANES_COUNT; i++)
        stats->memory += link->assemblies[i].bytes.capacity;
}
