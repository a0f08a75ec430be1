#include "node/net/internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG      512
#define RETRY_MS     1000
#define PATH_MAX_LEN (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

struct net_listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct net_loop *loop;
    struct net_listen_options options;
    struct net_timer *retry; // when there was no memory for a connection
    char *address;           // as configured, for messages
    char *path;              // of the unix socket's file, which is ours to remove
    uint16_t port;
    int descriptor_max; // a connection beyond it would leave none for the daemon and the disk
    size_t connections_count;
    uint64_t refused_count;
    bool is_starved; // said that descriptors are short
    bool is_closed;
    bool is_handle_closed;
};

static void free_if_unused(struct net_listener *listener)
{
    if (listener->is_handle_closed && listener->connections_count == 0) {
        free(listener->path);
        free(listener->address);
        free(listener);
    }
}

void net_listener_forget(struct net_listener *listener)
{
    listener->connections_count--;
    free_if_unused(listener);
}

// Keeps an eighth of the descriptors, at most 64, for everything but connections.
static int descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT32_MAX) {
        return INT32_MAX;
    }
    rlim_t reserve = limit.rlim_cur / 8 < 64 ? limit.rlim_cur / 8 : 64;
    return (int)(limit.rlim_cur - reserve);
}

static bool is_beyond_limits(struct net_listener *listener, struct net_connection *connection)
{
    size_t connections_max = listener->options.connections_max;
    if (connections_max > 0 && listener->connections_count > connections_max) {
        return true;
    }
    uv_os_fd_t descriptor = -1;
    if (uv_fileno(&connection->uv.handle, &descriptor) != 0) {
        return true;
    }
    if (descriptor < listener->descriptor_max) {
        listener->is_starved = false;
        return false;
    }
    if (!listener->is_starved) {
        listener->is_starved = true;
        log_event(listener->options.log, LOG_ERROR, "net",
                  "too many open files: new connections are refused; raise the limit (ulimit -n, "
                  "LimitNOFILE=)",
                  LOG_TEXT("listener", listener->address),
                  LOG_I64("limit", listener->descriptor_max));
    }
    return true;
}

static void accept_one(struct net_listener *listener)
{
    struct net_connection *connection =
        net_connection_new(listener->loop, listener->options.send_bytes_max);
    if (connection == NULL) {
        // libuv accepts nothing more until this one is taken.
        net_timer_start(listener->retry,
                        (struct mono_time){net_loop_now(listener->loop).mono.ms + RETRY_MS});
        return;
    }
    if (listener->uv.handle.type == UV_TCP) {
        uv_tcp_init(&listener->loop->uv, &connection->uv.tcp);
    } else {
        uv_pipe_init(&listener->loop->uv, &connection->uv.pipe, 0);
    }
    connection->uv.handle.data = connection;
    connection->listener = listener;
    listener->connections_count++;
    int result = uv_accept(&listener->uv.stream, &connection->uv.stream);
    if (result != 0) {
        net_connection_fail(connection, uv_strerror(result));
        return;
    }
    if (!net_connection_open(connection)) {
        net_connection_fail(connection, "reset by the peer");
        return;
    }
    if (is_beyond_limits(listener, connection)) {
        listener->refused_count++;
        net_connection_reset(connection);
        return;
    }
    listener->options.accepted(listener->options.context, connection);
}

static void on_connection(uv_stream_t *stream, int status)
{
    // libuv answers a lack of descriptors itself: it takes and closes what waits, with a spare one.
    if (status == 0) {
        accept_one(stream->data);
    }
}

static void on_retry(void *context, struct now now)
{
    (void)now;
    accept_one(context);
}

static void explain(char error[NET_ERROR_SIZE], const char *address, int code)
{
    const char *advice = uv_strerror(code);
    if (code == UV_EADDRINUSE && strncmp(address, "unix:", 5) == 0) {
        advice = "the file exists; stop the program that listens there or choose another path";
    } else if (code == UV_EADDRINUSE) {
        advice = "another program listens there; stop it or choose another port";
    } else if (code == UV_EADDRNOTAVAIL) {
        advice = "this machine has no such address; use one of its own, or 0.0.0.0 for all";
    } else if (code == UV_EACCES) {
        advice = "not permitted; ports below 1024 need root or CAP_NET_BIND_SERVICE, a socket file "
                 "needs a directory that exists and that this user may write to";
    } else if (code == UV_ENAMETOOLONG) {
        advice = "the path is too long for a socket; choose one of at most 107 characters";
    } else if (code == UV_EAFNOSUPPORT) {
        advice = "this machine has no IPv6; use an IPv4 address such as 0.0.0.0";
    }
    snprintf(error, NET_ERROR_SIZE, "cannot listen on %s: %s", address, advice);
}

