// Look-ups, joins and records, of nodes that run the DHT alone.
#include <stdlib.h>
#include "tests/sim/dht_net.h"
#include "tests/sim/histogram.h"
#include "tests/sim/scenario.h"

#define DEAD_PERMILLE  150
#define LIARS_PERMILLE 200
#define JOINS_PER_SEC  200
#define LOOK_UPS       2000 // a hundredth more or less would move the p95 of few by 40 ms
#define LOOK_UP_US     5000 // between two
#define NEW_NODES      40
#define RECORDS        400
#define SPACING_US     20000 // between two searches for a record

static const struct unit ms = {"ms", 0};
static const struct unit each = {"", 2};
static const struct unit percent = {"%", 2};

static bool is_searching(void *context)
{
    const struct dht_node *node = context;
    return !node->outcome.is_done;
}

// ---- look-up

struct asked {
    struct dht_node *node;
    struct hash256 key;
    int64_t started_us;
    uint64_t search;
};

static void start_look_up(void *context)
{
    struct asked *asked = context;
    struct dht_node *node = asked->node;
    struct now now = world_now(node->host);
    asked->started_us = node->net->world->now_us;
    node->outcome.is_done = false;
    asked->search = dht_find_nodes(node->dht, &asked->key, DHT_PATHS_ROUTINE, now);
    host_wake(node->host);
}

static void report_look_ups(const struct scenario_run *run, const struct asked *asked, size_t count)
{
    struct histogram times;
    struct histogram ends;
    struct histogram hops;
    struct histogram queries;
    size_t right = 0;
    histogram_init(&times);
    histogram_init(&ends);
    histogram_init(&hops);
    histogram_init(&queries);
    for (size_t i = 0; i < count; i++) {
        const struct dht_node *node = asked[i].node;
        const struct dht_outcome *outcome = &node->outcome;
        const struct dht_node *nearest = dht_net_nearest(node->net, &asked[i].key);
        if (!outcome->is_done || outcome->search != asked[i].search)
            continue;
        right += nearest == node || hash_equal(&outcome->nearest.hash, &nearest->identity.id.hash);
        histogram_add(&times, 1000 * (uint64_t)outcome->nearest_ms);
        histogram_add(&ends, (uint64_t)(outcome->ended_us - asked[i].started_us));
        histogram_add(&hops, outcome->hops);
        histogram_add(&queries, outcome->queries);
    }
    double p50 = (double)histogram_percentile(&times, 50) / 1000;
    double p95 = (double)histogram_percentile(&times, 95) / 1000;
    double p99 = (double)histogram_percentile(&times, 99) / 1000;
    report_at_most(run->report, "look-up, until the nearest answered, p50", p50, ms, 280);
    report_at_most(run->report, "look-up, until the nearest answered, p95", p95, ms, 520);
    report_value(run->report, "look-up, until the nearest answered, p99", p99, ms);
    report_value(run->report, "look-up, until it knows the 16 nearest, p50",
                 (double)histogram_percentile(&ends, 50) / 1000, ms);
    report_value(run->report, "look-up, until it knows the 16 nearest, p95",
                 (double)histogram_percentile(&ends, 95) / 1000, ms);
    report_at_most(run->report, "hops to the nearest, mean", histogram_mean(&hops), each, 3.0);
    report_at_most(run->report, "messages of a look-up, mean", histogram_mean(&queries), each, 26);
    report_at_least(run->report, "found the nearest node", 100.0 * (double)right / (double)count,
                    percent, 99);
}

void scenario_look_up(const struct scenario_run *run)
{
    struct dht_net net;
    struct world *world = scenario_world(run);
    size_t count = LOOK_UPS < run->nodes / 2 ? LOOK_UPS : run->nodes / 2;
    struct asked *asked = calloc(count, sizeof *asked);
    if (asked == NULL)
        abort();
    dht_net_init(&net, world);
    dht_net_fill(&net, run->nodes, JOINS_PER_SEC);
    report_at_least(run->report, "nodes that joined",
                    100.0 * (double)net.joined / (double)net.count, percent, 99.9);
    dht_net_kill(&net, DEAD_PERMILLE);
    for (size_t i = 0; i < count; i++) {
        do
            asked[i].node = dht_net_pick(&net);
        while (asked[i].node->is_asked);
        asked[i].node->is_asked = true;
        asked[i].key = random_hash(&world->random);
        world_at(world, world->now_us + (int64_t)i * LOOK_UP_US, start_look_up, &asked[i]);
    }
    world_run_ms(world, (int64_t)count * LOOK_UP_US / 1000 + 10000);
    report_look_ups(run, asked, count);
    free(asked);
    scenario_world_done(run, world);
    dht_net_clear(&net);
}

// ---- join

static bool is_joining(void *context)
{
    const struct dht_node *node = context;
    return node->joined_us < 0;
}

