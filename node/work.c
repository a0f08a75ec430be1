// The way of a new block: template -> mint -> job -> every session. Also the way of a new link, and
// of every 30 s.
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "node/meter.h"
#include "node/operate.h"
#include "node/pow/target.h"
#include "node/state.h"
#include "node/swarm.h"
#include "node/web_events.h"

#define WORK_AGE_MAX_MS 30000
#define WORK_RETRY_MS   1000
// Work on an old block is not served longer.
#define WORK_STALE_MAX_MS 60000
#define SAY_AGAIN_MS      60000
// A miner whose grains would be more than this part of a link's picks a shift: its receipts get
// fewer and heavier.
#define GRAINS_PER_MINER  30.0
#define STORE_PENDING_MAX (256u << 20)
// While a share is wanted that proves this node's work, one job of so many is of no team.
#define JOBS_PER_PROOF 8

void work_released(void *context, void *owner)
{
    (void)context;
    struct work *work = owner;
    mint_release(work->mint);
    block_template_release(work->block_template);
    buffer_clear(&work->prefix);
    free(work);
}

// ---- Headers: what the template builds on must be known to the share-chain

static void fetch_headers(struct node *node)
{
    if (node->is_fetching_headers)
        return;
    node->is_fetching_headers = true;
    backend_fetch_headers(node->backend, &node->block_template->prev);
}

void work_headers_arrived(void *context, const uint8_t *headers, size_t count)
{
    struct node *node = context;
    for (size_t i = 0; i < count; i++) {
        enum verdict verdict = sharechain_add_header(node->sharechain, headers + i * HEADER_SIZE);
        if (verdict != VERDICT_INVALID)
            continue;
        log_event(node->log, LOG_ERROR, "work", "the daemon's chain breaks this pool's rules",
                  LOG_TEXT("chain", node->pool->chain->name),
                  LOG_TEXT("what_to_do", "check that the daemon runs the chain that the pool file "
                                         "names and that the pool's anchor header is on it"));
        break;
    }
    swarm_settled(node->swarm);
}

bool work_has_header(void *context, const struct hash256 *id)
{
    struct node *node = context;
    return header_chain_find(sharechain_headers(node->sharechain), id) != NULL;
}

// It is asked for again every second, and said once a minute.
static void say_wrong_chain(struct node *node)
{
    struct mono_time now = net_loop_now(node->loop).mono;
    if (now.ms < node->anchor_say_again_at.ms)
        return;
    node->anchor_say_again_at.ms = now.ms + SAY_AGAIN_MS;
    log_event(node->log, LOG_ERROR, "work", "the daemon's chain does not hold the pool's anchor",
              LOG_U64("anchor_height", node->pool->anchor_height),
              LOG_TEXT("what_to_do", "this daemon follows another chain than the pool file: "
                                     "check the pool file and the daemon"));
}

void work_headers_finished(void *context, const struct hash256 *tip, enum headers_result result)
{
    struct node *node = context;
    node->is_fetching_headers = false;
    if (result == HEADERS_NO_ANCHOR)
        say_wrong_chain(node);
    if (node->block_template == NULL || result == HEADERS_NO_ANCHOR)
        return;
    // The daemon may have moved on meanwhile.
    if (hash_equal(tip, &node->block_template->prev) || result == HEADERS_DONE)
        node->wants_work = true;
}

// ---- Templates

void work_template_changed(void *context, struct block_template *block_template, bool is_new_block)
{
    struct node *node = context;
    bool is_first = node->block_template == NULL;
    block_template_release(node->block_template);
    node->block_template = block_template_hold(block_template);
    swarm_daemon_tip(node->swarm, &block_template->prev);
    meter_template_seen(node->meter, is_new_block || is_first);
    if (!is_new_block && !is_first)
        return; // more fees: the next job takes it
    char prev[65];
    hash_to_display(&block_template->prev, prev);
    log_event(node->log, LOG_INFO, "work", "new block to build on",
              LOG_I64("height", block_template->height), LOG_TEXT("prev", prev),
              LOG_U64("transactions", block_template->txs_count),
              LOG_U64("dropped", block_template->txs_dropped),
              LOG_U64("value_sats", block_template->coinbase_value));
    if (node->work_stale_since.ms == MONO_NEVER.ms)
        node->work_stale_since = net_loop_now(node->loop).mono;
    node->wants_work = true;
}

void work_stop(struct node *node, const char *reason)
{
    memset(&node->work_prev, 0, sizeof(node->work_prev));
    stratum_pause(node->stratum, reason, net_loop_now(node->loop));
}

