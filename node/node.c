#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "node/api/access.h"
#include "node/control.h"
#include "node/meter.h"
#include "node/standings.h"
#include "node/state.h"
#include "node/swarm.h"
#include "node/web_events.h"
#include "node/web_access.h"
#include "node/web_server.h"

#define STOP_WAIT_MS 1500

// ---- The loop's callbacks

static void on_stratum_timer(void *context, struct now now)
{
    struct node *node = context;
    stratum_tick(node->stratum, now);
}

static void on_work_timer(void *context, struct now now)
{
    (void)now;
    struct node *node = context;
    node->wants_work = true;
}

// Everything that this turn brought is one new job at most.
static void on_turn_ended(void *context, struct now now)
{
    struct node *node = context;
    if (node->wants_work)
        work_make(node);
    standings_follow(node->standings);
    miners_deadline(node);
    miner_book_tick(node->miner_book, now);
    payout_book_follow(node->payout_book);
    swarm_turn_ended(node->swarm, now);
    meter_turn_ended(node->meter);
}

static void say_store_health(struct node *node)
{
    enum store_health health = store_health(node->store);
    if (health == node->store_health)
        return;
    node->store_health = health;
    char text[256];
    store_health_text(node->store, text, sizeof(text));
    if (health == STORE_HEALTHY)
        log_plain(node->log, LOG_INFO, "store", "the disk takes everything again");
    else
        log_event(node->log, LOG_ERROR, "store", "the disk does not take what must be kept",
                  LOG_TEXT("reason", text),
                  LOG_U64("pending_bytes", store_pending_bytes(node->store)));
}

static void on_store_woken(void *context)
{
    struct node *node = context;
    say_store_health(node);
    meter_store_woken(node->meter);
    if (node->stratum != NULL)
        stratum_release(node->stratum, store_durable(node->store), net_loop_now(node->loop));
    if (node->is_paused_for_store)
        node->wants_work = true;
}

static void wake_loop(void *context)
{
    net_wake_send(context);
}

// ---- The share-chain's events

static void on_share_became_valid(void *context, const struct hash256 *id, const uint8_t *bytes,
                                  size_t size)
{
    struct node *node = context;
    if (log_wants(node->log, LOG_DEBUG)) {
        char text[65];
        hash_to_hex(id, text);
        log_event(node->log, LOG_DEBUG, "sharechain", "new share", LOG_TEXT("id", text));
    }
    swarm_share_became_valid(node->swarm, id, bytes, size);
    web_events_grain(node->web_events, id, bytes, size);
}

static void on_link_became_valid(void *context, const struct hash256 *id)
{
    struct node *node = context;
    swarm_link_became_valid(node->swarm, id);
}

static void on_tip_changed(void *context, const struct hash256 *id, uint32_t depth)
{
    struct node *node = context;
    struct link_view tip;
    sharechain_tip(node->sharechain, &tip);
    char text[65];
    hash_to_hex(id, text);
    log_event(node->log, depth > 0 ? LOG_INFO : LOG_DEBUG, "sharechain",
              depth > 0 ? "changed to a heavier branch" : "new link", LOG_U64("height", tip.height),
              LOG_TEXT("id", text), LOG_U64("grains", tip.grains_count),
              LOG_U64("links_left", depth));
    swarm_tip_changed(node->swarm);
    meter_tip_changed(node->meter, depth);
    web_events_link(node->web_events, &tip, depth > 0);
    node->wants_work = true;
}

// ---- Making it

