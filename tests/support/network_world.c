#include "tests/support/network_world.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define NODE_PORT  8400
#define START_SECS 1700000000

enum flight_kind { FLIGHT_DATAGRAM, FLIGHT_CONNECT, FLIGHT_CONNECTED, FLIGHT_BYTES, FLIGHT_CLOSED };

struct net_flight {
    int64_t arrives_ms;
    uint64_t number; // ties: first sent, first there
    enum flight_kind kind;
    size_t from;
    size_t to;
    size_t pipe; // of streams
    size_t size;
    uint8_t *data; // owned
};

// A stream's end; its node is NET_NODES_MAX once it is closed.
struct net_end {
    size_t node;
    uint32_t stream;
};

struct net_pipe {
    struct net_end ends[2]; // who called, who was called
    bool is_cut;            // something was lost on its way
};

struct net_world *net_world_new(uint64_t seed)
{
    struct net_world *world = calloc(1, sizeof *world);
    assert(world != NULL);
    world->seeded.state = seed;
    world->env = seeded_env(&world->seeded);
    world->membership.puzzle_bits = IDENTITY_PUZZLE_BITS_TEST;
    world->membership.pool_id = seeded_hash(&world->seeded);
    world->now = (struct now){{1000}, {(int64_t)START_SECS * 1000}};
    return world;
}

void net_world_free(struct net_world *world)
{
    for (size_t i = 0; i < world->nodes_count; i++) {
        network_free(world->nodes[i].network);
        plain_chain_clear(&world->nodes[i].chain);
        free(world->nodes[i].saved);
    }
    for (size_t i = 0; i < world->attackers_count; i++) {
        link_free(world->attackers[i]->link);
        free(world->attackers[i]);
    }
    for (size_t i = 0; i < world->flights_count; i++)
        free(world->flights[i].data);
    free(world->flights);
    free(world->pipes);
    seeded_env_clear(&world->env);
    free(world);
}

// Every node in a /16 of its own: 20.0.1.1, 20.1.1.1, ...; or all at one address.
static struct endpoint endpoint_of(const struct net_world *world, size_t index)
{
    uint8_t apart[4] = {20, (uint8_t)index, 1, 1};
    uint8_t together[4] = {127, 0, 0, 1};
    uint16_t port = (uint16_t)(NODE_PORT + (world->is_crowded ? index : 0));
    return (struct endpoint){address_ipv4(world->is_crowded ? together : apart), port};
}

// NET_NODES_MAX if nobody lives there.
static size_t index_of(const struct net_world *world, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < world->nodes_count; i++) {
        if (endpoint_equal(&world->nodes[i].endpoint, endpoint))
            return i;
    }
    return NET_NODES_MAX;
}

// ---- What is on its way

static bool is_before(const struct net_flight *a, const struct net_flight *b)
{
    return a->arrives_ms < b->arrives_ms ||
           (a->arrives_ms == b->arrives_ms && a->number < b->number);
}

static void swap(struct net_flight *a, struct net_flight *b)
{
    struct net_flight other = *a;
    *a = *b;
    *b = other;
}

static void push(struct net_world *world, const struct net_flight *flight)
{
    if (world->flights_count == world->flights_capacity) {
        world->flights_capacity = world->flights_capacity == 0 ? 64 : 2 * world->flights_capacity;
        world->flights =
            realloc(world->flights, world->flights_capacity * sizeof world->flights[0]);
        assert(world->flights != NULL);
    }
    size_t at = world->flights_count++;
    world->flights[at] = *flight;
    for (; at > 0 && is_before(&world->flights[at], &world->flights[(at - 1) / 2]);
         at = (at - 1) / 2)
        swap(&world->flights[at], &world->flights[(at - 1) / 2]);
}

