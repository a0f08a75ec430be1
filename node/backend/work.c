#include <stdio.h>
#include <string.h>
#include "node/backend/internal.h"
#include "node/backend/template_job.h"

#define TEMPLATE_AGE_MAX_MS  300000 // a tip that is confirmed but whose template is old
#define POLL_ALONE_MS        1000   // without long-poll
#define LONGPOLL_QUICK_MS    500    // an answer sooner than this, with nothing new, was no wait
#define LONGPOLL_USELESS_MAX 3
#define LONGPOLL_PAUSE_MS    250

static struct coin_daemon *active_daemon(struct backend *backend)
{
    return backend->active == NO_DAEMON ? NULL : &backend->daemons[backend->active];
}

void work_want_template(struct backend *backend)
{
    backend->work.wants_template = true;
    backend->work.wanted_at = net_loop_now(backend->loop).mono;
    backend_wake(backend);
}

static int64_t poll_interval_ms(const struct backend *backend)
{
    int64_t poll_ms = backend->config.poll_ms;
    bool is_alone = !backend->daemons[backend->active].has_longpoll;
    return is_alone && poll_ms > POLL_ALONE_MS ? POLL_ALONE_MS : poll_ms;
}

void work_begin_session(struct backend *backend)
{
    struct work_state *work = &backend->work;
    struct mono_time now = net_loop_now(backend->loop).mono;
    work->session++;
    work->has_session_prev = false;
    work->mismatch_since = MONO_NEVER;
    work->longpoll_useless_count = 0;
    work->longpoll_id[0] = '\0';
    work_want_template(backend);
    work->refresh_at = MONO_NEVER;
    work->longpoll_at = MONO_NEVER;
    work->poll_at = mono_after(now, poll_interval_ms(backend));
}

void work_end_session(struct backend *backend)
{
    struct work_state *work = &backend->work;
    daemon_call_cancel(&work->get.call);
    daemon_call_cancel(&work->longpoll.call);
    daemon_call_cancel(&work->poll.call);
    work->get_job = NULL; // what still runs is of an old session
}

// Fresh templates.

static void give_up_longpoll(struct backend *backend, const char *why)
{
    struct coin_daemon *daemon = active_daemon(backend);
    daemon->has_longpoll = false;
    backend->work.longpoll_at = MONO_NEVER;
    backend->work.poll_at = net_loop_now(backend->loop).mono;
    log_event(backend->env->log, LOG_WARN, "backend",
              "no long-poll with this daemon: it is asked for its tip every second instead",
              LOG_TEXT("daemon", daemon->link.shown), LOG_TEXT("reason", why));
}

static void plan_longpoll(struct backend *backend, const struct block_template *block_template)
{
    struct work_state *work = &backend->work;
    struct coin_daemon *daemon = active_daemon(backend);
    struct mono_time now = net_loop_now(backend->loop).mono;
    if (block_template->longpoll_id[0] == '\0') {
        if (daemon->has_longpoll) {
            give_up_longpoll(backend, "its templates have no longpollid");
        }
        return;
    }
    memcpy(work->longpoll_id, block_template->longpoll_id, sizeof(work->longpoll_id));
    if (work->longpoll_at.ms ==
        MONO_NEVER.ms) { // else a pause runs, which refreshes must not stretch
        work->longpoll_at = now;
    }
}

// After a change of daemon the new one may lag behind: its older tip is not taken while the present
// work is still safe, or miners would be sent back to work that is stale.
static bool is_step_back(const struct backend *backend, const struct block_template *fresh)
{
    const struct work_state *work = &backend->work;
    return work->current != NULL && work->daemon != backend->active &&
           fresh->height < work->current->height;
}

static void apply_template(struct backend *backend, struct template_job *job)
{
    struct work_state *work = &backend->work;
    struct block_template *fresh = job->block_template;
    struct mono_time now = net_loop_now(backend->loop).mono;
    bool is_first_of_session = !work->has_session_prev;
    if (!work->has_session_prev || !hash_equal(&work->session_prev, &fresh->prev)) {
        work->mismatch_since = MONO_NEVER;
    }
    work->has_session_prev = true;
    work->session_prev = fresh->prev;
    plan_longpoll(backend, fresh);
    work->refresh_at = mono_after(now, backend->config.refresh_ms);
    if (is_step_back(backend, fresh)) {
        return;
    }
    bool is_new_block = work->current == NULL || !hash_equal(&work->current->prev, &fresh->prev);
    // The same prev again confirms nothing: a daemon that has lost its network repeats itself. Its
    // getbestblockhash does, and a first word of another daemon.
    if (is_new_block || is_first_of_session) {
        work->confirmed_at = job->asked_at;
    }
    block_template_release(work->current);
    work->current = block_template_hold(fresh);
    work->daemon = backend->active;
    work->asked_at = job->asked_at;
    coin_daemon_took_template(&backend->daemons[backend->active]);
    backend->watch.is_wanted = backend->watch.is_wanted || is_new_block;
    if (job->is_longpoll && job->asked_at.ms > work->wanted_at.ms) {
        work->wants_template = false; // this is what was wished for
    }
    backend->events.template_changed(backend->events.context, fresh, is_new_block);
}

