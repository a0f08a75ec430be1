#include "tests/sim/swarm.h"

#include <stdlib.h>
#include <string.h>

#define IDENTITY_TRIES (1u << 16)
#define SAVED_MAX      (1u << 20)
#define SEEN_MAX       1024 // shares; the node remembers more
#define RECORDS_MAX    64

static void *or_abort(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

void swarm_init(struct swarm *swarm, struct world *world, const struct hash256 *pool_id)
{
    memset(swarm, 0, sizeof *swarm);
    swarm->world = world;
    swarm->membership.puzzle_bits = IDENTITY_PUZZLE_BITS_TEST;
    swarm->membership.pool_id = *pool_id;
}

void swarm_clear(struct swarm *swarm)
{
    for (size_t i = 0; i < swarm->count; i++) {
        struct swarm_node *node = swarm->nodes[i];
        network_free(node->network);
        identity_clear(&node->identity);
        buffer_clear(&node->saved);
        free(node);
    }
    free(swarm->nodes);
}

struct swarm_node *swarm_add(struct swarm *swarm, const struct host_options *options)
{
    struct swarm_node *node = or_abort(calloc(1, sizeof *node));
    if (swarm->count == swarm->capacity) {
        swarm->capacity = swarm->capacity == 0 ? 64 : 2 * swarm->capacity;
        swarm->nodes = or_abort(realloc(swarm->nodes, swarm->capacity * sizeof swarm->nodes[0]));
    }
    node->swarm = swarm;
    node->host = world_add_host(swarm->world, options);
    node->met_us = -1;
    buffer_init(&node->saved, SAVED_MAX);
    identity_begin(&node->identity, &node->host->env);
    if (!identity_search(&node->identity, swarm->membership.puzzle_bits, IDENTITY_TRIES))
        abort();
    swarm->nodes[swarm->count++] = node;
    return node;
}

// ---- The engine's events

static void send_datagram(void *context, const struct endpoint *to, const uint8_t *data,
                          size_t size)
{
    const struct swarm_node *node = context;
    host_send(node->host, to, data, size);
}

static void connect_to(void *context, uint32_t stream, const struct endpoint *to)
{
    const struct swarm_node *node = context;
    host_connect(node->host, stream, to);
}

static size_t write_to(void *context, uint32_t stream, const uint8_t *data, size_t size)
{
    const struct swarm_node *node = context;
    return host_write(node->host, stream, data, size);
}

static void close_stream(void *context, uint32_t stream, bool is_graceful)
{
    const struct swarm_node *node = context;
    host_close(node->host, stream, is_graceful);
}

static void keep(void *context, const uint8_t *data, size_t size)
{
    struct swarm_node *node = context;
    buffer_reset(&node->saved);
    write_bytes(&node->saved, data, size);
}

static void note_opened(void *context, uint32_t peer, struct now now)
{
    struct swarm_node *node = context;
    (void)peer;
    (void)now;
    node->peers++;
    if (node->met_us < 0)
        node->met_us = node->swarm->world->now_us;
}

static void note_closed(void *context, uint32_t peer, const char *reason, struct now now)
{
    struct swarm_node *node = context;
    (void)peer;
    (void)reason;
    (void)now;
    node->peers--;
    node->closed++;
}

static void note_banned(void *context, uint32_t peer, const char *reason, struct now now)
{
    struct swarm_node *node = context;
    (void)peer;
    (void)reason;
    (void)now;
    node->banned++;
}

static void note_sync(void *context, enum sync_phase phase, struct now now)
{
    (void)context;
    (void)phase;
    (void)now;
}

static void note_alone(void *context, struct now now)
{
    (void)context;
    (void)now;
}

static void note_address(void *context, const struct endpoint *endpoint, bool is_reachable,
                         struct now now)
{
    (void)context;
    (void)endpoint;
    (void)is_reachable;
    (void)now;
}

static void note_block(void *context, const struct hash256 *id, const uint8_t *block, size_t size)
{
    (void)context;
    (void)id;
    (void)block;
    (void)size;
}

// ---- The world's

static void take_datagram(void *context, const struct endpoint *from, const uint8_t *data,
                          size_t size, struct now now)
{
    const struct swarm_node *node = context;
    network_datagram(node->network, from, data, size, now);
}

static uint32_t accepted(void *context, const struct endpoint *from, struct now now)
{
    const struct swarm_node *node = context;
    return network_accepted(node->network, from, now);
}

static void connected(void *context, uint32_t stream, struct now now)
{
    const struct swarm_node *node = context;
    network_connected(node->network, stream, now);
}

static void received(void *context, uint32_t stream, const uint8_t *data, size_t size,
                     struct now now)
{
    const struct swarm_node *node = context;
    network_received(node->network, stream, data, size, now);
}

static void drained(void *context, uint32_t stream, struct now now)
{
    const struct swarm_node *node = context;
    network_drained(node->network, stream, now);
}

static void closed(void *context, uint32_t stream, struct now now)
{
    const struct swarm_node *node = context;
    network_closed(node->network, stream, now);
}

static void tick(void *context, struct now now)
{
    struct swarm_node *node = context;
    network_tick(node->network, now);
    if (node->swarm->tick != NULL)
        node->swarm->tick(node, now);
}

static struct mono_time next_deadline(const void *context)
{
    const struct swarm_node *node = context;
    struct mono_time deadline = network_next_deadline(node->network);
    return node->swarm->next_deadline == NULL
               ? deadline
               : mono_min(deadline, node->swarm->next_deadline(node));
}

static const struct engine engine = {
    .datagram = take_datagram,
    .accepted = accepted,
    .connected = connected,
    .received = received,
    .drained = drained,
    .closed = closed,
    .tick = tick,
    .next_deadline = next_deadline,
};

static struct network_events events_of(struct swarm_node *node)
{
    return (struct network_events){
        .context = node,
        .send_datagram = send_datagram,
        .connect = connect_to,
        .write = write_to,
        .close = close_stream,
        .save = keep,
        .peer_opened = note_opened,
        .peer_closed = note_closed,
        .peer_banned = note_banned,
        .sync_changed = note_sync,
        .alone = note_alone,
        .address_learned = note_address,
        .block_arrived = note_block,
    };
}

void swarm_node_start(struct swarm_node *node)
{
    struct swarm *swarm = node->swarm;
    struct network_seed seeds[SWARM_SEEDS];
    struct network_config config = {.identity = &node->identity,
                                    .membership = &swarm->membership,
                                    .chain = node->chain,
                                    .events = events_of(node),
                                    .seeds = seeds,
                                    .saved = node->saved.size == 0 ? NULL : node->saved.data,
                                    .saved_size = node->saved.size,
                                    .port = WORLD_PORT,
                                    .has_ipv4 = true,
                                    .is_entry_point = node->host->index < SWARM_SEEDS,
                                    .is_found = node->host->index == 0,
                                    .gossip_seen_max = SEEN_MAX,
                                    .records_max = RECORDS_MAX};
    for (size_t i = 0; i < SWARM_SEEDS && i < swarm->count; i++) {
        const struct swarm_node *seed = node->seed == NULL ? swarm->nodes[i] : node->seed;
        if (seed != node && (node->seed == NULL || i == 0))
            seeds[config.seeds_count++] =
                (struct network_seed){seed->host->endpoint, seed->identity.dht_key};
    }
    if (node->host->nat == NAT_NONE && !node->is_learning)
        config.public_ipv4 = node->host->endpoint;
    node->started_us = swarm->world->now_us;
    node->met_us = -1;
    node->peers = 0;
    node->network = or_abort(network_new(&node->host->env, &config, world_now(node->host)));
    host_start(node->host, &engine, node);
}

void swarm_node_stop(struct swarm_node *node, enum host_stop how)
{
    host_stop(node->host, how);
    network_free(node->network);
    node->network = NULL;
    node->peers = 0;
}

struct swarm_node *swarm_pick(struct swarm *swarm)
{
    for (;;) {
        struct swarm_node *node = swarm->nodes[random_below(&swarm->world->random, swarm->count)];
        if (node->network != NULL && !node->is_hostile)
            return node;
    }
}

size_t swarm_count(const struct swarm *swarm, size_t peers)
{
    size_t count = 0;
    for (size_t i = 0; i < swarm->count; i++) {
        const struct swarm_node *node = swarm->nodes[i];
        count += node->network != NULL && !node->is_hostile && node->peers >= peers;
    }
    return count;
}
