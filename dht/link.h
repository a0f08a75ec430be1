// An encrypted stream between two nodes (p2p.md, Link), as an engine: bytes in, bytes out, messages
// to the owner. It does the Noise handshake, frames, priorities, large messages in chunks, pings
// and time-outs. It opens no connection, and knows nothing of what messages mean.
//
// Handshake: three messages of constant size, 48, 48 and LINK_HANDSHAKE_3 bytes; the third's
// payload is u8 size || the initiator's record || zeros up to 256 bytes. A peer that fails gets no
// byte in answer: the owner, told by `closed`, closes the connection.
//
// Frame types 0..15 are the link's own; types 16..255 are the owner's, one frame each if at most
// FRAME_PAYLOAD_MAX bytes. Type 0 PING and 1 PONG carry 8 bytes, a PONG those of the PING. Larger
// messages: type 2 FIRST (u8 lane, u8 type, u32 size, data), then type 3 NEXT (u8 lane, data),
// every one but the last full; each lane carries one at a time. Types 4..15 are skipped.
#ifndef SHOAL_DHT_LINK_H
#define SHOAL_DHT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/frame.h"
#include "dht/identity.h"
#include "dht/membership.h"
#include "dht/noise.h"
#include "dht/record.h"
#include "dht/shared_bytes.h"
#include "node/base/bytes.h"
#include "node/base/env.h"
#include "node/base/time.h"

#define LINK_HANDSHAKE_1     NOISE_OVERHEAD_1
#define LINK_HANDSHAKE_2     NOISE_OVERHEAD_2
#define LINK_HANDSHAKE_3     (NOISE_OVERHEAD_3 + 256)
#define LINK_TYPE_MIN        16 // the owner's message types begin here
#define LINK_MESSAGE_MAX     (8u << 20)
#define LINK_QUEUE_BYTES     (256u << 10) // default of queue_bytes_max
#define LINK_QUEUED_OVERHEAD 48           // what a queued message costs besides its bytes
#define LINK_HANDSHAKE_MS    6000
#define LINK_PING_MS         60000
#define LINK_PING_ANSWER_MS  30000

// A lower lane goes first, between the frames of a higher one; within a lane, first come first
// served. Of the queue's bytes a lane may fill, with what is queued in all lanes together, all,
// 7/8, 3/4 and 1/2: bulk never keeps a share out.
enum link_lane {
    LINK_LANE_URGENT, // blocks, own shares, what keeps the link alive
    LINK_LANE_SHARE,  // shares of others, announcements, requests
    LINK_LANE_ANSWER, // single objects somebody asked for
    LINK_LANE_BULK,   // sync
    LINK_LANES_COUNT
};

enum link_close {
    LINK_OPEN, // not closed
    LINK_CLOSE_OWNER,
    LINK_CLOSE_HANDSHAKE_TIMEOUT,
    LINK_CLOSE_STRANGER,         // message 1: another pool, secret or responder, or no Noise at all
    LINK_CLOSE_HANDSHAKE_FAILED, // message 2 or 3
    LINK_CLOSE_RECORD_REFUSED,   // the initiator's record: link_record_verdict
    LINK_CLOSE_SELF,             // we called ourselves
    LINK_CLOSE_OVERSIZE,         // a frame longer than allowed, or altered so as to look like one
    LINK_CLOSE_TAMPERED,         // a frame's tag
    LINK_CLOSE_MALFORMED,        // authentic, but against the rules of chunks or pings
    LINK_CLOSE_MESSAGE_REFUSED,  // `admits` said no, or over LINK_MESSAGE_MAX
    LINK_CLOSE_SILENT,           // no whole frame LINK_PING_ANSWER_MS after a ping
    LINK_CLOSE_USED_UP,          // FRAME_COUNT_MAX
    LINK_CLOSE_MEMORY,
    LINK_CLOSES_COUNT
};
// A sentence for logs and `shoal peers`.
const char *link_close_text(enum link_close reason);
// A word for metrics: "stranger".
const char *link_close_label(enum link_close reason);

// The beginning of a large message, before memory is taken for it.
struct link_announcement {
    uint8_t type;
    enum link_lane lane;
    size_t size;          // of the whole message
    const uint8_t *start; // its first bytes, about 16 KiB
    size_t start_size;
};

// Called from link_receive and link_tick only; pointers are borrowed for the call. A handler may
// send and close, not free.
struct link_events {
    // The handshake is done. At the responder `record` is the initiator's, verified, and names the
    // transport key it proved; at the initiator NULL. The initiator is told when it has sent
    // message 3: the first frame that comes back proves that the responder took it.
    void (*opened)(void *context, const struct node_record *record, struct now now);
    void (*received)(void *context, uint8_t type, const uint8_t *data, size_t size, struct now now);
    // Whether a message of more than FRAME_PAYLOAD_MAX bytes may come; false closes the link.
    bool (*admits)(void *context, const struct link_announcement *announcement);
    // At most once; never for link_close by the owner.
    void (*closed)(void *context, enum link_close reason, struct now now);
};

struct link_config {
    const struct env *env; // borrowed, as are the next two; they outlive the link
    const struct membership *membership;
    const struct identity *identity;
    const struct transport_key *peer; // whom we call; NULL if the peer called us
    const uint8_t *record;            // our own signed record; of the initiator only, copied
    size_t record_size;
    size_t queue_bytes_max;           // 0: LINK_QUEUE_BYTES
    const struct link_events *events; // borrowed, outlives the link
    void *context;
};

struct link;

// NULL if out of memory.
struct link *link_new(const struct link_config *config, struct now now);
void link_free(struct link *link);

// What came from the connection, cut anywhere.
void link_receive(struct link *link, const void *data, size_t size, struct now now);
// Appends to *out what the connection should send next: whole frames, until `size` bytes were
// appended (by less than one frame more) or nothing is left. The most urgent waits in the link, not
// in the socket: ask for little at a time, when the connection can take it.
void link_pull(struct link *link, struct buffer *out, size_t size, struct now now);
bool link_has_output(const struct link *link);
void link_tick(struct link *link, struct now now);
// MONO_NEVER once closed.
struct mono_time link_next_deadline(const struct link *link);

// Queues a message; type >= LINK_TYPE_MIN, size <= LINK_MESSAGE_MAX. Allowed before the handshake
// is done. False if the lane is full, the link closed, or out of memory: nothing was queued.
bool link_send(struct link *link, enum link_lane lane, uint8_t type, const void *data, size_t size);
// The same without a copy: holds a reference until sent. In the queue's bytes it counts as
// LINK_QUEUED_OVERHEAD: the one copy is charged to who made it.
bool link_send_shared(struct link *link, enum link_lane lane, uint8_t type,
                      struct shared_bytes *bytes);
// No more input or output; drops what is queued. For a farewell send it, pull it, then close.
void link_close(struct link *link);

bool link_is_open(const struct link *link); // handshake done and not closed
enum link_close link_close_reason(const struct link *link);
enum record_verdict link_record_verdict(const struct link *link);
// The peer's transport key; NULL at the responder before the handshake is done.
const struct transport_key *link_peer(const struct link *link);

struct link_stats {
    uint64_t bytes_received;
    uint64_t bytes_sent;
    uint64_t frames_received;
    uint64_t frames_sent;
    size_t queued_bytes; // copies waiting to be sent
    size_t queued_messages;
    size_t memory;          // all the link holds now, in bytes, shared bytes excepted
    uint32_t round_trip_ms; // smoothed over pings; 0 before the first answer
    uint32_t round_trip_variation_ms;
};
void link_stats(const struct link *link, struct link_stats *stats);

#endif