static void forget_job(struct backend *backend, const struct template_job *job)
{
    struct template_job **link = &backend->work.jobs;
    while (*link != job) {
        link = &(*link)->next;
    }
    *link = job->next;
    if (backend->work.get_job == job) {
        backend->work.get_job = NULL;
    }
}

// A long-poll that answers at once with the prev that it was sent with, or with an error, is none.
static void judge_longpoll(struct backend *backend, const struct template_job *job, bool is_good)
{
    struct work_state *work = &backend->work;
    bool is_same_prev = is_good && hash_equal(&job->block_template->prev, &work->longpoll_prev);
    bool is_useful = is_good && !(job->is_quick && is_same_prev);
    work->longpoll_useless_count = is_useful ? 0 : work->longpoll_useless_count + 1;
    struct mono_time now = net_loop_now(backend->loop).mono;
    int64_t pause_ms = is_useful ? 0 : is_good ? LONGPOLL_PAUSE_MS : POLL_ALONE_MS;
    work->longpoll_at = mono_after(now, pause_ms);
    if (work->longpoll_useless_count >= LONGPOLL_USELESS_MAX) {
        give_up_longpoll(backend, is_good ? "it does not wait" : "it answers with errors");
    }
}

static void take_job(struct backend *backend, struct template_job *job)
{
    struct work_state *work = &backend->work;
    struct coin_daemon *daemon = active_daemon(backend);
    bool is_good = job->is_reply && !job->reply.is_error && job->result == TEMPLATE_OK;
    if (job->is_longpoll) {
        judge_longpoll(backend, job, is_good);
    }
    if (is_good) {
        if (job->number > work->applied) { // else a later answer was parsed sooner
            work->applied = job->number;
            apply_template(backend, job);
        }
        return;
    }
    if (job->is_longpoll) {
        work->poll_at = net_loop_now(backend->loop).mono;
        return;
    }
    char error[DAEMON_ERROR_SIZE];
    template_job_describe(job, &daemon->link, error);
    bool is_waiting = job->reply.is_error && (job->reply.code == RPC_STILL_SYNCING ||
                                              job->reply.code == RPC_NOT_CONNECTED);
    coin_daemon_fail(daemon, is_waiting ? DAEMON_SYNCING : DAEMON_DOWN, error, true);
}

static void on_job_done(struct template_job *job)
{
    struct backend *backend = job->owner;
    if (backend != NULL) {
        forget_job(backend, job);
        if (job->was_run && job->session == backend->work.session && backend->active != NO_DAEMON) {
            take_job(backend, job);
        }
        backend_wake(backend);
    }
    template_job_free(job);
}

static bool parse(struct backend *backend, const struct call_slot *slot,
                  const struct daemon_answer *answer)
{
    struct work_state *work = &backend->work;
    struct mono_time now = net_loop_now(backend->loop).mono;
    bool is_longpoll = slot == &work->longpoll;
    struct template_job *job = template_job_new(answer->body);
    if (job == NULL) {
        return false;
    }
    job->owner = backend;
    job->done = on_job_done;
    job->session = work->session;
    job->number = ++work->answers_count;
    // A long-poll is answered when there is news, not when it is asked.
    job->asked_at = is_longpoll ? now : slot->sent_at;
    job->is_longpoll = is_longpoll;
    job->is_quick = now.ms - slot->sent_at.ms < LONGPOLL_QUICK_MS;
    job->status = answer->status;
    job->params = backend->config.params;
    job->needs = (struct coinbase_needs){.weight = backend->config.coinbase_weight,
                                         .sigops = backend->config.coinbase_sigops};
    if (!template_job_start(job, backend->worker)) {
        template_job_free(job);
        return false;
    }
    job->next = work->jobs;
    work->jobs = job;
    work->get_job = is_longpoll ? work->get_job : job;
    return true;
}

