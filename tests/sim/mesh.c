#include "tests/sim/mesh.h"

#include <stdlib.h>

#define STARTS_PER_SEC 100
#define SETTLE_MS      60000
#define WARM_SHARES    48 // three rankings
#define SPACING_MS     500
#define ARRIVE_MS      10000

static void *or_abort(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static void share_became_valid(void *context, size_t share, bool is_own)
{
    struct mesh_node *node = context;
    struct mesh *mesh = node->mesh;
    const struct host *host = node->swarm_node->host;
    if (share >= mesh->first_measured && !is_own && !node->swarm_node->is_hostile) {
        histogram_add(&mesh->times,
                      (uint64_t)(host->world->now_us - mesh->pool.shares[share].made_us));
        mesh->arrivals++;
    }
    // "accepts, and never relays"
    if (node->chain.is_hole)
        return;
    struct gossip_share told = toy_gossip_share(&mesh->pool, share, is_own);
    network_share_became_valid(node->swarm_node->network, &told, world_now(host));
}

struct mesh *mesh_new(const struct scenario_run *run)
{
    struct mesh *mesh = or_abort(calloc(1, sizeof *mesh));
    struct world *world = scenario_world(run);
    struct hash256 pool_id = random_hash(&world->random);
    toy_pool_init(&mesh->pool, &pool_id);
    swarm_init(&mesh->swarm, world, &pool_id);
    histogram_init(&mesh->times);
    mesh->first_measured = TOY_SHARES_MAX;
    return mesh;
}

void mesh_free(struct mesh *mesh, const struct scenario_run *run)
{
    scenario_world_done(run, mesh->swarm.world);
    swarm_clear(&mesh->swarm);
    for (size_t i = 0; i < mesh->count; i++)
        free(mesh->nodes[i]);
    free(mesh->nodes);
    free(mesh);
}

struct mesh_node *mesh_add(struct mesh *mesh, const struct host_options *options)
{
    struct mesh_node *node = or_abort(calloc(1, sizeof *node));
    if (mesh->count == mesh->capacity) {
        mesh->capacity = mesh->capacity == 0 ? 64 : 2 * mesh->capacity;
        mesh->nodes = or_abort(realloc(mesh->nodes, mesh->capacity * sizeof mesh->nodes[0]));
    }
    node->mesh = mesh;
    node->swarm_node = swarm_add(&mesh->swarm, options);
    toy_chain_init(&node->chain, &mesh->pool, node->swarm_node->host);
    node->chain.became_valid = share_became_valid;
    node->chain.context = node;
    node->swarm_node->chain = &node->chain.table;
    node->swarm_node->owner = node;
    mesh->nodes[mesh->count++] = node;
    return node;
}

static void add_and_start(struct mesh *mesh)
{
    struct world *world = mesh->swarm.world;
    struct host_options options = {0};
    bool is_seed = mesh->count < SWARM_SEEDS;
    if (!is_seed && random_chance(&world->random, mesh->nat_permille))
        options.nat = (enum nat)(1 + random_below(&world->random, 3));
    struct mesh_node *node = mesh_add(mesh, &options);
    node->chain.is_hole = !is_seed && random_chance(&world->random, mesh->holes_permille);
    node->swarm_node->is_hostile = node->chain.is_hole;
    node->swarm_node->is_learning = !is_seed && mesh->nat_permille > 0;
    swarm_node_start(node->swarm_node);
}

void mesh_fill(struct mesh *mesh, size_t count)
{
    struct world *world = mesh->swarm.world;
    while (mesh->count < count) {
        add_and_start(mesh);
        world_run_until(world, world->now_us + 1000000 / STARTS_PER_SEC);
    }
    world_run_ms(world, SETTLE_MS);
}

void mesh_mine(struct mesh *mesh, size_t count)
{
    struct world *world = mesh->swarm.world;
    for (size_t i = 0; i < count; i++) {
        struct swarm_node *node = swarm_pick(&mesh->swarm);
        struct mesh_node *maker = node->owner;
        size_t share = toy_pool_make(&mesh->pool, &world->random, world->now_us);
        toy_chain_add_own(&maker->chain, share);
        host_wake(node->host);
        mesh->expected += swarm_count(&mesh->swarm, 0) - 1;
        world_run_ms(world, SPACING_MS);
    }
}

static struct copies count_copies(const struct mesh *mesh)
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

void mesh_measure(struct mesh *mesh, struct copies *copies)
{
    struct copies before = count_copies(mesh);
    histogram_init(&mesh->times);
    mesh->arrivals = 0;
    mesh->expected = 0;
    mesh->first_measured = mesh->pool.count;
    mesh_mine(mesh, MESH_SHARES);
    world_run_ms(mesh->swarm.world, ARRIVE_MS);
    mesh->first_measured = TOY_SHARES_MAX;
    *copies = count_copies(mesh);
    copies->received -= before.received;
    copies->first -= before.first;
    copies->announced -= before.announced;
    copies->wants -= before.wants;
}

void mesh_warm_up_and_measure(struct mesh *mesh, struct copies *copies)
{
    mesh_mine(mesh, WARM_SHARES);
    world_run_ms(mesh->swarm.world, ARRIVE_MS);
    mesh_measure(mesh, copies);
}

double mesh_coverage(const struct mesh *mesh)
{
    return 100.0 * (double)mesh->arrivals / (double)mesh->expected;
}

double mesh_time_ms(const struct mesh *mesh, double percentile)
{
    return (double)histogram_percentile(&mesh->times, percentile) / 1000;
}

double mesh_linked(const struct mesh *mesh, size_t peers)
{
    return 100.0 * (double)swarm_count(&mesh->swarm, peers) / (double)swarm_count(&mesh->swarm, 0);
}
