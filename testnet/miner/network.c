#include "testnet/miner/network.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "testnet/common/clock.h"
#include "testnet/common/memory.h"
#include "testnet/common/random.h"

#define EVENTS_MAX        256
#define TURN_MS           100 // between two looks at the timers
#define READ_SIZE         65536
#define CONNECT_WAIT_MS   10000
#define CONNECTS_PER_TURN 500
#define ADDRESSES_MAX     8
#define RESOLVED_FOR_MS   60000
#define LAST_ANSWERS_MS   2000
#define STABLE_MS         5000 // a backup pool is not left earlier
#define COMPLAINTS_MAX    10   // messages in a second; the rest are counted

enum connection_state { CONNECTION_CLOSED, CONNECTION_CONNECTING, CONNECTION_OPEN };

struct connection {
    struct client *client; // under the miner's lock
    enum connection_state state;
    int socket;
    size_t pool;
    size_t address;     // which of the pool's
    int64_t since_ms;   // when the state began
    int64_t retry_ms;   // not before
    bool has_succeeded; // gave work since it was connected
    bool is_writing;    // waits for room in the socket
};

// The addresses of a pool, for a while.
struct resolved {
    struct sockaddr_storage addresses[ADDRESSES_MAX];
    socklen_t sizes[ADDRESSES_MAX];
    size_t count;
    int64_t at_ms;
};

struct network {
    struct miner *miner;
    struct pools pools;
    struct resolved resolved[POOLS_MAX];
    struct connection *connections;
    size_t count;
    int epoll;
    int signals;
    int64_t now_ms;
    int64_t started_ms;
    int64_t reported_ms;
    uint64_t reported_hashes;
    int64_t complaints_ms; // the second that is counted
    unsigned complaints;
    bool is_ending;
};

// Tokens in epoll events: connections by index, then these.
enum token { TOKEN_WAKE = -1, TOKEN_SIGNAL = -2 };

static uint32_t random_u32(void)
{
    uint32_t value;
    random_system(NULL, &value, sizeof value);
    return value;
}

static void read_clock(struct network *network)
{
    network->now_ms = clock_now().mono.ms;
}

static void complain(struct network *network, const struct connection *connection, const char *what)
{
    const struct pool *pool = &network->pools.list[connection->pool];
    if (network->now_ms - network->complaints_ms >= 1000) {
        if (network->complaints > COMPLAINTS_MAX)
            fprintf(stderr, "miner: and %u more messages\n", network->complaints - COMPLAINTS_MAX);
        network->complaints_ms = network->now_ms;
        network->complaints = 0;
    }
    if (network->complaints++ < COMPLAINTS_MAX)
        fprintf(stderr, "miner: connection %td to %s port %s: %s\n",
                connection - network->connections + 1, pool->host, pool->port, what);
}

static void watch(struct network *network, int operation, int fd, uint32_t events, int64_t token)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)token};
    if (epoll_ctl(network->epoll, operation, fd, &event) == 0)
        return;
    perror("miner: epoll_ctl");
    exit(EXIT_FAILURE);
}

static void close_socket(struct connection *connection)
{
    if (connection->socket >= 0)
        close(connection->socket); // epoll forgets it, too
    connection->socket = -1;
    connection->state = CONNECTION_CLOSED;
    connection->is_writing = false;
}

// Ends a connection; `is_fault`: of the pool, which is then left alone for a while.
static void hang_up(struct network *network, struct connection *connection, bool is_fault)
{
    struct miner *miner = network->miner;
    pthread_mutex_lock(&miner->lock);
    uint32_t pause_s = client_pause_s(connection->client);
    client_end(connection->client);
    if (!connection->has_succeeded)
        miner->stats.failures += is_fault;
    else if (!network->is_ending)
        miner->stats.disconnects++;
    pthread_mutex_unlock(&miner->lock);
    close_socket(connection);
    if (is_fault)
        pools_fail(&network->pools, connection->pool, network->now_ms, random_u32());
    connection->has_succeeded = false;
    connection->retry_ms = network->now_ms + (int64_t)pause_s * 1000;
}

