// Sockets of the swarm: listeners and dials for streams, datagrams of both families. Bytes in,
// bytes out; what they mean is the engine's.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/meter.h"
#include "node/swarm_state.h"

#define DIAL_TIMEOUT_MS 6000
// The engine gives a stream nothing while NETWORK_WRITE_QUEUED bytes wait in it; a block comes in
// chunks, so that this much is never reached by a peer that reads.
#define SEND_BYTES_MAX (1u << 20)
// Accepted connections whose handshake is not done; the engine has stricter limits of its own.
#define HALF_OPEN_MAX 256

// ---- Addresses

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct endpoint swarm_endpoint(const struct net_address *address)
{
    return (struct endpoint){.address = address_ipv6(address->ip), .port = address->port};
}

static struct net_address net_address_of(const struct endpoint *endpoint)
{
    struct net_address address = {.port = endpoint->port};
    if (endpoint->address.family == ADDRESS_IPV6) {
        memcpy(address.ip, endpoint->address.bytes, 16);
        return address;
    }
    memcpy(address.ip, mapped_prefix, sizeof(mapped_prefix));
    memcpy(address.ip + 12, endpoint->address.bytes, 4);
    return address;
}

bool swarm_parse_endpoint(const char *text, uint16_t default_port, struct endpoint *endpoint)
{
    char host[INET6_ADDRSTRLEN + 2];
    uint8_t bytes[16];
    *endpoint = (struct endpoint){.port = 0};
    bool is_ipv6 = text[0] == '[';
    const char *end = is_ipv6 ? strchr(text, ']') : text + strcspn(text, ":");
    size_t size = end == NULL ? sizeof(host) : (size_t)(end - text) - (is_ipv6 ? 1 : 0);
    if (end == NULL || size >= sizeof(host))
        return false;
    memcpy(host, text + (is_ipv6 ? 1 : 0), size);
    host[size] = '\0';
    if (inet_pton(is_ipv6 ? AF_INET6 : AF_INET, host, bytes) != 1)
        return false;
    end += is_ipv6 ? 1 : 0;
    uint64_t port = default_port;
    if (*end != '\0' && (*end != ':' || !config_parse_count(end + 1, UINT16_MAX, &port)))
        return false;
    endpoint->address = is_ipv6 ? address_ipv6(bytes) : address_ipv4(bytes);
    endpoint->port = (uint16_t)port;
    return true;
}

// ---- Streams

static struct hash256 stream_key(uint32_t number)
{
    struct hash256 key = {{0}};
    memcpy(key.bytes, &number, sizeof(number));
    return key;
}

static struct swarm_stream *find(const struct swarm *swarm, uint32_t number)
{
    struct hash256 key = stream_key(number);
    return map_find(swarm->streams, &key);
}

struct swarm_stream *swarm_stream_find(const struct swarm *swarm, uint32_t number)
{
    return find(swarm, number);
}

static void forget(struct swarm_stream *stream)
{
    struct hash256 key = stream_key(stream->number);
    map_remove(stream->swarm->streams, &key);
    stream->number = 0;
    meter_stream_gone(stream->swarm->node->meter, stream);
}

static void remember(struct swarm_stream *stream, uint32_t number)
{
    struct hash256 key = stream_key(number);
    stream->number = number;
    map_set(stream->swarm->streams, &key, stream);
}

static void on_connected(void *context, struct net_connection *connection)
{
    struct swarm_stream *stream = context;
    struct swarm *swarm = stream->swarm;
    (void)connection;
    if (stream->number != 0)
        network_connected(swarm->network, stream->number, net_loop_now(swarm->node->loop));
}

static void on_received(void *context, struct net_connection *connection, const uint8_t *data,
                        size_t size)
{
    struct swarm_stream *stream = context;
    struct swarm *swarm = stream->swarm;
    (void)connection;
    if (stream->number != 0)
        network_received(swarm->network, stream->number, data, size,
                         net_loop_now(swarm->node->loop));
}

static void on_drained(void *context, struct net_connection *connection)
{
    struct swarm_stream *stream = context;
    struct swarm *swarm = stream->swarm;
    (void)connection;
    if (stream->number != 0)
        network_drained(swarm->network, stream->number, net_loop_now(swarm->node->loop));
}

