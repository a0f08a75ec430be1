// The insides of the network, for network*.c only: streams (network_streams.c), peers and their
// faults (network_peers.c), what they say (network_messages.c), the DHT's side (network_dht.c), our
// address (network_address.c), and what waits to be told (network_outbox.c).
//
// A call of the host runs to its end in two steps: first the engines take what came, which may mark
// streams to be ended and put shares into the outbox; then network_settle ends those streams, tells
// those shares, dials, answers, and writes. So no engine is entered twice, and the order is fixed.
#ifndef SHOAL_DHT_NETWORK_STATE_H
#define SHOAL_DHT_NETWORK_STATE_H

#include "dht/half_open.h"
#include "dht/network.h"
#include "dht/peer_message.h"
#include "dht/serve.h"

#define STREAMS_MAX     640   // more than half-open ones, links and dials can be
#define CONNECT_MS      5000  // until a connection must be there
#define GREETING_MS     10000 // from the handshake to HELLO
#define HELLO_AGAIN_MS  10000 // between two HELLO to one peer
#define ASSEMBLY_MS     120000
#define WRITE_STUCK_MS  120000       // to send all that a peer was to get, else it does not read
#define WRITE_PIECE     (16u << 10)  // given to a connection at once
#define WRITE_TURN      (128u << 10) // at most, before the others had their turn
#define PEER_QUEUE_MAX  (128u << 10) // bytes of the link's queue
#define REQUESTS_MAX    (160u << 10) // bytes of requests of one peer that wait
#define ANSWERS_TURN    (1u << 20)   // bytes of answers in one turn
#define ANSWERS_MAX     (16u << 20)  // bytes of answers to all peers on their way
#define OUTBOX_MAX      4096         // shares that wait to be told; peers ask for the rest
#define OUTBOX_BYTES    (64u << 20)
#define VOTES_MAX       16 // per family
#define DISCOVERIES_MAX 8  // searches at once

// What a peer may send, in one row for each: tokens a second, and after a pause.
struct bucket_size {
    unsigned rate_minute;
    unsigned burst;
};
struct bucket {
    int64_t tokens; // 60000 make one
    struct mono_time filled;
};

enum network_fault {
    FAULT_MALFORMED,
    FAULT_OUT_OF_ORDER, // something before HELLO
    FAULT_INVALID_SHARE,
    FAULT_JUNK_ID,
    FAULT_FLOOD,
    FAULT_BAD_PROOF,
    FAULT_BAD_HEADERS,
    FAULT_BAD_ANSWER,
    FAULT_NO_ANSWER,
    FAULTS_COUNT
};

enum stream_kind { STREAM_INBOUND, STREAM_OUTBOUND, STREAM_DIAL_BACK };

enum stream_phase {
    STREAM_CONNECTING,
    STREAM_HANDSHAKE,
    STREAM_GREETING, // the handshake is done, the peer has not said HELLO
    STREAM_OPEN
};

// Why a stream ends, and whether the peer is told.
struct stream_end {
    const char *reason; // NULL: it does not end; static text
    enum peer_bye bye;
    bool says_bye;
    bool is_gone; // the host said so: nothing is left to close
    bool is_banned;
};

// A GET_ that waits for its answer.
struct request {
    struct request *next;
    uint8_t type;
    size_t size;
    uint8_t data[];
};

struct stream {
    struct network *network;
    uint32_t number;
    enum stream_kind kind;
    enum stream_phase phase;
    struct stream_end end;
    struct endpoint endpoint;
    struct peers_dial dial;        // of an outbound one: whom we call
    uint64_t ticket;               // of a dial back
    struct mono_time since;        // of the phase
    struct link *link;             // NULL while connecting
    bool is_half_open;             // counted in network->half_open
    bool is_admitted;              // known to network->peers
    size_t queued;                 // bytes in the connection, as the host said last
    struct mono_time unsent_since; // MONO_NEVER: all was given to the connection
    uint64_t frames;               // received, as the buckets have counted them
    uint64_t bytes;
    uint32_t round_trip_ms;

