// The talk with a home router (UPnP Internet Gateway Device, by miniupnpc), as blocking calls: only
// port_map.c makes them, on a thread of its own. A router may take minutes to answer.
#ifndef SHOAL_NODE_NET_ROUTER_H
#define SHOAL_NODE_NET_ROUTER_H

#include <stdbool.h>
#include <stdint.h>
#include "node/net/tcp.h"

#define ROUTER_REASON_SIZE 192
#define ROUTER_TEXT_SIZE   256

// Whom to ask; empty texts: nobody was found yet.
struct router {
    char control_url[ROUTER_TEXT_SIZE];
    char service[ROUTER_TEXT_SIZE];
    char own_address[64]; // of this machine, as the router sees it
};

// Looks for the router in the local network for two seconds, or asks the one with this description.
// False with the reason.
bool router_find(struct router *router, const char *url, char reason[ROUTER_REASON_SIZE]);
// A port outside that leads to one here: TCP and UDP.
struct router_mapping {
    uint16_t port;              // here
    uint16_t wanted;            // outside, if it is free
    uint32_t lease_s;           // becomes 0 if the router knows only mappings without an end
    struct net_address outside; // the answer
};
// False with the reason.
bool router_map(const struct router *router, struct router_mapping *mapping,
                char reason[ROUTER_REASON_SIZE]);
void router_unmap(const struct router *router, uint16_t outside_port);

#endif