static int bind_tcp(struct net_listener *listener, struct net_target *target)
{
    uv_tcp_init(&listener->loop->uv, &listener->uv.tcp);
    unsigned flags = listener->options.is_ipv6_only && target->address.ss_family == AF_INET6
                         ? UV_TCP_IPV6ONLY
                         : 0;
    int result = uv_tcp_bind(&listener->uv.tcp, (const struct sockaddr *)&target->address, flags);
    if (result == UV_EAFNOSUPPORT && target->is_any_family) {
        struct sockaddr_in6 any = {0};
        memcpy(&any, &target->address, sizeof(any));
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = any.sin6_port};
        result = uv_tcp_bind(&listener->uv.tcp, (const struct sockaddr *)&v4, 0);
    }
    if (result == 0) {
        result = uv_listen(&listener->uv.stream, BACKLOG, on_connection);
    }
    struct sockaddr_storage bound = {0};
    int size = sizeof(bound);
    if (result == 0 &&
        uv_tcp_getsockname(&listener->uv.tcp, (struct sockaddr *)&bound, &size) == 0) {
        struct net_address address;
        net_address_from_socket((const struct sockaddr *)&bound, &address);
        listener->port = address.port;
    }
    return result;
}

// True if the path is a socket that nobody listens on: left behind by a process that died.
static bool is_dead_socket(const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return false;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool is_dead = probe >= 0 &&
                   connect(probe, (const struct sockaddr *)&address, sizeof(address)) != 0 &&
                   errno == ECONNREFUSED;
    if (probe >= 0) {
        close(probe);
    }
    return is_dead;
}

static int bind_unix(struct net_listener *listener, const char *path)
{
    uv_pipe_init(&listener->loop->uv, &listener->uv.pipe, 0);
    if (strlen(path) > PATH_MAX_LEN) {
        return UV_ENAMETOOLONG;
    }
    if (is_dead_socket(path)) {
        unlink(path);
    }
    // The file is made with the umask's mode: narrow it, so that nobody else can connect meanwhile.
    mode_t mask = umask(0177);
    int result = uv_pipe_bind(&listener->uv.pipe, path);
    umask(mask);
    if (result != 0) {
        return result;
    }
    listener->path = strdup(path);
    return uv_listen(&listener->uv.stream, BACKLOG, on_connection);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct net_listener *listener = handle->data;
    listener->is_handle_closed = true;
    free_if_unused(listener);
}

struct net_listener *net_listener_open(struct net_loop *loop,
                                       const struct net_listen_options *options,
                                       char error[NET_ERROR_SIZE])
{
    struct net_target target;
    if (!net_target_parse(options->address, &target)) {
        snprintf(error, NET_ERROR_SIZE,
                 "cannot listen on \"%s\": write an address and a port such as 0.0.0.0:3333, "
                 "[::1]:3333 or *:3333, or unix:/path/to/socket",
                 options->address);
        return NULL;
    }
    struct net_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        explain(error, options->address, UV_ENOMEM);
        return NULL;
    }
    listener->loop = loop;
    listener->options = *options;
    listener->address = strdup(options->address);
    listener->descriptor_max = descriptor_limit();
    listener->retry = net_timer_new(loop, on_retry, listener);
    int result =
        target.path != NULL ? bind_unix(listener, target.path) : bind_tcp(listener, &target);
    listener->uv.handle.data = listener;
    if (result != 0 || listener->retry == NULL || listener->address == NULL) {
        explain(error, options->address, result != 0 ? result : UV_ENOMEM);
        net_listener_close(listener);
        return NULL;
    }
    return listener;
}

void net_listener_close(struct net_listener *listener)
{
    if (listener == NULL || listener->is_closed) {
        return;
    }
    listener->is_closed = true;
    net_timer_free(listener->retry);
    if (listener->path != NULL) {
        unlink(listener->path);
    }
    uv_close(&listener->uv.handle, on_listener_closed);
}

uint16_t net_listener_port(const struct net_listener *listener)
{
    return listener->port;
}

size_t net_listener_connections(const struct net_listener *listener)
{
    return listener->connections_count;
}

uint64_t net_listener_refused_count(const struct net_listener *listener)
{
    return listener->refused_count;
}
