#include "node/swarm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/swarm_state.h"
#include "node/web_events.h"

#define STRANGERS_SAY_MS 60000 // between two lines about who was refused

static const char saved_key[] = "network";

// ---- What the engine tells

static void on_save(void *context, const uint8_t *data, size_t size)
{
    struct swarm *swarm = context;
    store_put(swarm->node->store, STORE_META, saved_key, sizeof(saved_key) - 1, data, size);
}

// What was known of other nodes when this one ran last; the buffer is initialised in any case.
static bool load_saved(const struct swarm *swarm, struct buffer *saved)
{
    buffer_init(saved, DHT_SAVED_SIZE_MAX + PEERS_SAVED_SIZE_MAX + 4096);
    return store_get(swarm->node->store, STORE_META, saved_key, sizeof(saved_key) - 1, saved);
}

static struct swarm_peer *find_peer(struct swarm *swarm, uint32_t number)
{
    for (size_t i = 0; i < SWARM_PEERS_MAX; i++) {
        if (swarm->peers[i].number == number)
            return &swarm->peers[i];
    }
    return NULL;
}

static void log_peer(struct swarm *swarm, uint32_t number, const char *event, const char *reason)
{
    const struct swarm_peer *peer = find_peer(swarm, number);
    char address[ENDPOINT_TEXT_SIZE] = "-";
    if (peer != NULL)
        endpoint_to_text(&peer->endpoint, address);
    log_event(swarm->node->log, LOG_INFO, "network", event, LOG_U64("peer", number),
              LOG_TEXT("address", address),
              LOG_TEXT("way", peer == NULL || peer->is_inbound ? "inbound" : "outbound"),
              LOG_TEXT("reason", reason));
}

// `reason` NULL: it is there now.
static void tell_peer(struct swarm *swarm, struct swarm_peer *peer, const char *reason)
{
    struct network_peer_view view;
    uint32_t cursor = 0;
    while (reason == NULL && network_next_peer(swarm->network, &cursor, &view)) {
        if (view.peer.link.peer == peer->number)
            peer->id = view.peer.link.id.hash;
    }
    web_events_peer(swarm->node->web_events, &peer->id, peer->is_inbound, reason);
}

static void on_peer_opened(void *context, uint32_t peer, struct now now)
{
    struct swarm *swarm = context;
    (void)now;
    swarm->has_met_peers = true;
    swarm->is_alone = false;
    struct swarm_peer *place = find_peer(swarm, 0);
    const struct swarm_stream *stream = swarm_stream_find(swarm, peer);
    if (place != NULL && stream != NULL)
        *place = (struct swarm_peer){
            .number = peer, .endpoint = stream->endpoint, .is_inbound = stream->is_inbound};
    log_peer(swarm, peer, "node connected", "");
    if (place != NULL)
        tell_peer(swarm, place, NULL);
}

static void on_peer_closed(void *context, uint32_t peer, const char *reason, struct now now)
{
    struct swarm *swarm = context;
    (void)now;
    log_peer(swarm, peer, "node gone", reason);
    struct swarm_peer *place = find_peer(swarm, peer);
    if (place == NULL)
        return;
    tell_peer(swarm, place, reason);
    place->number = 0;
}

static void on_peer_banned(void *context, uint32_t peer, const char *reason, struct now now)
{
    (void)now;
    log_peer(context, peer, "node banned", reason);
}

// Whoever comes again and again does not fill the log.
static void on_stranger_refused(void *context, const struct endpoint *from, const char *reason,
                                struct now now)
{
    struct swarm *swarm = context;
    char address[ENDPOINT_TEXT_SIZE];
    swarm->strangers++;
    if (swarm->strangers_said.ms != 0 && now.mono.ms - swarm->strangers_said.ms < STRANGERS_SAY_MS)
        return;
    endpoint_to_text(from, address);
    log_event(swarm->node->log, LOG_INFO, "network", "connections were refused",
              LOG_U64("count", swarm->strangers), LOG_TEXT("last", address),
              LOG_TEXT("reason", reason));
    swarm->strangers = 0;
    swarm->strangers_said = now.mono;
}

static void on_sync_changed(void *context, enum sync_phase phase, struct now now)
{
    struct swarm *swarm = context;
    (void)now;
    log_event(swarm->node->log, LOG_INFO, "network", "sync",
              LOG_TEXT("phase", sync_phase_text(phase)));
    swarm->node->wants_work = true;
}

static void on_alone(void *context, struct now now)
{
    struct swarm *swarm = context;
    (void)now;
    bool has_seeds = swarm->seeds_count > 0;
    swarm->is_alone = true;
    swarm->node->wants_work = true;
    log_event(swarm->node->log, LOG_ERROR, "network", "no other node of the pool is connected",
              LOG_U64("seconds", NETWORK_ALONE_MS / 1000),
              LOG_TEXT("what_to_do",
                       has_seeds ? "check this machine's way to the internet, that the seeds run "
                                   "and that their lines (key, pool file, secret) are right"
                                 : "give a seed: a line that \"shoal dht\" shows on another node"));
}

