// What Stratum's engine counts.
#include "node/meter_state.h"

static const char *const closes[] = {
    [STRATUM_CLOSE_DISCONNECTED] = "disconnected",
    [STRATUM_CLOSE_PAUSED] = "no_work",
    [STRATUM_CLOSE_DRAINED] = "stopping",
    [STRATUM_CLOSE_NO_FIRST_LINE] = "no_first_line",
    [STRATUM_CLOSE_NOT_AUTHORIZED] = "not_authorized",
    [STRATUM_CLOSE_DEVICE_REFUSED] = "device_refused",
    [STRATUM_CLOSE_IDLE] = "idle",
    [STRATUM_CLOSE_SLOW_READER] = "slow_reader",
    [STRATUM_CLOSE_LINE_TOO_LONG] = "line_too_long",
    [STRATUM_CLOSE_JUNK] = "junk",
    [STRATUM_CLOSE_NOT_STRATUM] = "not_stratum",
    [STRATUM_CLOSE_FLOOD] = "flood",
    [STRATUM_CLOSE_INVALID_SHARES] = "invalid_shares",
    [STRATUM_CLOSE_NO_JOB] = "no_job",
    [STRATUM_CLOSE_MEMORY] = "out_of_memory",
    [STRATUM_CLOSE_RESUMED] = "resumed",
    [STRATUM_CLOSE_OPERATOR] = "operator",
    [STRATUM_CLOSES_COUNT] = NULL,
};
// STRATUM_CONNECTED is none.
static const char *const refusals[] = {
    [STRATUM_REFUSED_PAUSED - 1] = "no_work",
    [STRATUM_REFUSED_FULL - 1] = "full",
    [STRATUM_REFUSED_ADDRESS - 1] = "address_full",
    [STRATUM_REFUSED_RATE - 1] = "rate",
    [STRATUM_REFUSED_BANNED - 1] = "banned",
    [STRATUM_REFUSED_MEMORY - 1] = "out_of_memory",
    [STRATUM_REFUSALS_COUNT - 1] = NULL,
};
static const char *const states[] = {"connected", "authorized", "parked", NULL};
static const char *const windows[] = {"1m", "10m", "1h", NULL};

enum {
    SHARES,
    GRAINS,
    LINKS,
    SERVED,
    SESSIONS,
    CONNECTIONS,
    REFUSED,
    CLOSED,
    BANS,
    HASHRATE,
    JOBS,
    JOBS_REPLACED,
    HELD,
    UNSAVED,
    HASHES,
    LINES,
    LINES_JUNK,
    COUNT
};

