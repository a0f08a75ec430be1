// What happens to the share-chain when the network is not kind: partitions, absences, any order of
// arrival.
#include <stdlib.h>
#include "tests/sim/full_node.h"
#include "tests/sim/scenario.h"

#define SPACING_S     30
#define GRAINS        6 // between two links
#define PARTITION_MS  120000
#define CONVERGE_MS   120000
#define MONTH_SPACING 3600
#define MONTH_MS      (30ll * 86400 * 1000)
#define MONTH_AWAKE   3 // nodes that run all the time

static const struct unit ms = {"ms", 0};
static const struct unit each = {"", 0};
static const struct unit percent = {"%", 2};

struct agreement {
    struct full_net *net;
    struct full_node *with;
    size_t wanted;
};

static bool is_disagreeing(void *context)
{
    const struct agreement *agreement = context;
    return full_net_agreeing(agreement->net, agreement->with) < agreement->wanted;
}

// How long until all honest nodes have one tip; more than the time given: they had not.
static double converge_ms(struct full_net *net, struct full_node *with, int64_t most_ms)
{
    struct agreement agreement = {net, with, swarm_count(&net->swarm, 0)};
    struct world *world = net->swarm.world;
    int64_t start_us = world->now_us;
    bool is_done = world_run_while(world, most_ms, is_disagreeing, &agreement);
    return is_done ? (double)(world->now_us - start_us) / 1000 : (double)most_ms * 10;
}

static size_t count_states(const struct full_net *net, const struct full_node *with)
{
    struct hash256 state = full_chain_state(with->chain);
    size_t count = 0;
    for (size_t i = 0; i < net->count; i++) {
        if (net->nodes[i]->chain == NULL || net->nodes[i]->twist != NULL)
            continue;
        struct hash256 other = full_chain_state(net->nodes[i]->chain);
        count += hash_equal(&state, &other);
    }
    return count;
}

static struct full_net *net_new(const struct scenario_run *run, uint32_t spacing_s)
{
    struct full_net *net = calloc(1, sizeof *net);
    if (net == NULL)
        abort();
    full_net_init(net, scenario_world(run), spacing_s);
    return net;
}

static void net_free(struct full_net *net, const struct scenario_run *run)
{
    scenario_world_done(run, net->swarm.world);
    full_net_clear(net);
    free(net);
}

// Of the shares made since, by nodes of this side, what the best chain credits or has as links.
static double credited(const struct full_net *net, size_t first, unsigned side)
{
    size_t all = 0;
    size_t count = 0;
    for (size_t i = first; i < net->made_count; i++) {
        if (net->made[i].side != side)
            continue;
        all++;
        count += sharechain_is_credited(net->nodes[0]->chain, &net->made[i].id, 2880);
    }
    return all == 0 ? 100 : 100.0 * (double)count / (double)all;
}

void scenario_partition(const struct scenario_run *run)
{
    struct report *report = run->report;
    struct full_net *net = net_new(run, SPACING_S);
    full_net_fill(net, run->nodes);
    world_run_ms(net->swarm.world, 30000);
    full_net_warm_up(net);
    full_net_run(net, 300000, GRAINS);
    size_t first = net->made_count;
    for (size_t i = 0; i < net->count; i++)
        net->nodes[i]->swarm_node->host->partition = i % 5 < 2;
    full_net_run(net, PARTITION_MS, GRAINS);
    size_t last = net->made_count;
    size_t split = net->count - full_net_agreeing(net, net->nodes[2]);
    for (size_t i = 0; i < net->count; i++)
        net->nodes[i]->swarm_node->host->partition = 0;
    double healed_ms = converge_ms(net, net->nodes[0], CONVERGE_MS);
    full_net_run(net, 600000, GRAINS);
    double settled_ms = converge_ms(net, net->nodes[0], CONVERGE_MS);
    net->made_count = last;
    report_at_least(report, "nodes with another tip at the end of the partition", (double)split,
                    each, (double)(net->count / 3));
    report_value(report, "shares made in it, both sides", (double)(last - first), each);
    report_at_most(report, "one tip again after the partition healed", healed_ms, ms, 30000);
    report_at_most(report, "one tip ten minutes later", settled_ms, ms, 5000);
    report_at_least(report, "work of the larger side that is credited", credited(net, first, 0),
                    percent, 99);
    report_at_least(report, "work of the smaller side that is credited", credited(net, first, 1),
                    percent, 99);
    report_at_least(report, "nodes with the same credits and windows",
                    (double)count_states(net, net->nodes[0]), each, (double)net->count);
    net_free(net, run);
}

// ---- month

// Of the newest links, those that two nodes both have, with equal credits.
static size_t count_same(const struct full_node *a, const struct full_node *b, uint32_t links)
{
    struct link_view tip;
    size_t same = 0;
    sharechain_tip(a->chain, &tip);
    for (uint32_t i = 0; i < links && i < tip.height; i++) {
        struct link_view at_a;
        struct link_view at_b;
        same += sharechain_link_at(a->chain, tip.height - i, &at_a) &&
                sharechain_link_at(b->chain, tip.height - i, &at_b) &&
                hash_equal(&at_a.id, &at_b.id) && u256_compare(&at_a.credits, &at_b.credits) == 0;
    }
    return same;
}

void scenario_month(const struct scenario_run *run)
{
    struct report *report = run->report;
    struct full_net *net = net_new(run, MONTH_SPACING);
    struct link_view tip;
    full_net_fill(net, run->nodes);
    world_run_ms(net->swarm.world, 30000);
    full_net_warm_up(net);
    full_net_run(net, 20 * MONTH_SPACING * 1000, GRAINS);
    for (size_t i = MONTH_AWAKE; i < net->count; i++)
        full_node_stop(net->nodes[i]);
    full_net_run(net, MONTH_MS, GRAINS);
    struct full_node *late = net->nodes[net->count - 1];
    full_node_start(late);
    sharechain_tip(late->chain, &tip);
    uint32_t behind = tip.height;
    double back_ms = converge_ms(net, net->nodes[0], 300000);
    sharechain_tip(net->nodes[0]->chain, &tip);
    report_value(report, "links that it missed", (double)(tip.height - behind), each);
    report_at_most(report, "until it has the tip again", back_ms, ms, 60000);
    // What is older than two windows it keeps as skeletons, without credits.
    struct window_view window;
    if (!sharechain_window(net->nodes[0]->chain, &tip.id, &window))
        abort();
    report_value(report, "links of the window", window.links_count, each);
    report_at_least(report, "of them the same, with the same credits",
                    (double)count_same(net->nodes[0], late, window.links_count), each,
                    window.links_count);
    struct hash256 weights = full_window_state(net->nodes[0]->chain);
    struct hash256 late_weights = full_window_state(late->chain);
    report_holds(report, "the same weights of the window", hash_equal(&weights, &late_weights));
    report_holds(report, "it may mint again", network_is_synced(late->swarm_node->network));
    net_free(net, run);
}
