// What happens to the share-chain when the network is not kind: partitions, absences, any order of
// arrival.
#include <stdlib.h>
#include "tests/sim/chain_compare.h"

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

// Two chains of equal work stay two until the next link; it comes at once here.
static void end_tie(struct full_net *net)
{
    struct link_view first;
    struct link_view other;
    sharechain_tip(net->nodes[0]->chain, &first);
    sharechain_tip(net->nodes[2]->chain, &other);
    if (u256_compare(&first.work, &other.work) == 0)
        full_node_mine(net->nodes[0], MAKER_LINK);
}

void scenario_partition(const struct scenario_run *run)
{
    struct report *report = run->report;
    struct full_net *net = chain_net_new(run, SPACING_S);
    full_net_fill(net, run->nodes);
    world_run_ms(net->swarm.world, 30000);
    full_net_warm_up(net);
    full_net_run(net, 300000, GRAINS);
    size_t first = net->made_count;
    for (size_t i = 0; i < net->count; i++)
        net->nodes[i]->swarm_node->host->partition = i % 5 < 2;
    full_net_run(net, PARTITION_MS, GRAINS);
    size_t last = net->made_count;
    size_t third = net->count / 3;
    size_t split = net->count - full_net_agreeing(net, net->nodes[2]);
    for (size_t i = 0; i < net->count; i++)
        net->nodes[i]->swarm_node->host->partition = 0;
    end_tie(net);
    double healed_ms = chain_converge_ms(net, net->nodes[0], net->count, CONVERGE_MS);
    full_net_run(net, 600000, GRAINS);
    double settled_ms = chain_converge_ms(net, net->nodes[0], net->count, CONVERGE_MS);
    net->made_count = last;
    report_at_least(report, "nodes with another tip at the end of the partition", (double)split,
                    each, (double)third);
    report_value(report, "shares made in it, both sides", (double)(last - first), each);
    report_at_most(report, "one tip again after the partition healed", healed_ms, ms, 30000);
    report_at_most(report, "one tip ten minutes later", settled_ms, ms, 5000);
    report_at_least(report, "work of the larger side that is credited",
                    chain_credited(net, first, 0), percent, 99);
    report_at_least(report, "work of the smaller side that is credited",
                    chain_credited(net, first, 1), percent, 99);
    report_at_least(report, "nodes with the same credits and windows",
                    (double)chain_count_states(net, net->nodes[0]), each, (double)net->count);
    chain_net_free(net, run);
}

// ---- month

void scenario_month(const struct scenario_run *run)
{
    struct report *report = run->report;
    struct full_net *net = chain_net_new(run, MONTH_SPACING);
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
    double back_ms = chain_converge_ms(net, net->nodes[0], MONTH_AWAKE + 1, 300000);
    sharechain_tip(net->nodes[0]->chain, &tip);
    report_value(report, "links that it missed", (double)(tip.height - behind), each);
    report_at_most(report, "until it has the tip again", back_ms, ms, 60000);
    // What is older than two windows it keeps as skeletons, without credits.
    struct window_view window;
    if (!sharechain_window(net->nodes[0]->chain, &tip.id, &window))
        abort();
    report_value(report, "links of the window", window.links_count, each);
    report_at_least(report, "of them the same, with the same credits",
                    (double)chain_count_same(net->nodes[0], late, window.links_count), each,
                    window.links_count);
    struct hash256 weights = full_window_state(net->nodes[0]->chain);
    struct hash256 late_weights = full_window_state(late->chain);
    report_holds(report, "the same weights of the window", hash_equal(&weights, &late_weights));
    report_holds(report, "it may mint again", network_is_synced(late->swarm_node->network));
    chain_net_free(net, run);
}

// ---- orders

// Everything that was made in a world, as bytes.
struct delivery {
    struct buffer share;
    struct buffer body; // empty: none
};

