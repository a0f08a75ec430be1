// Templates, daemons and found blocks.
#include <math.h>
#include "node/meter_state.h"

static const char *const template_kinds[] = {"new_block", "refresh", NULL};
static const char *const daemon_states[] = {
    [DAEMON_CHECKING] = "checking",       [DAEMON_READY] = "ready", [DAEMON_SYNCING] = "syncing",
    [DAEMON_WRONG_CHAIN] = "wrong_chain", [DAEMON_DOWN] = "down",   [DAEMON_DOWN + 1] = NULL,
};
// What no daemon has judged stands behind the fates.
#define FATES_COUNT (BLOCK_UNREACHABLE + 1)
static const char *const fates[] = {
    [BLOCK_ACCEPTED] = "accepted",
    [BLOCK_KNOWN] = "known",
    [BLOCK_INCONCLUSIVE] = "inconclusive",
    [BLOCK_STALE] = "stale",
    [BLOCK_REJECTED] = "rejected",
    [BLOCK_UNREACHABLE] = "unreachable",
    [FATES_COUNT] = "open",
    [FATES_COUNT + 1] = NULL,
};
#define PLACES_COUNT (BLOCK_PLACE_MATURE + 1)
static const char *const places[] = {
    [BLOCK_PLACE_IN_CHAIN] = "in_chain",
    [BLOCK_PLACE_ORPHANED] = "orphaned",
    [BLOCK_PLACE_MATURE] = "mature",
    [PLACES_COUNT] = NULL,
};

enum {
    TEMPLATES,
    TEMPLATE_HEIGHT,
    TEMPLATE_AGE,
    TEMPLATE_TXS,
    TEMPLATE_VALUE,
    WORK_AGE,
    WORK_BEHIND,
    DAEMONS,
    READY,
    ACTIVE,
    HEIGHT,
    LATENCY,
    SILENCE,
    FAILURES,
    SUBMISSIONS,
    BLOCKS,
    FATES,
    PLACES,
    COUNT
};

static const struct metric_spec specs[COUNT] = {
    [TEMPLATES] = {METRIC_COUNTER, "shoal_templates_total",
                   "Templates of the daemons: of a new block, or the same with other transactions.",
                   "kind", template_kinds, NULL, 0},
    [TEMPLATE_HEIGHT] = {METRIC_GAUGE, "shoal_template_height",
                         "Height of the block that is worked on; NaN without a template.", NULL,
                         NULL, NULL, 0},
    [TEMPLATE_AGE] = {METRIC_GAUGE, "shoal_template_age_seconds",
                      "Since the template was asked for; NaN without one.", NULL, NULL, NULL, 0},
    [TEMPLATE_TXS] = {METRIC_GAUGE, "shoal_template_transactions",
                      "Transactions in the template; NaN without one.", NULL, NULL, NULL, 0},
    [TEMPLATE_VALUE] = {METRIC_GAUGE, "shoal_template_value_sats",
                        "What the block pays, in the coin's smallest unit; NaN without a template.",
                        NULL, NULL, NULL, 0},
    [WORK_AGE] = {METRIC_GAUGE, "shoal_work_age_seconds",
                  "Since miners were given new work; NaN while there is none.", NULL, NULL, NULL,
                  0},
    [WORK_BEHIND] = {METRIC_GAUGE, "shoal_work_behind_seconds",
                     "For how long there has been a new block without work on it; 0 if there is "
                     "work.",
                     NULL, NULL, NULL, 0},
    [DAEMONS] = {METRIC_GAUGE, "shoal_daemons", "Coin daemons by state.", "state", daemon_states,
                 NULL, 0},
    [READY] = {METRIC_GAUGE, "shoal_daemon_ready",
               "1 if the daemon can give work; daemons are numbered as configured.", "daemon",
               meter_label_daemons, NULL, 0},
    [ACTIVE] = {METRIC_GAUGE, "shoal_daemon_active", "1 if the daemon's templates are in use.",
                "daemon", meter_label_daemons, NULL, 0},
    [HEIGHT] = {METRIC_GAUGE, "shoal_daemon_height", "Height of the daemon's tip; NaN if unknown.",
                "daemon", meter_label_daemons, NULL, 0},
    [LATENCY] = {METRIC_GAUGE, "shoal_daemon_latency_seconds",
                 "How long the daemon took for its last small call; NaN if unknown.", "daemon",
                 meter_label_daemons, NULL, 0},
    [SILENCE] = {METRIC_GAUGE, "shoal_daemon_silence_seconds",
                 "Since the daemon's last answer; NaN if it never gave one.", "daemon",
                 meter_label_daemons, NULL, 0},
    [FAILURES] = {METRIC_COUNTER, "shoal_daemon_failures_total", "Calls of the daemon that failed.",
                  "daemon", meter_label_daemons, NULL, 0},
    [SUBMISSIONS] = {METRIC_GAUGE, "shoal_block_submissions_open",
                     "Blocks times daemons that have not answered yet.", NULL, NULL, NULL, 0},
    [BLOCKS] = {METRIC_COUNTER, "shoal_blocks_found_total",
                "Blocks found by our miners, in earlier lives of the node, too.", NULL, NULL, NULL,
                0},
    [FATES] = {METRIC_GAUGE, "shoal_blocks",
               "The same blocks by what the daemons made of them; open: none has answered.", "fate",
               fates, NULL, 0},
    [PLACES] = {METRIC_GAUGE, "shoal_blocks_placed",
                "Those of them that a daemon took, by where they are now.", "place", places, NULL,
                0},
};

