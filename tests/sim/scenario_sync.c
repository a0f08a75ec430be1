// Peers that lie about chains: claims without work, skeletons that were altered, bodies that never
// come, and long chains of little work.
#include <stdlib.h>
#include "node/chain_port_state.h"
#include "tests/sim/chain_compare.h"

#define SPACING_S   30
#define GRAINS      6
#define GROW_MS     1800000
#define NEW_NODES   3
#define SYNC_MS     300000
#define LOW_LINKS   240
#define LOW_NODES   3
#define SKELETON_KB 0.7 // each liar's chain may be looked at once
#define ATTACK_MS   600000
#define CLAIMED_BIT 40 // a claim is so many bits above the truth

static const struct unit ms = {"ms", 0};
static const struct unit each = {"", 0};
static const struct unit kilobytes = {"KB", 0};
static const struct unit percent = {"%", 2};

// ---- Lies. The table's context is the port, whose owner is the node.

static struct full_node *owner_of(void *context)
{
    const struct chain_port *port = context;
    return port->events.context;
}

static void claim_tip(void *context, struct chain_tip *tip)
{
    struct full_node *node = owner_of(context);
    node->honest.tip(context, tip);
    struct u256 more = u256_from_u64(1ull << CLAIMED_BIT);
    tip->work = u256_add(&tip->work, &more);
    tip->height += 100;
    random_bytes(&node->swarm_node->host->random, tip->id.bytes, sizeof tip->id.bytes);
}

// The table says so. NOLINTNEXTLINE(readability-function-size)
static size_t alter_links(void *context, const struct hash256 *locator, size_t locator_count,
                          size_t count_max, struct hash256 *from, struct buffer *out)
{
    struct full_node *node = owner_of(context);
    size_t start = out->size;
    size_t count = node->honest.links_after(context, locator, locator_count, count_max, from, out);
    // In the header of a link in the middle: what follows hangs on nothing.
    if (count > 0)
        out->data[start + (out->size - start) / 2] ^= 1;
    return count;
}

static bool withhold(void *context, const struct hash256 *id, struct buffer *out)
{
    (void)context;
    (void)id;
    (void)out;
    return false;
}

static void twist_claims(struct full_node *node, struct network_chain *table)
{
    (void)node;
    table->tip = claim_tip;
}

static void twist_forges(struct full_node *node, struct network_chain *table)
{
    (void)node;
    table->tip = claim_tip;
    table->links_after = alter_links;
}

static void twist_withholds(struct full_node *node, struct network_chain *table)
{
    (void)node;
    table->body_bytes = withhold;
    table->share_bytes = withhold;
}

// ---- What honest nodes made of it

static size_t count_bans(const struct full_net *net)
{
    size_t bans = 0;
    for (size_t i = 0; i < net->count; i++)
        bans += net->nodes[i]->twist == NULL ? net->nodes[i]->swarm_node->banned : 0;
    return bans;
}

static size_t count_honest_banned(const struct full_net *net)
{
    size_t banned = 0;
    for (size_t i = 0; i < net->count; i++) {
        const struct full_node *judge = net->nodes[i];
        for (size_t k = 0; judge->twist == NULL && k < net->count; k++) {
            const struct host *host = net->nodes[k]->swarm_node->host;
            banned += net->nodes[k]->twist == NULL && k != i &&
                      peers_is_banned(network_peers(judge->swarm_node->network),
                                      &host->endpoint.address, world_now(host));
        }
    }
    return banned;
}

static void report_bans(const struct full_net *net, struct report *report)
{
    report_at_least(report, "liars' links that were ended by a ban", (double)count_bans(net), each,
                    1);
    report_at_most(report, "honest nodes banned by honest ones", (double)count_honest_banned(net),
                   each, 0);
}

// ---- lying-sync

static void add_liars(struct full_net *net, size_t count)
{
    static void (*const twists[])(struct full_node *, struct network_chain *) = {
        twist_claims, twist_forges, twist_withholds};
    const struct host_options options = {0};
    for (size_t i = 0; i < count; i++) {
        struct full_node *node = full_net_add(net, &options);
        node->twist = twists[i % 3];
        node->swarm_node->is_hostile = true;
        full_node_start(node);
        world_run_ms(net->swarm.world, 500);
    }
}