    struct chain_tip tip;    // as the peer says
    struct hash256 told_tip; // as we said
    struct mono_time hello_sent;
    struct bucket messages;
    struct bucket verdicts;
    struct bucket records;
    struct bucket blocks;
    unsigned expected[PEER_TYPES_END - PEER_HELLO]; // answers to what we asked, by type
    size_t assembling;                              // bytes announced and not whole yet
    struct mono_time assembling_since;

    struct serve_bucket serve;
    struct request *requests; // owned, oldest first
    size_t requests_count;
    size_t requests_bytes;
    size_t answer_size; // of the last answer, until all of it was given to the connection
};

// A share or block that is to be told: the bytes of share, body and block follow.
struct telling {
    struct telling *next;
    struct gossip_share share;
    const uint8_t *block; // NULL: it is a share
    size_t block_size;
    size_t size; // of all bytes
    uint8_t data[];
};

struct outbox {
    struct telling *first;
    struct telling *last;
    size_t count;
    size_t bytes;
};

struct address_vote {
    struct address_group voter;
    struct address address;
    struct mono_time at;
};

// What we know about our address in one family.
struct own_address {
    bool is_fixed; // the operator or a mapping said so: nothing is asked
    struct address_vote votes[VOTES_MAX];
    size_t votes_count;
    struct mono_time first_vote;
    struct endpoint candidate; // to be tried; of no family: none
    struct endpoint current;   // in our record; of no family: none
    unsigned failures;         // of checks, in succession
    struct mono_time check_at;
    struct mono_time reached; // from outside, last
};

// A check in progress: one node after the other is asked to dial back.
struct address_check {
    bool is_running;
    struct mono_time since;
    unsigned asked;
    unsigned refused;
    bool is_claimed; // the node asked last says it has called, and we have not seen it yet
    struct mono_time again_at; // the node asked last did not answer, or call: ask the next
};

struct discovery {
    struct mono_time at;
    int64_t wait_ms;                    // until the round after the next
    uint64_t searches[DISCOVERIES_MAX]; // 0: free
};

struct network {
    struct env env;
    struct network_config config;
    struct network_events events;
    struct dht *dht;
    struct peers *peers;
    struct gossip *gossip;
    struct sync *sync;
    struct half_open *half_open;

    struct stream *streams[STREAMS_MAX]; // in the order of their numbers
    // Beside the streams, so that a call which concerns one of them looks at no other.
    uint32_t numbers[STREAMS_MAX];
    struct mono_time deadlines[STREAMS_MAX]; // right but for those touched
    bool is_touched[STREAMS_MAX]; // something changed: it may have to be written, and its deadline
    size_t streams_count;
    size_t open_count;     // streams in STREAM_OPEN
    size_t requests_count; // of all streams, that wait
    uint32_t numbers_used;
    size_t ending_count; // streams whose end is set
    uint32_t served;     // the stream that was answered last
    bool wants_dial;
    bool is_busy; // within a call of the host
    bool is_stopped;
    struct now now;           // of that call, for handlers that are not given it
    struct mono_time wake_at; // something is left to do
    struct mono_time deadline;

    struct outbox outbox;
    bool has_moved; // the chain
    struct chain_tip tip;
    bool is_quiet; // gossip is
    bool was_synced;
    struct mono_time save_at;
    struct mono_time alone_at; // MONO_NEVER while there is a peer

    struct discovery discovery;
    bool has_joined;
    bool has_topic;
    struct mono_time publish_at;     // our record under new topic keys
    struct own_address addresses[2]; // IPv4, IPv6
    struct address_check check;

    uint64_t accepted, refused, dialled, dial_failures;
    uint64_t bytes_received, bytes_sent; // of streams that are gone
    struct network_traffic traffic[NETWORK_TYPES_COUNT];
};

// ---- network.c
bool network_has_peer(const struct network *network);