static bool resolve(struct network *network, struct connection *connection)
{
    struct resolved *resolved = &network->resolved[connection->pool];
    const struct pool *pool = &network->pools.list[connection->pool];
    if (resolved->count > 0 && network->now_ms - resolved->at_ms < RESOLVED_FOR_MS)
        return true;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    int error = getaddrinfo(pool->host, pool->port, &hints, &list);
    resolved->count = 0;
    resolved->at_ms = network->now_ms;
    for (struct addrinfo *a = list; error == 0 && a != NULL; a = a->ai_next) {
        if (resolved->count == ADDRESSES_MAX)
            break;
        memcpy(&resolved->addresses[resolved->count], a->ai_addr, a->ai_addrlen);
        resolved->sizes[resolved->count++] = a->ai_addrlen;
    }
    if (error == 0)
        freeaddrinfo(list);
    else
        complain(network, connection, gai_strerror(error));
    return resolved->count > 0;
}

// Begins a connection to the pool's address in turn; false if that fails at once.
static bool dial(struct network *network, struct connection *connection)
{
    const struct resolved *resolved = &network->resolved[connection->pool];
    const struct sockaddr *address =
        (const struct sockaddr *)&resolved->addresses[connection->address];
    const int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, address, resolved->sizes[connection->address]) != 0 && errno != EINPROGRESS) {
        close(fd);
        return false;
    }
    connection->socket = fd;
    connection->state = CONNECTION_CONNECTING;
    connection->since_ms = network->now_ms;
    connection->is_writing = true;
    watch(network, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT, connection - network->connections);
    return true;
}

// Tries the addresses from the current one on; without luck the pool has failed.
static void dial_on(struct network *network, struct connection *connection, const char *why)
{
    while (connection->address < network->resolved[connection->pool].count) {
        if (dial(network, connection))
            return;
        why = strerror(errno);
        connection->address++;
    }
    if (why != NULL)
        complain(network, connection, why);
    network->resolved[connection->pool].count = 0; // its name may mean another address by now
    hang_up(network, connection, true);
}

static void start(struct network *network, struct connection *connection, size_t pool)
{
    connection->pool = pool;
    connection->address = 0;
    if (resolve(network, connection))
        dial_on(network, connection, NULL);
    else
        hang_up(network, connection, true);
}

// Sends what the client has; false if the connection is broken.
static bool flush(struct network *network, struct connection *connection)
{
    struct miner *miner = network->miner;
    bool is_broken = false;
    if (connection->state != CONNECTION_OPEN)
        return true;
    pthread_mutex_lock(&miner->lock);
    struct buffer *output = client_output(connection->client);
    while (output->size > 0 && !is_broken) {
        ssize_t sent = send(connection->socket, output->data, output->size, MSG_NOSIGNAL);
        if (sent > 0)
            buffer_consume(output, (size_t)sent);
        else if (sent < 0 && errno == EAGAIN)
            break;
        else
            is_broken = sent == 0 || errno != EINTR;
    }
    bool is_full = output->size > 0;
    pthread_mutex_unlock(&miner->lock);
    if (!is_broken && is_full != connection->is_writing) {
        connection->is_writing = is_full;
        watch(network, EPOLL_CTL_MOD, connection->socket, is_full ? EPOLLIN | EPOLLOUT : EPOLLIN,
              connection - network->connections);
    }
    return !is_broken;
}

static void flush_or_hang_up(struct network *network, struct connection *connection)
{
    if (flush(network, connection))
        return;
    complain(network, connection, strerror(errno));
    hang_up(network, connection, true);
}

// The first work after connecting: the pool is good, and threads may be waiting.
static void note_success(struct network *network, struct connection *connection)
{
    struct miner *miner = network->miner;
    connection->has_succeeded = true;
    connection->since_ms = network->now_ms;
    pools_succeed(&network->pools, connection->pool);
    pthread_mutex_lock(&miner->lock);
    miner->stats.connects++;
    pthread_cond_broadcast(&miner->changed);
    pthread_mutex_unlock(&miner->lock);
}

static void on_connected(struct network *network, struct connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        close_socket(connection);
        connection->address++;
        dial_on(network, connection, strerror(error));
        return;
    }
    connection->state = CONNECTION_OPEN;
    connection->since_ms = network->now_ms;
    pthread_mutex_lock(&network->miner->lock);
    client_begin(connection->client, clock_mono_ns() / 1000);
    pthread_mutex_unlock(&network->miner->lock);
    flush_or_hang_up(network, connection);
}

// The client wants no more of this connection.
static void give_up(struct network *network, struct connection *connection)
{
    char why[CLIENT_TEXT_MAX];
    pthread_mutex_lock(&network->miner->lock);
    snprintf(why, sizeof why, "%s", client_error(connection->client));
    bool is_asked = client_wants_reconnect(connection->client);
    pthread_mutex_unlock(&network->miner->lock);
    complain(network, connection, why);
    hang_up(network, connection, !is_asked);
}

