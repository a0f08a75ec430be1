#include <stdio.h>
#include <string.h>
#include "node/backend/internal.h"

static const char method[] = "getblockchaininfo";

static void say(struct coin_daemon *daemon, enum log_level level, const char *event)
{
    log_event(daemon->backend->env->log, level, "backend", event,
              LOG_TEXT("daemon", daemon->link.shown), LOG_TEXT("problem", daemon->error));
}

// Nothing is wrong any more.
static void clear_error(struct coin_daemon *daemon)
{
    daemon->error[0] = '\0';
    daemon->is_template_fault = false;
    daemon->backoff_ms = daemon->backend->config.backoff_min_ms;
    if (daemon->said[0] != '\0') {
        daemon->said[0] = '\0';
        log_event(daemon->backend->env->log, LOG_INFO, "backend", "the daemon works again",
                  LOG_TEXT("daemon", daemon->link.shown), LOG_I64("height", daemon->height));
    }
}

static void set_error(struct coin_daemon *daemon, const char *error)
{
    snprintf(daemon->error, sizeof(daemon->error), "%s", error);
    if (strcmp(daemon->said, daemon->error) != 0) {
        memcpy(daemon->said, daemon->error, sizeof(daemon->said));
        say(daemon, LOG_ERROR, "a daemon cannot be used");
    }
}

void coin_daemon_fail(struct coin_daemon *daemon, enum daemon_state state, const char *error,
                      bool is_template_fault)
{
    struct backend *backend = daemon->backend;
    int64_t wait_ms = backend_back_off(backend, &daemon->backoff_ms);
    if (state == DAEMON_WRONG_CHAIN) {
        wait_ms = backend->config.backoff_max_ms; // somebody has to change something first
    }
    daemon_call_cancel(&daemon->probe.call);
    daemon->state = state;
    daemon->failures_count++;
    daemon->is_template_fault = is_template_fault;
    daemon->is_behind = false;
    daemon->behind_since = MONO_NEVER;
    daemon->has_batch = true; // asked anew: it may be another daemon that comes back
    daemon->has_longpoll = true;
    daemon->probe_at = mono_after(net_loop_now(backend->loop).mono, wait_ms);
    set_error(daemon, error);
    if (backend->active == daemon->index) {
        backend_leave_active(backend);
    }
    backend_wake(backend);
}

void coin_daemon_took_template(struct coin_daemon *daemon)
{
    if (daemon->is_template_fault) {
        clear_error(daemon);
    }
    daemon->backoff_ms = daemon->backend->config.backoff_min_ms;
}

// Tips are compared by work where both daemons tell it.
static bool has_better_tip(const struct coin_daemon *a, const struct coin_daemon *b)
{
    if (strlen(a->chainwork) == 64 && strlen(b->chainwork) == 64) {
        return strcmp(a->chainwork, b->chainwork) > 0;
    }
    return a->height > b->height;
}

// The ready daemon with the best tip among the others, if it is better than this one's.
static const struct coin_daemon *find_better(const struct coin_daemon *daemon)
{
    const struct backend *backend = daemon->backend;
    const struct coin_daemon *best = daemon;
    for (size_t i = 0; i < backend->config.daemons_count; i++) {
        const struct coin_daemon *other = &backend->daemons[i];
        if (other->state == DAEMON_READY && has_better_tip(other, best)) {
            best = other;
        }
    }
    return best == daemon ? NULL : best;
}

static void check_behind(struct coin_daemon *daemon, struct now now)
{
    const struct coin_daemon *better = find_better(daemon);
    if (better == NULL) {
        daemon->behind_since = MONO_NEVER;
        if (daemon->is_behind) {
            daemon->is_behind = false;
            daemon->good_since = now.mono;
            clear_error(daemon);
        }
        return;
    }
    if (daemon->behind_since.ms == MONO_NEVER.ms) {
        daemon->behind_since = now.mono;
    }
    if (daemon->is_behind ||
        now.mono.ms - daemon->behind_since.ms < daemon->backend->config.behind_after_ms) {
        return;
    }
    char error[DAEMON_ERROR_SIZE];
    daemon->is_behind = true;
    daemon->failures_count++;
    snprintf(error, sizeof(error),
             "its tip (height %lld) is behind that of %s (height %lld): it may have lost its "
             "network, see its log",
             (long long)daemon->height, better->link.shown, (long long)better->height);
    set_error(daemon, error);
}

static bool is_right_chain(const struct chain_params *params, const char *chain)
{
    for (size_t i = 0; i < 4 && params->rpc_chain_names[i] != NULL; i++) {
        if (strcmp(params->rpc_chain_names[i], chain) == 0) {
            return true;
        }
    }
    return false;
}