static void on_address_learned(void *context, const struct endpoint *endpoint, bool is_reachable,
                               struct now now)
{
    struct swarm *swarm = context;
    (void)now;
    char text[ENDPOINT_TEXT_SIZE];
    endpoint_to_text(endpoint, text);
    if (is_reachable)
        log_event(swarm->node->log, LOG_INFO, "network", "others reach this node",
                  LOG_TEXT("address", text));
    else
        log_event(swarm->node->log, LOG_WARN, "network", "others cannot reach this node",
                  LOG_TEXT("address", text),
                  LOG_TEXT("what_to_do", "it works all the same; to help the pool lead the port of "
                                         "peer-listen, TCP and UDP, from the router here"));
}

static void on_block_arrived(void *context, const struct hash256 *id, const uint8_t *block,
                             size_t size)
{
    struct swarm *swarm = context;
    char hash[65];
    hash_to_display(id, hash);
    log_event(swarm->node->log, LOG_INFO, "network", "a block of another node: to the daemons",
              LOG_TEXT("hash", hash), LOG_U64("bytes", size));
    swarm->blocks_arrived++;
    if (swarm->node->backend != NULL)
        backend_submit_block(swarm->node->backend, id, block, size);
}

// ---- Beginning

static bool is_local(const struct swarm *swarm)
{
    return swarm->membership.puzzle_bits == IDENTITY_PUZZLE_BITS_TEST ||
           swarm->membership.is_private;
}

static void say_begin(struct swarm *swarm)
{
    char text[SWARM_SEED_TEXT_SIZE];
    swarm_seed_text(swarm, text);
    if (swarm->listen_port != 0)
        log_event(swarm->node->log, LOG_INFO, "network", "others may have this node as their seed",
                  LOG_TEXT("seed", text));
    log_event(swarm->node->log, LOG_INFO, "network", "looking for the other nodes",
              LOG_U64("seeds", swarm->resolved_count),
              LOG_BOOL("found", swarm->node->config->found),
              LOG_BOOL("private", swarm->membership.is_private));
}

static void begin(struct swarm *swarm)
{
    const struct config *config = swarm->node->config;
    struct now now = net_loop_now(swarm->node->loop);
    struct network_config network = {
        .identity = &swarm->identity,
        .membership = &swarm->membership,
        .chain = &swarm->chain,
        .seeds = swarm->resolved,
        .seeds_count = swarm->resolved_count,
        .port = swarm->listen_port,
        .public_ipv4 = swarm->public_ipv4,
        .public_ipv6 = swarm->public_ipv6,
        .has_ipv4 = swarm->udp_ipv4_count > 0,
        .has_ipv6 = swarm->udp_ipv6_count > 0,
        .is_crowded = is_local(swarm),
        .is_entry_point = config->peer_entry,
        .is_found = config->found,
        .inbound_max = config->peer_inbound,
        .outbound_max = config->peer_outbound,
        .events = {.save = on_save,
                   .peer_opened = on_peer_opened,
                   .peer_closed = on_peer_closed,
                   .peer_banned = on_peer_banned,
                   .stranger_refused = on_stranger_refused,
                   .sync_changed = on_sync_changed,
                   .alone = on_alone,
                   .address_learned = on_address_learned,
                   .block_arrived = on_block_arrived},
    };
    struct buffer saved;
    if (load_saved(swarm, &saved)) {
        network.saved = saved.data;
        network.saved_size = saved.size;
    }
    swarm_fill_io(swarm, &network.events);
    swarm->network = network_new(&swarm->node->env, &network, now);
    buffer_clear(&saved);
    if (swarm->network == NULL) { // the timer of the seeds tries again
        log_plain(swarm->node->log, LOG_ERROR, "network", "out of memory: not begun");
        return;
    }
    net_timer_stop(swarm->seeds_timer);
    if (swarm->mapped.address.family != ADDRESS_NONE)
        network_set_endpoint(swarm->network, &swarm->mapped, now);
    swarm->node->wants_work = true;
    say_begin(swarm);
}

void swarm_begin_if_ready(struct swarm *swarm)
{
    if (swarm->network != NULL || swarm->is_stopping || !swarm->has_identity ||
        swarm->seeds_pending > 0)
        return;
    bool has_somebody = swarm->resolved_count > 0 || swarm->has_saved || swarm->node->config->found;
    if (has_somebody)
        begin(swarm);
    else
        log_plain(swarm->node->log, LOG_ERROR, "network",
                  "no seed can be looked up; tried again in 15 s");
}