void scenario_lying_sync(const struct scenario_run *run)
{
    const struct host_options options = {0};
    struct report *report = run->report;
    struct full_net *net = chain_net_new(run, SPACING_S);
    size_t liars = run->nodes * 2 / 5;
    full_net_fill(net, run->nodes - liars);
    world_run_ms(net->swarm.world, 30000);
    full_net_warm_up(net);
    full_net_run(net, GROW_MS, GRAINS);
    add_liars(net, liars);
    full_net_run(net, 120000, GRAINS);
    double slowest_ms = 0;
    for (unsigned i = 0; i < NEW_NODES; i++) {
        struct full_node *node = full_net_add(net, &options);
        full_node_start(node);
        double took_ms = chain_converge_ms(net, node, run->nodes - liars + i + 1, SYNC_MS);
        slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
    }
    report_value(report, "liars among the nodes", 100.0 * (double)liars / (double)run->nodes,
                 percent);
    report_at_most(report, "slowest of three new nodes until it has the tip", slowest_ms, ms,
                   60000);
    report_bans(net, report);
    size_t honest = run->nodes - liars + NEW_NODES;
    report_at_least(report, "honest nodes with the same tip",
                    (double)full_net_agreeing(net, net->nodes[0]), each, (double)honest);
    chain_net_free(net, run);
}

// ---- low-work

struct fetched {
    uint64_t bytes;   // skeletons, too
    uint64_t objects; // links and shares
};

static struct fetched count_fetched(const struct full_net *net)
{
    struct fetched fetched = {0, 0};
    for (size_t i = 0; i < net->count; i++) {
        struct network_stats stats;
        network_stats(net->nodes[i]->swarm_node->network, &stats);
        if (net->nodes[i]->twist != NULL)
            continue;
        fetched.bytes += stats.sync.bytes_fetched;
        fetched.objects += stats.sync.links_fetched + stats.sync.shares_fetched;
    }
    return fetched;
}

static size_t sync_memory(const struct full_net *net)
{
    size_t most = 0;
    for (size_t i = 0; i < net->count; i++) {
        struct network_stats stats;
        network_stats(net->nodes[i]->swarm_node->network, &stats);
        if (net->nodes[i]->twist == NULL && stats.sync.memory > most)
            most = stats.sync.memory;
    }
    return most;
}

// On a side of their own, at the pool's spacing, so that their links stay as easy as can be.
static void mine_low_work(struct full_net *net, struct full_node *const *attackers)
{
    struct world *world = net->swarm.world;
    for (unsigned i = 0; i < LOW_LINKS; i++) {
        full_node_mine(attackers[0], MAKER_LINK);
        full_net_run(net, 1000 * SPACING_S, GRAINS);
    }
    world_run_ms(world, 60000);
}

void scenario_low_work(const struct scenario_run *run)
{
    const struct host_options options = {0};
    struct full_node *attackers[LOW_NODES];
    struct report *report = run->report;
    struct full_net *net = chain_net_new(run, SPACING_S);
    struct link_view tip;
    full_net_fill(net, run->nodes);
    world_run_ms(net->swarm.world, 30000);
    full_net_warm_up(net);
    for (unsigned i = 0; i < LOW_NODES; i++) {
        attackers[i] = full_net_add(net, &options);
        attackers[i]->twist = twist_claims;
        attackers[i]->swarm_node->is_hostile = true;
        attackers[i]->swarm_node->host->partition = 1;
        full_node_start(attackers[i]);
    }
    mine_low_work(net, attackers);
    sharechain_tip(attackers[0]->chain, &tip);
    uint32_t low_height = tip.height;
    struct fetched before = count_fetched(net);
    size_t first = net->made_count;
    for (unsigned i = 0; i < LOW_NODES; i++)
        attackers[i]->swarm_node->host->partition = 0;
    full_net_run(net, ATTACK_MS, GRAINS);
    double agree_ms = chain_converge_ms(net, net->nodes[0], run->nodes, 60000);
    size_t last = net->made_count;
    full_net_run(net, 300000, GRAINS);
    net->made_count = last;
    struct fetched after = count_fetched(net);
    double nodes = (double)run->nodes;
    report_value(report, "links of little work", low_height, each);
    report_at_most(report, "honest nodes have one tip after", agree_ms, ms, 10000);
    report_at_least(report, "work of honest nodes in the attack that is credited",
                    chain_credited(net, first, 0), percent, 99);
    report_at_most(report, "links and shares fetched for it, a node",
                   (double)(after.objects - before.objects) / nodes, each, 2);
    report_at_most(report, "proofs and all fetched by sync, a node",
                   (double)(after.bytes - before.bytes) / 1024 / nodes, kilobytes,
                   LOW_NODES * low_height * SKELETON_KB);
    report_at_most(report, "memory of sync, most of a node", (double)sync_memory(net) / 1024,
                   kilobytes, 1024);
    report_bans(net, report);
    chain_net_free(net, run);
}
