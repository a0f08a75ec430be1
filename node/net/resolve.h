// Names of hosts to addresses, by the system's resolver on another thread.
#ifndef SHOAL_NODE_NET_RESOLVE_H
#define SHOAL_NODE_NET_RESOLVE_H

#include <stddef.h>
#include "node/net/loop.h"
#include "node/net/tcp.h"

#define NET_RESOLVED_MAX 8

struct net_resolve;

// Once, from a later turn: up to NET_RESOLVED_MAX addresses with the port, each once, or none and
// the reason. The request is gone after return.
typedef void net_resolved(void *context, const struct net_address *addresses, size_t count,
                          const char *reason);

// A name or an IP literal (IPv6 without brackets). NULL if it cannot be a name, or out of memory.
struct net_resolve *net_resolve_begin(struct net_loop *loop, const char *host, uint16_t port,
                                      net_resolved *resolved, void *context);
// `resolved` is not called any more. Only before it was called.
void net_resolve_cancel(struct net_resolve *resolve);

#endif
