#include "tests/sim/full_node.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define GRAINS_PER_LINK 4
#define LINKS_PER_BLOCK 10
#define STARTS_MS       200
#define DAEMON_US       2000000 // within so long all daemons have a new block

static void *or_abort(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

// ---- What else a node has to do

static void tick_port(struct swarm_node *swarm_node, struct now now)
{
    struct full_node *node = swarm_node->owner;
    chain_port_tick(node->port, now);
}

static struct mono_time port_deadline(const struct swarm_node *swarm_node)
{
    const struct full_node *node = swarm_node->owner;
    return chain_port_next_deadline(node->port);
}

static void make_pool(struct pool *pool, uint32_t link_spacing)
{
    struct pool_error error;
    maker_pool(pool, link_spacing, GRAINS_PER_LINK);
    pool->half_life = 20 * link_spacing;
    pool->window_multiple = 4000000; // blocks are as easy as shares here
    pool->horizon = 40;
    if (!pool_finish(pool, &error))
        abort();
}

void full_net_init(struct full_net *net, struct world *world, uint32_t link_spacing)
{
    memset(net, 0, sizeof *net);
    make_pool(&net->pool, link_spacing);
    swarm_init(&net->swarm, world, &net->pool.id);
    net->swarm.tick = tick_port;
    net->swarm.next_deadline = port_deadline;
    net->made = or_abort(calloc(FULL_MADE_MAX, sizeof net->made[0]));
}

static void free_chain(struct full_node *node)
{
    chain_port_free(node->port);
    sharechain_free(node->chain);
    node->port = NULL;
    node->chain = NULL;
}

void full_net_clear(struct full_net *net)
{
    swarm_clear(&net->swarm);
    for (size_t i = 0; i < net->count; i++) {
        free_chain(net->nodes[i]);
        store_close(net->nodes[i]->store);
        free(net->nodes[i]);
    }
    free(net->nodes);
    free(net->made);
}

// ---- From the share-chain to the network

static struct now now_of(const struct full_node *node)
{
    return world_now(node->swarm_node->host);
}

static void tell_share(void *context, const struct gossip_share *share)
{
    struct full_node *node = context;
    if (node->swarm_node->network != NULL)
        network_share_became_valid(node->swarm_node->network, share, now_of(node));
}

static void tell_tip(void *context)
{
    struct full_node *node = context;
    if (node->swarm_node->network != NULL)
        network_chain_moved(node->swarm_node->network, now_of(node));
}

static void on_share(void *context, const struct hash256 *id, const uint8_t *bytes, size_t size)
{
    struct full_node *node = context;
    if (node->port != NULL)
        chain_port_share_became_valid(node->port, id, bytes, size);
}

static void on_link(void *context, const struct hash256 *id)
{
    struct full_node *node = context;
    if (node->port != NULL)
        chain_port_link_became_valid(node->port, id);
}

static void on_tip(void *context, const struct hash256 *id, uint32_t depth)
{
    struct full_node *node = context;
    (void)id;
    (void)depth;
    if (node->port != NULL)
        chain_port_tip_changed(node->port);
}

void full_node_open(struct full_node *node)
{
    const struct env *env = &node->swarm_node->host->env;
    struct sharechain_events events = {node, on_share, on_link, on_tip};
    struct chain_port_events facts = {node, tell_share, tell_tip};
    char error[256];
    node->chain = or_abort(sharechain_new(env, &node->net->pool, node->store, &events));
    if (!sharechain_load(node->chain, error, sizeof error))
        abort();
    node->port = or_abort(chain_port_new(env, node->chain, &facts));
    chain_port_table(node->port, &node->honest);
    node->table = node->honest;
    if (node->twist != NULL)
        node->twist(node, &node->table);
    for (size_t i = 0; i < node->net->headers_count; i++)
        sharechain_add_header(node->chain, node->net->headers[i]);
}

// ---- Nodes

struct full_node *full_net_add(struct full_net *net, const struct host_options *options)
{
    struct full_node *node = or_abort(calloc(1, sizeof *node));
    if (net->count == net->capacity) {
        net->capacity = net->capacity == 0 ? 16 : 2 * net->capacity;
        net->nodes = or_abort(realloc(net->nodes, net->capacity * sizeof net->nodes[0]));
    }
    node->net = net;
    node->store = or_abort(store_memory_new());
    node->swarm_node = swarm_add(&net->swarm, options);
    node->swarm_node->owner = node;
    node->swarm_node->chain = &node->table;
    net->nodes[net->count++] = node;
    return node;
}

void full_node_start(struct full_node *node)
{
    full_node_open(node);
    swarm_node_start(node->swarm_node);
}

void full_node_stop(struct full_node *node)
{
    swarm_node_stop(node->swarm_node, HOST_CRASHES);
    free_chain(node);
}

void full_net_fill(struct full_net *net, size_t count)
{
    while (net->count < count) {
        // Clocks of miners are wrong by some seconds.
        int64_t error_ms = (int64_t)random_below(&net->swarm.world->random, 4000) - 2000;
        const struct host_options options = {.clock_error_ms = error_ms};
        full_node_start(full_net_add(net, &options));
        world_run_ms(net->swarm.world, STARTS_MS);
    }
}

// ---- Mining

bool full_node_mine(struct full_node *node, enum maker_want want)
{
    struct full_net *net = node->net;
    struct made_share made;
    struct random *random = &net->swarm.world->random;
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(node->chain))->id,
        .now = now_of(node).wall,
        .script = maker_script((uint32_t)random_below(random, 50)),
        .want = want,
        .salt = random_u64(random),
    };
    if (net->made_count == FULL_MADE_MAX || !maker_share(node->chain, &spec, &made))
        return false;
    enum verdict verdict = maker_add(node->chain, &made, SHARECHAIN_OWN);
    chain_port_settled(node->port);
    host_wake(node->swarm_node->host);
    if (verdict == VERDICT_VALID)
        net->made[net->made_count++] =
            (struct made){made.id, want == MAKER_LINK, node->swarm_node->host->partition};
    made_share_clear(&made);
    return verdict == VERDICT_VALID;
}