void work_unsafe(void *context, const char *reason)
{
    struct node *node = context;
    log_event(node->log, LOG_ERROR, "work", "no safe work: miners are sent away until it is back",
              LOG_TEXT("reason", reason));
    block_template_release(node->block_template);
    node->block_template = NULL;
    work_stop(node, "no working coin daemon");
}

// ---- Making work

static void write_prefix(const struct mint *mint, const struct script *own_script,
                         struct buffer *out)
{
    struct coinbase_output *outputs = calloc(COINBASE_OUTPUTS_MAX, sizeof(*outputs));
    if (outputs == NULL) {
        out->failed = true;
        return;
    }
    struct coinbase_spec spec = {
        .height = mint->height,
        .aux = mint->info.has_aux ? mint->info.aux : NULL,
        .outputs = outputs,
        .outputs_count = mint_outputs(mint, own_script, outputs),
        .witness_commitment = mint->has_witness ? &mint->witness_commitment : NULL,
    };
    coinbase_write_prefix(&spec, out);
    free(outputs);
}

static struct work *work_new(struct mint *mint, struct block_template *block_template)
{
    struct work *work = calloc(1, sizeof(*work));
    if (work == NULL)
        return NULL;
    buffer_init(&work->prefix, coinbase_prefix_size_max(COINBASE_OUTPUTS_MAX));
    if (mint->is_solo)
        write_u8(&work->prefix, 0); // never served: every miner gets a prefix of its own
    else
        write_prefix(mint, NULL, &work->prefix);
    work->mint = mint_hold(mint);
    work->block_template = block_template_hold(block_template);
    if (!work->prefix.failed)
        return work;
    work_released(NULL, work);
    return NULL;
}

// It is tried every second, and may fail and succeed in turn: once a minute is enough.
static void say_mint_failure(struct node *node, enum mint_result result)
{
    struct mono_time now = net_loop_now(node->loop).mono;
    if (result == MINT_OK || result == MINT_PREV_UNKNOWN ||
        (result == node->mint_said && now.ms < node->mint_say_again_at.ms))
        return;
    node->mint_said = result;
    node->mint_say_again_at = (struct mono_time){now.ms + SAY_AGAIN_MS};
    log_event(node->log, LOG_ERROR, "work", "no new work can be made",
              LOG_TEXT("reason", mint_result_text(result)));
}

// There is a new block and no work on it: the old work is not served for long.
static void stop_if_stale(struct node *node, const char *reason)
{
    struct mono_time now = net_loop_now(node->loop).mono;
    if (hash_is_zero(&node->work_prev) || node->work_stale_since.ms == MONO_NEVER.ms ||
        now.ms - node->work_stale_since.ms < WORK_STALE_MAX_MS)
        return;
    log_event(node->log, LOG_ERROR, "work", "no work on the newest block: miners are sent away",
              LOG_TEXT("reason", reason));
    work_stop(node, reason);
}

static struct mint *make_mint(struct node *node)
{
    const struct block_template *block_template = node->block_template;
    struct mint_spec spec = {
        .prev = block_template->prev,
        .coinbase_value = block_template->coinbase_value,
        .has_witness = block_template->has_witness,
        .witness_commitment = block_template->witness_commitment,
        .now = net_loop_now(node->loop).wall,
    };
    memcpy(spec.node_tag, node->node_tag, sizeof(spec.node_tag));
    struct mint *mint = NULL;
    enum mint_result result = sharechain_mint(node->sharechain, &spec, &mint);
    say_mint_failure(node, result);
    if (result == MINT_PREV_UNKNOWN)
        fetch_headers(node);
    if (result != MINT_OK)
        stop_if_stale(node, mint_result_text(result));
    return mint;
}

// The daemon and our own reading of the coin's rules must agree, or every share would be worthless.
static bool template_agrees(struct node *node, const struct mint *mint)
{
    const struct block_template *block_template = node->block_template;
    if (mint->height == block_template->height && mint->header_bits == block_template->bits &&
        mint->header_time_min <= block_template->time)
        return true;
    log_event(
        node->log, LOG_ERROR, "work", "the template does not fit its own headers",
        LOG_I64("height", block_template->height), LOG_I64("height_by_headers", mint->height),
        LOG_U64("bits", block_template->bits), LOG_U64("bits_by_rules", mint->header_bits),
        LOG_TEXT("what_to_do", "check that the daemon runs the chain named in the pool file"));
    return false;
}