static void on_closed(void *context, struct net_connection *connection, const char *reason)
{
    struct swarm_stream *stream = context;
    (void)connection;
    (void)reason;
    uint32_t number = stream->number;
    if (number != 0) { // the swarm is still there
        struct swarm *swarm = stream->swarm;
        forget(stream);
        network_closed(swarm->network, number, net_loop_now(swarm->node->loop));
    }
    free(stream);
}

static const struct net_connection_events stream_events = {
    .connected = on_connected,
    .received = on_received,
    .drained = on_drained,
    .closed = on_closed,
};

static void on_accepted(void *context, struct net_connection *connection)
{
    struct swarm *swarm = context;
    struct endpoint from = swarm_endpoint(net_connection_peer(connection));
    struct swarm_stream *stream =
        swarm->network == NULL || swarm->is_stopping ? NULL : calloc(1, sizeof(*stream));
    uint32_t number = 0;
    if (stream != NULL)
        number = network_accepted(swarm->network, &from, net_loop_now(swarm->node->loop));
    if (number == 0) {
        free(stream);
        net_connection_reset(connection);
        return;
    }
    *stream = (struct swarm_stream){
        .swarm = swarm, .connection = connection, .endpoint = from, .is_inbound = true};
    remember(stream, number);
    net_connection_begin(connection, &stream_events, stream);
}

// ---- What the engine wants done

static void on_connect(void *context, uint32_t number, const struct endpoint *to)
{
    struct swarm *swarm = context;
    char host[INET6_ADDRSTRLEN];
    inet_ntop(to->address.family == ADDRESS_IPV6 ? AF_INET6 : AF_INET, to->address.bytes, host,
              sizeof(host));
    struct net_connect_options options = {.host = host,
                                          .port = to->port,
                                          .timeout_ms = DIAL_TIMEOUT_MS,
                                          .send_bytes_max = SEND_BYTES_MAX};
    struct swarm_stream *stream = calloc(1, sizeof(*stream));
    if (stream != NULL) {
        *stream = (struct swarm_stream){.swarm = swarm, .endpoint = *to};
        stream->connection = net_connect(swarm->node->loop, &options, &stream_events, stream);
    }
    if (stream != NULL && stream->connection != NULL) {
        remember(stream, number);
        return;
    }
    free(stream);
    if (swarm->failed_count < SWARM_FAILED_MAX)
        swarm->failed[swarm->failed_count++] = number;
}

// The engine may not be called from inside its own events.
void swarm_tell_failed(struct swarm *swarm, struct now now)
{
    while (swarm->failed_count > 0) {
        swarm->failed_count--;
        network_closed(swarm->network, swarm->failed[swarm->failed_count], now);
    }
}

static size_t on_write(void *context, uint32_t number, const uint8_t *data, size_t size)
{
    struct swarm_stream *stream = find(context, number);
    if (stream == NULL)
        return 0;
    size_t queued = net_connection_write(stream->connection, data, size);
    meter_stream_written(stream->swarm->node->meter, stream);
    return queued;
}

static void on_close(void *context, uint32_t number, bool is_graceful)
{
    struct swarm_stream *stream = find(context, number);
    if (stream == NULL)
        return;
    forget(stream);
    if (is_graceful)
        net_connection_close(stream->connection);
    else
        net_connection_reset(stream->connection);
}

static void on_send_datagram(void *context, const struct endpoint *to, const uint8_t *data,
                             size_t size)
{
    struct swarm *swarm = context;
    bool is_ipv6 = to->address.family == ADDRESS_IPV6;
    struct net_address address = net_address_of(to);
    // The first socket of a family speaks for it.
    if (is_ipv6 ? swarm->udp_ipv6_count > 0 : swarm->udp_ipv4_count > 0)
        net_udp_send(is_ipv6 ? swarm->udp_ipv6[0] : swarm->udp_ipv4[0], &address, data, size);
}

void swarm_fill_io(struct swarm *swarm, struct network_events *events)
{
    events->context = swarm;
    events->send_datagram = on_send_datagram;
    events->connect = on_connect;
    events->write = on_write;
    events->close = on_close;
}

// ---- Ports

static void on_datagram(void *context, const struct net_address *from, const uint8_t *data,
                        size_t size)
{
    struct swarm *swarm = context;
    struct endpoint endpoint = swarm_endpoint(from);
    if (swarm->network != NULL && !swarm->is_stopping)
        network_datagram(swarm->network, &endpoint, data, size, net_loop_now(swarm->node->loop));
}