static struct net_flight pop(struct net_world *world)
{
    struct net_flight first = world->flights[0];
    size_t count = --world->flights_count;
    size_t at = 0;
    world->flights[0] = world->flights[count];
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            least = is_before(&world->flights[child], &world->flights[least]) ? child : least;
        if (least == at)
            return first;
        swap(&world->flights[at], &world->flights[least]);
        at = least;
    }
}

// The same in both directions.
static int64_t latency(size_t a, size_t b)
{
    struct seeded seeded = {a < b ? a * 1000 + b : b * 1000 + a};
    return 5 + (int64_t)seeded_below(&seeded, 50);
}

static void fly(struct net_world *world, struct net_flight flight, const void *data, size_t size)
{
    flight.arrives_ms = world->now.mono.ms + latency(flight.from, flight.to);
    flight.number = world->flights_made++;
    flight.size = size;
    if (size > 0) {
        flight.data = malloc(size);
        assert(flight.data != NULL);
        memcpy(flight.data, data, size);
    }
    push(world, &flight);
}

// ---- What a node does

static size_t new_pipe(struct net_world *world, size_t from, uint32_t stream, size_t to)
{
    if (world->pipes_count == world->pipes_capacity) {
        world->pipes_capacity = world->pipes_capacity == 0 ? 64 : 2 * world->pipes_capacity;
        world->pipes = realloc(world->pipes, world->pipes_capacity * sizeof world->pipes[0]);
        assert(world->pipes != NULL);
    }
    world->pipes[world->pipes_count] = (struct net_pipe){{{from, stream}, {to, 0}}, false};
    return world->pipes_count++;
}

// The pipe's number, and which end this is.
static struct net_pipe *find_pipe(struct net_world *world, size_t node, uint32_t stream,
                                  unsigned *end)
{
    for (size_t i = world->pipes_count; i-- > 0;) {
        for (*end = 0; *end < 2; (*end)++) {
            const struct net_end *at = &world->pipes[i].ends[*end];
            if (at->node == node && at->stream == stream && stream != 0)
                return &world->pipes[i];
        }
    }
    return NULL;
}

static struct net_attacker *find_attacker(const struct net_node *node, uint32_t stream)
{
    for (size_t i = 0; i < node->world->attackers_count; i++) {
        struct net_attacker *attacker = node->world->attackers[i];
        if (attacker->victim == node && attacker->stream == stream && stream != 0)
            return attacker;
    }
    return NULL;
}

static void on_send(void *context, const struct endpoint *to, const uint8_t *data, size_t size)
{
    struct net_node *node = context;
    size_t index = index_of(node->world, to);
    struct net_flight flight = {.kind = FLIGHT_DATAGRAM, .from = node->index, .to = index};
    if (index != NET_NODES_MAX)
        fly(node->world, flight, data, size);
}

static void on_connect(void *context, uint32_t stream, const struct endpoint *to)
{
    struct net_node *node = context;
    size_t index = index_of(node->world, to);
    struct net_flight flight = {.kind = FLIGHT_CONNECT, .from = node->index, .to = index};
    if (index == NET_NODES_MAX)
        return; // nobody ever answers
    flight.pipe = new_pipe(node->world, node->index, stream, index);
    if (node->world->nodes[index].is_said_open) {
        node->world->pipes[flight.pipe].ends[1].node = NET_NODES_MAX;
        flight = (struct net_flight){
            .kind = FLIGHT_CONNECTED, .from = index, .to = node->index, .pipe = flight.pipe};
    }
    fly(node->world, flight, NULL, 0);
}

static size_t on_write(void *context, uint32_t stream, const uint8_t *data, size_t size)
{
    struct net_node *node = context;
    unsigned end;
    struct net_attacker *attacker = find_attacker(node, stream);
    if (attacker != NULL) {
        attacker->bytes_to_us += (unsigned)size;
        if (attacker->reads)
            link_receive(attacker->link, data, size, node->world->now);
        else
            attacker->unread += size;
        return attacker->unread;
    }
    struct net_pipe *pipe = find_pipe(node->world, node->index, stream, &end);
    assert(pipe != NULL);
    struct net_flight flight = {.kind = FLIGHT_BYTES,
                                .from = node->index,
                                .to = pipe->ends[1 - end].node,
                                .pipe = (size_t)(pipe - node->world->pipes)};
    if (flight.to != NET_NODES_MAX)
        fly(node->world, flight, data, size);
    return 0;
}

