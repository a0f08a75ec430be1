// A hostile program for benches and end-to-end tests: connects to a node over loopback and
// misbehaves in one of the ways below, for a bounded time, then says in one line of JSON what it
// did and what it got for it. It plays by the rules of links with an identity of its own where a
// way needs a member of the pool. Loopback only; it takes an address of its own (127.0.0.0/8).
#ifndef SHOAL_TESTS_SUPPORT_BAD_PEER_H
#define SHOAL_TESTS_SUPPORT_BAD_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/identity.h"
#include "dht/membership.h"
#include "node/base/env.h"

enum bad_way {
    BAD_GARBAGE, // random bytes as fast as they go, again and again
    BAD_DRIP,    // many connections, a byte a second of a true first message on each
    BAD_GREET,   // a handshake with what it was given, and no more
    BAD_FLOOD,   // a member that sends small messages, `rate` a second
    BAD_JUNK,    // a member that announces what cannot be a share
    BAD_FORGE,   // a member that changes the shares it is given, and tells them
    BAD_DEAF,    // a member that asks for much and reads nothing
    BAD_WAYS_COUNT
};

struct bad_tally {
    uint64_t connections;    // that were there
    uint64_t refused;        // of them: closed before a byte came
    uint64_t handshakes;     // links that were opened: a frame came back
    uint64_t bans;           // farewells that say so
    uint64_t messages;       // given to links
    uint64_t bytes_sent;     // taken by the system
    uint64_t bytes_received; // of all kinds
};

struct bad_peer {
    enum bad_way way;
    struct sockaddr_in victim;
    struct transport_key key; // the victim's
    struct membership membership;
    const struct env *env;
    uint64_t rate;
    uint64_t connections_max; // BAD_DRIP
    uint64_t addresses;       // how many of its own it uses, one after the other
    uint64_t address_first;
    uint64_t dials;
    int64_t end_ns;
    struct bad_tally tally;
};

// Whether the time is not over.
bool bad_peer_goes_on(const struct bad_peer *peer);
// Opens a connection from the next address of its own; -1 if it was refused. Non-blocking.
int bad_peer_dial(struct bad_peer *peer);
// Sends what the system takes; -1 if the connection is gone.
long bad_peer_send(struct bad_peer *peer, int fd, const void *data, size_t size);
// Takes what came into `data`; 0 if nothing is there, -1 if the connection is gone.
long bad_peer_receive(struct bad_peer *peer, int fd, void *data, size_t size);
// Waits until fd can be read, or written where that is wanted, at most so long.
void bad_peer_wait(int fd, bool wants_to_write, int ms);

// bad_peer_stranger.c: BAD_GARBAGE and BAD_DRIP.
void bad_peer_garbage(struct bad_peer *peer);
void bad_peer_drip(struct bad_peer *peer);
// bad_peer_member.c: the others, one link after the other until the time is over.
void bad_peer_member(struct bad_peer *peer);

#endif
