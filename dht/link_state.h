// What link.c (life, sending, time) and link_receive.c (reading) share of a link. Nobody else
// includes this.
#ifndef SHOAL_DHT_LINK_STATE_H
#define SHOAL_DHT_LINK_STATE_H

#include "dht/link.h"
#include "dht/send_queue.h"

// Frame types of the link itself, with SEND_TYPE_FIRST and SEND_TYPE_NEXT.
#define TYPE_PING 0
#define TYPE_PONG 1

#define PING_SIZE           8
#define RECORD_PAYLOAD_SIZE 256

// Only while the handshake lasts.
struct link_handshake {
    struct noise_handshake noise;
    uint8_t payload[RECORD_PAYLOAD_SIZE]; // of message 3
};

// A large message on its way in; size 0 means there is none.
struct link_assembly {
    struct buffer bytes;
    size_t size;
    uint8_t type;
};

struct link {
    const struct env *env;
    const struct membership *membership;
    const struct identity *identity;
    const struct link_events *events;
    void *context;

    enum link_close reason; // LINK_OPEN until it is closed
    bool is_told;           // `closed` was called, or need not be
    bool is_receiving;      // what is being read must stay where it is
    bool has_peer;
    enum record_verdict record_verdict;
    struct transport_key peer;
    struct link_handshake *handshake; // NULL once done
    struct mono_time started;

    struct frame_cipher sender;
    struct frame_cipher receiver;
    struct buffer in;      // the beginning of what is not whole yet
    struct buffer pending; // handshake messages to send
    struct link_assembly assemblies[LINK_LANES_COUNT];
    struct send_queue queue;

    bool owes_pong;
    bool owes_ping;
    bool awaits_pong;
    uint8_t ping[PING_SIZE]; // what we sent last, and must come back
    uint8_t pong[PING_SIZE]; // what we must send back
    struct mono_time ping_due;
    struct mono_time ping_sent;
    struct mono_time unanswered_since; // the first ping that has no answer was due
    struct mono_time frame_seen;
    double round_trip_ms; // RFC 6298; 0 is unknown
    double variation_ms;

    uint64_t bytes_received;
    uint64_t bytes_sent;
};

// Closes the link and gives back its memory. The owner is told by the next link_finish, not from
// here: this may happen within link_new or link_pull.
void link_fail(struct link *link, enum link_close reason);
// Tells the owner, once, if the link failed.
void link_finish(struct link *link, struct now now);
bool link_is_closed(const struct link *link);
// Writes the handshake message whose turn it is.
void link_write_handshake(struct link *link, const void *payload, size_t size);

#endif