static void on_template(void *context, const struct daemon_answer *answer)
{
    struct backend *backend = context;
    struct mono_time now = net_loop_now(backend->loop).mono;
    if (answer->body == NULL) {
        // What a probe can do again, a template perhaps cannot.
        coin_daemon_fail(active_daemon(backend), DAEMON_DOWN, answer->error,
                         !answer->is_unreachable);
        return;
    }
    active_daemon(backend)->answered_at = now;
    if (!parse(backend, &backend->work.get, answer)) {
        backend->work.refresh_at = mono_after(now, POLL_ALONE_MS); // no memory: later perhaps
    }
    backend_wake(backend);
}

static void on_longpoll(void *context, const struct daemon_answer *answer)
{
    struct backend *backend = context;
    struct work_state *work = &backend->work;
    struct mono_time now = net_loop_now(backend->loop).mono;
    if (answer->body == NULL || !parse(backend, &work->longpoll, answer)) {
        // It was long enough, or the daemon has gone: the poll tells.
        work->longpoll_at = mono_after(now, POLL_ALONE_MS);
        work->poll_at = now;
    }
    backend_wake(backend);
}

static bool send_template_call(struct backend *backend, struct call_slot *slot,
                               const struct daemon_call_spec *spec)
{
    struct json_writer writer;
    char error[DAEMON_ERROR_SIZE];
    struct coin_daemon *daemon = active_daemon(backend);
    call_slot_begin(slot, &writer, "getblocktemplate");
    json_begin_object(&writer, NULL);
    json_begin_array(&writer, "capabilities");
    json_write_text(&writer, NULL, "coinbasevalue");
    json_write_text(&writer, NULL, "longpoll");
    json_end_array(&writer);
    json_begin_array(&writer, "rules");
    json_write_text(&writer, NULL, "segwit");
    if (backend->config.params->has_mweb) {
        json_write_text(&writer, NULL, "mweb");
    }
    json_end_array(&writer);
    if (slot == &backend->work.longpoll) {
        json_write_text(&writer, "longpollid", backend->work.longpoll_id);
    }
    json_end_object(&writer);
    rpc_end_call(&writer);
    if (call_slot_send(slot, daemon, spec, error)) {
        return true;
    }
    coin_daemon_fail(daemon, DAEMON_DOWN, error, true);
    return false;
}

static void get_template(struct backend *backend)
{
    const struct daemon_call_spec spec = {.timeout_ms = backend->config.template_timeout_ms,
                                          .answered = on_template,
                                          .context = backend};
    backend->work.wants_template = false;
    backend->work.refresh_at = MONO_NEVER; // until it is answered
    send_template_call(backend, &backend->work.get, &spec);
}

static void start_longpoll(struct backend *backend)
{
    const struct daemon_call_spec spec = {.timeout_ms = backend->config.longpoll_timeout_ms,
                                          .answered = on_longpoll,
                                          .context = backend};
    backend->work.longpoll_at = MONO_NEVER;
    backend->work.longpoll_prev = backend->work.session_prev;
    send_template_call(backend, &backend->work.longpoll, &spec);
}

// The tip.

static void check_mismatch(struct backend *backend, struct mono_time now)
{
    struct work_state *work = &backend->work;
    char error[DAEMON_ERROR_SIZE];
    struct coin_daemon *daemon = active_daemon(backend);
    if (work->mismatch_since.ms == MONO_NEVER.ms) {
        work->mismatch_since = now;
    }
    if (now.ms - work->mismatch_since.ms < backend->config.behind_after_ms) {
        return;
    }
    snprintf(error, sizeof(error),
             "the templates of %s do not build on its own tip: its miner part hangs, restart "
             "%s",
             daemon->link.shown, backend->config.params->daemon_name);
    coin_daemon_fail(daemon, DAEMON_DOWN, error, true);
}

static void take_tip(struct backend *backend, const struct hash256 *tip)
{
    struct work_state *work = &backend->work;
    struct mono_time now = net_loop_now(backend->loop).mono;
    if (work->current != NULL && hash_equal(tip, &work->current->prev)) {
        work->confirmed_at = work->poll.sent_at;
    }
    active_daemon(backend)->tip = *tip;
    work->poll_at = mono_after(now, poll_interval_ms(backend));
    if (work->has_session_prev && hash_equal(tip, &work->session_prev)) {
        work->mismatch_since = MONO_NEVER;
        return;
    }
    if (work->has_session_prev) {
        work_want_template(backend);
        check_mismatch(backend, now);
    }
}