// ---- network_streams.c
// NULL if there is no such stream or it ends.
struct stream *network_stream(const struct network *network, uint32_t number);
// NULL if STREAMS_MAX are there or memory ran out.
struct stream *network_stream_new(struct network *network, enum stream_kind kind,
                                  const struct endpoint *endpoint, struct now now);
// What the functions of network.h of the same names do to a stream. network_accept: NULL if it is
// refused.
struct stream *network_accept(struct network *network, const struct endpoint *from, struct now now);
void network_stream_connected(struct stream *stream, struct now now);
void network_stream_received(struct stream *stream, const void *data, size_t size, struct now now);
// Something of the stream changed: network_settle writes it and looks at its deadline again.
void network_touch(struct stream *stream);
void network_touch_all(struct network *network);
// Marks a stream to be ended when the engines are done; the first reason holds.
void network_end(struct stream *stream, const char *reason);
void network_end_bye(struct stream *stream, enum peer_bye bye, const char *reason);
void network_end_marked(struct network *network, struct now now);
void network_streams_tick(struct network *network, struct now now);
// Of all streams; those touched are not any more, but where more can be written.
struct mono_time network_streams_deadline(struct network *network);
// Gives connections what they can take.
void network_write_all(struct network *network, struct now now);
void network_streams_free(struct network *network);
void network_count_sent(struct network *network, enum peer_message_type type, size_t size);
bool network_send(struct stream *stream, enum link_lane lane, const struct peer_message *message);

// ---- network_peers.c
bool bucket_take(struct bucket *bucket, const struct bucket_size *size, unsigned count,
                 struct now now);
void network_fault(struct network *network, uint32_t peer, enum network_fault fault,
                   struct now now);
// The handshake is done. The record is the initiator's, NULL if we called.
void network_greet(struct stream *stream, const struct node_record *record, struct now now);
void network_say_hello(struct stream *stream, struct now now);
// The peer said HELLO for the first time.
void network_open_peer(struct stream *stream, struct now now);
void network_take_records(struct stream *stream, const struct peer_message *message,
                          struct now now);
void network_heard(struct network *network, const struct node_record *record, const uint8_t *bytes,
                   size_t size, struct now now);
// The same of a record whose bytes are not at hand.
void network_heard_record(struct network *network, const struct node_record *record,
                          struct now now);
// Our record changed: peers are told.
void network_tell_record(struct network *network, struct now now);
void network_dial(struct network *network, struct now now);
void network_peers_tick(struct network *network, struct now now);

// ---- network_messages.c
void network_take_message(struct stream *stream, uint8_t type, const uint8_t *data, size_t size,
                          struct now now);
bool network_admits(struct stream *stream, const struct link_announcement *announcement,
                    struct now now);
void network_count_frames(struct stream *stream, struct now now);
void network_answer_all(struct network *network, struct now now);
bool network_make_gossip(struct network *network);
bool network_make_sync(struct network *network);
void network_requests_free(struct stream *stream);

// ---- network_dht.c
bool network_make_dht(struct network *network, struct now now);
void network_take_topic(struct network *network, const struct hash256 *block);
// We know too few, or others can find us now.
void network_discover_soon(struct network *network, struct now now);
void network_dht_tick(struct network *network, struct now now);
struct mono_time network_dht_deadline(const struct network *network);

// ---- network_address.c
void network_vote(struct network *network, const struct endpoint *teller,
                  const struct endpoint *own);
void network_dialled_back(struct network *network, bool is_reachable, struct now now);
// A connection was accepted.
void network_reached(struct network *network, const struct endpoint *from, struct now now);
void network_address_tick(struct network *network, struct now now);
struct mono_time network_address_deadline(const struct network *network);
void network_fix_endpoint(struct network *network, const struct endpoint *endpoint, struct now now);
// What the operator said.
void network_fix_configured(struct network *network, struct now now);

// ---- network_outbox.c
void network_outbox_add(struct network *network, const struct telling *given);
// Tells the oldest; false if nothing waits.
bool network_outbox_tell(struct network *network, struct now now);
void network_outbox_free(struct network *network);

#endif