static void serve(struct node *node, struct mint *mint)
{
    struct block_template *block_template = node->block_template;
    struct u256 network_target;
    bool is_good = target_expand(block_template->bits, &network_target);
    assert(is_good); // they are the bits that a good header requires
    struct work *work = work_new(mint, block_template);
    if (work == NULL)
        return;
    uint32_t min_time = mint->header_time_min > block_template->min_time ? mint->header_time_min
                                                                         : block_template->min_time;
    struct stratum_work stratum_work = {
        .prev = block_template->prev,
        .height = block_template->height,
        .version = block_template->version,
        .bits = block_template->bits,
        .time = block_template->time > min_time ? block_template->time : min_time,
        .min_time = min_time,
        .branch = block_template->branch,
        .network_target = network_target,
        .is_clean = !hash_equal(&node->work_prev, &block_template->prev),
        .prefix = work->prefix.data,
        .prefix_size = work->prefix.size,
        .owner = work,
    };
    node->work_prev = block_template->prev;
    node->work_stale_since = MONO_NEVER;
    mint_release(node->mint);
    node->mint = mint_hold(mint);
    meter_work_made(node->meter, stratum_work.is_clean);
    stratum_set_work(node->stratum, &stratum_work, net_loop_now(node->loop));
    meter_work_told(node->meter);
    web_events_job(node->web_events, mint, stratum_work.is_clean);
}

static bool store_has_room(struct node *node)
{
    bool has_room = store_pending_bytes(node->store) < STORE_PENDING_MAX;
    if (!has_room && !node->is_paused_for_store) {
        log_event(node->log, LOG_ERROR, "work", "too much waits for the disk: miners are sent away",
                  LOG_U64("pending_bytes", store_pending_bytes(node->store)));
        work_stop(node, "the disk is full");
    }
    node->is_paused_for_store = !has_room;
    return has_room;
}

// Work on a chain that the pool has left behind would earn nothing. Tried every second, said when
// the reason changes.
static bool may_mint(struct node *node)
{
    const char *refusal = swarm_refuses_work(node->swarm);
    if (refusal != NULL && refusal != node->refusal_said)
        log_event(node->log, LOG_WARN, "work", "miners are not served yet",
                  LOG_TEXT("reason", refusal));
    if (refusal == NULL && node->refusal_said != NULL)
        log_plain(node->log, LOG_INFO, "work", "synced with the pool: miners are served");
    node->refusal_said = refusal;
    if (refusal != NULL)
        work_stop(node, refusal);
    return refusal == NULL;
}

void work_make(struct node *node)
{
    node->wants_work = false;
    struct now now = net_loop_now(node->loop);
    net_timer_start(node->work_timer, (struct mono_time){now.mono.ms + WORK_RETRY_MS});
    if (operate_refuses_work(node) != NULL) {
        work_stop(node, operate_refuses_work(node));
        return;
    }
    if (node->is_stopping || !may_mint(node) || node->block_template == NULL ||
        !store_has_room(node))
        return;
    struct mint *mint = make_mint(node);
    if (mint == NULL)
        return;
    if (template_agrees(node, mint)) {
        serve(node, mint);
        net_timer_start(node->work_timer, (struct mono_time){now.mono.ms + WORK_AGE_MAX_MS});
    } else {
        work_stop(node, "the daemon's template does not fit the pool");
    }
    mint_release(mint);
}

// ---- A miner's job

static uint8_t choose_shift(const struct node *node, const struct mint *mint, double hashrate)
{
    struct u256 work = target_work(&mint->grain_target);
    double grains = hashrate * node->pool->link_spacing / u256_to_double(&work);
    if (!(grains > GRAINS_PER_MINER))
        return 0;
    double shift = ceil(log2(grains / GRAINS_PER_MINER));
    return shift < mint->grain_shift_max ? (uint8_t)shift : mint->grain_shift_max;
}

void work_share_info(const struct work *work, const struct script *payout,
                     const struct stratum_commitment *commitment, struct share_info *info)
{
    mint_share_info(work->mint, payout, commitment->grain_shift, info);
    struct team team = team_of_number(commitment->tag);
    team_to_tag(&team, info->node_tag);
}

bool work_job_commitment(void *context, const struct stratum_job_request *request,
                         struct stratum_commitment *commitment, struct buffer *own_prefix)
{
    struct node *node = context;
    const struct work *work = request->owner;
    const struct mint *mint = work->mint;
    struct share_info info;
    // A share of a team does not show whose node it comes from: now and then one has to.
    bool is_proof = swarm_wants_proof(node->swarm) && ++node->jobs_made % JOBS_PER_PROOF == 0;
    commitment->tag = is_proof ? 0 : team_to_number(request->team);
    commitment->grain_shift = choose_shift(node, mint, request->hashrate);
    work_share_info(work, request->payout, commitment, &info);
    share_info_hash(&info, &commitment->share_info_hash);
    mint_grain_target(mint, commitment->grain_shift, &commitment->grain_target);
    commitment->link_target = mint->link_target;
    commitment->time_max = mint->header_time_max;
    if (mint->is_solo)
        write_prefix(mint, request->payout, own_prefix);
    return !own_prefix->failed;
}
