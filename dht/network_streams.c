// Streams: accepted, opened, read, written and ended.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "dht/network_state.h"

#define GOODBYE_SIZE 4096 // what may go out before and with the last word

// As what a stranger is counted: in crowded pools an address is everybody's.
static struct address stranger_of(const struct network *network, const struct endpoint *from)
{
    uint8_t bytes[16] = {0xfd, (uint8_t)(from->port >> 8), (uint8_t)from->port};
    if (!network->config.is_crowded)
        return from->address;
    memcpy(bytes + 3, from->address.bytes, sizeof bytes - 3);
    return address_ipv6(bytes);
}

static void leave_half_open(struct stream *stream)
{
    const struct address stranger = stranger_of(stream->network, &stream->endpoint);
    if (stream->is_half_open)
        half_open_leave(stream->network->half_open, &stranger);
    stream->is_half_open = false;
}

static void on_opened(void *context, const struct node_record *record, struct now now)
{
    struct stream *stream = context;
    leave_half_open(stream);
    stream->phase = STREAM_GREETING;
    stream->since = now.mono;
    network_greet(stream, record, now);
}

static void on_received(void *context, uint8_t type, const uint8_t *data, size_t size,
                        struct now now)
{
    struct stream *stream = context;
    if (stream->end.reason == NULL)
        network_take_message(stream, type, data, size, now);
}

static bool on_admits(void *context, const struct link_announcement *announcement)
{
    struct stream *stream = context;
    return stream->end.reason == NULL && network_admits(stream, announcement, stream->network->now);
}

static void on_closed(void *context, enum link_close reason, struct now now)
{
    struct stream *stream = context;
    // These two are authentic, so nobody in between has forged them.
    if (stream->is_admitted &&
        (reason == LINK_CLOSE_MALFORMED || reason == LINK_CLOSE_MESSAGE_REFUSED))
        network_fault(stream->network, stream->number, FAULT_MALFORMED, now);
    network_end(stream, link_close_text(reason));
}

static const struct link_events link_handlers = {
    .opened = on_opened, .received = on_received, .admits = on_admits, .closed = on_closed};