static const struct metric_spec specs[COUNT] = {
    [SHARES] = {METRIC_COUNTER, "shoal_shares_total", "Shares of our miners by verdict.", "verdict",
                meter_label_verdicts, NULL, 0},
    [GRAINS] = {METRIC_COUNTER, "shoal_grains_total",
                "Accepted shares that are grains: they go to the share-chain.", NULL, NULL, NULL,
                0},
    [LINKS] = {METRIC_COUNTER, "shoal_links_total", "Links of the share-chain found by our miners.",
               NULL, NULL, NULL, 0},
    [SERVED] = {METRIC_GAUGE, "shoal_miners_served",
                "1 while there is work for miners, 0 while they are sent away.", NULL, NULL, NULL,
                0},
    [SESSIONS] = {METRIC_GAUGE, "shoal_sessions",
                  "Connections of miners: all, those of them that are authorized, and lost ones "
                  "that may be taken up again.",
                  "state", states, NULL, 0},
    [CONNECTIONS] = {METRIC_COUNTER, "shoal_connections_total",
                     "Connections of miners that were accepted.", NULL, NULL, NULL, 0},
    [REFUSED] = {METRIC_COUNTER, "shoal_connections_refused_total",
                 "Connections of miners that were not accepted, by reason.", "reason", refusals,
                 NULL, 0},
    [CLOSED] = {METRIC_COUNTER, "shoal_sessions_closed_total",
                "Connections of miners that ended, by reason.", "reason", closes, NULL, 0},
    [BANS] = {METRIC_GAUGE, "shoal_banned_miners", "Addresses of miners that are banned now.", NULL,
              NULL, NULL, 0},
    [HASHRATE] = {METRIC_GAUGE, "shoal_hashrate_hashes_per_second",
                  "Hashrate of all our miners by accepted shares, over the window.", "window",
                  windows, NULL, 0},
    [JOBS] = {METRIC_COUNTER, "shoal_jobs_sent_total", "Jobs sent to miners.", NULL, NULL, NULL, 0},
    [JOBS_REPLACED] = {METRIC_COUNTER, "shoal_jobs_replaced_total",
                       "Jobs that a newer one replaced before a slow connection could take them.",
                       NULL, NULL, NULL, 0},
    [HELD] = {METRIC_GAUGE, "shoal_answers_held",
              "Answers that wait for their share to be on disk.", NULL, NULL, NULL, 0},
    [UNSAVED] = {METRIC_COUNTER, "shoal_answers_unsaved_total",
                 "Answers that went out before their share was on disk.", NULL, NULL, NULL, 0},
    [HASHES] = {METRIC_GAUGE, "shoal_hashes_pending", "Submits that wait for a slow hash.", NULL,
                NULL, NULL, 0},
    [LINES] = {METRIC_COUNTER, "shoal_lines_total", "Lines that miners sent.", NULL, NULL, NULL, 0},
    [LINES_JUNK] = {METRIC_COUNTER, "shoal_junk_lines_total", "Lines that were no Stratum.", NULL,
                    NULL, NULL, 0},
};

static void read_table(struct metric *metric, const uint64_t *counts, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        metric_set(metric, i, (double)counts[i]);
}

static void read_miners(struct meter *meter, struct metric *const *metrics)
{
    struct node *node = meter->node;
    struct stratum_totals totals;
    stratum_totals(node->stratum, net_loop_now(node->loop), &totals);
    read_table(metrics[SHARES], totals.shares, STRATUM_VERDICTS_COUNT);
    metric_set(metrics[GRAINS], 0, (double)totals.grains);
    metric_set(metrics[LINKS], 0, (double)node->links_found);
    metric_set(metrics[SERVED], 0, totals.is_paused ? 0 : 1);
    metric_set(metrics[SESSIONS], 0, totals.sessions);
    metric_set(metrics[SESSIONS], 1, totals.sessions_authorized);
    metric_set(metrics[SESSIONS], 2, totals.sessions_parked);
    metric_set(metrics[CONNECTIONS], 0, (double)totals.connections);
    read_table(metrics[REFUSED], totals.refusals + 1, STRATUM_REFUSALS_COUNT - 1);
    read_table(metrics[CLOSED], totals.closes, STRATUM_CLOSES_COUNT);
    metric_set(metrics[BANS], 0, totals.bans);
    metric_set(metrics[HASHRATE], 0, totals.hashrate_1m);
    metric_set(metrics[HASHRATE], 1, totals.hashrate_10m);
    metric_set(metrics[HASHRATE], 2, totals.hashrate_1h);
    metric_set(metrics[JOBS], 0, (double)totals.jobs_sent);
    metric_set(metrics[JOBS_REPLACED], 0, (double)totals.jobs_replaced);
    metric_set(metrics[HELD], 0, totals.answers_held);
    metric_set(metrics[UNSAVED], 0, (double)totals.answers_unsaved);
    metric_set(metrics[HASHES], 0, totals.hashes_pending);
    metric_set(metrics[LINES], 0, (double)totals.lines);
    metric_set(metrics[LINES_JUNK], 0, (double)totals.lines_junk);
}

const struct meter_part meter_miners = {specs, COUNT, read_miners};