static void on_close(void *context, uint32_t stream, bool is_graceful)
{
    struct net_node *node = context;
    unsigned end;
    struct net_attacker *attacker = find_attacker(node, stream);
    (void)is_graceful;
    if (attacker != NULL) {
        attacker->is_closed = true;
        attacker->stream = 0;
        return;
    }
    struct net_pipe *pipe = find_pipe(node->world, node->index, stream, &end);
    if (pipe == NULL)
        return; // nobody lives where it was connected to
    struct net_flight flight = {.kind = FLIGHT_CLOSED,
                                .from = node->index,
                                .to = pipe->ends[1 - end].node,
                                .pipe = (size_t)(pipe - node->world->pipes)};
    pipe->ends[end].node = NET_NODES_MAX;
    if (flight.to != NET_NODES_MAX)
        fly(node->world, flight, NULL, 0);
}

static void on_save(void *context, const uint8_t *data, size_t size)
{
    struct net_node *node = context;
    node->saves++;
    node->saved = realloc(node->saved, size);
    assert(node->saved != NULL);
    memcpy(node->saved, data, size);
    node->saved_size = size;
}

static void on_peer_opened(void *context, uint32_t peer, struct now now)
{
    struct net_node *node = context;
    (void)peer;
    node->peers++;
    if (node->opened++ == 0)
        node->opened_ms = now.mono.ms;
}

static void on_peer_closed(void *context, uint32_t peer, const char *reason, struct now now)
{
    struct net_node *node = context;
    (void)peer;
    (void)now;
    assert(node->peers > 0);
    node->peers--;
    node->closed++;
    snprintf(node->reason, sizeof node->reason, "%s", reason);
}

static void on_stranger_refused(void *context, const struct endpoint *from, const char *reason,
                                struct now now)
{
    struct net_node *node = context;
    (void)from;
    (void)reason;
    (void)now;
    node->strangers++;
}

static void on_peer_banned(void *context, uint32_t peer, const char *reason, struct now now)
{
    struct net_node *node = context;
    (void)peer;
    (void)now;
    node->banned++;
    snprintf(node->reason, sizeof node->reason, "%s", reason);
}

static void on_sync_changed(void *context, enum sync_phase phase, struct now now)
{
    struct net_node *node = context;
    (void)now;
    node->phase = phase;
}

static void on_alone(void *context, struct now now)
{
    struct net_node *node = context;
    (void)now;
    node->alone++;
}

static void on_address(void *context, const struct endpoint *endpoint, bool is_reachable,
                       struct now now)
{
    struct net_node *node = context;
    node->learned = *endpoint;
    node->was_reachable = is_reachable;
    node->learned_ms = now.mono.ms;
}

static void on_block(void *context, const struct hash256 *id, const uint8_t *block, size_t size)
{
    struct net_node *node = context;
    (void)id;
    (void)block;
    (void)size;
    node->blocks++;
}

static void on_valid(void *context, const struct gossip_share *share)
{
    struct net_node *node = context;
    if (node->network != NULL)
        network_share_became_valid(node->network, share, node->world->now);
}

static void on_moved(void *context)
{
    struct net_node *node = context;
    if (node->network != NULL)
        network_chain_moved(node->network, node->world->now);
}

// ---- Nodes

static void make_identity(struct net_world *world, struct identity *identity)
{
    identity_begin(identity, &world->env);
    bool is_found = identity_search(identity, IDENTITY_PUZZLE_BITS_TEST, 1u << 16);
    assert(is_found);
}

