// The document "status": everything at a glance, with one sentence on what the current job pays.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "node/operate.h"
#include "node/report_parts.h"
#include "node/swarm.h"

// Over how many links the pool's hashrate is measured.
#define RATE_LINKS 60
// Credits enter payouts this many blocks late (protocol section 8).
#define EPOCH_BLOCKS 6

static void write_pool(const struct node *node, struct json_writer *writer)
{
    json_begin_object(writer, "pool");
    json_write_text(writer, "name", node->pool->name);
    report_write_id(writer, "id", &node->pool->id);
    json_write_text(writer, "chain", node->pool->chain->name);
    json_write_text(writer, "algorithm", pow_algorithm(node->pool->chain->pow)->name);
    json_end_object(writer);
}

double report_pool_hashrate(const struct node *node, const struct link_view *tip)
{
    uint32_t first = tip->height > RATE_LINKS ? tip->height - RATE_LINKS : 0;
    struct link_view link;
    double work = 0;
    for (uint32_t height = tip->height; height > first; height--) {
        if (sharechain_link_at(node->sharechain, height, &link))
            work += u256_to_double(&link.credits);
    }
    bool has_first = sharechain_link_at(node->sharechain, first == 0 ? 1 : first, &link);
    return has_first && tip->time > link.time ? work / (tip->time - link.time) : 0;
}

static void write_sharechain(const struct node *node, struct json_writer *writer)
{
    struct link_view tip;
    struct sharechain_counts counts;
    sharechain_tip(node->sharechain, &tip);
    sharechain_counts(node->sharechain, &counts);
    json_begin_object(writer, "tip");
    json_write_u64(writer, "height", tip.height);
    report_write_id(writer, "id", &tip.id);
    json_write_u64(writer, "time", tip.time);
    report_write_u256(writer, "work", &tip.work);
    json_write_u64(writer, "grains", tip.grains_count);
    json_write_i64(writer, "block_height", tip.tip_height);
    report_write_block_id(writer, "block", &tip.tip);
    json_end_object(writer);
    json_write_double(writer, "pool_hashrate", report_pool_hashrate(node, &tip));
    json_begin_object(writer, "counts");
    json_write_u64(writer, "links", counts.links);
    json_write_u64(writer, "shares", counts.shares);
    json_write_u64(writer, "shares_loose", counts.loose);
    json_write_u64(writer, "headers", counts.headers);
    json_write_u64(writer, "scripts", counts.scripts);
    json_write_u64(writer, "waiting", counts.waiting);
    json_write_u64(writer, "waiting_bytes", counts.waiting_bytes);
    json_end_object(writer);
    json_begin_object(writer, "found");
    json_write_u64(writer, "shares", node->shares_found);
    json_write_u64(writer, "links", node->links_found);
    json_write_u64(writer, "blocks", node->blocks_count);
    json_end_object(writer);
}

static void write_daemons(struct node *node, struct json_writer *writer)
{
    struct backend_view view;
    backend_get_view(node->backend, &view);
    const char *active = NULL;
    size_t ready_count = 0;
    for (size_t i = 0; i < view.daemons_count; i++) {
        ready_count += view.daemons[i].state == DAEMON_READY ? 1 : 0;
        if (view.daemons[i].is_active)
            active = view.daemons[i].url;
    }
    json_begin_object(writer, "daemons");
    json_write_u64(writer, "configured", view.daemons_count);
    json_write_u64(writer, "ready", ready_count);
    json_write_text(writer, "active", active);
    json_write_bool(writer, "has_work", view.has_work);
    json_write_i64(writer, "template_height", view.template_height);
    json_write_i64(writer, "template_age_ms", view.template_age_ms);
    json_write_i64(writer, "confirmed_ms_ago", view.confirmed_ms_ago);
    json_write_u64(writer, "submissions_open", view.submissions_count);
    json_end_object(writer);
}

// Blocks that must still come before credits are paid; -1 as long as nothing is credited.
static int64_t solo_blocks_left(const struct node *node, const struct mint *mint)
{
    struct link_view first;
    if (!sharechain_link_at(node->sharechain, 1, &first))
        return -1;
    int64_t left = first.tip_height + EPOCH_BLOCKS - (mint->height - 1);
    return left > 0 ? left : 0;
}