static void on_readable(struct network *network, struct connection *connection)
{
    struct miner *miner = network->miner;
    uint8_t data[READ_SIZE];
    ssize_t got = recv(connection->socket, data, sizeof data, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        complain(network, connection, got == 0 ? "pool hung up" : strerror(errno));
        hang_up(network, connection, true);
        return;
    }
    pthread_mutex_lock(&miner->lock);
    bool is_good = client_receive(connection->client, data, (size_t)got, clock_mono_ns() / 1000);
    bool has_work = client_has_work(connection->client);
    pthread_mutex_unlock(&miner->lock);
    if (!is_good) {
        give_up(network, connection);
        return;
    }
    if (has_work && !connection->has_succeeded)
        note_success(network, connection);
    flush_or_hang_up(network, connection);
}

static void on_event(struct network *network, size_t index, uint32_t events)
{
    struct connection *connection = &network->connections[index];
    if (connection->state == CONNECTION_CONNECTING) {
        on_connected(network, connection);
        return;
    }
    if (connection->state == CONNECTION_OPEN && (events & EPOLLOUT) != 0)
        flush_or_hang_up(network, connection);
    if (connection->state == CONNECTION_OPEN && (events & ~(uint32_t)EPOLLOUT) != 0)
        on_readable(network, connection);
}

// What the hashing threads have found.
static void flush_dirty(struct network *network)
{
    struct miner *miner = network->miner;
    uint64_t wakes;
    if (read(miner->wake_fd, &wakes, sizeof wakes) < 0)
        return; // nobody woke us
    for (;;) {
        pthread_mutex_lock(&miner->lock);
        size_t index = SIZE_MAX;
        if (miner->dirty_count > 0) {
            index = miner->dirty[--miner->dirty_count];
            miner->is_dirty[index] = false;
        }
        pthread_mutex_unlock(&miner->lock);
        if (index == SIZE_MAX)
            return;
        flush_or_hang_up(network, &network->connections[index]);
    }
}

// Goes to a better pool that may be back.
static void consider_return(struct network *network, struct connection *connection)
{
    if (connection->pool == 0 || !connection->has_succeeded ||
        network->now_ms - connection->since_ms < STABLE_MS)
        return;
    size_t better = pools_return(&network->pools, connection->pool, network->now_ms, random_u32());
    if (better == POOLS_NONE)
        return;
    hang_up(network, connection, false);
    start(network, connection, better);
}

// False if it began a connection.
static bool tick_connection(struct network *network, struct connection *connection)
{
    if (connection->state == CONNECTION_OPEN) {
        pthread_mutex_lock(&network->miner->lock);
        bool is_good = client_tick(connection->client, clock_mono_ns() / 1000);
        pthread_mutex_unlock(&network->miner->lock);
        if (!is_good) {
            give_up(network, connection);
            return true;
        }
        flush_or_hang_up(network, connection);
        consider_return(network, connection);
        return true;
    }
    if (connection->state == CONNECTION_CONNECTING) {
        if (network->now_ms - connection->since_ms >= CONNECT_WAIT_MS) {
            complain(network, connection, "no connection in time");
            hang_up(network, connection, true);
        }
        return true;
    }
    size_t pool = pools_pick(&network->pools, network->now_ms);
    if (network->is_ending || connection->retry_ms > network->now_ms || pool == POOLS_NONE)
        return true;
    start(network, connection, pool);
    return false;
}

static void tick(struct network *network)
{
    size_t begun = 0;
    for (size_t i = 0; i < network->count && begun < CONNECTS_PER_TURN; i++)
        begun += !tick_connection(network, &network->connections[i]);
}

static size_t count_working(struct network *network)
{
    size_t count = 0;
    pthread_mutex_lock(&network->miner->lock);
    for (size_t i = 0; i < network->count; i++)
        count += client_has_work(network->connections[i].client);
    pthread_mutex_unlock(&network->miner->lock);
    return count;
}