struct news {
    struct full_node *node;
    size_t header;
};

static void hear_of_block(void *context)
{
    struct news news = *(struct news *)context;
    free(context);
    if (news.node->chain == NULL)
        return;
    sharechain_add_header(news.node->chain, news.node->net->headers[news.header]);
    chain_port_settled(news.node->port);
    host_wake(news.node->swarm_node->host);
}

void full_net_block(struct full_net *net, struct full_node *node)
{
    struct world *world = net->swarm.world;
    if (net->headers_count == FULL_HEADERS_MAX)
        return;
    const struct header_node *best = header_chain_best(sharechain_headers(node->chain));
    maker_header(node->chain, best, (uint32_t)wall_seconds(now_of(node).wall),
                 random_u64(&world->random), net->headers[net->headers_count]);
    for (size_t i = 0; i < net->count; i++) {
        struct news *news = or_abort(malloc(sizeof *news));
        *news = (struct news){net->nodes[i], net->headers_count};
        int64_t at_us = world->now_us + (int64_t)random_below(&world->random, DAEMON_US);
        world_at(world, at_us, hear_of_block, news);
    }
    net->headers_count++;
}

// An honest node that may mint, or NULL after many tries.
static struct full_node *pick_miner(struct full_net *net)
{
    for (unsigned i = 0; i < 1000; i++) {
        struct full_node *node = net->nodes[random_below(&net->swarm.world->random, net->count)];
        if (node->chain != NULL && node->twist == NULL &&
            network_is_synced(node->swarm_node->network))
            return node;
    }
    return NULL;
}

static void mine_somewhere(struct full_net *net, enum maker_want want)
{
    struct full_node *node = pick_miner(net);
    if (node == NULL)
        return;
    full_node_mine(node, want);
    if (want == MAKER_LINK && random_below(&net->swarm.world->random, LINKS_PER_BLOCK) == 0)
        full_net_block(net, node);
}

static int64_t chance_us(struct random *random, double mean_us)
{
    return (int64_t)(-mean_us * log(1 - random_unit(random)));
}

