// The share-chain and its store.
#include <math.h>
#include "node/meter_state.h"
#include "node/report_parts.h"

static const char *const health_states[] = {[STORE_HEALTHY] = "healthy",
                                            [STORE_DISK_FULL] = "disk_full",
                                            [STORE_DISK_ERROR] = "disk_error",
                                            NULL};
#define HEALTH_STATES_COUNT (STORE_DISK_ERROR + 1)

enum {
    HEIGHT,
    TIP_AGE,
    SPACING,
    BLOCK_HEIGHT,
    ROOT,
    LINKS,
    SHARES,
    LOOSE,
    HEADERS,
    SCRIPTS,
    WAITING,
    WAITING_BYTES,
    REORGANISATIONS,
    LINKS_LEFT,
    HASHRATE,
    HEALTH,
    PENDING,
    COMMITTED,
    COUNT
};

static const struct metric_spec specs[COUNT] = {
    [HEIGHT] = {METRIC_GAUGE, "shoal_chain_height", "Height of the best link of the share-chain.",
                NULL, NULL, NULL, 0},
    [TIP_AGE] = {METRIC_GAUGE, "shoal_chain_tip_age_seconds",
                 "Since the time that the best link bears; NaN before the first.", NULL, NULL, NULL,
                 0},
    [SPACING] = {METRIC_GAUGE, "shoal_chain_spacing_seconds",
                 "How far apart links are meant to be.", NULL, NULL, NULL, 0},
    [BLOCK_HEIGHT] = {METRIC_GAUGE, "shoal_chain_block_height",
                      "Height of the coin's block that the best link is built on.", NULL, NULL,
                      NULL, 0},
    [ROOT] = {METRIC_GAUGE, "shoal_chain_root_height",
              "Height of the oldest link that is kept whole.", NULL, NULL, NULL, 0},
    [LINKS] = {METRIC_GAUGE, "shoal_chain_links", "Valid links in memory.", NULL, NULL, NULL, 0},
    [SHARES] = {METRIC_GAUGE, "shoal_chain_shares", "Valid shares in memory.", NULL, NULL, NULL, 0},
    [LOOSE] = {METRIC_GAUGE, "shoal_chain_loose_shares",
               "Valid shares that no link of the best chain has credited yet.", NULL, NULL, NULL,
               0},
    [HEADERS] = {METRIC_GAUGE, "shoal_chain_headers", "Headers of the coin in memory.", NULL, NULL,
                 NULL, 0},
    [SCRIPTS] = {METRIC_GAUGE, "shoal_chain_scripts", "Different payout scripts in memory.", NULL,
                 NULL, NULL, 0},
    [WAITING] = {METRIC_GAUGE, "shoal_chain_waiting_objects",
                 "Objects that wait for what they point to.", NULL, NULL, NULL, 0},
    [WAITING_BYTES] = {METRIC_GAUGE, "shoal_chain_waiting_bytes", "Their size.", NULL, NULL, NULL,
                       0},
    [REORGANISATIONS] = {METRIC_COUNTER, "shoal_chain_reorganisations_total",
                         "Changes to a heavier branch.", NULL, NULL, NULL, 0},
    [LINKS_LEFT] = {METRIC_COUNTER, "shoal_chain_links_left_total",
                    "Links that such changes left behind.", NULL, NULL, NULL, 0},
    [HASHRATE] = {METRIC_GAUGE, "shoal_pool_hashrate_hashes_per_second",
                  "Hashrate of the whole pool by the newest links.", NULL, NULL, NULL, 0},
    [HEALTH] = {METRIC_GAUGE, "shoal_store_health", "1 at the state that the store is in.", "state",
                health_states, NULL, 0},
    [PENDING] = {METRIC_GAUGE, "shoal_store_pending_bytes", "What is not on the disk yet.", NULL,
                 NULL, NULL, 0},
    [COMMITTED] = {METRIC_COUNTER, "shoal_store_committed_bytes_total",
                   "What was written to the disk, before the overhead of its pages.", NULL, NULL,
                   NULL, 0},
};

static void read_tip(const struct node *node, struct metric *const *metrics)
{
    struct link_view tip;
    sharechain_tip(node->sharechain, &tip);
    double now_s = (double)net_loop_now(node->loop).wall.ms / 1e3;
    metric_set(metrics[HEIGHT], 0, tip.height);
    metric_set(metrics[TIP_AGE], 0, tip.height > 0 ? fmax(now_s - tip.time, 0) : NAN);
    metric_set(metrics[BLOCK_HEIGHT], 0, (double)tip.tip_height);
    metric_set(metrics[HASHRATE], 0, report_pool_hashrate(node, &tip));
}

static void read_chain(struct meter *meter, struct metric *const *metrics)
{
    const struct node *node = meter->node;
    struct sharechain_counts counts;
    sharechain_counts(node->sharechain, &counts);
    read_tip(node, metrics);
    metric_set(metrics[SPACING], 0, node->pool->link_spacing);
    metric_set(metrics[ROOT], 0, sharechain_root_height(node->sharechain));
    metric_set(metrics[LINKS], 0, (double)counts.links);
    metric_set(metrics[SHARES], 0, (double)counts.shares);
    metric_set(metrics[LOOSE], 0, (double)counts.loose);
    metric_set(metrics[HEADERS], 0, (double)counts.headers);
    metric_set(metrics[SCRIPTS], 0, (double)counts.scripts);
    metric_set(metrics[WAITING], 0, (double)counts.waiting);
    metric_set(metrics[WAITING_BYTES], 0, (double)counts.waiting_bytes);
    metric_set(metrics[REORGANISATIONS], 0, (double)meter->reorganisations);
    metric_set(metrics[LINKS_LEFT], 0, (double)meter->links_left);
    meter_set_one_of(metrics[HEALTH], store_health(node->store), HEALTH_STATES_COUNT);
    metric_set(metrics[PENDING], 0, (double)store_pending_bytes(node->store));
    metric_set(metrics[COMMITTED], 0, (double)meter->committed_bytes);
}

const struct meter_part meter_chain = {specs, COUNT, read_chain};