static void read_template(const struct meter *meter, struct metric *const *metrics,
                          const struct backend_view *view)
{
    const struct node *node = meter->node;
    const struct block_template *block_template = node->block_template;
    bool is_there = block_template != NULL;
    int64_t now_ms = net_loop_now(node->loop).mono.ms;
    bool is_behind = node->work_stale_since.ms != MONO_NEVER.ms;
    bool has_work = !hash_is_zero(&node->work_prev) && meter->work_made_ms >= 0;
    metric_set(metrics[TEMPLATES], 0, (double)meter->templates_new);
    metric_set(metrics[TEMPLATES], 1, (double)meter->templates_refreshed);
    metric_set(metrics[TEMPLATE_HEIGHT], 0, is_there ? (double)block_template->height : NAN);
    metric_set(metrics[TEMPLATE_AGE], 0, is_there ? (double)view->template_age_ms / 1e3 : NAN);
    metric_set(metrics[TEMPLATE_TXS], 0, is_there ? (double)block_template->txs_count : NAN);
    metric_set(metrics[TEMPLATE_VALUE], 0, is_there ? (double)block_template->coinbase_value : NAN);
    metric_set(metrics[WORK_AGE], 0, has_work ? (double)(now_ms - meter->work_made_ms) / 1e3 : NAN);
    metric_set(metrics[WORK_BEHIND], 0,
               is_behind ? (double)(now_ms - node->work_stale_since.ms) / 1e3 : 0);
}

static double seconds_or_nan(int64_t ms)
{
    return ms < 0 ? NAN : (double)ms / 1e3;
}

static void read_daemons(struct metric *const *metrics, const struct backend_view *view)
{
    unsigned by_state[DAEMON_DOWN + 1] = {0};
    for (unsigned i = 0; i < view->daemons_count; i++) {
        const struct daemon_view *daemon = &view->daemons[i];
        by_state[daemon->state]++;
        metric_set(metrics[READY], i, daemon->state == DAEMON_READY ? 1 : 0);
        metric_set(metrics[ACTIVE], i, daemon->is_active ? 1 : 0);
        metric_set(metrics[HEIGHT], i, daemon->height < 0 ? NAN : (double)daemon->height);
        metric_set(metrics[LATENCY], i, seconds_or_nan(daemon->latency_ms));
        metric_set(metrics[SILENCE], i, seconds_or_nan(daemon->answered_ms_ago));
        metric_set(metrics[FAILURES], i, (double)daemon->failures_count);
    }
    for (unsigned i = 0; i <= DAEMON_DOWN; i++)
        metric_set(metrics[DAEMONS], i, by_state[i]);
}

static void read_blocks(const struct node *node, struct metric *const *metrics)
{
    unsigned by_fate[FATES_COUNT + 1] = {0};
    unsigned by_place[PLACES_COUNT] = {0};
    for (size_t i = 0; i < node->blocks_count; i++) {
        const struct found_block *block = &node->blocks[i];
        bool is_taken =
            block->has_fate && (block->fate == BLOCK_ACCEPTED || block->fate == BLOCK_KNOWN);
        by_fate[block->has_fate ? (unsigned)block->fate : FATES_COUNT]++;
        by_place[block->place] += is_taken ? 1 : 0;
    }
    metric_set(metrics[BLOCKS], 0, (double)node->blocks_count);
    for (unsigned i = 0; i <= FATES_COUNT; i++)
        metric_set(metrics[FATES], i, by_fate[i]);
    for (unsigned i = 0; i < PLACES_COUNT; i++)
        metric_set(metrics[PLACES], i, by_place[i]);
}

static void read_work(struct meter *meter, struct metric *const *metrics)
{
    struct backend_view view;
    backend_get_view(meter->node->backend, &view);
    read_template(meter, metrics, &view);
    read_daemons(metrics, &view);
    metric_set(metrics[SUBMISSIONS], 0, (double)view.submissions_count);
    read_blocks(meter->node, metrics);
}

const struct meter_part meter_work = {specs, COUNT, read_work};
