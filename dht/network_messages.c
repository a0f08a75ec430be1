// What peers say: admitted, counted, and given to whom it concerns; and answers to what they ask.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "dht/network_state.h"
#include "node/pow/sha256.h"

#define BYTES_PER_FRAME 512 // frames of this size and more cost nothing: their bytes do
#define UNKNOWN_COST    8   // of a message that a later version may understand, in small frames
#define ASSEMBLING_MAX  (LINK_MESSAGE_MAX + 2 * PEER_ANSWER_BYTES_MAX)

static const struct bucket_size messages_allowed = {2000 * 60, 4000};
static const struct bucket_size verdicts_allowed = {200 * 60, 1000};
static const struct bucket_size blocks_allowed = {30, 30};

static unsigned *expected(struct stream *stream, enum peer_message_type answer)
{
    return &stream->expected[answer - PEER_HELLO];
}

static bool is_answer(unsigned type)
{
    return type == PEER_LINKS || type == PEER_HEADERS || type == PEER_BODIES ||
           type == PEER_SHARES || type == PEER_LOOSE;
}

// ---- What goes out for gossip and sync

static bool send_shared(void *context, uint32_t peer, enum link_lane lane,
                        enum peer_message_type type, struct shared_bytes *bytes)
{
    struct network *network = context;
    struct stream *stream = network_stream(network, peer);
    if (stream == NULL || stream->phase < STREAM_GREETING)
        return false;
    network_touch(stream);
    if (!link_send_shared(stream->link, lane, (uint8_t)type, bytes))
        return false;
    network_count_sent(network, type, shared_bytes_size(bytes));
    enum peer_message_type answer = peer_message_answer(type);
    if (answer != PEER_TYPES_END)
        (*expected(stream, answer))++;
    return true;
}

static void on_gossip_fault(void *context, uint32_t peer, enum gossip_fault fault, struct now now)
{
    static const enum network_fault mapped[] = {
        [GOSSIP_FAULT_INVALID_SHARE] = FAULT_INVALID_SHARE,
        [GOSSIP_FAULT_JUNK_ID] = FAULT_JUNK_ID,
        [GOSSIP_FAULT_FLOOD] = FAULT_FLOOD,
    };
    network_fault(context, peer, mapped[fault], now);
}

static void on_delivered(void *context, uint32_t peer, const struct hash256 *id, struct now now)
{
    struct network *network = context;
    (void)id;
    peers_delivered(network->peers, peer, now);
}

static void on_block(void *context, const struct hash256 *id, const uint8_t *block, size_t size)
{
    const struct network *network = context;
    network->events.block_arrived(network->events.context, id, block, size);
}

bool network_make_gossip(struct network *network)
{
    const struct gossip_config config = {.chain = network->config.chain,
                                         .events = {.context = network,
                                                    .send = send_shared,
                                                    .fault = on_gossip_fault,
                                                    .delivered = on_delivered,
                                                    .block_arrived = on_block},
                                         .seen_max = network->config.gossip_seen_max};
    network->gossip = gossip_new(&network->env, &config);
    return network->gossip != NULL;
}

static void on_sync_fault(void *context, uint32_t peer, enum sync_fault fault, struct now now)
{
    static const enum network_fault mapped[] = {
        [SYNC_FAULT_BAD_PROOF] = FAULT_BAD_PROOF,
        [SYNC_FAULT_BAD_HEADERS] = FAULT_BAD_HEADERS,
        [SYNC_FAULT_BAD_ANSWER] = FAULT_BAD_ANSWER,
        [SYNC_FAULT_NO_ANSWER] = FAULT_NO_ANSWER,
    };
    network_fault(context, peer, mapped[fault], now);
}

static void on_phase(void *context, enum sync_phase phase, struct now now)
{
    struct network *network = context;
    if (phase == SYNC_DONE)
        network->was_synced = true;
    network->events.sync_changed(network->events.context, phase, now);
}

bool network_make_sync(struct network *network)
{
    const struct sync_config config = {.chain = network->config.chain,
                                       .events = {.context = network,
                                                  .send = send_shared,
                                                  .fault = on_sync_fault,
                                                  .phase_changed = on_phase}};
    network->sync = sync_new(&network->env, &config);
    return network->sync != NULL;
}

// ---- What comes in

// The beginning of [bin share, bin block] with the share's version and header: work has to be shown
// before megabytes are taken.
static bool shows_work(const struct network *network, const struct link_announcement *announcement)
{
    const struct network_chain *chain = network->config.chain;
    struct reader reader = reader_init(announcement->start, announcement->start_size);
    struct hash256 id;
    bool is_array = (read_u8(&reader) & 0xf0) == 0x90;
    uint8_t head = read_u8(&reader);
    read_view(&reader, head == 0xc4 ? 1 : 2); // bin 8 or bin 16
    read_u8(&reader);
    const uint8_t *header = read_view(&reader, CHAIN_HEADER_SIZE);
    if (reader.failed || !is_array || (head != 0xc4 && head != 0xc5))
        return false;
    sha256d_80(header, &id);
    return chain->is_plausible(chain->context, &id);
}