static void on_timer(void *context, struct now now)
{
    struct swarm *swarm = context;
    if (swarm->network == NULL)
        return;
    chain_port_tick(swarm->port, now);
    network_tick(swarm->network, now);
}

static void on_seeds_timer(void *context, struct now now)
{
    struct swarm *swarm = context;
    (void)now;
    if (swarm->network == NULL && !swarm->is_stopping)
        swarm_seeds_resolve(swarm);
    swarm_begin_if_ready(swarm);
}

// ---- The router

static void on_mapped(void *context, const struct net_address *outside)
{
    struct swarm *swarm = context;
    struct endpoint endpoint = swarm_endpoint(outside);
    char text[ENDPOINT_TEXT_SIZE];
    endpoint_to_text(&endpoint, text);
    bool is_public = address_is_public(&endpoint.address);
    snprintf(swarm->mapping, sizeof(swarm->mapping), "%s leads here%s", text,
             is_public ? "" : ", but it is behind another router itself");
    log_event(swarm->node->log, is_public ? LOG_INFO : LOG_WARN, "network",
              "the router leads a port here", LOG_TEXT("mapping", swarm->mapping));
    swarm->mapped = is_public ? endpoint : (struct endpoint){.port = 0};
    if (is_public && swarm->network != NULL)
        network_set_endpoint(swarm->network, &endpoint, net_loop_now(swarm->node->loop));
}

static void on_unmapped(void *context, const char *reason)
{
    struct swarm *swarm = context;
    snprintf(swarm->mapping, sizeof(swarm->mapping), "%s", reason);
    log_event(swarm->node->log, LOG_INFO, "network", "no port of the router leads here",
              LOG_TEXT("reason", reason),
              LOG_TEXT("what_to_do", "nothing if this machine has an address of its own; else lead "
                                     "the port here by hand, or set upnp = 0"));
    bool was_mapped = swarm->mapped.address.family != ADDRESS_NONE;
    swarm->mapped = (struct endpoint){.port = 0};
    if (was_mapped && swarm->network != NULL)
        network_set_endpoint(swarm->network, &swarm->mapped, net_loop_now(swarm->node->loop));
}

// A node that is not to be reached, or says itself where, needs no router.
static bool wants_mapping(const struct swarm *swarm)
{
    static const uint8_t loopback = 127;
    const struct config *config = swarm->node->config;
    bool is_open = false;
    for (size_t i = 0; i < config->peer_listen.count; i++) {
        struct endpoint endpoint;
        is_open = is_open || (swarm_parse_endpoint(config->peer_listen.items[i], 0, &endpoint) &&
                              endpoint.address.family == ADDRESS_IPV4 &&
                              endpoint.address.bytes[0] != loopback);
    }
    return config->upnp && is_open && swarm->public_ipv4.address.family == ADDRESS_NONE;
}

static bool open_router(struct swarm *swarm)
{
    struct net_port_map_options options = {
        .port = swarm->listen_port,
        .events = {.context = swarm, .mapped = on_mapped, .failed = on_unmapped},
    };
    if (!wants_mapping(swarm))
        return true;
    swarm->port_map = net_port_map_new(swarm->node->loop, &options);
    return swarm->port_map != NULL;
}

// ---- A life

static bool read_public(struct swarm *swarm, char error[NODE_ERROR_SIZE])
{
    const struct config_list *list = &swarm->node->config->peer_public;
    for (size_t i = 0; i < list->count; i++) {
        struct endpoint endpoint;
        if (!swarm_parse_endpoint(list->items[i], swarm->listen_port, &endpoint) ||
            endpoint.port == 0) {
            snprintf(error, NODE_ERROR_SIZE,
                     "peer-public: \"%.80s\" without a port, and peer-listen gives none",
                     list->items[i]);
            return false;
        }
        bool is_ipv6 = endpoint.address.family == ADDRESS_IPV6;
        *(is_ipv6 ? &swarm->public_ipv6 : &swarm->public_ipv4) = endpoint;
    }
    return true;
}

static void read_membership(struct swarm *swarm)
{
    const struct pool *pool = swarm->node->pool;
    struct membership *membership = &swarm->membership;
    membership->pool_id = pool->id;
    membership->puzzle_bits =
        chain_is_toy(pool->chain) ? IDENTITY_PUZZLE_BITS_TEST : IDENTITY_PUZZLE_BITS;
    membership->is_private = config_parse_secret(swarm->node->config->secret, membership->secret);
    if (!membership->is_private)
        memset(membership->secret, 0, sizeof(membership->secret));
}