static struct delivery *collect(const struct full_net *net)
{
    struct delivery *deliveries = calloc(net->made_count, sizeof *deliveries);
    if (deliveries == NULL)
        abort();
    for (size_t i = 0; i < net->made_count; i++) {
        buffer_init(&deliveries[i].share, CHAIN_SHARE_MAX);
        buffer_init(&deliveries[i].body, CHAIN_BODY_MAX);
        sharechain_share_bytes(net->nodes[0]->chain, &net->made[i].id, &deliveries[i].share);
        sharechain_body_bytes(net->nodes[0]->chain, &net->made[i].id, &deliveries[i].body);
    }
    return deliveries;
}

static void deliver(struct full_node *node, const struct delivery *delivery, uint32_t source)
{
    struct chain_arrival arrival = {.source = source,
                                    .share = delivery->share.data,
                                    .share_size = delivery->share.size,
                                    .body = delivery->body.size == 0 ? NULL : delivery->body.data,
                                    .body_size = delivery->body.size,
                                    .is_sync = true};
    if (delivery->share.size > 0)
        node->table.add_share(node->table.context, &arrival, world_now(node->swarm_node->host));
}

enum order { ORDER_FORWARD, ORDER_BACKWARD, ORDER_SHUFFLED };

static void shuffle(size_t *places, size_t count, struct random *random)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)random_below(random, i);
        size_t swapped = places[i - 1];
        places[i - 1] = places[other];
        places[other] = swapped;
    }
}

// Headers come with the shares: all of them first, last, or in between.
static struct full_node *feed(struct full_net *net, const struct delivery *deliveries,
                              enum order order)
{
    const struct host_options options = {0};
    struct full_node *node = full_net_add(net, &options);
    size_t count = net->made_count + net->headers_count;
    size_t headers_count = net->headers_count;
    size_t *places = calloc(count, sizeof *places);
    if (places == NULL)
        abort();
    net->headers_count = 0; // its daemon is as late as everybody
    full_node_open(node);
    net->headers_count = headers_count;
    for (size_t i = 0; i < count; i++)
        places[i] = order == ORDER_BACKWARD ? count - 1 - i : i;
    if (order == ORDER_SHUFFLED)
        shuffle(places, count, &net->swarm.world->random);
    for (size_t i = 0; i < count; i++) {
        if (places[i] < headers_count)
            sharechain_add_header(node->chain, net->headers[places[i]]);
        else
            deliver(node, &deliveries[places[i] - headers_count], 1 + (uint32_t)(i % 8));
        chain_port_settled(node->port);
    }
    free(places);
    return node;
}

void scenario_orders(const struct scenario_run *run)
{
    struct report *report = run->report;
    struct full_net *net = chain_net_new(run, SPACING_S);
    full_net_fill(net, run->nodes);
    world_run_ms(net->swarm.world, 30000);
    full_net_warm_up(net);
    full_net_run(net, 3600000, GRAINS);
    world_run_ms(net->swarm.world, 30000);
    struct delivery *deliveries = collect(net);
    static const enum order orders[] = {ORDER_FORWARD,  ORDER_BACKWARD, ORDER_SHUFFLED,
                                        ORDER_SHUFFLED, ORDER_SHUFFLED, ORDER_SHUFFLED};
    struct hash256 state = full_chain_state(net->nodes[0]->chain);
    size_t same = 0;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct full_node *node = feed(net, deliveries, orders[i]);
        struct hash256 other = full_chain_state(node->chain);
        same += hash_equal(&state, &other);
    }
    struct link_view tip;
    sharechain_tip(net->nodes[0]->chain, &tip);
    report_value(report, "links of the best chain", tip.height, each);
    report_value(report, "shares in all", (double)net->made_count, each);
    report_at_least(report, "orders of arrival (of 6) that end in the same state", (double)same,
                    each, 6);
    for (size_t i = 0; i < net->made_count; i++) {
        buffer_clear(&deliveries[i].share);
        buffer_clear(&deliveries[i].body);
    }
    free(deliveries);
    chain_net_free(net, run);
}
