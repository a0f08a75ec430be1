// How shares spread: over honest nodes, past black holes, through a flood.
#include <stdlib.h>
#include "tests/sim/histogram.h"
#include "tests/sim/scenario.h"
#include "tests/sim/swarm.h"
#include "tests/sim/toy_chain.h"

#define STARTS_PER_SEC 100
#define SETTLE_MS      60000
#define WARM_SHARES    48 // three rankings
#define SHARES         60
#define SPACING_MS     500

static const struct unit ms = {"ms", 0};
static const struct unit each = {"", 2};
static const struct unit percent = {"%", 3};

struct mesh;

struct mesh_node {
    struct mesh *mesh;
    struct swarm_node *swarm_node;
    struct toy_chain chain;
};

struct mesh {
    struct swarm swarm;
    struct toy_pool pool;
    struct mesh_node **nodes;
    size_t count;
    size_t first_measured; // share
    struct histogram times;
    size_t arrivals;
};

static void share_became_valid(void *context, size_t share, bool is_own)
{
    struct mesh_node *node = context;
    struct mesh *mesh = node->mesh;
    struct world *world = mesh->swarm.world;
    const struct toy_share *made = &mesh->pool.shares[share];
    bool is_measured = share >= mesh->first_measured && !made->is_invalid;
    if (is_measured && !is_own && !node->swarm_node->is_hostile) {
        histogram_add(&mesh->times, (uint64_t)(world->now_us - made->made_us));
        mesh->arrivals++;
    }
    // "accepts, and never relays"
    if (node->chain.is_hole)
        return;
    struct gossip_share told = toy_gossip_share(&mesh->pool, share, is_own);
    network_share_became_valid(node->swarm_node->network, &told, world_now(node->swarm_node->host));
}

