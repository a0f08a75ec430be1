#include "node/backend/internal.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_BODY_MAX           65536
#define JOBS_MAX                64
#define COINBASE_WEIGHT_DEFAULT 40000
#define COINBASE_SIGOPS_DEFAULT 1000

const char *block_fate_text(enum block_fate fate)
{
    switch (fate) {
    case BLOCK_ACCEPTED:
        return "accepted";
    case BLOCK_KNOWN:
        return "already known";
    case BLOCK_INCONCLUSIVE:
        return "good, but not on the best chain";
    case BLOCK_STALE:
        return "stale";
    case BLOCK_REJECTED:
        return "rejected";
    case BLOCK_UNREACHABLE:
        return "not delivered";
    }
    return "";
}

const char *daemon_state_text(enum daemon_state state)
{
    switch (state) {
    case DAEMON_CHECKING:
        return "checking";
    case DAEMON_READY:
        return "ready";
    case DAEMON_SYNCING:
        return "syncing";
    case DAEMON_WRONG_CHAIN:
        return "wrong chain";
    case DAEMON_DOWN:
        return "down";
    }
    return "";
}

struct mono_time mono_after(struct mono_time from, int64_t ms)
{
    return (struct mono_time){.ms = from.ms + ms};
}

int64_t backend_back_off(struct backend *backend, int64_t *backoff_ms)
{
    int64_t wait_ms = *backoff_ms;
    *backoff_ms =
        wait_ms * 2 < backend->config.backoff_max_ms ? wait_ms * 2 : backend->config.backoff_max_ms;
    return wait_ms - (int64_t)env_random_below(backend->env, (uint64_t)wait_ms / 2 + 1);
}

void backend_wake(struct backend *backend)
{
    backend->is_woken = true;
    net_timer_start(backend->timer, net_loop_now(backend->loop).mono);
}

// Calls.

void call_slot_init(struct call_slot *slot)
{
    buffer_init(&slot->body, CALL_BODY_MAX);
}

void call_slot_clear(struct call_slot *slot)
{
    daemon_call_cancel(&slot->call);
    buffer_clear(&slot->body);
}

void call_slot_begin(struct call_slot *slot, struct json_writer *writer, const char *method)
{
    buffer_reset(&slot->body);
    json_writer_init(writer, &slot->body);
    rpc_begin_call(writer, 1, method);
}

bool call_slot_send(struct call_slot *slot, struct coin_daemon *daemon,
                    const struct daemon_call_spec *spec, char error[DAEMON_ERROR_SIZE])
{
    struct daemon_call_spec whole = *spec;
    whole.body = &slot->body;
    slot->sent_at = net_loop_now(daemon->backend->loop).mono;
    return daemon_call_start(&slot->call, &daemon->link, &whole, error);
}

// Which daemon is used.

void backend_leave_active(struct backend *backend)
{
    if (backend->active == NO_DAEMON) {
        return;
    }
    backend->active = NO_DAEMON;
    work_end_session(backend);
    headers_interrupt(backend);
    many_cancel(&backend->watch.many);
    backend_wake(backend);
}

static bool is_good(const struct coin_daemon *daemon)
{
    return daemon->state == DAEMON_READY && !daemon->is_syncing && !daemon->is_behind;
}

// A daemon that failed is preferred again only after it has been good for long.
static bool is_trusted(const struct coin_daemon *daemon, struct now now)
{
    const struct backend_config *config = &daemon->backend->config;
    return daemon->failures_count == 0 ||
           now.mono.ms - daemon->good_since.ms >= config->return_after_ms;
}

// The first of those that are as good as can be had; the active one stays against a better one that
// is not trusted.
static size_t choose_among(const struct backend *backend, bool wants_good, struct now now)
{
    size_t active = backend->active;
    bool keeps_active = active != NO_DAEMON && backend->daemons[active].state == DAEMON_READY &&
                        (!wants_good || is_good(&backend->daemons[active]));
    for (size_t i = 0; i < backend->config.daemons_count; i++) {
        const struct coin_daemon *daemon = &backend->daemons[i];
        bool fits = daemon->state == DAEMON_READY && (!wants_good || is_good(daemon));
        if (fits && (!keeps_active || i >= active || is_trusted(daemon, now))) {
            return i;
        }
    }
    return NO_DAEMON;
}

// At the start a preferred daemon that answers a little later than another is waited for.
static bool should_wait(const struct backend *backend, size_t chosen, struct now now)
{
    if (backend->work.session > 0 ||
        now.mono.ms - backend->started_at.ms >= backend->config.connect_timeout_ms) {
        return false;
    }
    for (size_t i = 0; i < chosen && i < backend->config.daemons_count; i++) {
        if (backend->daemons[i].state == DAEMON_CHECKING) {
            return true;
        }
    }
    return false;
}