static void fill_config(struct net_node *node)
{
    node->config = (struct network_config){
        .identity = &node->identity,
        .membership = &node->membership,
        .chain = &node->chain.table,
        .events = {.context = node,
                   .send_datagram = on_send,
                   .connect = on_connect,
                   .write = on_write,
                   .close = on_close,
                   .save = on_save,
                   .peer_opened = on_peer_opened,
                   .peer_closed = on_peer_closed,
                   .peer_banned = on_peer_banned,
                   .stranger_refused = on_stranger_refused,
                   .sync_changed = on_sync_changed,
                   .alone = on_alone,
                   .address_learned = on_address,
                   .block_arrived = on_block},
        .port = node->endpoint.port,
        .has_ipv4 = true,
        .is_crowded = node->world->is_crowded,
        .gossip_seen_max = 1024,
        .records_max = 256,
    };
}

struct net_node *net_add(struct net_world *world)
{
    assert(world->nodes_count < NET_NODES_MAX);
    struct net_node *node = &world->nodes[world->nodes_count];
    node->world = world;
    node->index = world->nodes_count++;
    node->endpoint = endpoint_of(world, node->index);
    node->membership = world->membership;
    make_identity(world, &node->identity);
    plain_chain_init(&node->chain, &node->membership.pool_id);
    node->chain.became_valid = on_valid;
    node->chain.moved = on_moved;
    node->chain.context = node;
    fill_config(node);
    return node;
}

void net_start(struct net_node *node)
{
    const struct net_node *first = &node->world->nodes[0];
    const struct network_seed seed = {first->endpoint, first->identity.dht_key};
    assert(node->network == NULL);
    if (node != first && node->config.seeds_count == 0 && node->config.saved == NULL) {
        node->config.seeds = &seed;
        node->config.seeds_count = 1;
    }
    node->network = network_new(&node->world->env, &node->config, node->world->now);
    assert(node->network != NULL);
    node->config.seeds = NULL;
    node->config.seeds_count = 0;
}

void net_fill(struct net_world *world, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        net_start(net_add(world));
        net_run(world, 100);
    }
}

void net_kill(struct net_node *node)
{
    struct net_world *world = node->world;
    network_free(node->network);
    node->network = NULL;
    node->peers = 0;
    for (size_t i = 0; i < world->pipes_count; i++) {
        for (unsigned end = 0; end < 2; end++) {
            struct net_pipe *pipe = &world->pipes[i];
            if (pipe->ends[end].node != node->index)
                continue;
            struct net_flight flight = {.kind = FLIGHT_CLOSED,
                                        .from = node->index,
                                        .to = pipe->ends[1 - end].node,
                                        .pipe = i};
            pipe->ends[end].node = NET_NODES_MAX;
            if (flight.to != NET_NODES_MAX)
                fly(world, flight, NULL, 0);
        }
    }
}

void net_stop(struct net_node *node)
{
    network_stop(node->network, node->world->now);
    net_kill(node);
}

// ---- Time

static void trace(struct net_world *world, const struct net_flight *flight)
{
    uint8_t hash[32];
    const uint64_t what[] = {world->trace, (uint64_t)flight->arrives_ms, (uint64_t)flight->kind,
                             flight->from, flight->to};
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const uint8_t *)what, sizeof what);
    if (flight->size > 0)
        crypto_generichash_update(&state, flight->data, flight->size);
    crypto_generichash_final(&state, hash, sizeof hash);
    memcpy(&world->trace, hash, sizeof world->trace);
}

