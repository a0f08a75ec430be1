// Datagram sockets over IPv4 or IPv6. What arrives is handed on at once, at most
// NET_UDP_TURN_DATAGRAMS in one turn of the loop, so that a flood leaves room for everybody else;
// the kernel drops what its own queue does not hold. What cannot be sent at once is dropped and
// counted: whoever sends datagrams repeats what matters. Knows nothing of what they mean.
#ifndef SHOAL_NODE_NET_UDP_H
#define SHOAL_NODE_NET_UDP_H

#include <stddef.h>
#include <stdint.h>
#include "node/net/loop.h"
#include "node/net/tcp.h"

#define NET_UDP_TURN_DATAGRAMS 32

struct net_udp;

// Data is borrowed until return. From a later turn, never from inside a call of the functions
// below; the handler may send and close.
typedef void net_udp_received(void *context, const struct net_address *from, const uint8_t *data,
                              size_t size);

// Binds "0.0.0.0:8400" or "[::]:8400"; an IPv6 socket takes IPv6 only. Port 0 takes a free one.
// NULL with a sentence in `error` that says which address, what is wrong and what to do.
struct net_udp *net_udp_open(struct net_loop *loop, const char *address, net_udp_received *received,
                             void *context, char error[NET_ERROR_SIZE]);
void net_udp_close(struct net_udp *udp); // NULL is fine; nothing is received any more
uint16_t net_udp_port(const struct net_udp *udp);

// To an address of the socket's own family; another one is a failure that is counted.
void net_udp_send(struct net_udp *udp, const struct net_address *to, const void *data, size_t size);

struct net_udp_stats {
    uint64_t received;
    uint64_t sent;
    uint64_t failures; // dropped: the kernel's queue was full, no way there, or another family
};
struct net_udp_stats net_udp_stats(const struct net_udp *udp);

#endif