bool network_admits(struct stream *stream, const struct link_announcement *announcement,
                    struct now now)
{
    uint8_t type = announcement->type;
    if (stream->phase != STREAM_OPEN || announcement->size > peer_message_size_max(type) ||
        stream->assembling + announcement->size > ASSEMBLING_MAX)
        return false;
    // "The receiver asks before memory is taken": what nobody asked for is small, but for blocks.
    if (is_answer(type) && *expected(stream, (enum peer_message_type)type) == 0)
        return false;
    if (type == PEER_BLOCK && (!shows_work(stream->network, announcement) ||
                               !bucket_take(&stream->blocks, &blocks_allowed, 1, now)))
        return false;
    if (stream->assembling == 0)
        stream->assembling_since = now.mono;
    stream->assembling += announcement->size;
    return true;
}

// Small frames cost as much to open as their bytes do not show; pings are among them.
void network_count_frames(struct stream *stream, struct now now)
{
    struct link_stats stats;
    link_stats(stream->link, &stats);
    uint64_t frames = stats.frames_received - stream->frames;
    uint64_t paid = (stats.bytes_received - stream->bytes) / BYTES_PER_FRAME;
    stream->frames = stats.frames_received;
    stream->bytes = stats.bytes_received;
    unsigned count = frames > paid ? (unsigned)(frames - paid) : 0;
    if (count > 0 && !bucket_take(&stream->messages, &messages_allowed, count, now))
        network_fault(stream->network, stream->number, FAULT_FLOOD, now);
}

static void take_share(struct stream *stream, const struct peer_message *message, struct now now)
{
    struct network *network = stream->network;
    if (!network->is_quiet && !bucket_take(&stream->verdicts, &verdicts_allowed, 1, now)) {
        network_fault(network, stream->number, FAULT_FLOOD, now);
        return;
    }
    gossip_receive(network->gossip, stream->number, message, now);
}

static void take_answer(struct stream *stream, const struct peer_message *message, struct now now)
{
    struct network *network = stream->network;
    unsigned *count = expected(stream, message->type);
    if (*count == 0) {
        network_fault(network, stream->number, FAULT_BAD_ANSWER, now);
        return;
    }
    (*count)--;
    sync_receive(network->sync, stream->number, message, now);
}

static void take_request(struct stream *stream, uint8_t type, const uint8_t *data, size_t size,
                         struct now now)
{
    if (stream->requests_count == SERVE_QUEUE_MAX || stream->requests_bytes + size > REQUESTS_MAX) {
        network_fault(stream->network, stream->number, FAULT_FLOOD, now);
        return;
    }
    struct request *request = malloc(sizeof *request + size);
    if (request == NULL)
        return;
    *request = (struct request){.type = type, .size = size};
    memcpy(request->data, data, size);
    struct request **last = &stream->requests;
    while (*last != NULL)
        last = &(*last)->next;
    *last = request;
    stream->requests_count++;
    stream->requests_bytes += size;
    stream->network->requests_count++;
}

static void take_hello(struct stream *stream, const struct peer_message *message, struct now now)
{
    stream->tip = message->tip;
    if (stream->phase == STREAM_GREETING)
        network_open_peer(stream, now);
    if (stream->phase == STREAM_OPEN)
        sync_receive(stream->network->sync, stream->number, message, now);
}

static void take_bye(struct stream *stream, const struct peer_message *message)
{
    static const char *const reasons[] = {
        [PEER_BYE_STOPPING] = "it is being stopped",
        [PEER_BYE_FULL] = "it has no place for us",
        [PEER_BYE_EVICTED] = "it gave our place to another",
        [PEER_BYE_BANNED] = "it says that we broke a rule",
        [PEER_BYE_DUPLICATE] = "it has another link with us",
        [PEER_BYE_NOT_NEEDED] = "it prefers others",
        [PEER_BYE_UNKNOWN] = "it left",
    };
    network_end(stream, reasons[message->bye]);
}

static void dispatch(struct stream *stream, const struct peer_message *message,
                     const struct peer_bytes *bytes, struct now now)
{
    switch (message->type) {
    case PEER_HELLO:
        take_hello(stream, message, now);
        return;
    case PEER_SHARE:
    case PEER_LINK:
        take_share(stream, message, now);
        return;
    case PEER_HAVE:
    case PEER_WANT:
    case PEER_CHOKE:
    case PEER_UNCHOKE:
    case PEER_BLOCK:
        gossip_receive(stream->network->gossip, stream->number, message, now);
        return;
    case PEER_GET_LINKS:
    case PEER_GET_HEADERS:
    case PEER_GET_BODIES:
    case PEER_GET_SHARES:
    case PEER_GET_LOOSE:
        take_request(stream, (uint8_t)message->type, bytes->data, bytes->size, now);
        return;
    case PEER_LINKS:
    case PEER_HEADERS:
    case PEER_BODIES:
    case PEER_SHARES:
    case PEER_LOOSE:
        take_answer(stream, message, now);
        return;
    case PEER_PEERS:
        network_take_records(stream, message, now);
        return;
    case PEER_BYE:
        take_bye(stream, message);
        return;
    case PEER_TYPES_END:
        return;
    }
}