// Where the stream of this number is, or would be.
static size_t index_of(const struct network *network, uint32_t number)
{
    size_t low = 0;
    size_t high = network->streams_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (network->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct stream *network_stream(const struct network *network, uint32_t number)
{
    size_t index = index_of(network, number);
    if (index == network->streams_count || network->numbers[index] != number ||
        network->streams[index]->end.reason != NULL)
        return NULL;
    return network->streams[index];
}

void network_touch(struct stream *stream)
{
    struct network *network = stream->network;
    size_t index = index_of(network, stream->number);
    assert(index < network->streams_count && network->streams[index] == stream);
    network->is_touched[index] = true;
}

void network_touch_all(struct network *network)
{
    for (size_t i = 0; i < network->streams_count; i++)
        network->is_touched[i] = true;
}

struct stream *network_stream_new(struct network *network, enum stream_kind kind,
                                  const struct endpoint *endpoint, struct now now)
{
    if (network->streams_count == STREAMS_MAX)
        return NULL;
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->network = network;
    stream->number = ++network->numbers_used;
    assert(stream->number != 0); // four thousand million streams
    stream->kind = kind;
    stream->endpoint = *endpoint;
    stream->since = now.mono;
    stream->unsent_since = MONO_NEVER;
    serve_bucket_init(&stream->serve, now);
    size_t index = network->streams_count++;
    network->streams[index] = stream;
    network->numbers[index] = stream->number;
    network->is_touched[index] = true;
    return stream;
}

static bool make_link(struct stream *stream, struct now now)
{
    const struct network *network = stream->network;
    uint8_t record[RECORD_SIZE_MAX];
    struct buffer out;
    struct link_config config = {.env = &network->env,
                                 .membership = network->config.membership,
                                 .identity = network->config.identity,
                                 .queue_bytes_max = PEER_QUEUE_MAX,
                                 .events = &link_handlers,
                                 .context = stream};
    if (stream->kind == STREAM_OUTBOUND) {
        buffer_init_fixed(&out, record, sizeof record);
        dht_own_record(network->dht, &out, now);
        config.peer = &stream->dial.key;
        config.record = record;
        config.record_size = out.size;
    }
    stream->link = link_new(&config, now);
    stream->phase = STREAM_HANDSHAKE;
    stream->since = now.mono;
    return stream->link != NULL;
}

static struct stream *refuse(const struct network *network, const struct endpoint *from,
                             const char *reason, struct now now)
{
    if (network->events.stranger_refused != NULL)
        network->events.stranger_refused(network->events.context, from, reason, now);
    return NULL;
}

struct stream *network_accept(struct network *network, const struct endpoint *from, struct now now)
{
    const struct address stranger = stranger_of(network, from);
    network_reached(network, from, now);
    if (network->config.port == 0)
        return NULL;
    if (peers_is_banned(network->peers, &from->address, now))
        return refuse(network, from, "it is banned", now);
    enum half_open_verdict verdict = half_open_enter(network->half_open, &stranger, now.mono);
    if (verdict != HALF_OPEN_ADMITTED)
        return refuse(network, from, half_open_verdict_text(verdict), now);
    struct stream *stream = network_stream_new(network, STREAM_INBOUND, from, now);
    if (stream == NULL) {
        half_open_leave(network->half_open, &stranger);
        return NULL;
    }
    stream->is_half_open = true;
    if (make_link(stream, now))
        return stream;
    // The host never hears of it.
    network_end(stream, "out of memory");
    stream->end.is_gone = true;
    return NULL;
}

void network_stream_connected(struct stream *stream, struct now now)
{
    network_touch(stream);
    if (stream->kind == STREAM_DIAL_BACK) {
        dht_dialled(stream->network->dht, stream->ticket, true, now);
        stream->ticket = 0;
        network_end(stream, "it was only to be tried");
    } else if (!make_link(stream, now)) {
        network_end(stream, "out of memory");
    }
}

static void take_round_trip(struct stream *stream)
{
    struct network *network = stream->network;
    struct link_stats stats;
    link_stats(stream->link, &stats);
    if (stats.round_trip_ms == stream->round_trip_ms || !stream->is_admitted)
        return;
    stream->round_trip_ms = stats.round_trip_ms;
    peers_round_trip(network->peers, stream->number, stats.round_trip_ms);
    if (stream->phase == STREAM_OPEN)
        gossip_peer_round_trip(network->gossip, stream->number, stats.round_trip_ms);
}

void network_stream_received(struct stream *stream, const void *data, size_t size, struct now now)
{
    network_touch(stream);
    link_receive(stream->link, data, size, now);
    if (stream->end.reason != NULL)
        return;
    network_count_frames(stream, now);
    take_round_trip(stream);
}

void network_end(struct stream *stream, const char *reason)
{
    if (stream->end.reason != NULL)
        return;
    stream->end.reason = reason;
    stream->network->ending_count++;
}

void network_end_bye(struct stream *stream, enum peer_bye bye, const char *reason)
{
    if (stream->end.reason != NULL)
        return;
    network_end(stream, reason);
    stream->end.says_bye = stream->phase == STREAM_GREETING || stream->phase == STREAM_OPEN;
    stream->end.bye = bye;
}

void network_count_sent(struct network *network, enum peer_message_type type, size_t size)
{
    struct network_traffic *traffic = &network->traffic[type - PEER_HELLO];
    traffic->messages_sent++;
    traffic->bytes_sent += size;
}

bool network_send(struct stream *stream, enum link_lane lane, const struct peer_message *message)
{
    struct buffer out;
    network_touch(stream);
    buffer_init(&out, peer_message_size_max((uint8_t)message->type));
    peer_message_encode(message, &out);
    bool is_sent =
        !out.failed && link_send(stream->link, lane, (uint8_t)message->type, out.data, out.size);
    if (is_sent)
        network_count_sent(stream->network, message->type, out.size);
    buffer_clear(&out);
    return is_sent;
}

static void write_piece(struct stream *stream, size_t size, struct now now)
{
    struct network *network = stream->network;
    struct buffer piece;
    buffer_init(&piece, size + FRAME_SIZE_MAX + LINK_HANDSHAKE_3);
    link_pull(stream->link, &piece, size, now);
    if (piece.size > 0)
        stream->queued =
            network->events.write(network->events.context, stream->number, piece.data, piece.size);
    buffer_clear(&piece);
}

static void write_stream(struct stream *stream, struct now now)
{
    size_t given = 0;
    while (link_has_output(stream->link) && stream->queued < NETWORK_WRITE_QUEUED &&
           given < WRITE_TURN) {
        write_piece(stream, WRITE_PIECE, now);
        given += WRITE_PIECE;
    }
    if (!link_has_output(stream->link)) {
        stream->unsent_since = MONO_NEVER;
        stream->answer_size = 0;
        return;
    }
    if (stream->unsent_since.ms == MONO_NEVER.ms)
        stream->unsent_since = now.mono;
    if (stream->queued < NETWORK_WRITE_QUEUED)
        stream->network->wake_at = now.mono;
}

void network_write_all(struct network *network, struct now now)
{
    for (size_t i = 0; i < network->streams_count; i++) {
        struct stream *stream = network->streams[i];
        if (network->is_touched[i] && stream->link != NULL && stream->end.reason == NULL)
            write_stream(stream, now);
    }
}

static void say_goodbye(struct stream *stream, struct now now)
{
    const struct peer_message message = {.type = PEER_BYE, .bye = stream->end.bye};
    if (stream->end.says_bye && !stream->end.is_gone && link_is_open(stream->link) &&
        network_send(stream, LINK_LANE_URGENT, &message))
        write_piece(stream, GOODBYE_SIZE, now);
}

// Who only looks whether we can be reached is no stranger.
static bool has_spoken(const struct stream *stream)
{
    struct link_stats stats;
    if (stream->link == NULL)
        return false;
    link_stats(stream->link, &stats);
    return stats.bytes_received > 0 || !stream->end.is_gone;
}

// The engines forget the peer. What they do then may end others, not this one again.
static void forget_peer(struct stream *stream, struct now now)
{
    struct network *network = stream->network;
    const struct network_chain *chain = network->config.chain;
    uint32_t number = stream->number;
    if (stream->is_admitted)
        peers_closed(network->peers, number, now);
    else if (stream->kind == STREAM_OUTBOUND && stream->phase < STREAM_GREETING)
        peers_failed(network->peers, &stream->dial.key, now);
    if (stream->kind == STREAM_DIAL_BACK && stream->ticket != 0)
        dht_dialled(network->dht, stream->ticket, false, now);
    if (stream->kind == STREAM_INBOUND && stream->phase == STREAM_HANDSHAKE && has_spoken(stream))
        refuse(network, &stream->endpoint, stream->end.reason, now);
    if (stream->end.is_banned)
        network->events.peer_banned(network->events.context, number, stream->end.reason, now);
    if (stream->phase != STREAM_OPEN)
        return;
    gossip_peer_closed(network->gossip, number, now);
    sync_peer_closed(network->sync, number, now);
    chain->forget_source(chain->context, number);
    network->events.peer_closed(network->events.context, number, stream->end.reason, now);
}

static void free_stream(struct stream *stream)
{
    if (stream->link != NULL) {
        struct link_stats stats;
        link_stats(stream->link, &stats);
        stream->network->bytes_received += stats.bytes_received;
        stream->network->bytes_sent += stats.bytes_sent;
        link_close(stream->link);
    }
    network_requests_free(stream);
    link_free(stream->link);
    free(stream);
}

static void remove_index(struct network *network, size_t index)
{
    size_t after = --network->streams_count - index;
    memmove(&network->streams[index], &network->streams[index + 1],
            after * sizeof network->streams[0]);
    memmove(&network->numbers[index], &network->numbers[index + 1],
            after * sizeof network->numbers[0]);
    memmove(&network->deadlines[index], &network->deadlines[index + 1],
            after * sizeof network->deadlines[0]);
    memmove(&network->is_touched[index], &network->is_touched[index + 1],
            after * sizeof network->is_touched[0]);
}

static void end_stream(struct network *network, size_t index, struct now now)
{
    struct stream *stream = network->streams[index];
    say_goodbye(stream, now);
    remove_index(network, index);
    network->ending_count--;
    network->open_count -= stream->phase == STREAM_OPEN;
    network->wants_dial = true;
    leave_half_open(stream);
    // A dial back that is reset may be gone before the other side has seen whose it was.
    bool is_graceful = stream->end.says_bye || stream->kind == STREAM_DIAL_BACK;
    if (!stream->end.is_gone)
        network->events.close(network->events.context, stream->number, is_graceful);
    forget_peer(stream, now);
    free_stream(stream);
}

void network_end_marked(struct network *network, struct now now)
{
    for (size_t i = 0; i < network->streams_count;) {
        if (network->streams[i]->end.reason != NULL)
            end_stream(network, i, now);
        else
            i++;
    }
}

void network_streams_free(struct network *network)
{
    while (network->streams_count > 0)
        free_stream(network->streams[--network->streams_count]);
}

static struct mono_time after(struct mono_time time, int64_t ms)
{
    return time.ms == MONO_NEVER.ms ? time : (struct mono_time){time.ms + ms};
}

static struct mono_time hello_deadline(const struct stream *stream)
{
    bool is_told = hash_equal(&stream->told_tip, &stream->network->tip.id);
    return is_told ? MONO_NEVER : after(stream->hello_sent, HELLO_AGAIN_MS);
}

// What ends the stream if nothing happens before.
static struct mono_time patience(const struct stream *stream)
{
    struct mono_time deadline = after(stream->unsent_since, WRITE_STUCK_MS);
    if (stream->assembling > 0)
        deadline = mono_min(deadline, after(stream->assembling_since, ASSEMBLY_MS));
    if (stream->phase == STREAM_CONNECTING)
        deadline = after(stream->since, CONNECT_MS);
    if (stream->phase == STREAM_GREETING)
        deadline = mono_min(deadline, after(stream->since, GREETING_MS));
    return deadline;
}

static const char *impatience_text(const struct stream *stream, struct now now)
{
    if (stream->phase == STREAM_CONNECTING)
        return "it could not be reached in time";
    if (stream->phase == STREAM_GREETING)
        return "it said no hello";
    if (now.mono.ms >= after(stream->unsent_since, WRITE_STUCK_MS).ms)
        return "it does not read what we send";
    return "it does not finish a message";
}

static void stream_tick(struct stream *stream, struct now now)
{
    if (stream->link != NULL && link_next_deadline(stream->link).ms <= now.mono.ms)
        link_tick(stream->link, now);
    if (stream->end.reason != NULL)
        return;
    if (patience(stream).ms <= now.mono.ms) {
        stream->network->dial_failures += stream->phase == STREAM_CONNECTING;
        network_end(stream, impatience_text(stream, now));
    } else if (stream->phase == STREAM_OPEN && hello_deadline(stream).ms <= now.mono.ms) {
        network_say_hello(stream, now);
    }
}

void network_streams_tick(struct network *network, struct now now)
{
    for (size_t i = 0; i < network->streams_count; i++) {
        bool may_be_due = network->is_touched[i] || network->deadlines[i].ms <= now.mono.ms;
        if (!may_be_due || network->streams[i]->end.reason != NULL)
            continue;
        network->is_touched[i] = true;
        stream_tick(network->streams[i], now);
    }
}

static struct mono_time deadline_of(const struct stream *stream)
{
    struct mono_time deadline = patience(stream);
    if (stream->link != NULL)
        deadline = mono_min(deadline, link_next_deadline(stream->link));
    if (stream->phase == STREAM_OPEN)
        deadline = mono_min(deadline, hello_deadline(stream));
    return deadline;
}

static bool can_be_written(const struct stream *stream)
{
    return stream->link != NULL && stream->queued < NETWORK_WRITE_QUEUED &&
           link_has_output(stream->link);
}

struct mono_time network_streams_deadline(struct network *network)
{
    struct mono_time deadline = MONO_NEVER;
    for (size_t i = 0; i < network->streams_count; i++) {
        if (network->is_touched[i]) {
            network->deadlines[i] = deadline_of(network->streams[i]);
            network->is_touched[i] = can_be_written(network->streams[i]);
        }
        deadline = mono_min(deadline, network->deadlines[i]);
    }
    return deadline;
}