static bool open_udp(struct swarm *swarm, const char *address, char error[NET_ERROR_SIZE])
{
    bool is_ipv6 = address[0] == '[';
    struct net_udp *udp = net_udp_open(swarm->node->loop, address, on_datagram, swarm, error);
    if (udp != NULL && is_ipv6)
        swarm->udp_ipv6[swarm->udp_ipv6_count++] = udp;
    else if (udp != NULL)
        swarm->udp_ipv4[swarm->udp_ipv4_count++] = udp;
    return udp != NULL;
}

static bool open_listener(struct swarm *swarm, const char *address, char error[NET_ERROR_SIZE])
{
    struct net_listen_options options = {
        .address = address,
        .is_ipv6_only = true,
        .connections_max = swarm->node->config->peer_inbound + HALF_OPEN_MAX,
        .send_bytes_max = SEND_BYTES_MAX,
        .accepted = on_accepted,
        .context = swarm,
        .log = swarm->node->log,
    };
    struct net_listener *listener = net_listener_open(swarm->node->loop, &options, error);
    if (listener == NULL)
        return false;
    swarm->listeners[swarm->listeners_count] = listener;
    swarm->listeners_count++;
    log_event(swarm->node->log, LOG_INFO, "network", "listening for nodes",
              LOG_TEXT("address", address));
    return open_udp(swarm, address, error);
}

// A machine without IPv6 is no reason not to start, as long as there is IPv4.
static bool has_ipv6(struct swarm *swarm)
{
    char error[NET_ERROR_SIZE];
    struct net_udp *probe = net_udp_open(swarm->node->loop, "[::]:0", on_datagram, swarm, error);
    net_udp_close(probe);
    return probe != NULL;
}

static bool take_port(struct swarm *swarm, const char *address, char error[NODE_ERROR_SIZE])
{
    struct endpoint endpoint;
    swarm_parse_endpoint(address, 0, &endpoint); // its form was checked
    if (swarm->listen_port != 0 && swarm->listen_port != endpoint.port) {
        snprintf(error, NODE_ERROR_SIZE,
                 "peer-listen: ports %u and %u; others are told one: give all addresses the same",
                 (unsigned)swarm->listen_port, (unsigned)endpoint.port);
        return false;
    }
    swarm->listen_port = endpoint.port;
    return true;
}

bool swarm_listen(struct swarm *swarm, char error[NODE_ERROR_SIZE])
{
    const struct config_list *list = &swarm->node->config->peer_listen;
    bool has_v6 = has_ipv6(swarm);
    char reason[NET_ERROR_SIZE];
    for (size_t i = 0; i < list->count; i++) {
        const char *address = list->items[i];
        if (!take_port(swarm, address, error))
            return false;
        if (address[0] == '[' && !has_v6 && list->count > 1) {
            log_event(swarm->node->log, LOG_INFO, "network",
                      "this machine has no IPv6: not listened on", LOG_TEXT("address", address));
            continue;
        }
        if (!open_listener(swarm, address, reason)) {
            snprintf(error, NODE_ERROR_SIZE, "peer-listen: %s", reason);
            return false;
        }
    }
    // A node that takes no connections still asks others, from any port.
    if (swarm->udp_ipv4_count == 0 && list->count == 0 && !open_udp(swarm, "0.0.0.0:0", error))
        return false;
    if (swarm->udp_ipv6_count == 0 && list->count == 0 && has_v6)
        open_udp(swarm, "[::]:0", reason);
    return true;
}

void swarm_close_listeners(struct swarm *swarm)
{
    for (size_t i = 0; i < swarm->listeners_count; i++)
        net_listener_close(swarm->listeners[i]);
    swarm->listeners_count = 0;
}

void swarm_close_sockets(struct swarm *swarm)
{
    size_t cursor = 0;
    struct hash256 key;
    void *value;
    while (swarm->streams != NULL && map_next(swarm->streams, &cursor, &key, &value)) {
        struct swarm_stream *stream = value;
        map_remove(swarm->streams, &key);
        stream->number = 0;
        net_connection_reset(stream->connection);
    }
    for (size_t i = 0; i < swarm->udp_ipv4_count; i++)
        net_udp_close(swarm->udp_ipv4[i]);
    for (size_t i = 0; i < swarm->udp_ipv6_count; i++)
        net_udp_close(swarm->udp_ipv6[i]);
    swarm->udp_ipv4_count = 0;
    swarm->udp_ipv6_count = 0;
    swarm_close_listeners(swarm);
}