static void on_poll(void *context, const struct daemon_answer *answer)
{
    static const char method[] = "getbestblockhash";
    struct backend *backend = context;
    struct coin_daemon *daemon = active_daemon(backend);
    char error[DAEMON_ERROR_SIZE];
    char text[65] = "";
    struct rpc_reply reply;
    struct hash256 tip;
    if (answer->body == NULL) {
        coin_daemon_fail(daemon, DAEMON_DOWN, answer->error, false);
        return;
    }
    daemon->answered_at = net_loop_now(backend->loop).mono;
    daemon->latency_ms = answer->duration_ms;
    struct json *json = daemon_parse_reply(&daemon->link, answer, method, &reply, error);
    if (json == NULL) {
        coin_daemon_fail(daemon, DAEMON_DOWN, error, false);
        return;
    }
    bool is_hash = json_to_text(reply.result, text, sizeof(text)) && hash_from_display(&tip, text);
    json_free(json);
    if (!is_hash) {
        snprintf(error, sizeof(error), "the answer of %s to %s is no block hash",
                 daemon->link.shown, method);
        coin_daemon_fail(daemon, DAEMON_DOWN, error, false);
        return;
    }
    take_tip(backend, &tip);
    backend_wake(backend);
}

static void start_poll(struct backend *backend)
{
    struct json_writer writer;
    char error[DAEMON_ERROR_SIZE];
    struct coin_daemon *daemon = active_daemon(backend);
    const struct daemon_call_spec spec = {
        .timeout_ms = backend->config.request_timeout_ms, .answered = on_poll, .context = backend};
    call_slot_begin(&backend->work.poll, &writer, "getbestblockhash");
    rpc_end_call(&writer);
    backend->work.poll_at = MONO_NEVER; // until it is answered
    if (!call_slot_send(&backend->work.poll, daemon, &spec, error)) {
        coin_daemon_fail(daemon, DAEMON_DOWN, error, false);
    }
}

// The watchdog.

static struct mono_time unsafe_at(const struct backend *backend)
{
    const struct work_state *work = &backend->work;
    return work->current == NULL
               ? MONO_NEVER
               : mono_min(mono_after(work->confirmed_at, backend->config.unsafe_after_ms),
                          mono_after(work->asked_at, TEMPLATE_AGE_MAX_MS));
}

static void watch_safety(struct backend *backend, struct now now)
{
    struct work_state *work = &backend->work;
    if (now.mono.ms < unsafe_at(backend).ms) {
        return;
    }
    char reason[DAEMON_ERROR_SIZE + 80];
    const char *error = backend->daemons[work->daemon].error;
    int64_t confirmed_ms = now.mono.ms - work->confirmed_at.ms;
    bool is_confirmed = confirmed_ms < backend->config.unsafe_after_ms;
    int64_t age = is_confirmed ? now.mono.ms - work->asked_at.ms : confirmed_ms;
    snprintf(reason, sizeof(reason), "%s for %lld s%s%s",
             is_confirmed ? "no coin daemon has given a template"
                          : "no coin daemon has confirmed the tip",
             (long long)age / 1000, error[0] != '\0' ? ": " : "", error);
    block_template_release(work->current);
    work->current = NULL;
    work_want_template(backend);
    backend->events.work_unsafe(backend->events.context, reason);
}

void work_tick(struct backend *backend, struct now now)
{
    struct work_state *work = &backend->work;
    watch_safety(backend, now);
    bool wants_template = work->wants_template || mono_is_due(work->refresh_at, now);
    if (backend->active != NO_DAEMON && wants_template && work->get.call.exchange == NULL &&
        work->get_job == NULL) {
        get_template(backend);
    }
    if (backend->active != NO_DAEMON && mono_is_due(work->poll_at, now) &&
        work->poll.call.exchange == NULL) {
        start_poll(backend);
    }
    if (backend->active != NO_DAEMON && active_daemon(backend)->has_longpoll &&
        mono_is_due(work->longpoll_at, now) && work->longpoll.call.exchange == NULL) {
        start_longpoll(backend);
    }
}

void work_add_deadlines(const struct backend *backend, struct mono_time *next, struct now now)
{
    const struct work_state *work = &backend->work;
    deadline_add(next, unsafe_at(backend), now);
    if (backend->active != NO_DAEMON) {
        deadline_add(next, work->refresh_at, now);
        deadline_add(next, work->poll_at, now);
        deadline_add(next, work->longpoll_at, now);
    }
}

void work_clear(struct backend *backend)
{
    struct work_state *work = &backend->work;
    for (struct template_job *job = work->jobs; job != NULL; job = job->next) {
        job->owner = NULL; // each ends by itself
    }
    work->jobs = NULL;
    call_slot_clear(&work->get);
    call_slot_clear(&work->longpoll);
    call_slot_clear(&work->poll);
    block_template_release(work->current);
    work->current = NULL;
}