static void report(struct network *network, const char *event, size_t connections)
{
    struct miner *miner = network->miner;
    struct buffer line;
    buffer_init(&line, 1 << 16);
    pthread_mutex_lock(&miner->lock);
    struct stats_moment moment = {.event = event,
                                  .seconds = (double)(network->now_ms - network->started_ms) / 1000,
                                  .recent_seconds =
                                      (double)(network->now_ms - network->reported_ms) / 1000,
                                  .recent_hashes = miner->stats.hashes - network->reported_hashes,
                                  .connections = connections,
                                  .connections_wanted = network->count};
    stats_write(&miner->stats, &moment, miner->settings->is_json, &line);
    network->reported_hashes = miner->stats.hashes;
    pthread_mutex_unlock(&miner->lock);
    network->reported_ms = network->now_ms;
    fwrite(line.data, 1, line.size, stdout);
    fflush(stdout);
    buffer_clear(&line);
}

static bool is_over(struct network *network)
{
    const struct settings *settings = network->miner->settings;
    double seconds = (double)(network->now_ms - network->started_ms) / 1000;
    pthread_mutex_lock(&network->miner->lock);
    uint64_t accepted = network->miner->stats.accepted;
    pthread_mutex_unlock(&network->miner->lock);
    return (settings->seconds > 0 && seconds >= settings->seconds) ||
           (settings->shares > 0 && accepted >= settings->shares);
}

// One turn; false after a signal.
static bool serve(struct network *network)
{
    struct epoll_event events[EVENTS_MAX];
    bool is_wanted = true;
    int count = epoll_wait(network->epoll, events, EVENTS_MAX, TURN_MS);
    read_clock(network);
    for (int i = 0; i < count; i++) {
        int64_t token = (int64_t)events[i].data.u64;
        if (token == TOKEN_SIGNAL)
            is_wanted = false;
        else if (token == TOKEN_WAKE)
            flush_dirty(network);
        else
            on_event(network, (size_t)token, events[i].events);
    }
    return is_wanted;
}

static bool has_pending(struct network *network)
{
    bool is_pending = false;
    pthread_mutex_lock(&network->miner->lock);
    for (size_t i = 0; i < network->count; i++)
        is_pending = is_pending || client_pending(network->connections[i].client) > 0;
    pthread_mutex_unlock(&network->miner->lock);
    return is_pending;
}

// No new shares; answers to the last ones still count.
static void finish(struct network *network)
{
    network->is_ending = true;
    pthread_mutex_lock(&network->miner->lock);
    network->miner->is_paused = true;
    pthread_mutex_unlock(&network->miner->lock);
    int64_t until_ms = network->now_ms + LAST_ANSWERS_MS;
    while (network->now_ms < until_ms && has_pending(network))
        serve(network);
    size_t connections = count_working(network);
    for (size_t i = 0; i < network->count; i++) {
        if (network->connections[i].state != CONNECTION_CLOSED)
            hang_up(network, &network->connections[i], false);
    }
    report(network, "end", connections);
}

void network_run(struct network *network)
{
    int64_t ticked_ms = 0;
    read_clock(network);
    network->started_ms = network->now_ms;
    network->reported_ms = network->now_ms;
    int64_t report_ms = (int64_t)(network->miner->settings->report * 1000);
    bool is_wanted = true;
    while (is_wanted && !is_over(network)) {
        if (network->now_ms - ticked_ms >= TURN_MS) {
            ticked_ms = network->now_ms;
            tick(network);
        }
        is_wanted = serve(network);
        if (report_ms > 0 && network->now_ms - network->reported_ms >= report_ms)
            report(network, "report", count_working(network));
    }
    finish(network);
}

struct network *network_open(struct miner *miner, const sigset_t *signals)
{
    struct network *network = memory_new(1, sizeof *network);
    network->miner = miner;
    network->pools = miner->settings->pools;
    network->count = miner->settings->connections;
    network->connections = memory_new(network->count, sizeof *network->connections);
    for (size_t i = 0; i < network->count; i++)
        network->connections[i] = (struct connection){.client = miner->clients[i], .socket = -1};
    network->epoll = epoll_create1(EPOLL_CLOEXEC);
    network->signals = signalfd(-1, signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (network->epoll < 0 || network->signals < 0) {
        perror("miner: epoll");
        network_close(network);
        return NULL;
    }
    watch(network, EPOLL_CTL_ADD, network->signals, EPOLLIN, TOKEN_SIGNAL);
    watch(network, EPOLL_CTL_ADD, miner->wake_fd, EPOLLIN, TOKEN_WAKE);
    return network;
}

void network_close(struct network *network)
{
    if (network == NULL)
        return;
    for (size_t i = 0; i < network->count; i++)
        close_socket(&network->connections[i]);
    if (network->epoll >= 0)
        close(network->epoll);
    if (network->signals >= 0)
        close(network->signals);
    free(network->connections);
    free(network);
}