static void explain_job(const struct node *node, const struct mint *mint, char *out, size_t size)
{
    int64_t left = solo_blocks_left(node, mint);
    if (mint->is_detached)
        snprintf(out, size,
                 "The pool slept for more than five blocks: until its next link is found, each "
                 "miner's work pays only himself and is not credited.");
    else if (mint->is_solo && left < 0)
        snprintf(out, size,
                 "Nothing is credited yet. Credits enter payouts six blocks late: until then a "
                 "block pays only the miner who finds it.");
    else if (mint->is_solo)
        snprintf(out, size,
                 "Credits enter payouts six blocks late, and no link is six blocks deep: for about "
                 "%" PRId64 " more block%s a block pays only the miner who finds it. What is "
                 "mined now is credited and will be paid.",
                 left, left == 1 ? "" : "s");
    else
        snprintf(out, size, "The next block pays %zu script%s what the share-chain credits them.",
                 payout_plan_count(mint->plan), payout_plan_count(mint->plan) == 1 ? "" : "s");
}

static void write_job(const struct node *node, struct json_writer *writer)
{
    const struct mint *mint = node->mint;
    if (mint == NULL || hash_is_zero(&node->work_prev)) {
        json_write_null(writer, "job");
        return;
    }
    char sentence[320];
    explain_job(node, mint, sentence, sizeof(sentence));
    json_begin_object(writer, "job");
    json_write_i64(writer, "height", mint->height);
    report_write_block_id(writer, "prev", &mint->prev);
    report_write_sats(writer, "value_sats", mint->coinbase_value);
    json_write_u64(writer, "link_height", mint->info.link_height);
    json_write_u64(writer, "grains", mint->grains_count);
    json_write_u64(writer, "outputs", mint->is_solo ? 1 : payout_plan_count(mint->plan));
    json_write_bool(writer, "is_solo", mint->is_solo);
    json_write_bool(writer, "is_detached", mint->is_detached);
    if (mint->is_solo && !mint->is_detached)
        json_write_i64(writer, "solo_blocks_left", solo_blocks_left(node, mint));
    else
        json_write_null(writer, "solo_blocks_left");
    json_write_text(writer, "explanation", sentence);
    json_end_object(writer);
}

static void write_store(const struct node *node, struct json_writer *writer)
{
    static const char *const names[] = {[STORE_HEALTHY] = "healthy",
                                        [STORE_DISK_FULL] = "disk_full",
                                        [STORE_DISK_ERROR] = "disk_error"};
    char text[256];
    store_health_text(node->store, text, sizeof(text));
    json_begin_object(writer, "store");
    json_write_text(writer, "health", names[store_health(node->store)]);
    json_write_text(writer, "problem", text[0] == '\0' ? NULL : text);
    json_write_u64(writer, "pending_bytes", store_pending_bytes(node->store));
    json_end_object(writer);
}

static void write_stratum(struct node *node, struct json_writer *writer)
{
    struct stratum_totals totals;
    stratum_totals(node->stratum, net_loop_now(node->loop), &totals);
    json_begin_object(writer, "stratum");
    json_write_bool(writer, "is_paused", totals.is_paused);
    json_write_text(writer, "pause_reason", totals.pause_reason);
    json_write_u64(writer, "sessions", totals.sessions);
    json_write_u64(writer, "sessions_authorized", totals.sessions_authorized);
    json_write_u64(writer, "sessions_parked", totals.sessions_parked);
    json_write_double(writer, "hashrate_1m", totals.hashrate_1m);
    json_write_double(writer, "hashrate_10m", totals.hashrate_10m);
    json_write_double(writer, "hashrate_1h", totals.hashrate_1h);
    json_begin_object(writer, "shares");
    for (unsigned i = 0; i < STRATUM_VERDICTS_COUNT; i++)
        json_write_u64(writer, stratum_verdict_text((enum stratum_verdict)i), totals.shares[i]);
    json_end_object(writer);
    json_write_u64(writer, "grains", totals.grains);
    json_write_u64(writer, "blocks", totals.blocks);
    json_write_u64(writer, "answers_held", totals.answers_held);
    json_write_u64(writer, "answers_unsaved", totals.answers_unsaved);
    json_write_u64(writer, "hashes_pending", totals.hashes_pending);
    json_write_u64(writer, "connections", totals.connections);
    json_write_u64(writer, "connections_refused", totals.refused);
    json_write_u64(writer, "bans", totals.bans);
    json_write_u64(writer, "jobs_sent", totals.jobs_sent);
    json_write_u64(writer, "jobs_replaced", totals.jobs_replaced);
    json_begin_object(writer, "closes");
    for (unsigned i = 0; i < STRATUM_CLOSES_COUNT; i++)
        json_write_u64(writer, stratum_close_text((enum stratum_close)i), totals.closes[i]);
    json_end_object(writer);
    json_end_object(writer);
}

// ---- What the page says above everything else

