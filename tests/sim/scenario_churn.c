// Nodes of the DHT come and go: sessions of an hour and pauses of half an hour, by chance.
#include <math.h>
#include <stdlib.h>
#include "tests/sim/dht_net.h"
#include "tests/sim/histogram.h"
#include "tests/sim/scenario.h"

#define JOINS_PER_SEC 200
#define SESSION_US    3.6e9
#define PAUSE_US      1.8e9
#define CHURN_MS      (2 * 3600 * 1000)
#define LOOK_UPS      200

static const struct unit ms = {"ms", 0};
static const struct unit percent = {"%", 2};

struct coming {
    struct dht_node *node;
    struct buffer saved;
};

static int64_t chance_us(struct random *random, double mean_us)
{
    return (int64_t)(-mean_us * log(1 - random_unit(random)));
}

static void turn(void *context)
{
    struct coming *coming = context;
    struct dht_node *node = coming->node;
    struct world *world = node->net->world;
    bool was_up = node->dht != NULL;
    if (was_up) {
        buffer_reset(&coming->saved);
        dht_save(node->dht, &coming->saved);
        dht_node_stop(node);
    } else {
        dht_node_start(node, &coming->saved);
    }
    int64_t length_us = chance_us(&node->host->random, was_up ? PAUSE_US : SESSION_US);
    world_at(world, world->now_us + length_us, turn, coming);
}

static bool is_searching(void *context)
{
    const struct dht_node *node = context;
    return node->dht != NULL && !node->outcome.is_done;
}

// Percent of all places in tables that hold nodes which are down.
static double dead_places(const struct dht_net *net)
{
    size_t places = 0;
    size_t dead = 0;
    for (size_t i = 0; i < net->count; i++) {
        size_t cursor = 0;
        struct contact contact;
        if (net->nodes[i]->dht == NULL)
            continue;
        while (dht_next_contact(net->nodes[i]->dht, &cursor, &contact)) {
            places++;
            dead += !world_find(net->world, &contact.endpoint)->is_up;
        }
    }
    return 100.0 * (double)dead / (double)places;
}

static void look_up(struct dht_net *net, struct report *report)
{
    struct world *world = net->world;
    struct histogram times;
    size_t right = 0;
    size_t done = 0;
    histogram_init(&times);
    for (unsigned i = 0; i < LOOK_UPS; i++) {
        struct dht_node *node = dht_net_pick(net);
        struct hash256 key = random_hash(&world->random);
        if (node->joined_us < 0)
            continue;
        node->outcome.is_done = false;
        dht_find_nodes(node->dht, &key, DHT_PATHS_ROUTINE, world_now(node->host));
        host_wake(node->host);
        world_run_while(world, 20000, is_searching, node);
        if (node->dht == NULL)
            continue;
        const struct dht_node *nearest = dht_net_nearest(net, &key);
        done++;
        right +=
            nearest == node || hash_equal(&node->outcome.nearest.hash, &nearest->identity.id.hash);
        histogram_add(&times, node->outcome.nearest_ms);
    }
    report_at_least(report, "found the nearest node", 100.0 * (double)right / (double)done, percent,
                    98);
    report_value(report, "look-up, until the nearest answered, p50",
                 (double)histogram_percentile(&times, 50), ms);
    report_at_most(report, "look-up, until the nearest answered, p95",
                   (double)histogram_percentile(&times, 95), ms, 520);
}

void scenario_churn(const struct scenario_run *run)
{
    struct dht_net net;
    struct world *world = scenario_world(run);
    struct coming *comings = calloc(run->nodes, sizeof *comings);
    if (comings == NULL)
        abort();
    dht_net_init(&net, world);
    dht_net_fill(&net, run->nodes, JOINS_PER_SEC);
    for (size_t i = DHT_NET_SEEDS; i < net.count; i++) {
        comings[i].node = net.nodes[i];
        buffer_init(&comings[i].saved, DHT_SAVED_SIZE_MAX);
        world_at(world, world->now_us + chance_us(&world->random, SESSION_US), turn, &comings[i]);
    }
    world_run_ms(world, CHURN_MS);
    size_t up = 0;
    for (size_t i = 0; i < net.count; i++)
        up += net.nodes[i]->dht != NULL;
    report_value(run->report, "nodes that are up", 100.0 * (double)up / (double)net.count, percent);
    report_at_least(run->report, "of them joined", 100.0 * (double)net.joined / (double)up, percent,
                    99);
    report_at_most(run->report, "places of tables with nodes that are down", dead_places(&net),
                   percent, 5);
    look_up(&net, run->report);
    scenario_world_done(run, world);
    dht_net_clear(&net);
    for (size_t i = DHT_NET_SEEDS; i < run->nodes; i++)
        buffer_clear(&comings[i].saved);
    free(comings);
}
