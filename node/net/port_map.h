// A port of the home router that leads to this machine, by UPnP (miniupnpc), so that nodes outside
// reach one behind it: TCP and UDP, the same number. Talks to the router on a thread of its own,
// which a router that never answers cannot make anybody wait for; renews the lease at half its
// time, tries again when the router failed, and takes the mapping away at the end. IPv4 only.
#ifndef SHOAL_NODE_NET_PORT_MAP_H
#define SHOAL_NODE_NET_PORT_MAP_H

#include <stdint.h>
#include "node/net/loop.h"
#include "node/net/tcp.h"

#define NET_PORT_MAP_LEASE_S 3600

struct net_port_map;

// Told from the loop, never from inside a call of the functions below.
struct net_port_map_events {
    void *context;
    // `outside` leads here now. Again only when it changed. The router says so: whether it is the
    // outside of everything, nobody knows.
    void (*mapped)(void *context, const struct net_address *outside);
    // There is no mapping (any more); it is tried again. Again only when the reason changed.
    void (*failed)(void *context, const char *reason);
};

struct net_port_map_options {
    uint16_t port;          // here, and wanted outside; another one if the router has given it away
    uint32_t lease_s;       // 0: NET_PORT_MAP_LEASE_S
    const char *router_url; // of its description, copied; NULL: looked for in the local network
    struct net_port_map_events events;
};

// Begins at once. NULL if out of memory.
struct net_port_map *net_port_map_new(struct net_loop *loop,
                                      const struct net_port_map_options *options);
// Begins to take the mapping away; no event comes any more.
void net_port_map_stop(struct net_port_map *map);
// Waits for nobody: what a router has not answered by then ends by itself, a mapping with its
// lease.
void net_port_map_free(struct net_port_map *map); // NULL is fine

#endif
