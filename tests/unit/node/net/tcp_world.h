// A listener and a client on one loop, and a record of what happened to each side.
#ifndef SHOAL_TESTS_UNIT_NODE_NET_TCP_WORLD_H
#define SHOAL_TESTS_UNIT_NODE_NET_TCP_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/net/tcp.h"

// One end of a connection, or both ends of several.
struct side {
    struct world *world;
    struct net_connection *connection;
    uint8_t *in;
    size_t in_size;
    size_t sent;       // of a large transfer
    size_t send_total; // 0 = none
    int connected_count;
    int drained_count;
    int closed_count;
    char reason[128];
};

struct world {
    struct net_loop *loop;
    struct log *log;
    struct net_listener *listener;
    struct net_timer *guard;
    struct net_timer *tick;
    struct side client;
    struct side server;
    const struct net_connection_events *server_events;
    struct side *stop_when_closed; // ends the run
    size_t stop_when_received;     // by the client, or 0
    size_t accepted_count;
    bool is_echo;
    bool resets_accepted;
    char socket_path[64];
};

// Listens on the address, sending at most 1 MiB unread; the test fails if it takes more than some
// seconds.
void world_init(struct world *world, const char *address, size_t connections_max);
void world_clear(struct world *world);
void world_run_for(struct world *world, int64_t ms);
void world_connect(struct world *world, const char *host, uint16_t port);
// For listeners of a test's own.
void world_accept(void *context, struct net_connection *connection);
// Connects and sends five bytes that come back.
void world_echo(struct world *world, const char *host, uint16_t port);
// Records everything.
extern const struct net_connection_events side_events;
// A client that is a plain blocking socket, to see what arrives on the wire.
int plain_client(uint16_t port);

#endif
