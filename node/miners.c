// Sockets of miners and the Stratum engine joined: bytes in, bytes out, what it asks and what it
// tells.
#include <stdlib.h>
#include <string.h>
#include "node/meter.h"
#include "node/pow/target.h"
#include "node/state.h"
#include "node/web_events.h"

// Payout addresses that statistics are kept of, and workers of each.
#define ADDRESSES_MAX 4096
#define WORKERS_MAX   1024

static struct hash256 session_key(uint64_t session)
{
    struct hash256 key = {{0}};
    memcpy(key.bytes, &session, sizeof(session));
    return key;
}

static struct miner_socket *find_socket(struct node *node, uint64_t session)
{
    struct hash256 key = session_key(session);
    return map_find(node->sockets, &key);
}

// ---- From the sockets to the engine

static void on_received(void *context, struct net_connection *connection, const uint8_t *data,
                        size_t size)
{
    (void)connection;
    struct miner_socket *socket = context;
    struct node *node = socket->node;
    meter_received(node->meter);
    if (socket->session != 0)
        stratum_receive(node->stratum, socket->session, data, size, net_loop_now(node->loop));
}

static void on_drained(void *context, struct net_connection *connection)
{
    (void)connection;
    struct miner_socket *socket = context;
    struct node *node = socket->node;
    if (socket->session != 0)
        stratum_drained(node->stratum, socket->session, net_loop_now(node->loop));
}

static void forget_session(struct miner_socket *socket)
{
    struct hash256 key = session_key(socket->session);
    map_remove(socket->node->sockets, &key);
    socket->session = 0;
}

static void on_closed(void *context, struct net_connection *connection, const char *reason)
{
    (void)connection;
    (void)reason;
    struct miner_socket *socket = context;
    struct node *node = socket->node;
    uint64_t session = socket->session;
    if (session != 0) {
        forget_session(socket);
        stratum_disconnected(node->stratum, session, net_loop_now(node->loop));
    }
    free(socket);
}

static const struct net_connection_events connection_events = {
    .received = on_received,
    .drained = on_drained,
    .closed = on_closed,
};

static void fill_peer(const struct net_connection *connection, struct stratum_peer *peer)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const struct net_address *address = net_connection_peer(connection);
    *peer = (struct stratum_peer){.family = 6};
    net_address_to_text(address, peer->text);
    if (address->is_unix) {
        // Who may open the socket is on this machine, and all of them share it: as loopback they
        // have no limit and are never banned together.
        peer->bytes[15] = 1;
        return;
    }
    memcpy(peer->bytes, address->ip, 16);
    if (memcmp(address->ip, mapped, sizeof(mapped)) != 0)
        return;
    peer->family = 4;
    memcpy(peer->bytes, address->ip + 12, 4);
}

static void on_accepted(void *context, struct net_connection *connection)
{
    struct node *node = context;
    struct stratum_peer peer;
    fill_peer(connection, &peer);
    struct miner_socket *socket = calloc(1, sizeof(*socket));
    uint64_t session = 0;
    enum stratum_refusal refusal =
        socket == NULL
            ? STRATUM_REFUSED_MEMORY
            : stratum_connected(node->stratum, &peer, net_loop_now(node->loop), &session);
    if (refusal != STRATUM_CONNECTED) {
        log_event(node->log, LOG_DEBUG, "stratum", "connection refused",
                  LOG_TEXT("peer", peer.text), LOG_TEXT("reason", stratum_refusal_text(refusal)));
        free(socket);
        net_connection_reset(connection);
        return;
    }
    *socket = (struct miner_socket){node, connection, session};
    struct hash256 key = session_key(session);
    map_set(node->sockets, &key, socket);
    net_connection_begin(connection, &connection_events, socket);
}

// Two notifies at least, whatever the pool's number of outputs: each byte of a coinbase is two of
// hex.
static size_t send_bytes_max(const struct pool *pool)
{
    return 2 * (LIMIT_SESSION_SEND_BYTES + 2 * coinbase_prefix_size_max(pool->outputs));
}

bool miners_listen(struct node *node, char error[NODE_ERROR_SIZE])
{
    for (size_t i = 0; i < node->config->stratum_listen.count; i++) {
        struct net_listen_options options = {
            .address = node->config->stratum_listen.items[i],
            // "[::]:3333" alone takes IPv4, too; beside others it takes what it says.
            .is_ipv6_only = node->config->stratum_listen.count > 1,
            .connections_max = node->config->stratum_connections,
            .send_bytes_max = send_bytes_max(node->pool),
            .accepted = on_accepted,
            .context = node,
            .log = node->log,
        };
        struct net_listener *listener = net_listener_open(node->loop, &options, error);
        if (listener == NULL)
            return false;
        node->listeners[node->listeners_count] = listener;
        node->listeners_count++;
        log_event(node->log, LOG_INFO, "stratum", "listening for miners",
                  LOG_TEXT("address", options.address));
    }
    return true;
}

void miners_close(struct node *node)
{
    for (size_t i = 0; i < node->listeners_count; i++)
        net_listener_close(node->listeners[i]);
    node->listeners_count = 0;
}

void miners_deadline(struct node *node)
{
    net_timer_start(node->stratum_timer, stratum_next_deadline(node->stratum));
}

// ---- From the engine to the sockets, the log and the store