static void report_joins(const struct scenario_run *run, const struct dht_net *net, size_t first)
{
    struct histogram times;
    struct histogram sent;
    struct dht_fullness sum = {0};
    histogram_init(&times);
    histogram_init(&sent);
    for (size_t i = first; i < net->count; i++) {
        const struct dht_node *node = net->nodes[i];
        int64_t us = node->joined_us < 0 ? 60000000 : node->joined_us - node->started_us;
        struct dht_fullness fullness;
        dht_node_fullness(node, &fullness);
        sum.buckets += fullness.buckets;
        sum.buckets_full += fullness.buckets_full;
        sum.places += fullness.places;
        sum.places_full += fullness.places_full;
        histogram_add(&times, (uint64_t)us);
        histogram_add(&sent, node->join_sent);
    }
    double p50 = (double)histogram_percentile(&times, 50) / 1000;
    double p95 = (double)histogram_percentile(&times, 95) / 1000;
    report_at_most(run->report, "join, p50", p50, ms, 5000);
    report_at_most(run->report, "join, p95", p95, ms, 5000);
    report_at_most(run->report, "messages of a join, mean", histogram_mean(&sent), each, 350);
    report_value(run->report, "messages of a join, most", (double)sent.max, (struct unit){"", 0});
    report_at_least(run->report, "buckets with 16 nodes, or all there are, after 5 s",
                    100.0 * (double)sum.buckets_full / (double)sum.buckets, percent, 98);
    report_value(run->report, "places taken after 5 s, 64 and 32 of the first two",
                 100.0 * (double)sum.places_full / (double)sum.places, percent);
}

void scenario_join(const struct scenario_run *run)
{
    const struct host_options options = {0};
    struct dht_net net;
    struct world *world = scenario_world(run);
    dht_net_init(&net, world);
    dht_net_fill(&net, run->nodes, JOINS_PER_SEC);
    dht_net_kill(&net, DEAD_PERMILLE);
    size_t first = net.count;
    for (size_t i = 0; i < NEW_NODES; i++)
        dht_node_start(dht_net_add(&net, &options), NULL);
    world_run_ms(world, 5000);
    report_joins(run, &net, first);
    // A second life, from what was saved.
    struct histogram again;
    histogram_init(&again);
    for (size_t i = first; i < net.count; i++) {
        struct buffer saved;
        struct dht_node *node = net.nodes[i];
        buffer_init(&saved, DHT_SAVED_SIZE_MAX);
        dht_save(node->dht, &saved);
        dht_node_stop(node);
        dht_node_start(node, &saved);
        buffer_clear(&saved);
    }
    for (size_t i = first; i < net.count; i++) {
        struct dht_node *node = net.nodes[i];
        world_run_while(world, 30000, is_joining, node);
        int64_t us = node->joined_us < 0 ? 60000000 : node->joined_us - node->started_us;
        histogram_add(&again, (uint64_t)us);
    }
    double p50 = (double)histogram_percentile(&again, 50) / 1000;
    report_value(run->report, "join from disk, p50", p50, ms);
    scenario_world_done(run, world);
    dht_net_clear(&net);
}

// ---- record-get

void scenario_record_get(const struct scenario_run *run)
{
    struct dht_net net;
    struct histogram times;
    struct world *world = scenario_world(run);
    size_t found = 0;
    size_t tries = RECORDS < run->nodes ? RECORDS : run->nodes;
    double queries = 0;
    histogram_init(&times);
    dht_net_init(&net, world);
    net.liars_permille = LIARS_PERMILLE;
    dht_net_fill(&net, run->nodes, JOINS_PER_SEC);
    // "records live 2 h" and are there soon after a node joined.
    world_run_ms(world, 10000);
    for (size_t i = 0; i < tries; i++) {
        struct dht_node *node = dht_net_pick(&net);
        const struct dht_node *wanted = dht_net_pick(&net);
        int64_t start_us = world->now_us;
        node->outcome.is_done = false;
        dht_find_records(node->dht, &wanted->identity.id.hash, DHT_PATHS_CAREFUL,
                         world_now(node->host));
        host_wake(node->host);
        world_run_while(world, 20000, is_searching, node);
        const struct dht_outcome *outcome = &node->outcome;
        found += outcome->is_done && outcome->records_count > 0 &&
                 outcome->record.pow_nonce == wanted->identity.pow_nonce;
        histogram_add(&times, (uint64_t)(world->now_us - start_us));
        queries += (double)outcome->queries;
    }
    double p50 = (double)histogram_percentile(&times, 50) / 1000;
    double p95 = (double)histogram_percentile(&times, 95) / 1000;
    report_at_least(run->report, "records found", 100.0 * (double)found / (double)tries, percent,
                    99.9);
    report_value(run->report, "record get, p50", p50, ms);
    report_value(run->report, "record get, p95", p95, ms);
    report_at_most(run->report, "messages of a record get, mean", queries / (double)tries, each,
                   95);
    scenario_world_done(run, world);
    dht_net_clear(&net);
}
