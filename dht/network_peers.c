// Peers: whom to call, who is let in, what is said first, and what faults cost.
#include <assert.h>
#include <string.h>
#include "dht/network_state.h"

#define DIALS_ONCE 32 // calls that begin in one turn

// "Foreign input gets a verdict, mapped to score in one table": PEERS_SCORE_BAN points are a ban.
static const struct {
    unsigned points;
    const char *reason;
} faults[FAULTS_COUNT] = {
    [FAULT_MALFORMED] = {100, "it sent a malformed message"},
    [FAULT_OUT_OF_ORDER] = {100, "it spoke before it said hello"},
    [FAULT_INVALID_SHARE] = {50, "it sent an invalid share"},
    [FAULT_JUNK_ID] = {20, "it announced what cannot be a share"},
    [FAULT_FLOOD] = {10, "it sends too much"},
    [FAULT_BAD_PROOF] = {100, "it claimed work that it cannot prove"},
    [FAULT_BAD_HEADERS] = {100, "it sent headers that break the coin's rules"},
    [FAULT_BAD_ANSWER] = {50, "it sent an answer that nobody asked for"},
    [FAULT_NO_ANSWER] = {5, "it does not answer"},
};

static const struct bucket_size records_allowed = {1, 2};

bool bucket_take(struct bucket *bucket, const struct bucket_size *size, unsigned count,
                 struct now now)
{
    int64_t full = (int64_t)size->burst * 60000;
    int64_t elapsed = now.mono.ms - bucket->filled.ms;
    // Zeros: it was never used, and is full.
    bool is_full = bucket->filled.ms == 0 || elapsed > full / size->rate_minute;
    bucket->tokens = is_full ? full : bucket->tokens + elapsed * size->rate_minute;
    if (bucket->tokens > full)
        bucket->tokens = full;
    bucket->filled = now.mono;
    int64_t price = (int64_t)count * 60000;
    if (bucket->tokens < price)
        return false;
    bucket->tokens -= price;
    return true;
}

void network_fault(struct network *network, uint32_t peer, enum network_fault fault, struct now now)
{
    struct stream *stream = network_stream(network, peer);
    assert((unsigned)fault < FAULTS_COUNT);
    if (stream == NULL || !stream->is_admitted ||
        !peers_fault(network->peers, peer, faults[fault].points, now))
        return;
    network_end_bye(stream, PEER_BYE_BANNED, faults[fault].reason);
    stream->end.is_banned = true;
}

static bool proves_work(const struct network *network, const struct node_record *record)
{
    const struct network_chain *chain = network->config.chain;
    uint8_t node_tag[16];
    if ((record->flags & RECORD_HAS_WORK) == 0 || chain->proves_work == NULL)
        return false;
    record_node_tag(&record->sign_key, record->work_salt, node_tag);
    return chain->proves_work(chain->context, &record->work_share, node_tag);
}

void network_heard(struct network *network, const struct node_record *record, const uint8_t *bytes,
                   size_t size, struct now now)
{
    if (peers_heard(network->peers, record, bytes, size, now))
        network->wants_dial = true;
}

void network_heard_record(struct network *network, const struct node_record *record, struct now now)
{
    uint8_t bytes[RECORD_SIZE_MAX];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    record_encode(record, &out);
    network_heard(network, record, bytes, out.size, now);
}

// What is known of the other side when its handshake is done.
static struct peers_link describe(struct stream *stream, const struct node_record *record,
                                  struct now now)
{
    struct network *network = stream->network;
    struct peers_link link = {.peer = stream->number,
                              .way = PEER_OUTBOUND,
                              .endpoint = stream->endpoint,
                              .id = stream->dial.id,
                              .sign_key = stream->dial.sign_key,
                              .key = stream->dial.key};
    if (record == NULL)
        return link;
    network_heard_record(network, record, now);
    link.way = PEER_INBOUND;
    record_node_id(record, &link.id);
    link.sign_key = record->sign_key;
    link.key = record->transport_key;
    link.has_work = proves_work(network, record);
    return link;
}

static void evict(struct network *network, uint32_t number, enum peer_bye bye)
{
    struct stream *stream = network_stream(network, number);
    if (stream == NULL)
        return;
    stream->is_admitted = false; // peers have forgotten it
    network_end_bye(stream, bye, peer_bye_text(bye));
}

// Whether the link stays.
static bool admit(struct stream *stream, const struct node_record *record, struct now now)
{
    struct network *network = stream->network;
    uint32_t evicted = 0;
    const struct peers_link link = describe(stream, record, now);
    switch (peers_opened(network->peers, &link, now, &evicted)) {
    case PEERS_ADMITTED:
        return true;
    case PEERS_ADMITTED_EVICTS:
        evict(network, evicted, PEER_BYE_EVICTED);
        return true;
    case PEERS_DUPLICATE_EVICTS:
        evict(network, evicted, PEER_BYE_DUPLICATE);
        return true;
    case PEERS_FULL:
        network_end_bye(stream, PEER_BYE_FULL, "there is no place for it");
        return false;
    case PEERS_DUPLICATE:
        network_end_bye(stream, PEER_BYE_DUPLICATE, peer_bye_text(PEER_BYE_DUPLICATE));
        return false;
    case PEERS_BANNED:
        network_end(stream, "it is banned");
        return false;
    case PEERS_IS_SELF:
        network_end(stream, link_close_text(LINK_CLOSE_SELF));
        return false;
    }
    return false;
}