void network_take_message(struct stream *stream, uint8_t type, const uint8_t *data, size_t size,
                          struct now now)
{
    struct network *network = stream->network;
    struct peer_message message;
    const struct peer_bytes bytes = {data, size};
    if (size > FRAME_PAYLOAD_MAX) {
        assert(stream->assembling >= size);
        stream->assembling -= size;
    }
    if (peer_message_size_max(type) == 0) {
        if (!bucket_take(&stream->messages, &messages_allowed, UNKNOWN_COST, now))
            network_fault(network, stream->number, FAULT_FLOOD, now);
        return;
    }
    network->traffic[type - PEER_HELLO].messages_received++;
    network->traffic[type - PEER_HELLO].bytes_received += size;
    if (!peer_message_decode(type, data, size, &message)) {
        network_fault(network, stream->number, FAULT_MALFORMED, now);
        return;
    }
    bool is_first = stream->phase == STREAM_GREETING;
    if (is_first && message.type != PEER_HELLO && message.type != PEER_BYE) {
        network_fault(network, stream->number, FAULT_OUT_OF_ORDER, now);
        return;
    }
    dispatch(stream, &message, &bytes, now);
}

// ---- Answers

void network_requests_free(struct stream *stream)
{
    while (stream->requests != NULL) {
        struct request *request = stream->requests;
        stream->requests = request->next;
        stream->network->requests_count--;
        free(request);
    }
}

static size_t answers_size(const struct network *network)
{
    size_t size = 0;
    for (size_t i = 0; i < network->streams_count; i++)
        size += network->streams[i]->answer_size;
    return size;
}

// One answer at a time: the next one when all of the last is gone.
static bool is_ready(struct stream *stream, struct now now)
{
    struct mono_time when;
    if (stream->requests == NULL || stream->phase != STREAM_OPEN || stream->end.reason != NULL ||
        link_has_output(stream->link) || stream->queued >= NETWORK_WRITE_QUEUED)
        return false;
    if (serve_is_allowed(&stream->serve, now, &when))
        return true;
    stream->network->wake_at = mono_min(stream->network->wake_at, when);
    return false;
}

static void answer(struct stream *stream)
{
    struct request *request = stream->requests;
    struct peer_message message;
    enum peer_message_type type;
    struct buffer out;
    stream->requests = request->next;
    network_touch(stream);
    stream->network->requests_count--;
    stream->requests_count--;
    stream->requests_bytes -= request->size;
    buffer_init(&out, PEER_ANSWER_BYTES_MAX + FRAME_PAYLOAD_MAX);
    bool is_request = peer_message_decode(request->type, request->data, request->size, &message);
    assert(is_request); // it was decoded when it came
    if (serve_answer(stream->network->config.chain, &message, &stream->serve, &type, &out) &&
        !out.failed) {
        struct shared_bytes *bytes = shared_bytes_new(out.data, out.size);
        bool is_large = out.size > FRAME_PAYLOAD_MAX;
        if (bytes != NULL &&
            link_send_shared(stream->link, is_large ? LINK_LANE_BULK : LINK_LANE_ANSWER,
                             (uint8_t)type, bytes)) {
            stream->answer_size = out.size;
            network_count_sent(stream->network, type, out.size);
        }
        shared_bytes_release(bytes);
    }
    buffer_clear(&out);
    free(request);
}

// The next stream after the one that was served last that can be answered, or NULL.
static struct stream *next_ready(struct network *network, struct now now)
{
    struct stream *first = NULL;
    for (size_t i = 0; i < network->streams_count && network->requests_count > 0; i++) {
        struct stream *stream = network->streams[i];
        bool is_later = stream->number > network->served;
        if ((first != NULL && !is_later) || !is_ready(stream, now))
            continue;
        if (is_later)
            return stream;
        first = stream;
    }
    return first;
}

void network_answer_all(struct network *network, struct now now)
{
    size_t given = 0;
    struct stream *stream = next_ready(network, now);
    while (stream != NULL && answers_size(network) < ANSWERS_MAX) {
        if (given >= ANSWERS_TURN) {
            network->wake_at = now.mono;
            return;
        }
        answer(stream);
        given += stream->answer_size;
        network->served = stream->number;
        network_write_all(network, now);
        stream = next_ready(network, now);
    }
}