static void *or_abort(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static struct mesh *mesh_new(const struct scenario_run *run)
{
    struct mesh *mesh = or_abort(calloc(1, sizeof *mesh));
    struct world *world = scenario_world(run);
    struct hash256 pool_id = random_hash(&world->random);
    toy_pool_init(&mesh->pool, &pool_id);
    swarm_init(&mesh->swarm, world, &pool_id);
    mesh->nodes = or_abort(calloc(run->nodes, sizeof mesh->nodes[0]));
    histogram_init(&mesh->times);
    mesh->first_measured = TOY_SHARES_MAX;
    return mesh;
}

static void mesh_free(struct mesh *mesh, const struct scenario_run *run)
{
    scenario_world_done(run, mesh->swarm.world);
    swarm_clear(&mesh->swarm);
    for (size_t i = 0; i < mesh->count; i++)
        free(mesh->nodes[i]);
    free(mesh->nodes);
    free(mesh);
}

// Adds nodes until there are `count`, of which `holes_permille` are black holes, and lets them
// settle.
static void mesh_fill(struct mesh *mesh, size_t count, unsigned holes_permille)
{
    const struct host_options options = {0};
    struct world *world = mesh->swarm.world;
    while (mesh->count < count) {
        struct mesh_node *node = or_abort(calloc(1, sizeof *node));
        node->mesh = mesh;
        node->swarm_node = swarm_add(&mesh->swarm, &options);
        toy_chain_init(&node->chain, &mesh->pool, node->swarm_node->host);
        node->chain.became_valid = share_became_valid;
        node->chain.context = node;
        node->chain.is_hole =
            mesh->count >= SWARM_SEEDS && random_chance(&world->random, holes_permille);
        node->swarm_node->is_hostile = node->chain.is_hole;
        node->swarm_node->chain = &node->chain.table;
        node->swarm_node->owner = node;
        mesh->nodes[mesh->count++] = node;
        swarm_node_start(node->swarm_node);
        world_run_until(world, world->now_us + 1000000 / STARTS_PER_SEC);
    }
    world_run_ms(world, SETTLE_MS);
}

// Shares of honest nodes, one after the other.
static void mesh_mine(struct mesh *mesh, size_t count)
{
    struct world *world = mesh->swarm.world;
    for (size_t i = 0; i < count; i++) {
        struct swarm_node *node = swarm_pick(&mesh->swarm);
        struct mesh_node *maker = node->owner;
        size_t share = toy_pool_make(&mesh->pool, false, &world->random, world->now_us);
        toy_chain_add_own(&maker->chain, share);
        host_wake(node->host);
        world_run_ms(world, SPACING_MS);
    }
}

struct copies {
    uint64_t received;
    uint64_t first;
    uint64_t announced;
    uint64_t wants;
};

static struct copies mesh_copies(const struct mesh *mesh)
{
    struct copies copies = {0, 0, 0, 0};
    for (size_t i = 0; i < mesh->count; i++) {
        struct network_stats stats;
        if (mesh->nodes[i]->swarm_node->network == NULL)
            continue;
        network_stats(mesh->nodes[i]->swarm_node->network, &stats);
        copies.received += stats.gossip.shares_received;
        copies.first += stats.gossip.shares_first;
        copies.announced += stats.gossip.ids_announced;
        copies.wants += stats.gossip.wants_sent;
    }
    return copies;
}

static void report_peers(const struct mesh *mesh, struct report *report)
{
    size_t up = swarm_count(&mesh->swarm, 0);
    report_at_least(report, "honest nodes with 8 links or more",
                    100.0 * (double)swarm_count(&mesh->swarm, 8) / (double)up, percent, 95);
}

// Warms up, then measures.
static void mesh_measure(struct mesh *mesh, struct copies *copies)
{
    mesh_mine(mesh, WARM_SHARES);
    world_run_ms(mesh->swarm.world, 5000);
    struct copies before = mesh_copies(mesh);
    mesh->first_measured = mesh->pool.count;
    mesh_mine(mesh, SHARES);
    world_run_ms(mesh->swarm.world, 10000);
    *copies = mesh_copies(mesh);
    copies->received -= before.received;
    copies->first -= before.first;
    copies->announced -= before.announced;
    copies->wants -= before.wants;
}

static double coverage(const struct mesh *mesh)
{
    size_t expected = (swarm_count(&mesh->swarm, 0) - 1) * SHARES;
    return 100.0 * (double)mesh->arrivals / (double)expected;
}

static double time_ms(const struct mesh *mesh, double percentile)
{
    return (double)histogram_percentile(&mesh->times, percentile) / 1000;
}

void scenario_broadcast(const struct scenario_run *run)
{
    struct copies copies;
    struct report *report = run->report;
    struct mesh *mesh = mesh_new(run);
    mesh_fill(mesh, run->nodes, 0);
    report_peers(mesh, report);
    mesh_measure(mesh, &copies);
    report_at_least(report, "coverage", coverage(mesh), percent, 99.999);
    report_at_most(report, "share until valid at a node, p50", time_ms(mesh, 50), ms, 130);
    report_value(report, "share until valid at a node, p95", time_ms(mesh, 95), ms);
    report_at_most(report, "share until valid at a node, p99", time_ms(mesh, 99), ms, 230);
    report_at_most(report, "share until valid at a node, most", time_ms(mesh, 100), ms, 500);
    double first = (double)copies.first;
    report_at_most(report, "copies that a node receives", (double)copies.received / first, each,
                   4.5);
    report_value(report, "announcements that a node sends", (double)copies.announced / first, each);
    report_value(report, "requests that a node sends", (double)copies.wants / first, each);
    mesh_free(mesh, run);
}

void scenario_black_holes(const struct scenario_run *run)
{
    struct copies copies;
    struct report *report = run->report;
    struct mesh *mesh = mesh_new(run);
    mesh_fill(mesh, run->nodes, 400);
    report_peers(mesh, report);
    mesh_measure(mesh, &copies);
    report_at_least(report, "coverage of honest nodes", coverage(mesh), percent, 99.95);
    report_value(report, "share until valid at a node, p50", time_ms(mesh, 50), ms);
    report_at_most(report, "share until valid at a node, p99", time_ms(mesh, 99), ms, 300);
    report_value(report, "share until valid at a node, most", time_ms(mesh, 100), ms);
    mesh_free(mesh, run);
}