void network_say_hello(struct stream *stream, struct now now)
{
    const struct network *network = stream->network;
    const struct peer_message hello = {.type = PEER_HELLO,
                                       .version = PEER_VERSION,
                                       .port = network->config.port,
                                       .tip = network->tip};
    stream->hello_sent = now.mono;
    if (network_send(stream, LINK_LANE_URGENT, &hello))
        stream->told_tip = network->tip.id;
}

// Our own record first: who was called by key alone shows by it who he is.
static void send_records(struct stream *stream, struct now now)
{
    struct network *network = stream->network;
    uint8_t own[RECORD_SIZE_MAX];
    struct buffer out;
    struct buffer items;
    buffer_init_fixed(&out, own, sizeof own);
    dht_own_record(network->dht, &out, now);
    buffer_init(&items, PEER_RECORDS_MAX * (2 + RECORD_SIZE_MAX));
    peer_item_write(PEER_PEERS, own, out.size, &items);
    peers_sample(network->peers, PEER_RECORDS_MAX - 1, now, &items);
    const struct peer_message message = {.type = PEER_PEERS, .items = {items.data, items.size}};
    if (!items.failed)
        network_send(stream, LINK_LANE_ANSWER, &message);
    buffer_clear(&items);
}

void network_tell_record(struct network *network, struct now now)
{
    for (size_t i = 0; i < network->streams_count; i++) {
        struct stream *stream = network->streams[i];
        if (stream->phase == STREAM_OPEN && stream->end.reason == NULL)
            send_records(stream, now);
    }
}

void network_greet(struct stream *stream, const struct node_record *record, struct now now)
{
    stream->is_admitted = admit(stream, record, now);
    if (!stream->is_admitted)
        return;
    network_say_hello(stream, now);
    send_records(stream, now);
}

void network_open_peer(struct stream *stream, struct now now)
{
    struct network *network = stream->network;
    if (!gossip_peer_opened(network->gossip, stream->number, now)) {
        network_end_bye(stream, PEER_BYE_FULL, "there is no place for it");
        return;
    }
    if (!sync_peer_opened(network->sync, stream->number, now)) {
        gossip_peer_closed(network->gossip, stream->number, now);
        network_end_bye(stream, PEER_BYE_FULL, "there is no place for it");
        return;
    }
    stream->phase = STREAM_OPEN;
    network->open_count++;
    network->events.peer_opened(network->events.context, stream->number, now);
    if (stream->round_trip_ms != 0)
        gossip_peer_round_trip(network->gossip, stream->number, stream->round_trip_ms);
}

// The peer's own record, sent over its link.
static void identify(struct stream *stream, const struct node_record *record, struct now now)
{
    struct network *network = stream->network;
    if (memcmp(record->transport_key.bytes, link_peer(stream->link)->bytes,
               sizeof record->transport_key.bytes) != 0)
        return;
    if (peers_identify(network->peers, stream->number, record) && proves_work(network, record))
        peers_proved_work(network->peers, stream->number);
    struct contact contact = {.key = record->dht_key, .endpoint = record->ipv4};
    record_node_id(record, &contact.id);
    if ((record->flags & RECORD_HAS_IPV4) != 0)
        dht_hear_of(network->dht, &contact, now);
    contact.endpoint = record->ipv6;
    if ((record->flags & RECORD_HAS_IPV6) != 0)
        dht_hear_of(network->dht, &contact, now);
}

void network_take_records(struct stream *stream, const struct peer_message *message, struct now now)
{
    struct network *network = stream->network;
    struct peer_bytes item;
    // Each costs us a signature.
    if (!bucket_take(&stream->records, &records_allowed, 1, now)) {
        network_fault(network, stream->number, FAULT_FLOOD, now);
        return;
    }
    for (size_t offset = 0; peer_item_next(message, &offset, &item);) {
        struct node_record record;
        // Nobody's fault: clocks differ, and records grow old on their way.
        if (record_verify(item.data, item.size, network->config.membership, now.wall, &record) !=
            RECORD_VALID)
            continue;
        network_heard(network, &record, item.data, item.size, now);
        identify(stream, &record, now);
    }
}

void network_dial(struct network *network, struct now now)
{
    struct peers_dial dial;
    network->wants_dial = false;
    for (unsigned i = 0; i < DIALS_ONCE && network->streams_count < STREAMS_MAX; i++) {
        if (!peers_next_dial(network->peers, now, &dial))
            return;
        struct stream *stream = network_stream_new(network, STREAM_OUTBOUND, &dial.endpoint, now);
        if (stream == NULL) {
            peers_failed(network->peers, &dial.key, now);
            return;
        }
        stream->dial = dial;
        network->dialled++;
        network->events.connect(network->events.context, stream->number, &dial.endpoint);
    }
}

void network_peers_tick(struct network *network, struct now now)
{
    uint32_t number;
    while (peers_next_drop(network->peers, now, &number))
        evict(network, number, PEER_BYE_NOT_NEEDED);
    network->wants_dial = true;
}
