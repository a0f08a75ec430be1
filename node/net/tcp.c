#include "node/net/internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SEND_BYTES_DEFAULT 65536
#define LINGER_MS          3000
#define KEEPALIVE_S        90

static_assert(sizeof(struct net_connection) < 640, "an idle connection must stay small");

// Bytes that the kernel did not take yet.
struct pending_write {
    uv_write_t request;
    uint8_t data[];
};

struct net_connection *net_connection_new(struct net_loop *loop, size_t send_bytes_max)
{
    struct net_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        return NULL;
    }
    connection->loop = loop;
    connection->send_bytes_max = send_bytes_max > 0 ? send_bytes_max : SEND_BYTES_DEFAULT;
    connection->state = CONNECTION_DIALING;
    connection->next = loop->connections;
    if (loop->connections != NULL) {
        loop->connections->previous = connection;
    }
    loop->connections = connection;
    return connection;
}

void net_connection_drop(struct net_connection *connection)
{
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        connection->loop->connections = connection->next;
    }
    free(connection);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct net_connection *connection = handle->data;
    if (connection->listener != NULL) {
        net_listener_forget(connection->listener);
    }
    if (connection->events != NULL) {
        connection->events->closed(connection->context, connection, connection->reason);
    }
    net_connection_drop(connection);
}

// Everything that ends a connection comes through here, once.
static void end_connection(struct net_connection *connection, const char *reason, bool is_reset)
{
    if (connection->state == CONNECTION_GONE) {
        return;
    }
    if (connection->reason == NULL) {
        connection->reason = reason;
    }
    if (connection->dial != NULL) {
        net_dial_abandon(connection->dial);
        connection->dial = NULL;
    }
    net_timer_free(connection->linger);
    connection->linger = NULL;
    connection->state = CONNECTION_GONE;
    if (uv_is_closing(&connection->uv.handle)) {
        return; // between two attempts of dialing; dial.c goes on to on_handle_closed
    }
    if (is_reset && connection->uv.handle.type == UV_TCP &&
        uv_tcp_close_reset(&connection->uv.tcp, on_handle_closed) == 0) {
        return;
    }
    uv_close(&connection->uv.handle, on_handle_closed);
}

void net_connection_fail(struct net_connection *connection, const char *reason)
{
    end_connection(connection, reason, false);
}

void net_connection_finish(struct net_connection *connection)
{
    on_handle_closed(&connection->uv.handle);
}

// Ending.

static void on_linger_over(void *context, struct now now)
{
    (void)now;
    end_connection(context, "closed by us", true);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct net_connection *connection = request->data;
    free(request);
    if (connection->state == CONNECTION_CLOSING && (status != 0 || connection->has_peer_ended)) {
        end_connection(connection, "closed by us", false);
    }
}

// Closing a socket that holds unread bytes makes the kernel send a reset, which can destroy our
// last words on their way. So the sending side is ended first, and what still comes is read away
// until the peer ends too.
static void close_slowly(struct net_connection *connection, const char *reason)
{
    uv_shutdown_t *request = malloc(sizeof(*request));
    connection->reason = reason;
    connection->linger = net_timer_new(connection->loop, on_linger_over, connection);
    if (request == NULL || connection->linger == NULL ||
        uv_shutdown(request, &connection->uv.stream, on_shutdown) != 0) {
        free(request);
        end_connection(connection, reason, false);
        return;
    }
    request->data = connection;
    connection->state = CONNECTION_CLOSING;
    net_timer_start(connection->linger,
                    (struct mono_time){net_loop_now(connection->loop).mono.ms + LINGER_MS});
}

// Reading.

// libuv reads at once after this and calls on_read, so all connections share one buffer.
static void give_read_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct net_connection *connection = handle->data;
    (void)wanted;
    *out = uv_buf_init((char *)connection->loop->read_buffer, NET_READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct net_connection *connection = stream->data;
    if (size > 0) {
        if (connection->state == CONNECTION_OPEN) {
            connection->events->received(connection->context, connection,
                                         (const uint8_t *)buffer->base, (size_t)size);
        }
        return;
    }
    if (size == 0) {
        return;
    }
    if (size != UV_EOF) {
        end_connection(connection, uv_strerror((int)size), false);
        return;
    }
    uv_read_stop(stream);
    connection->has_peer_ended = true;
    // A peer that has only ended its sending side still gets its answers.
    if (connection->state == CONNECTION_OPEN && net_connection_queued(connection) > 0) {
        close_slowly(connection, "closed by the peer");
    } else if (net_connection_queued(connection) == 0) {
        end_connection(connection, "closed by the peer", false);
    }
}

