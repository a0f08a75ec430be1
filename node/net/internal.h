// What the files of node/net share: the loop's inside. Nobody else includes this.
#ifndef SHOAL_NODE_NET_INTERNAL_H
#define SHOAL_NODE_NET_INTERNAL_H

#include <uv.h>
#include "node/net/loop.h"
#include "node/net/tcp.h"

#define NET_READ_SIZE 65536

struct net_signals {
    uv_signal_t handles[3];
    net_signal_caught *caught;
    void *context;
};

struct net_loop {
    uv_loop_t uv;
    uv_prepare_t turn_end;
    net_turn_ended *turn_ended;
    void *turn_context;
    struct net_signals signals;
    bool has_signals;
    struct now now;
    struct net_connection *connections; // every one, so that net_loop_free can end them
    uint8_t read_buffer[NET_READ_SIZE];
};

enum connection_state {
    CONNECTION_DIALING,
    CONNECTION_OPEN,
    CONNECTION_CLOSING, // sending what is queued, then waiting for the peer to read it
    CONNECTION_GONE,    // its handle is being closed
};

struct net_dial; // an outbound connection before it stands

// One connection; counts against the memory of every idle miner.
struct net_connection {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct net_loop *loop;
    struct net_connection *previous;
    struct net_connection *next;
    const struct net_connection_events *events; // NULL before net_connection_begin
    void *context;
    struct net_listener *listener; // NULL if outbound
    struct net_dial *dial;         // only while dialing
    struct net_timer *linger;      // only while closing
    const char *reason;
    size_t send_bytes_max;
    struct net_address peer;
    enum connection_state state;
    bool has_peer_ended;
};

// tcp.c, for listener.c and dial.c. NULL if out of memory; linked into the loop, its handle not
// initialised.
struct net_connection *net_connection_new(struct net_loop *loop, size_t send_bytes_max);
// Undoes net_connection_new before a handle was initialised.
void net_connection_drop(struct net_connection *connection);
// Reads the peer's address. False if it has none any more: it was reset before it was accepted.
bool net_connection_open(struct net_connection *connection);
// Closes the handle at once; `closed` follows with this reason unless an earlier one stands.
void net_connection_fail(struct net_connection *connection, const char *reason);
// dial.c found it ended between two attempts: tells `closed` and frees it.
void net_connection_finish(struct net_connection *connection);
// listener.c: a connection of it is gone.
void net_listener_forget(struct net_listener *listener);
// dial.c: the connection ends while it is still dialing.
void net_dial_abandon(struct net_dial *dial);

// What libuv only reads, though it asks for a pointer through which one may write.
static inline uv_buf_t net_borrow(const void *data, size_t size)
{
    union {
        const void *from;
        void *to;
    } cast = {.from = data};
    return uv_buf_init(cast.to, (unsigned)size);
}

// address.c
struct net_target {
    struct sockaddr_storage address;
    const char *path;   // of a unix socket, NULL for TCP
    bool is_any_family; // "*": IPv6 and, without it, IPv4
};
bool net_target_parse(const char *text, struct net_target *target);
void net_address_from_socket(const struct sockaddr *from, struct net_address *to);
// False for the address of a unix socket.
bool net_address_to_socket(const struct net_address *from, struct sockaddr_storage *to);

#endif