static void run_mining(struct full_net *net, int64_t ms, double link_us, unsigned grains_per_link)
{
    struct world *world = net->swarm.world;
    struct random *random = &world->random;
    int64_t end_us = world->now_us + 1000 * ms;
    double mean_us = link_us / (1 + (double)grains_per_link);
    for (;;) {
        int64_t at_us = world->now_us + chance_us(random, mean_us);
        if (at_us >= end_us)
            break;
        world_run_until(world, at_us);
        bool is_link = random_below(random, 1 + grains_per_link) == 0;
        mine_somewhere(net, is_link ? MAKER_LINK : MAKER_GRAIN);
    }
    world_run_until(world, end_us);
}

void full_net_run(struct full_net *net, int64_t ms, unsigned grains_per_link)
{
    run_mining(net, ms, 1e6 * net->pool.link_spacing, grains_per_link);
}

void full_net_warm_up(struct full_net *net)
{
    double link_us = 1e6 * net->pool.link_spacing / 20;
    run_mining(net, (int64_t)(link_us * FULL_WARM_LINKS / 1000), link_us, 0);
}

// ---- Comparing

size_t full_net_agreeing(const struct full_net *net, const struct full_node *with)
{
    struct link_view tip;
    size_t count = 0;
    sharechain_tip(with->chain, &tip);
    for (size_t i = 0; i < net->count; i++) {
        struct link_view other;
        if (net->nodes[i]->chain == NULL || net->nodes[i]->twist != NULL)
            continue;
        sharechain_tip(net->nodes[i]->chain, &other);
        count += hash_equal(&other.id, &tip.id);
    }
    return count;
}

// Sums up hashes, so that the order in which parts come does not matter.
struct sum {
    struct hash256 hash;
};

static void sum_add(struct sum *sum, const void *part, size_t size)
{
    uint8_t hash[32];
    crypto_generichash(hash, sizeof hash, part, size, NULL, 0);
    for (unsigned i = 0; i < 32; i++)
        sum->hash.bytes[i] ^= hash[i];
}

struct credit {
    uint8_t what;
    uint32_t height;
    struct script script;
    struct u256 weight;
};

static void add_credit(struct sum *sum, uint32_t height, const struct script *script,
                       const struct u256 *weight)
{
    struct credit credit;
    memset(&credit, 0, sizeof credit); // what lies between the fields is hashed, too
    credit.what = 1;
    credit.height = height;
    credit.script.size = script->size;
    memcpy(credit.script.bytes, script->bytes, script->size);
    credit.weight = *weight;
    sum_add(sum, &credit, sizeof credit);
}

struct crediting {
    struct sum *sum;
    uint32_t height;
};

static void visit_credit(void *context, const struct script *script, const struct u256 *weight)
{
    const struct crediting *crediting = context;
    add_credit(crediting->sum, crediting->height, script, weight);
}

static void visit_loose(void *context, const struct share_view *view)
{
    sum_add(context, view->id.bytes, sizeof view->id.bytes);
}

struct hash256 full_window_state(struct sharechain *chain)
{
    struct sum sum = {{{0}}};
    struct link_view tip;
    struct crediting window = {&sum, UINT32_MAX};
    sharechain_tip(chain, &tip);
    sharechain_window_weights(chain, &tip.id, visit_credit, &window);
    return sum.hash;
}

struct hash256 full_chain_state(struct sharechain *chain)
{
    struct sum sum = {{{0}}};
    struct link_view link;
    uint32_t height = 0;
    for (; sharechain_link_at(chain, height, &link); height++) {
        struct crediting crediting = {&sum, height};
        sum_add(&sum, &height, sizeof height);
        sum_add(&sum, link.id.bytes, sizeof link.id.bytes);
        sharechain_link_credits(chain, &link.id, visit_credit, &crediting);
    }
    struct hash256 window = full_window_state(chain);
    sum_add(&sum, window.bytes, sizeof window.bytes);
    sharechain_each_loose(chain, visit_loose, &sum);
    return sum.hash;
}