static void arrive_at_listener(struct net_world *world, const struct net_flight *flight)
{
    struct net_node *node = &world->nodes[flight->to];
    // The port that a call comes from is another one than that of the listener.
    struct endpoint from = world->nodes[flight->from].endpoint;
    from.port = (uint16_t)(40000 + flight->pipe % 20000);
    uint32_t stream = node->network == NULL || node->is_closed_in
                          ? 0
                          : network_accepted(node->network, &from, world->now);
    struct net_pipe *pipe = &world->pipes[flight->pipe];
    struct net_flight answer = {.kind = stream == 0 ? FLIGHT_CLOSED : FLIGHT_CONNECTED,
                                .from = flight->to,
                                .to = flight->from,
                                .pipe = flight->pipe};
    pipe->ends[1].stream = stream;
    if (stream == 0)
        pipe->ends[1].node = NET_NODES_MAX;
    fly(world, answer, NULL, 0);
}

static void arrive_at_stream(struct net_world *world, const struct net_flight *flight)
{
    struct net_pipe *pipe = &world->pipes[flight->pipe];
    struct net_node *node = &world->nodes[flight->to];
    unsigned end = pipe->ends[0].node == flight->to ? 0 : 1;
    uint32_t stream = pipe->ends[end].stream;
    if (pipe->ends[end].node != flight->to || node->network == NULL)
        return;
    if (flight->kind == FLIGHT_CONNECTED) {
        network_connected(node->network, stream, world->now);
    } else if (flight->kind == FLIGHT_BYTES) {
        network_received(node->network, stream, flight->data, flight->size, world->now);
    } else {
        pipe->ends[end].node = NET_NODES_MAX;
        network_closed(node->network, stream, world->now);
    }
}

static void arrive(struct net_world *world, const struct net_flight *flight)
{
    struct net_node *node = &world->nodes[flight->to];
    const struct net_node *from = &world->nodes[flight->from];
    bool is_stream = flight->kind != FLIGHT_DATAGRAM;
    if (node->side != from->side) {
        if (is_stream)
            world->pipes[flight->pipe].is_cut = true;
        return;
    }
    // What was lost came never again, so nothing after it does.
    if (is_stream && world->pipes[flight->pipe].is_cut)
        return;
    trace(world, flight);
    if (flight->kind == FLIGHT_CONNECT)
        arrive_at_listener(world, flight);
    else if (is_stream)
        arrive_at_stream(world, flight);
    else if (node->network != NULL)
        network_datagram(node->network, &from->endpoint, flight->data, flight->size, world->now);
}

static struct net_node *next_node(struct net_world *world)
{
    struct net_node *next = NULL;
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < world->nodes_count; i++) {
        struct net_node *node = &world->nodes[i];
        if (node->network == NULL || network_next_deadline(node->network).ms >= first)
            continue;
        first = network_next_deadline(node->network).ms;
        next = node;
    }
    return next;
}

static void advance(struct net_world *world, int64_t ms)
{
    if (ms <= world->now.mono.ms)
        return;
    world->now.wall.ms += ms - world->now.mono.ms;
    world->now.mono.ms = ms;
}

// One thing that happens before `end_ms`; false if nothing does.
static bool step(struct net_world *world, int64_t end_ms)
{
    struct net_node *node = next_node(world);
    int64_t tick_ms = node == NULL ? INT64_MAX : network_next_deadline(node->network).ms;
    int64_t flight_ms = world->flights_count == 0 ? INT64_MAX : world->flights[0].arrives_ms;
    if (tick_ms > end_ms && flight_ms > end_ms)
        return false;
    if (flight_ms <= tick_ms) {
        struct net_flight flight = pop(world);
        advance(world, flight.arrives_ms);
        arrive(world, &flight);
        free(flight.data);
        return true;
    }
    advance(world, tick_ms);
    network_tick(node->network, world->now);
    return true;
}

void net_run(struct net_world *world, int64_t ms)
{
    int64_t end_ms = world->now.mono.ms + ms;
    unsigned at_once = 0;
    int64_t at_ms = world->now.mono.ms;
    while (step(world, end_ms)) {
        at_once = world->now.mono.ms == at_ms ? at_once + 1 : 0;
        at_ms = world->now.mono.ms;
        assert(at_once < 100000); // a deadline that is never met
    }
    advance(world, end_ms);
}