static void describe_wrong_chain(const struct coin_daemon *daemon, const char *chain,
                                 char error[DAEMON_ERROR_SIZE])
{
    const struct chain_params *params = daemon->backend->config.params;
    snprintf(error, DAEMON_ERROR_SIZE,
             "%s serves the chain \"%.32s\", but this pool is on %s (\"%s\"): start %s on that "
             "chain, or correct the url or the pool file",
             daemon->link.shown, chain, params->name, params->rpc_chain_names[0],
             params->daemon_name);
}

// False if the reply lacks what every daemon tells.
static bool read_info(struct coin_daemon *daemon, struct json_value info, char chain[64])
{
    char tip[65];
    uint64_t height = 0;
    bool is_syncing = false;
    if (!json_to_text(json_get(info, "chain"), chain, 64) ||
        !json_to_u64(json_get(info, "blocks"), &height) || height > UINT32_MAX ||
        !json_to_text(json_get(info, "bestblockhash"), tip, sizeof(tip)) ||
        !hash_from_display(&daemon->tip, tip)) {
        return false;
    }
    if (!json_to_text(json_get(info, "chainwork"), daemon->chainwork, sizeof(daemon->chainwork))) {
        daemon->chainwork[0] = '\0';
    }
    daemon->height = (int64_t)height;
    json_to_bool(json_get(info, "initialblockdownload"), &is_syncing);
    if (is_syncing && !daemon->is_syncing) {
        log_event(daemon->backend->env->log, LOG_WARN, "backend",
                  "the daemon says that it still downloads the chain",
                  LOG_TEXT("daemon", daemon->link.shown), LOG_I64("height", daemon->height));
    }
    daemon->is_syncing = is_syncing;
    return true;
}

static void take_info(struct coin_daemon *daemon, const struct rpc_reply *reply)
{
    struct now now = net_loop_now(daemon->backend->loop);
    char error[DAEMON_ERROR_SIZE];
    char chain[64] = "";
    if (!read_info(daemon, reply->result, chain)) {
        snprintf(error, sizeof(error),
                 "the answer of %s to %s lacks chain, blocks or bestblockhash: is this a full "
                 "node?",
                 daemon->link.shown, method);
        coin_daemon_fail(daemon, DAEMON_DOWN, error, false);
        return;
    }
    if (!is_right_chain(daemon->backend->config.params, chain)) {
        describe_wrong_chain(daemon, chain, error);
        coin_daemon_fail(daemon, DAEMON_WRONG_CHAIN, error, false);
        return;
    }
    if (daemon->state != DAEMON_READY) {
        daemon->state = DAEMON_READY;
        daemon->good_since = now.mono;
    }
    if (!daemon->is_template_fault && !daemon->is_behind) {
        clear_error(daemon);
    }
    check_behind(daemon, now);
    daemon->probe_at = mono_after(now.mono, daemon->backend->config.probe_ms);
    backend_wake(daemon->backend);
}

static void on_probe(void *context, const struct daemon_answer *answer)
{
    struct coin_daemon *daemon = context;
    char error[DAEMON_ERROR_SIZE];
    struct rpc_reply reply;
    if (answer->body == NULL) {
        coin_daemon_fail(daemon, DAEMON_DOWN, answer->error, false);
        return;
    }
    daemon->answered_at = net_loop_now(daemon->backend->loop).mono;
    daemon->latency_ms = answer->duration_ms;
    struct json *json = daemon_parse_reply(&daemon->link, answer, method, &reply, error);
    if (json == NULL) {
        coin_daemon_fail(daemon, DAEMON_DOWN, error, false);
        return;
    }
    take_info(daemon, &reply);
    json_free(json);
}

void probe_tick(struct coin_daemon *daemon, struct now now)
{
    if (now.mono.ms < daemon->probe_at.ms || daemon->probe.call.exchange != NULL) {
        return;
    }
    char error[DAEMON_ERROR_SIZE];
    struct json_writer writer;
    call_slot_begin(&daemon->probe, &writer, method);
    rpc_end_call(&writer);
    const struct daemon_call_spec spec = {.timeout_ms = daemon->backend->config.request_timeout_ms,
                                          .answered = on_probe,
                                          .context = daemon};
    daemon->probe_at = MONO_NEVER; // until it is answered
    if (!call_slot_send(&daemon->probe, daemon, &spec, error)) {
        coin_daemon_fail(daemon, DAEMON_DOWN, error, false);
    }
}

void probe_cancel(struct coin_daemon *daemon)
{
    call_slot_clear(&daemon->probe);
}