static size_t on_send(void *context, uint64_t session, const void *bytes, size_t size)
{
    struct node *node = context;
    struct miner_socket *socket = find_socket(node, session);
    if (socket == NULL)
        return 0;
    size_t queued = net_connection_write(socket->connection, bytes, size);
    meter_sent(node->meter);
    return queued;
}

static void on_close(void *context, uint64_t session, enum stratum_close reason)
{
    (void)reason;
    struct miner_socket *socket = find_socket(context, session);
    if (socket == NULL)
        return;
    forget_session(socket);
    net_connection_close(socket->connection);
}

static uint64_t on_submit_arrived(void *context)
{
    const struct node *node = context;
    return meter_submit_arrived(node->meter);
}

static void on_submit_answered(void *context, uint64_t mark)
{
    struct node *node = context;
    meter_submit_answered(node->meter, mark);
}

static void on_share_judged(void *context, const struct stratum_judgement *judgement)
{
    struct node *node = context;
    miner_book_judged(node->miner_book, judgement, net_loop_now(node->loop));
    web_events_share(node->web_events, judgement);
    if (log_wants(node->log, LOG_DEBUG))
        log_event(node->log, LOG_DEBUG, "stratum", "share judged",
                  LOG_U64("session", judgement->session),
                  LOG_TEXT("verdict", stratum_verdict_text(judgement->verdict)),
                  LOG_NUMBER("difficulty", judgement->difficulty),
                  LOG_BOOL("grain", judgement->is_grain), LOG_BOOL("block", judgement->is_block));
}

static void on_hash_wanted(void *context, uint64_t token, const uint8_t header[HEADER_SIZE])
{
    struct node *node = context;
    hasher_add(node->hasher, token, header);
}

static void on_session_authorized(void *context, const struct stratum_session_view *session)
{
    struct node *node = context;
    miner_book_connected(node->miner_book, session, net_loop_now(node->loop));
    log_event(node->log, LOG_INFO, "stratum", "miner connected", LOG_TEXT("peer", session->address),
              LOG_TEXT("user", session->user), LOG_TEXT("device", session->kind),
              LOG_TEXT("user_agent", session->user_agent));
    web_events_miner(node->web_events, session, NULL);
}

static void on_session_closed(void *context, const struct stratum_session_view *session,
                              enum stratum_close reason)
{
    struct node *node = context;
    miner_book_gone(node->miner_book, session->session, net_loop_now(node->loop));
    enum log_level level = session->is_authorized ? LOG_INFO : LOG_DEBUG;
    log_event(node->log, level, "stratum", "miner gone", LOG_TEXT("peer", session->address),
              LOG_TEXT("user", session->user), LOG_TEXT("reason", stratum_close_text(reason)),
              LOG_U64("accepted", session->shares[STRATUM_ACCEPTED]));
    if (session->is_authorized)
        web_events_miner(node->web_events, session, stratum_close_text(reason));
}

static void on_device_refused(void *context, const struct stratum_refused_device *device)
{
    struct node *node = context;
    log_event(node->log, LOG_WARN, "stratum", "device cannot take this pool's coinbase",
              LOG_TEXT("peer", device->address), LOG_TEXT("user", device->user),
              LOG_TEXT("device", device->kind), LOG_TEXT("user_agent", device->user_agent),
              LOG_U64("coinbase_max", device->coinbase_max), LOG_TEXT("reason", device->reason));
}

static double on_worker_rate_find(void *context, const char *user)
{
    struct node *node = context;
    uint8_t bytes[8];
    struct buffer value;
    buffer_init_fixed(&value, bytes, sizeof(bytes));
    if (user[0] == '\0' || !store_get(node->store, STORE_WORKERS, user, strlen(user), &value) ||
        value.size != 8)
        return 0;
    struct reader reader = reader_init(bytes, sizeof(bytes));
    return (double)read_u64(&reader);
}

static void on_worker_rate_changed(void *context, const char *user, double hashrate)
{
    struct node *node = context;
    if (user[0] == '\0' || !(hashrate >= 0) || hashrate >= 1e19)
        return;
    uint8_t bytes[8];
    struct buffer value;
    buffer_init_fixed(&value, bytes, sizeof(bytes));
    write_u64(&value, (uint64_t)hashrate);
    store_put(node->store, STORE_WORKERS, user, strlen(user), bytes, sizeof(bytes));
}

struct miner_book *miners_open_book(struct node *node)
{
    struct u256 target = target_from_difficulty(1, pow_algorithm(node->pool->chain->pow));
    struct u256 work = target_work(&target);
    struct miner_book_options options = {
        .env = &node->env,
        .store = node->store,
        .hashes_per_difficulty = u256_to_double(&work),
        .addresses_max = ADDRESSES_MAX,
        .workers_max = WORKERS_MAX,
    };
    return miner_book_new(&options, net_loop_now(node->loop));
}

void miners_fill_events(struct node *node, struct stratum_events *events)
{
    *events = (struct stratum_events){
        .context = node,
        .send = on_send,
        .close = on_close,
        .job_commitment = work_job_commitment,
        .share_found = found_share,
        .share_judged = on_share_judged,
        .submit_arrived = on_submit_arrived,
        .submit_answered = on_submit_answered,
        .hash_wanted = on_hash_wanted,
        .work_released = work_released,
        .session_authorized = on_session_authorized,
        .session_closed = on_session_closed,
        .device_refused = on_device_refused,
        .worker_rate_find = on_worker_rate_find,
        .worker_rate_changed = on_worker_rate_changed,
    };
}