static bool open_store(struct node *node, char error[NODE_ERROR_SIZE])
{
    if (mkdir(node->config->data, 0700) != 0) {
        struct stat status;
        if (stat(node->config->data, &status) != 0 || !S_ISDIR(status.st_mode)) {
            snprintf(error, NODE_ERROR_SIZE,
                     "data: cannot make the directory \"%.300s\"; give one whose parent exists and "
                     "is writable",
                     node->config->data);
            return false;
        }
    }
    char path[CONFIG_TEXT_SIZE + 16];
    snprintf(path, sizeof(path), "%s/chain", node->config->data);
    struct store_lmdb_options options = {
        .path = path, .wake = wake_loop, .context = node->store_wake};
    node->store = store_lmdb_open(&options, error, NODE_ERROR_SIZE);
    return node->store != NULL;
}

static bool make_sharechain(struct node *node, char error[NODE_ERROR_SIZE])
{
    struct sharechain_events events = {.context = node,
                                       .share_became_valid = on_share_became_valid,
                                       .link_became_valid = on_link_became_valid,
                                       .tip_changed = on_tip_changed};
    node->sharechain = sharechain_new(&node->env, node->pool, node->store, &events);
    if (node->sharechain == NULL) {
        snprintf(error, NODE_ERROR_SIZE, "out of memory");
        return false;
    }
    if (!sharechain_load(node->sharechain, error, NODE_ERROR_SIZE))
        return false;
    struct sharechain_counts counts;
    struct link_view tip;
    sharechain_counts(node->sharechain, &counts);
    sharechain_tip(node->sharechain, &tip);
    log_event(node->log, LOG_INFO, "sharechain", "read from disk", LOG_U64("links", counts.links),
              LOG_U64("shares", counts.shares), LOG_U64("headers", counts.headers),
              LOG_U64("height", tip.height));
    node->standings = standings_new(&node->env, node->sharechain, node->store);
    snprintf(error, NODE_ERROR_SIZE, "out of memory");
    if (node->standings != NULL)
        standings_follow(node->standings);
    return node->standings != NULL;
}

// The first difficulty of a miner of whom nothing is known: some seconds of work for the usual
// device of a public chain, and for a processor on those to play with.
static double start_difficulty(const struct chain_params *chain)
{
    bool is_toy = chain_is_toy(chain);
    switch (chain->pow) {
    case POW_SHA256D:
        return is_toy ? 0.0005 : 1024;
    case POW_SCRYPT:
        return is_toy ? 0.125 : 16384;
    }
    abort();
}

// The largest coinbase that miners of this pool will see: all outputs taproot, no merge-mining, a
// height of three bytes. What devices take is a matter of a few bytes, so this is no estimate.
static size_t largest_coinbase(const struct pool *pool)
{
    struct coinbase_output outputs[COINBASE_OUTPUTS_MAX] = {0};
    struct hash256 commitment = {{0}};
    for (size_t i = 0; i < pool->outputs; i++)
        outputs[i].script = (struct script){.size = 34, .bytes = {0x51, 0x20}};
    struct coinbase_spec spec = {
        .height = 1 << 22,
        .outputs = outputs,
        .outputs_count = pool->outputs,
        .witness_commitment = &commitment,
    };
    struct buffer prefix;
    buffer_init(&prefix, coinbase_prefix_size_max(COINBASE_OUTPUTS_MAX));
    coinbase_write_prefix(&spec, &prefix);
    size_t size = prefix.failed ? coinbase_prefix_size_max(pool->outputs) : prefix.size;
    buffer_clear(&prefix);
    return coinbase_size(size);
}

struct stratum_limits node_stratum_limits(const struct node *node)
{
    const struct config *config = node->config;
    const struct chain_params *chain = node->pool->chain;
    struct stratum_limits limits = {
        .sessions_max = config->stratum_connections,
        .sessions_per_address_max = config->stratum_connections_per_address,
        .difficulty_start = config->stratum_difficulty,
        .difficulty_min = config->stratum_difficulty_min,
        .shares_per_minute = config->stratum_shares_per_minute,
    };
    if (!(limits.difficulty_start > 0))
        limits.difficulty_start = start_difficulty(chain);
    if (!(limits.difficulty_min > 0))
        limits.difficulty_min = stratum_config_default(chain, 0).difficulty_min;
    return limits;
}

