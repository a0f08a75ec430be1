#include "node/net/udp.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/net/internal.h"

// What the kernel keeps for us between two turns.
#define KERNEL_QUEUE_BYTES (1 << 20)

struct net_udp {
    uv_udp_t handle;
    struct net_loop *loop;
    net_udp_received *received;
    void *context;
    uint16_t port;
    bool is_ipv6;
    bool is_closed;
    struct net_udp_stats stats;
};

// libuv reads at once after this and calls on_datagram, so all sockets share one buffer.
static void give_read_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct net_udp *udp = handle->data;
    (void)wanted;
    *out = uv_buf_init((char *)udp->loop->read_buffer, NET_READ_SIZE);
}

// libuv itself stops after NET_UDP_TURN_DATAGRAMS and goes on in the next turn. Errors are those of
// single datagrams (an ICMP message that came back): nobody's fault, nothing to do.
static void on_datagram(uv_udp_t *handle, ssize_t size, const uv_buf_t *buffer,
                        const struct sockaddr *from, unsigned flags)
{
    struct net_udp *udp = handle->data;
    if (size < 0 || from == NULL || udp->is_closed || (flags & UV_UDP_PARTIAL) != 0) {
        return;
    }
    struct net_address address;
    net_address_from_socket(from, &address);
    udp->stats.received++;
    udp->received(udp->context, &address, (const uint8_t *)buffer->base, (size_t)size);
}

static int bind_udp(struct net_udp *udp, const struct net_target *target)
{
    udp->is_ipv6 = target->address.ss_family == AF_INET6;
    int result = uv_udp_bind(&udp->handle, (const struct sockaddr *)&target->address,
                             udp->is_ipv6 ? UV_UDP_IPV6ONLY : 0);
    if (result == 0) {
        result = uv_udp_recv_start(&udp->handle, give_read_buffer, on_datagram);
    }
    struct sockaddr_storage bound = {0};
    int size = sizeof(bound);
    if (result == 0 && uv_udp_getsockname(&udp->handle, (struct sockaddr *)&bound, &size) == 0) {
        struct net_address address;
        net_address_from_socket((const struct sockaddr *)&bound, &address);
        udp->port = address.port;
    }
    int queue_bytes = KERNEL_QUEUE_BYTES;
    if (result == 0) {
        uv_recv_buffer_size((uv_handle_t *)&udp->handle, &queue_bytes); // as much as is allowed
    }
    return result;
}

static void explain(char error[NET_ERROR_SIZE], const char *address, int code)
{
    const char *advice = uv_strerror(code);
    if (code == UV_EADDRINUSE) {
        advice = "another program has this port; stop it or choose another one";
    } else if (code == UV_EADDRNOTAVAIL) {
        advice = "this machine has no such address; use one of its own, or 0.0.0.0 for all";
    } else if (code == UV_EAFNOSUPPORT) {
        advice = "this machine has no IPv6; use an IPv4 address such as 0.0.0.0";
    } else if (code == UV_EACCES) {
        advice = "not permitted; ports below 1024 need root or CAP_NET_BIND_SERVICE";
    }
    snprintf(error, NET_ERROR_SIZE, "cannot take datagrams on %s: %s", address, advice);
}

struct net_udp *net_udp_open(struct net_loop *loop, const char *address, net_udp_received *received,
                             void *context, char error[NET_ERROR_SIZE])
{
    struct net_target target;
    if (!net_target_parse(address, &target) || target.path != NULL || target.is_any_family) {
        snprintf(error, NET_ERROR_SIZE,
                 "cannot take datagrams on \"%s\": write an address and a port such as "
                 "0.0.0.0:8400 or [::]:8400",
                 address);
        return NULL;
    }
    struct net_udp *udp = calloc(1, sizeof(*udp));
    if (udp == NULL) {
        explain(error, address, UV_ENOMEM);
        return NULL;
    }
    udp->loop = loop;
    udp->received = received;
    udp->context = context;
    uv_udp_init(&loop->uv, &udp->handle);
    udp->handle.data = udp;
    int result = bind_udp(udp, &target);
    if (result == 0) {
        return udp;
    }
    explain(error, address, result);
    net_udp_close(udp);
    return NULL;
}

static void free_udp(uv_handle_t *handle)
{
    free(handle->data);
}

void net_udp_close(struct net_udp *udp)
{
    if (udp == NULL) {
        return;
    }
    udp->is_closed = true;
    uv_close((uv_handle_t *)&udp->handle, free_udp);
}

uint16_t net_udp_port(const struct net_udp *udp)
{
    return udp->port;
}

void net_udp_send(struct net_udp *udp, const struct net_address *to, const void *data, size_t size)
{
    struct sockaddr_storage address;
    bool is_sent = false;
    if (net_address_to_socket(to, &address) && !udp->is_closed &&
        (address.ss_family == AF_INET6) == udp->is_ipv6) {
        uv_buf_t buffer = net_borrow(data, size);
        is_sent = uv_udp_try_send(&udp->handle, &buffer, 1, (const struct sockaddr *)&address) >= 0;
    }
    udp->stats.sent += is_sent ? 1 : 0;
    udp->stats.failures += is_sent ? 0 : 1;
}

struct net_udp_stats net_udp_stats(const struct net_udp *udp)
{
    return udp->stats;
}