struct banner {
    const char *level; // NULL: nothing is wrong
    char text[320];
    const char *advice;
};

static void set_banner(struct banner *banner, const char *level, const char *text,
                       const char *advice)
{
    if (banner->level != NULL)
        return; // something worse is known
    banner->level = level;
    snprintf(banner->text, sizeof(banner->text), "%s", text);
    banner->advice = advice;
}

static void find_errors(struct node *node, const struct stratum_totals *totals,
                        struct banner *banner)
{
    struct backend_view view;
    char text[256];
    size_t ready_count = 0;
    backend_get_view(node->backend, &view);
    for (size_t i = 0; i < view.daemons_count; i++)
        ready_count += view.daemons[i].state == DAEMON_READY ? 1 : 0;
    store_health_text(node->store, text, sizeof(text));
    if (text[0] != '\0')
        set_banner(banner, "error", text, "Free space on the disk of the data directory.");
    if (ready_count == 0)
        set_banner(banner, "error", "No coin daemon answers as it should.",
                   "Look under daemons for what is wrong with each, and into their logs.");
    if (operate_refuses_work(node) != NULL)
        set_banner(banner, "warning", operate_refuses_work(node),
                   "Miners are taken again after \"shoal undrain\", or a restart.");
    const char *refusal = swarm_refuses_work(node->swarm);
    if (refusal != NULL)
        set_banner(banner, "warning", refusal,
                   "Miners are not served until the node has caught up with the pool.");
    if (totals->is_paused)
        set_banner(banner, "error", totals->pause_reason,
                   "Miners are sent away until this is over; they should have a second pool.");
}

void report_write_banner(struct node *node, struct json_writer *writer)
{
    struct banner banner = {.level = NULL};
    struct stratum_totals totals;
    struct swarm_view swarm = {.is_alone = false};
    stratum_totals(node->stratum, net_loop_now(node->loop), &totals);
    if (node->is_stopping)
        set_banner(&banner, "warning", "The node is being stopped.", "Miners go elsewhere.");
    find_errors(node, &totals, &banner);
    if (node->swarm != NULL)
        swarm_view(node->swarm, &swarm);
    if (swarm.is_alone)
        set_banner(&banner, "warning",
                   "No other node of the pool has been connected for two "
                   "minutes.",
                   "Check this machine's way to the internet and the seeds: what is mined now is "
                   "credited if the others are met again within six blocks.");
    if (banner.level == NULL) {
        json_write_null(writer, "banner");
        return;
    }
    json_begin_object(writer, "banner");
    json_write_text(writer, "level", banner.level);
    json_write_text(writer, "text", banner.text);
    json_write_text(writer, "advice", banner.advice);
    json_end_object(writer);
}

void report_status(struct node *node, struct report_call *call, struct json_writer *writer)
{
    (void)call;
    int64_t started_at = wall_seconds(node->started_at);
    json_write_text(writer, "version", SHOAL_VERSION);
    json_write_i64(writer, "started_at", started_at);
    json_write_i64(writer, "uptime_s", wall_seconds(net_loop_now(node->loop).wall) - started_at);
    report_write_banner(node, writer);
    write_pool(node, writer);
    write_sharechain(node, writer);
    write_job(node, writer);
    write_daemons(node, writer);
    report_write_network(node, writer);
    write_store(node, writer);
    write_stratum(node, writer);
}

void report_daemons(struct node *node, struct report_call *call, struct json_writer *writer)
{
    (void)call;
    struct backend_view view;
    backend_get_view(node->backend, &view);
    json_write_bool(writer, "has_work", view.has_work);
    json_begin_array(writer, "daemons");
    for (size_t i = 0; i < view.daemons_count; i++) {
        const struct daemon_view *daemon = &view.daemons[i];
        json_begin_object(writer, NULL);
        json_write_text(writer, "url", daemon->url);
        json_write_text(writer, "state", daemon_state_text(daemon->state));
        json_write_bool(writer, "is_active", daemon->is_active);
        json_write_bool(writer, "has_longpoll", daemon->has_longpoll);
        json_write_i64(writer, "height", daemon->height);
        if (hash_is_zero(&daemon->tip))
            json_write_null(writer, "tip");
        else
            report_write_block_id(writer, "tip", &daemon->tip);
        json_write_i64(writer, "latency_ms", daemon->latency_ms);
        json_write_i64(writer, "answered_ms_ago", daemon->answered_ms_ago);
        json_write_u64(writer, "failures", daemon->failures_count);
        json_write_text(writer, "error", daemon->error[0] == '\0' ? NULL : daemon->error);
        json_end_object(writer);
    }
    json_end_array(writer);
}