static bool make_stratum(struct node *node, char error[NODE_ERROR_SIZE])
{
    const struct config *config = node->config;
    struct stratum_config stratum =
        stratum_config_default(node->pool->chain, largest_coinbase(node->pool));
    for (size_t i = 0; i < config->stratum_device_override.count; i++)
        node->device_overrides[i] = config->stratum_device_override.items[i];
    stratum.pool_name = node->pool->name;
    stratum.version_mask = config->stratum_version_mask;
    struct stratum_limits limits = node_stratum_limits(node);
    stratum.sessions_max = limits.sessions_max;
    stratum.sessions_per_address_max = limits.sessions_per_address_max;
    stratum.difficulty_start = limits.difficulty_start;
    stratum.difficulty_min = limits.difficulty_min;
    stratum.shares_per_minute = limits.shares_per_minute;
    stratum.devices_trusted = node->device_overrides;
    stratum.devices_trusted_count = config->stratum_device_override.count;
    struct stratum_events events;
    miners_fill_events(node, &events);
    node->stratum = stratum_new(&node->env, &events, &stratum);
    node->hasher = hasher_new(node);
    node->sockets = map_new(&node->env);
    if (node->stratum != NULL && node->hasher != NULL && node->sockets != NULL)
        return true;
    snprintf(error, NODE_ERROR_SIZE, "out of memory");
    return false;
}

static bool make_backend(struct node *node, char error[NODE_ERROR_SIZE])
{
    const struct config *config = node->config;
    size_t coinbase = coinbase_size(coinbase_prefix_size_max(node->pool->outputs));
    struct backend_config backend = {
        .params = node->pool->chain,
        .daemons_count = config->daemon.count,
        .coinbase_weight = (uint32_t)(4 * coinbase + 36),
        .coinbase_sigops = 4u * node->pool->outputs,
        .poll_ms = (int64_t)config->daemon_poll_s * 1000,
        .header_floor = node->pool->anchor_height,
    };
    for (size_t i = 0; i < config->daemon.count; i++)
        backend.daemons[i] = (struct backend_daemon_config){
            .url = config->daemon.items[i],
            .user = config->daemon_user,
            .password = config->daemon_password,
            .cookie_file = config->daemon_cookie[0] == '\0' ? NULL : config->daemon_cookie,
        };
    struct backend_events events = {
        .context = node,
        .template_changed = work_template_changed,
        .work_unsafe = work_unsafe,
        .headers_arrived = work_headers_arrived,
        .has_header = work_has_header,
        .headers_finished = work_headers_finished,
        .block_result = blocks_result,
        .block_moved = blocks_moved,
    };
    node->backend = backend_new(node->loop, &node->env, &backend, &events, error);
    if (node->backend == NULL)
        return false;
    blocks_resume(node);
    return true;
}

static bool make_parts(struct node *node, char error[NODE_ERROR_SIZE])
{
    snprintf(error, NODE_ERROR_SIZE, "out of memory");
    if (!net_env_init(&node->env, node->log)) {
        snprintf(error, NODE_ERROR_SIZE, "the system gives no randomness");
        return false;
    }
    node->store_wake = net_wake_new(node->loop, on_store_woken, node);
    node->stratum_timer = net_timer_new(node->loop, on_stratum_timer, node);
    node->work_timer = net_timer_new(node->loop, on_work_timer, node);
    node->meter = meter_new(node, net_clock_ns);
    if (node->store_wake == NULL || node->stratum_timer == NULL || node->work_timer == NULL ||
        node->meter == NULL)
        return false;
    if (!open_store(node, error) || !make_sharechain(node, error))
        return false;
    node->swarm = swarm_new(node, error);
    if (node->swarm == NULL)
        return false;
    snprintf(error, NODE_ERROR_SIZE, "out of memory");
    node->miner_book = miners_open_book(node);
    node->payout_book = payout_book_new(node->sharechain, node->store);
    if (node->miner_book == NULL || node->payout_book == NULL || !blocks_load(node) ||
        !make_stratum(node, error) || !miners_listen(node, error))
        return false;
    node->access = access_open(node->config->data, &node->env, error);
    if (node->access == NULL)
        return false;
    node->control = control_new(node, error);
    if (node->control == NULL || !make_backend(node, error))
        return false;
    if (node->config->http_listen[0] != '\0')
        node->web_server = web_server_new(node, error);
    if (node->web_server != NULL)
        node->web_access = web_access_new(node, node->web_server, error);
    return node->web_access != NULL || node->config->http_listen[0] == '\0';
}