bool net_connection_open(struct net_connection *connection)
{
    struct sockaddr_storage peer = {0};
    int size = sizeof(peer);
    connection->state = CONNECTION_OPEN;
    if (connection->uv.handle.type == UV_TCP) {
        uv_tcp_nodelay(&connection->uv.tcp, 1);
        uv_tcp_keepalive(&connection->uv.tcp, 1, KEEPALIVE_S);
        if (uv_tcp_getpeername(&connection->uv.tcp, (struct sockaddr *)&peer, &size) != 0) {
            return false;
        }
    } else {
        peer.ss_family = AF_UNIX;
    }
    net_address_from_socket((const struct sockaddr *)&peer, &connection->peer);
    return true;
}

void net_connection_begin(struct net_connection *connection,
                          const struct net_connection_events *events, void *context)
{
    assert(connection->state == CONNECTION_OPEN && connection->events == NULL);
    connection->events = events;
    connection->context = context;
    net_connection_pause(connection, false);
}

void net_connection_pause(struct net_connection *connection, bool is_paused)
{
    if (connection->state != CONNECTION_OPEN) {
        return;
    }
    if (is_paused) {
        uv_read_stop(&connection->uv.stream);
        return;
    }
    int result = uv_read_start(&connection->uv.stream, give_read_buffer, on_read);
    if (result != 0 && result != UV_EALREADY) {
        end_connection(connection, uv_strerror(result), false);
    }
}

// Writing.

static void on_written(uv_write_t *request, int status)
{
    struct net_connection *connection = request->data;
    free(request);
    if (status != 0) {
        end_connection(connection, uv_strerror(status), false);
        return;
    }
    if (connection->state == CONNECTION_OPEN && net_connection_queued(connection) == 0 &&
        connection->events->drained != NULL) {
        connection->events->drained(connection->context, connection);
    }
}

static size_t queue_write(struct net_connection *connection, const uint8_t *data, size_t size)
{
    size_t queued = net_connection_queued(connection);
    if (size > connection->send_bytes_max || queued > connection->send_bytes_max - size) {
        end_connection(connection, "the peer does not read what is sent to it", true);
        return NET_WRITE_OVERFLOW;
    }
    struct pending_write *pending = malloc(sizeof(*pending) + size);
    if (pending == NULL) {
        end_connection(connection, "out of memory", true);
        return NET_WRITE_OVERFLOW;
    }
    memcpy(pending->data, data, size);
    pending->request.data = connection;
    uv_buf_t buffer = uv_buf_init((char *)pending->data, (unsigned)size);
    int result = uv_write(&pending->request, &connection->uv.stream, &buffer, 1, on_written);
    if (result != 0) {
        free(pending);
        end_connection(connection, uv_strerror(result), false);
        return NET_WRITE_OVERFLOW;
    }
    return net_connection_queued(connection);
}

size_t net_connection_write(struct net_connection *connection, const void *data, size_t size)
{
    assert(connection->state != CONNECTION_DIALING && connection->events != NULL);
    if (connection->state != CONNECTION_OPEN) {
        return 0;
    }
    size_t sent = 0;
    if (size > 0 && net_connection_queued(connection) == 0) {
        size_t at_once = size < INT32_MAX ? size : INT32_MAX;
        uv_buf_t buffer = net_borrow(data, at_once);
        int result = uv_try_write(&connection->uv.stream, &buffer, 1);
        if (result < 0 && result != UV_EAGAIN) {
            end_connection(connection, uv_strerror(result), false);
            return NET_WRITE_OVERFLOW;
        }
        sent = result > 0 ? (size_t)result : 0;
    }
    if (sent == size) {
        return net_connection_queued(connection);
    }
    return queue_write(connection, (const uint8_t *)data + sent, size - sent);
}

size_t net_connection_queued(const struct net_connection *connection)
{
    return uv_stream_get_write_queue_size(&connection->uv.stream);
}

void net_connection_close(struct net_connection *connection)
{
    if (connection->state == CONNECTION_DIALING || connection->events == NULL) {
        end_connection(connection, "closed by us", false);
    } else if (connection->state == CONNECTION_OPEN) {
        net_connection_pause(connection, false); // to notice the peer's end
    }
    if (connection->state == CONNECTION_OPEN) {
        close_slowly(connection, "closed by us");
    }
}

void net_connection_reset(struct net_connection *connection)
{
    end_connection(connection, "closed by us", true);
}

const struct net_address *net_connection_peer(const struct net_connection *connection)
{
    return &connection->peer;
}
