// Byte streams: listeners and connections over TCP and unix sockets, with TCP_NODELAY and a bounded
// queue of unsent bytes. Reading uses one buffer of the loop, so an idle connection costs less than
// 1 KB. Knows nothing of what the bytes mean. Addresses are IP literals: "0.0.0.0:3333",
// "[::1]:3333" or "unix:/run/shoal.sock".
#ifndef SHOAL_NODE_NET_TCP_H
#define SHOAL_NODE_NET_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/log.h"
#include "node/net/loop.h"

struct net_address {
    uint8_t ip[16]; // network order; IPv4 as ::ffff:a.b.c.d
    uint16_t port;
    bool is_unix; // ip and port are zero
};

#define NET_ADDRESS_TEXT_SIZE 56
// "1.2.3.4:5", "[::1]:5" or "unix".
void net_address_to_text(const struct net_address *address, char out[NET_ADDRESS_TEXT_SIZE]);

struct net_connection;

// What happens to a connection. None of these comes from inside a call of the functions below.
struct net_connection_events {
    // Only for net_connect: it can be written to now. May be NULL for accepted connections.
    void (*connected)(void *context, struct net_connection *connection);
    // Bytes arrived; data is borrowed until return.
    void (*received)(void *context, struct net_connection *connection, const uint8_t *data,
                     size_t size);
    // Everything that was queued is with the kernel now (not called if nothing was queued). May be
    // NULL.
    void (*drained)(void *context, struct net_connection *connection);
    // The last event, exactly once for every connection, whoever ended it, also if connecting
    // failed. `reason` is a short text for the log. The connection is gone after return.
    void (*closed)(void *context, struct net_connection *connection, const char *reason);
};

struct net_listener;

struct net_listen_options {
    const char *address;
    bool is_ipv6_only; // "[::]" leaves the IPv4 addresses of this port to another listener
    // 0 = no limit; a connection beyond it is reset at once and counted.
    size_t connections_max;
    // More unsent bytes than this on a connection and it is reset; 0 = 64 KiB.
    size_t send_bytes_max;
    // Must call net_connection_begin or net_connection_reset.
    void (*accepted)(void *context, struct net_connection *connection);
    void *context;
    struct log *log; // not NULL; says when the process runs out of file descriptors, once per case
};

#define NET_ERROR_SIZE 256
// NULL with a sentence in `error` that says which address, what is wrong and what to do. A unix
// socket gets mode 0600; one left behind by a dead process is replaced, any other file is not. Port
// 0 takes a free one.
struct net_listener *net_listener_open(struct net_loop *loop,
                                       const struct net_listen_options *options,
                                       char error[NET_ERROR_SIZE]);
// Stops accepting; connections stay. The file of a unix socket is removed.
void net_listener_close(struct net_listener *listener);
uint16_t net_listener_port(const struct net_listener *listener);
size_t net_listener_connections(const struct net_listener *listener);     // open now
uint64_t net_listener_refused_count(const struct net_listener *listener); // beyond a limit

// Takes an accepted connection into use: from now on its events come to `events` (borrowed, usually
// a constant table) with `context`.
void net_connection_begin(struct net_connection *connection,
                          const struct net_connection_events *events, void *context);

struct net_connect_options {
    const char *host; // name or IP literal, or "unix:/path" (port is not used)
    uint16_t port;
    int64_t timeout_ms;    // for all of resolving and connecting; 0 = 10 s
    size_t send_bytes_max; // as above
};
// Connects; the first event is `connected`, or `closed` if it fails. A name's addresses are tried
// in order. NULL only if out of memory.
struct net_connection *net_connect(struct net_loop *loop, const struct net_connect_options *options,
                                   const struct net_connection_events *events, void *context);

#define NET_WRITE_OVERFLOW SIZE_MAX
// Sends bytes (copied as far as the kernel does not take them at once). Returns how many bytes, of
// this and earlier writes, are still queued: 0 means all is with the kernel. NET_WRITE_OVERFLOW:
// the queue would exceed send_bytes_max or the connection is broken; it is being reset and `closed`
// follows. Writing after close or reset does nothing and returns 0.
size_t net_connection_write(struct net_connection *connection, const void *data, size_t size);
size_t net_connection_queued(const struct net_connection *connection);
// Sends what is queued, then ends the connection so that the peer can read all of it (at most 3 s);
// `closed` follows, no other event.
void net_connection_close(struct net_connection *connection);
// Ends it at once, dropping what is queued; `closed` follows, no other event.
void net_connection_reset(struct net_connection *connection);
// While paused nothing is received (the peer's sends back up); closing by the peer is noticed after
// resuming.
void net_connection_pause(struct net_connection *connection, bool is_paused);
// For net_connect: valid from `connected` on.
const struct net_address *net_connection_peer(const struct net_connection *connection);

#endif