struct node *node_new(const struct node_options *options, char error[NODE_ERROR_SIZE])
{
    struct node *node = calloc(1, sizeof(*node));
    if (node == NULL) {
        snprintf(error, NODE_ERROR_SIZE, "out of memory");
        return NULL;
    }
    node->config = options->config;
    node->config_to_change = options->config;
    node->argc = options->argc;
    node->argv = options->argv;
    node->pool = options->pool;
    node->loop = options->loop;
    node->log = options->log;
    node->started_at = net_loop_now(node->loop).wall;
    node->work_stale_since = MONO_NEVER;
    if (!make_parts(node, error)) {
        node_free(node);
        return NULL;
    }
    net_loop_each_turn(node->loop, on_turn_ended, node);
    return node;
}

static void on_stop_timer(void *context, struct now now)
{
    (void)now;
    struct node *node = context;
    net_loop_stop(node->loop);
}

void node_stop(struct node *node)
{
    if (node->is_stopping) {
        net_loop_stop(node->loop);
        return;
    }
    node->is_stopping = true;
    log_plain(node->log, LOG_INFO, "node", "stopping: miners are told to reconnect");
    struct now now = net_loop_now(node->loop);
    stratum_drain(node->stratum, now);
    miners_close(node);
    swarm_stop(node->swarm);
    node->stop_timer = net_timer_new(node->loop, on_stop_timer, node);
    if (node->stop_timer == NULL) {
        net_loop_stop(node->loop);
        return;
    }
    net_timer_start(node->stop_timer, (struct mono_time){now.mono.ms + STOP_WAIT_MS});
}

static void sockets_free(struct node *node)
{
    size_t cursor = 0;
    struct hash256 key;
    void *value;
    while (node->sockets != NULL && map_next(node->sockets, &cursor, &key, &value)) {
        struct miner_socket *socket = value;
        map_remove(node->sockets, &key);
        socket->session = 0;
        net_connection_reset(socket->connection);
    }
}

void node_free(struct node *node)
{
    if (node == NULL)
        return;
    net_loop_each_turn(node->loop, NULL, NULL);
    web_server_free(node->web_server);
    web_access_free(node->web_access);
    control_free(node->control);
    miners_close(node);
    access_close(node->access);
    swarm_free(node->swarm);
    node->swarm = NULL;
    backend_free(node->backend);
    sockets_free(node);
    hasher_free(node->hasher);
    stratum_free(node->stratum);
    map_free(node->sockets);
    mint_release(node->mint);
    block_template_release(node->block_template);
    miner_book_free(node->miner_book, net_loop_now(node->loop));
    payout_book_free(node->payout_book);
    standings_free(node->standings);
    sharechain_free(node->sharechain);
    if (node->store != NULL && !store_settle(node->store, 5000))
        log_plain(node->log, LOG_ERROR, "store", "stopped with work that is not on disk");
    if (node->store != NULL)
        store_close(node->store);
    net_timer_free(node->stratum_timer);
    net_timer_free(node->work_timer);
    net_timer_free(node->stop_timer);
    net_wake_free(node->store_wake);
    meter_free(node->meter);
    free(node->blocks);
    free(node);
}