// A node that nobody could ever meet would wait for ever, and its miners with it.
static bool knows_somebody(struct swarm *swarm, char error[NODE_ERROR_SIZE])
{
    struct buffer saved;
    swarm->has_saved = load_saved(swarm, &saved);
    buffer_clear(&saved);
    if (swarm->has_saved || swarm->seeds_count > 0 || swarm->node->config->found)
        return true;
    snprintf(error, NODE_ERROR_SIZE,
             "seed: missing; give --seed HOST:PORT/KEY, a line that \"shoal dht\" shows on a node "
             "of the pool, or --found if this is the first node of its pool");
    return false;
}

static bool open_parts(struct swarm *swarm, char error[NODE_ERROR_SIZE])
{
    snprintf(error, NODE_ERROR_SIZE, "out of memory");
    swarm->streams = map_new(&swarm->node->env);
    swarm->timer = net_timer_new(swarm->node->loop, on_timer, swarm);
    swarm->seeds_timer = net_timer_new(swarm->node->loop, on_seeds_timer, swarm);
    if (swarm->timer == NULL || swarm->seeds_timer == NULL)
        return false;
    read_membership(swarm);
    if (!swarm_seeds_init(swarm, error) || !knows_somebody(swarm, error) ||
        !swarm_chain_open(swarm, error) || !swarm_listen(swarm, error) ||
        !read_public(swarm, error) || !swarm_identity_open(swarm, error))
        return false;
    snprintf(error, NODE_ERROR_SIZE, "out of memory");
    return open_router(swarm);
}

struct swarm *swarm_new(struct node *node, char error[NODE_ERROR_SIZE])
{
    struct swarm *swarm = calloc(1, sizeof(*swarm));
    if (swarm == NULL) {
        snprintf(error, NODE_ERROR_SIZE, "out of memory");
        return NULL;
    }
    swarm->node = node;
    if (!open_parts(swarm, error)) {
        swarm_free(swarm);
        return NULL;
    }
    swarm_seeds_resolve(swarm);
    swarm_begin_if_ready(swarm);
    return swarm;
}

void swarm_stop(struct swarm *swarm)
{
    if (swarm == NULL || swarm->is_stopping)
        return;
    swarm->is_stopping = true;
    swarm_close_listeners(swarm);
    net_port_map_stop(swarm->port_map);
    if (swarm->network != NULL)
        network_stop(swarm->network, net_loop_now(swarm->node->loop));
}

void swarm_free(struct swarm *swarm)
{
    if (swarm == NULL)
        return;
    swarm_seeds_clear(swarm);
    network_free(swarm->network);
    swarm_close_sockets(swarm);
    net_port_map_free(swarm->port_map);
    chain_port_free(swarm->port);
    map_free(swarm->streams);
    net_timer_free(swarm->timer);
    net_timer_free(swarm->seeds_timer);
    swarm_identity_close(swarm);
    membership_clear(&swarm->membership);
    free(swarm);
}

void swarm_turn_ended(struct swarm *swarm, struct now now)
{
    if (swarm == NULL || swarm->network == NULL)
        return;
    swarm_tell_failed(swarm, now);
    swarm_chain_turn(swarm, now);
    net_timer_start(swarm->timer, mono_min(network_next_deadline(swarm->network),
                                           chain_port_next_deadline(swarm->port)));
}

// ---- What it knows

const char *swarm_refuses_work(const struct swarm *swarm)
{
    if (swarm == NULL || (swarm->network != NULL && network_is_synced(swarm->network)))
        return NULL;
    if (!swarm->has_identity)
        return "the identity of this node is being made, which takes some seconds, once";
    if (swarm->network == NULL)
        return "the seeds are being looked up";
    struct network_stats stats;
    network_stats(swarm->network, &stats);
    if (stats.sync.phase != SYNC_ALONE)
        return "syncing with the pool";
    return swarm->has_met_peers
               ? "no other node of the pool is connected, and the pool's newest work is not known"
               : "no node of this pool was met yet: check the seeds, or give --found if this is "
                 "the first node of its pool";
}

void swarm_view(struct swarm *swarm, struct swarm_view *view)
{
    *view = (struct swarm_view){
        .network = swarm->network,
        .identity = &swarm->identity,
        .port = swarm->port,
        .is_private = swarm->membership.is_private,
        .is_found = swarm->node->config->found,
        .has_met_peers = swarm->has_met_peers,
        .is_alone = swarm->is_alone,
        .listen_port = swarm->listen_port,
        .blocks_arrived = swarm->blocks_arrived,
    };
    snprintf(view->mapping, sizeof(view->mapping), "%s", swarm->mapping);
    struct net_udp *const *const sockets[] = {swarm->udp_ipv4, swarm->udp_ipv6};
    const size_t counts[] = {swarm->udp_ipv4_count, swarm->udp_ipv6_count};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < counts[i]; j++) {
            struct net_udp_stats stats = net_udp_stats(sockets[i][j]);
            view->datagrams.received += stats.received;
            view->datagrams.sent += stats.sent;
            view->datagrams.failures += stats.failures;
        }
    }
}
