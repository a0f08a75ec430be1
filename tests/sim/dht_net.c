#include "tests/sim/dht_net.h"

#include <stdlib.h>
#include <string.h>
#include "dht/routing_table.h"
#include "tests/sim/dht_liar.h"

#define IDENTITY_TRIES (1u << 16)
#define SETTLE_MS      20000

static void *or_abort(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

void dht_net_init(struct dht_net *net, struct world *world)
{
    memset(net, 0, sizeof *net);
    net->world = world;
    net->membership.puzzle_bits = IDENTITY_PUZZLE_BITS_TEST;
    net->membership.pool_id = random_hash(&world->random);
}

void dht_net_clear(struct dht_net *net)
{
    for (size_t i = 0; i < net->count; i++) {
        dht_free(net->nodes[i]->dht);
        identity_clear(&net->nodes[i]->identity);
        free(net->nodes[i]);
    }
    free(net->nodes);
    free(net->liars);
}

struct dht_node *dht_net_add(struct dht_net *net, const struct host_options *options)
{
    struct dht_node *node = or_abort(calloc(1, sizeof *node));
    if (net->count == net->capacity) {
        net->capacity = net->capacity == 0 ? 64 : 2 * net->capacity;
        net->nodes = or_abort(realloc(net->nodes, net->capacity * sizeof net->nodes[0]));
    }
    node->net = net;
    node->host = world_add_host(net->world, options);
    node->joined_us = -1;
    identity_begin(&node->identity, &node->host->env);
    if (!identity_search(&node->identity, net->membership.puzzle_bits, IDENTITY_TRIES))
        abort();
    net->nodes[net->count++] = node;
    return node;
}

// ---- The engine's events

static void send(void *context, const struct endpoint *to, const uint8_t *data, size_t size)
{
    const struct dht_node *node = context;
    host_send(node->host, to, data, size);
}

static void note_joined(void *context, struct now now)
{
    struct dht_node *node = context;
    struct dht_stats stats;
    (void)now;
    if (node->joined_us >= 0)
        return;
    dht_stats(node->dht, &stats);
    node->joined_us = node->net->world->now_us;
    node->join_sent = stats.requests_sent;
    node->net->joined++;
}

static void note_searched(void *context, const struct dht_found *found, struct now now)
{
    struct dht_node *node = context;
    struct dht_outcome *outcome = &node->outcome;
    (void)now;
    if (found->kind == DHT_SEARCH_PUBLISH)
        return;
    *outcome = (struct dht_outcome){.is_done = true,
                                    .search = found->search,
                                    .ended_us = node->net->world->now_us,
                                    .contacts_count = found->contacts_count,
                                    .records_count = found->records_count,
                                    .kept = found->kept,
                                    .hops = found->hops,
                                    .nearest_ms = found->nearest_ms,
                                    .queries = found->queries};
    if (found->contacts_count > 0)
        outcome->nearest = found->contacts[0].id;
    for (size_t i = 0; i < found->records_count; i++) {
        if (i == 0 || found->records[i].seq > outcome->record.seq)
            outcome->record = found->records[i];
    }
}

static void note_told(void *context, const struct endpoint *teller, const struct endpoint *own)
{
    (void)context;
    (void)teller;
    (void)own;
}

static void note_dial(void *context, uint64_t ticket, const struct endpoint *to, struct now now)
{
    (void)context;
    (void)ticket;
    (void)to;
    (void)now;
}

static void note_dialled(void *context, bool is_reachable, struct now now)
{
    (void)context;
    (void)is_reachable;
    (void)now;
}

// ---- The world's

static void take_datagram(void *context, const struct endpoint *from, const uint8_t *data,
                          size_t size, struct now now)
{
    struct dht_node *node = context;
    if (node->is_liar)
        dht_liar_answer(node, from, data, size, now);
    else
        dht_receive(node->dht, from, data, size, now);
}

static void tick(void *context, struct now now)
{
    struct dht_node *node = context;
    if (!node->is_liar)
        dht_tick(node->dht, now);
}

static struct mono_time next_deadline(const void *context)
{
    const struct dht_node *node = context;
    return node->is_liar ? MONO_NEVER : dht_next_deadline(node->dht);
}

static const struct engine engine = {
    .datagram = take_datagram, .tick = tick, .next_deadline = next_deadline};

void dht_node_start(struct dht_node *node, const struct buffer *saved)
{
    static const struct dht_events events = {.send = send,
                                             .joined = note_joined,
                                             .searched = note_searched,
                                             .address_told = note_told,
                                             .dial_asked = note_dial,
                                             .dialled_back = note_dialled};
    struct dht_net *net = node->net;
    struct dht_config config = {.identity = &node->identity,
                                .membership = &net->membership,
                                .events = &events,
                                .context = node,
                                .has_ipv4 = true};
    struct now now = world_now(node->host);
    node->dht = or_abort(dht_new(&node->host->env, &config, now));
    if (node->host->nat == NAT_NONE)
        dht_set_endpoint(node->dht, &node->host->endpoint, now);
    for (size_t i = 0; saved == NULL && i < DHT_NET_SEEDS && i < net->count; i++) {
        const struct dht_node *seed = net->nodes[i];
        if (seed != node && (seed->dht != NULL || seed->is_liar))
            dht_add_seed(node->dht, &seed->host->endpoint, &seed->identity.dht_key);
    }
    if (saved != NULL && !dht_load(node->dht, saved->data, saved->size))
        abort();
    dht_start(node->dht, now);
    node->started_us = net->world->now_us;
    node->joined_us = -1;
    host_start(node->host, &engine, node);
}

void dht_node_stop(struct dht_node *node)
{
    host_stop(node->host, HOST_VANISHES);
    dht_free(node->dht);
    node->dht = NULL;
    node->net->joined -= node->joined_us >= 0;
    node->joined_us = -1;
}

void dht_node_lie(struct dht_node *node)
{
    struct dht_net *net = node->net;
    net->liars = or_abort(realloc(net->liars, (net->liars_count + 1) * sizeof net->liars[0]));
    net->liars[net->liars_count++] = node->host->index;
    node->is_liar = true;
    if (!node->host->is_up) {
        host_start(node->host, &engine, node);
        return;
    }
    net->joined -= node->joined_us >= 0;
    dht_free(node->dht);
    node->dht = NULL;
}

// ---- All of them

static bool is_filling(void *context)
{
    const struct dht_net *net = context;
    return net->joined + net->liars_count < net->count;
}

void dht_net_fill(struct dht_net *net, size_t count, unsigned per_second)
{
    const struct host_options options = {0};
    int64_t at_us = net->world->now_us;
    while (net->count < count) {
        world_run_until(net->world, at_us);
        struct dht_node *node = dht_net_add(net, &options);
        bool is_liar = node->host->index >= DHT_NET_SEEDS &&
                       random_chance(&net->world->random, net->liars_permille);
        dht_node_start(node, NULL);
        if (is_liar)
            dht_node_lie(node);
        at_us += 1000000 / per_second;
    }
    world_run_while(net->world, 120000, is_filling, net);
    world_run_ms(net->world, SETTLE_MS);
}

void dht_net_kill(struct dht_net *net, unsigned permille)
{
    size_t wanted = net->count * permille / 1000;
    while (wanted > 0) {
        struct dht_node *node = dht_net_pick(net);
        if (node->host->index < DHT_NET_SEEDS)
            continue;
        dht_node_stop(node);
        wanted--;
    }
}

struct dht_node *dht_net_pick(struct dht_net *net)
{
    for (;;) {
        struct dht_node *node = net->nodes[random_below(&net->world->random, net->count)];
        if (node->dht != NULL)
            return node;
    }
}

const struct dht_node *dht_net_nearest(const struct dht_net *net, const struct hash256 *key)
{
    const struct dht_node *nearest = NULL;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < net->count; i++) {
        const struct dht_node *node = net->nodes[i];
        uint64_t distance = id_distance(id_start_of(&node->identity.id.hash), id_start_of(key));
        if (node->dht == NULL || distance >= least)
            continue;
        least = distance;
        nearest = node;
    }
    return nearest;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void dht_node_fullness(const struct dht_node *node, struct dht_fullness *fullness)
{
    size_t there[64] = {0};
    uint64_t own = id_start_of(&node->identity.id.hash).value;
    for (size_t i = 0; i < node->net->count; i++) {
        const struct dht_node *other = node->net->nodes[i];
        uint64_t distance = own ^ id_start_of(&other->identity.id.hash).value;
        if (other != node && other->dht != NULL && distance != 0)
            there[__builtin_clzll(distance)]++;
    }
    *fullness = (struct dht_fullness){0};
    for (unsigned bucket = 0; bucket < 64; bucket++) {
        size_t taken = dht_bucket_count(node->dht, bucket);
        size_t places = least(there[bucket], routing_bucket_places(bucket));
        fullness->buckets += places > 0;
        fullness->buckets_full += places > 0 && taken >= least(places, ROUTING_BUCKET_MAX);
        fullness->places += places;
        fullness->places_full += least(taken, places);
    }
}