static void choose(struct backend *backend, struct now now)
{
    size_t chosen = choose_among(backend, true, now);
    if (chosen == NO_DAEMON) {
        chosen = choose_among(backend, false, now);
    }
    if (chosen == NO_DAEMON || chosen == backend->active || should_wait(backend, chosen, now)) {
        return;
    }
    backend_leave_active(backend);
    backend->active = chosen;
    log_event(backend->env->log, LOG_INFO, "backend", "taking templates from this daemon",
              LOG_TEXT("daemon", backend->daemons[chosen].link.shown),
              LOG_I64("height", backend->daemons[chosen].height));
    work_begin_session(backend);
}

void deadline_add(struct mono_time *next, struct mono_time deadline, struct now now)
{
    if (deadline.ms > now.mono.ms) {
        *next = mono_min(*next, deadline);
    }
}

static struct mono_time next_deadline(const struct backend *backend, struct now now)
{
    struct mono_time next = MONO_NEVER;
    const struct backend_config *config = &backend->config;
    work_add_deadlines(backend, &next, now);
    submit_add_deadlines(backend, &next, now);
    deadline_add(&next, backend->headers.retry_at, now);
    deadline_add(&next, mono_after(backend->started_at, config->connect_timeout_ms), now);
    for (size_t i = 0; i < config->daemons_count; i++) {
        const struct coin_daemon *daemon = &backend->daemons[i];
        deadline_add(&next, daemon->probe_at, now);
        if (i < backend->active) { // when it will be trusted again
            deadline_add(&next, mono_after(daemon->good_since, config->return_after_ms), now);
        }
    }
    return next;
}

static void backend_tick(void *context, struct now now)
{
    struct backend *backend = context;
    backend->is_woken = false;
    for (size_t i = 0; i < backend->config.daemons_count; i++) {
        probe_tick(&backend->daemons[i], now);
    }
    choose(backend, now);
    submit_tick(backend, now);
    work_tick(backend, now);
    headers_tick(backend, now);
    watch_tick(backend, now);
    if (!backend->is_woken) {
        net_timer_start(backend->timer, next_deadline(backend, now));
    }
}

// Making and ending.

static void fill_default(int64_t *value, int64_t normal)
{
    if (*value == 0) {
        *value = normal;
    }
}

static void fill_defaults(struct backend_config *config)
{
    fill_default(&config->poll_ms, 5000);
    fill_default(&config->probe_ms, 10000);
    fill_default(&config->refresh_ms, 30000);
    fill_default(&config->unsafe_after_ms, 60000);
    fill_default(&config->behind_after_ms, 20000);
    fill_default(&config->return_after_ms, 300000);
    fill_default(&config->connect_timeout_ms, 3000);
    fill_default(&config->request_timeout_ms, 10000);
    fill_default(&config->template_timeout_ms, 30000);
    fill_default(&config->longpoll_timeout_ms, 600000);
    fill_default(&config->backoff_min_ms, 1000);
    fill_default(&config->backoff_max_ms, 30000);
    fill_default(&config->submit_for_ms, 600000);
    if (config->coinbase_weight == 0) {
        config->coinbase_weight = COINBASE_WEIGHT_DEFAULT;
    }
    if (config->coinbase_sigops == 0) {
        config->coinbase_sigops = COINBASE_SIGOPS_DEFAULT;
    }
}

static bool init_daemon(struct backend *backend, size_t i, char error[BACKEND_ERROR_SIZE])
{
    struct coin_daemon *daemon = &backend->daemons[i];
    if (!daemon_link_init(&daemon->link, &backend->config.daemons[i], backend->config.params,
                          error)) {
        return false;
    }
    daemon->link.http = backend->http;
    daemon->link.connect_timeout_ms = backend->config.connect_timeout_ms;
    daemon->backend = backend;
    daemon->index = i;
    daemon->probe_at = backend->started_at;
    daemon->backoff_ms = backend->config.backoff_min_ms;
    daemon->good_since = backend->started_at;
    daemon->behind_since = MONO_NEVER;
    daemon->height = -1;
    daemon->latency_ms = -1;
    daemon->answered_at = MONO_NEVER;
    daemon->has_batch = true;
    daemon->has_longpoll = true;
    call_slot_init(&daemon->probe);
    return true;
}

static void init_parts(struct backend *backend)
{
    struct work_state *work = &backend->work;
    call_slot_init(&work->get);
    call_slot_init(&work->longpoll);
    call_slot_init(&work->poll);
    many_init(&backend->headers.many);
    many_init(&backend->watch.many);
    backend->headers.retry_at = MONO_NEVER;
    backend->headers.backoff_ms = backend->config.backoff_min_ms;
    work->refresh_at = MONO_NEVER;
    work->poll_at = MONO_NEVER;
    work->longpoll_at = MONO_NEVER;
    work->mismatch_since = MONO_NEVER;
    backend->active = NO_DAEMON;
    backend->started_at = net_loop_now(backend->loop).mono;
}

static bool make_parts(struct backend *backend, char error[BACKEND_ERROR_SIZE])
{
    snprintf(error, BACKEND_ERROR_SIZE, "out of memory");
    backend->http = http_client_new(backend->loop);
    backend->worker = net_worker_new(backend->loop, JOBS_MAX);
    backend->timer = net_timer_new(backend->loop, backend_tick, backend);
    if (backend->http == NULL || backend->worker == NULL || backend->timer == NULL) {
        return false;
    }
    size_t count = backend->config.daemons_count;
    if (count == 0 || count > LIMIT_DAEMONS) {
        snprintf(error, BACKEND_ERROR_SIZE, "%zu daemons are configured: name 1 to %d", count,
                 LIMIT_DAEMONS);
        backend->config.daemons_count = 0;
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!init_daemon(backend, i, error)) {
            return false;
        }
    }
    return true;
}

struct backend *backend_new(struct net_loop *loop, const struct env *env,
                            const struct backend_config *config,
                            const struct backend_events *events, char error[BACKEND_ERROR_SIZE])
{
    struct backend *backend = calloc(1, sizeof(*backend));
    if (backend == NULL) {
        snprintf(error, BACKEND_ERROR_SIZE, "out of memory");
        return NULL;
    }
    backend->loop = loop;
    backend->env = env;
    backend->config = *config;
    backend->events = *events;
    fill_defaults(&backend->config);
    init_parts(backend);
    if (!make_parts(backend, error)) {
        backend_free(backend);
        return NULL;
    }
    memset(backend->config.daemons, 0, sizeof(backend->config.daemons));
    backend_wake(backend);
    return backend;
}

void backend_free(struct backend *backend)
{
    if (backend == NULL) {
        return;
    }
    submit_clear(backend);
    work_clear(backend);
    many_clear(&backend->headers.many);
    many_clear(&backend->watch.many);
    for (size_t i = 0; i < LIMIT_DAEMONS; i++) {
        probe_cancel(&backend->daemons[i]);
        daemon_link_clear(&backend->daemons[i].link);
    }
    http_client_free(backend->http);
    net_worker_free(backend->worker);
    net_timer_free(backend->timer);
    free(backend);
}

void backend_refresh(struct backend *backend)
{
    work_want_template(backend);
}

void backend_set_coinbase_reserve(struct backend *backend, uint32_t weight, uint32_t sigops)
{
    backend->config.coinbase_weight = weight;
    backend->config.coinbase_sigops = sigops;
}

// What people see.

static int64_t age_ms(struct mono_time since, struct now now)
{
    return since.ms == MONO_NEVER.ms ? -1 : now.mono.ms - since.ms;
}

static void view_daemon(const struct coin_daemon *daemon, struct now now, struct daemon_view *view)
{
    snprintf(view->url, sizeof(view->url), "%s", daemon->link.shown);
    view->state = daemon->state;
    view->is_active = daemon->backend->active == daemon->index;
    view->has_longpoll = daemon->has_longpoll;
    view->height = daemon->height;
    view->tip = daemon->tip;
    view->latency_ms = daemon->latency_ms;
    view->answered_ms_ago = age_ms(daemon->answered_at, now);
    view->failures_count = daemon->failures_count;
    memcpy(view->error, daemon->error, sizeof(view->error));
}

void backend_get_view(struct backend *backend, struct backend_view *view)
{
    struct now now = net_loop_now(backend->loop);
    const struct work_state *work = &backend->work;
    memset(view, 0, sizeof(*view));
    view->daemons_count = backend->config.daemons_count;
    for (size_t i = 0; i < view->daemons_count; i++) {
        view_daemon(&backend->daemons[i], now, &view->daemons[i]);
    }
    view->has_work = work->current != NULL;
    view->template_height = view->has_work ? work->current->height : -1;
    view->template_age_ms = view->has_work ? age_ms(work->asked_at, now) : -1;
    view->confirmed_ms_ago = view->has_work ? age_ms(work->confirmed_at, now) : -1;
    view->submissions_count = submit_pending_count(backend);
}
