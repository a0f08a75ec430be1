#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/base/log.h"
#include "stratum/engine.h"
#include "stratum/reply.h"

#define RATE_TELL_MS     600000
#define STALE_KEEP_MS    60000 // a block on an earlier tip is worth a try, for a while
#define TICK_STEP_MIN_MS 10
#define SLOTS_FIRST      64

static bool grow_slots(struct stratum *stratum)
{
    size_t count = stratum->slots_count == 0 ? SLOTS_FIRST : stratum->slots_count * 2;
    if (stratum->slots_count >> SESSION_SLOT_BITS != 0) {
        return false;
    }
    struct session **slots = realloc(stratum->slots, count * sizeof(struct session *));
    if (slots == NULL) {
        return false;
    }
    memset(slots + stratum->slots_count, 0,
           (count - stratum->slots_count) * sizeof(struct session *));
    stratum->slots_cursor = stratum->slots_count;
    stratum->slots = slots;
    stratum->slots_count = count;
    return true;
}

static bool take_slot(struct stratum *stratum, struct session *session)
{
    if (stratum->slots_used == stratum->slots_count && !grow_slots(stratum)) {
        return false;
    }
    while (stratum->slots[stratum->slots_cursor] != NULL) {
        stratum->slots_cursor = (stratum->slots_cursor + 1) % stratum->slots_count;
    }
    session->id = stratum->next_serial++ << SESSION_SLOT_BITS | stratum->slots_cursor;
    stratum->slots[stratum->slots_cursor] = session;
    stratum->slots_used++;
    return true;
}

static void leave_slot(struct stratum *stratum, struct session *session)
{
    stratum->slots[session->id & ((1u << SESSION_SLOT_BITS) - 1)] = NULL;
    stratum->slots_used--;
}

static void init_times(struct session *session)
{
    const struct stratum *stratum = session->engine;
    session->connected = stratum->now;
    session->line_at = stratum->now.mono;
    session->authorize_by.ms = stratum->now.mono.ms + stratum->config.authorize_ms;
    session->job_at = MONO_NEVER;
    session->blocked_since = MONO_NEVER;
    session->partial_since = MONO_NEVER;
    session->rejects_since = MONO_NEVER;
    session->rate_told_at = stratum->now.mono;
    session->line_tokens = stratum->config.lines_burst;
    session->line_tokens_at = stratum->now.mono;
    rate_init(&session->rate, stratum->now.mono);
}

struct session *session_open(struct stratum *stratum, const struct stratum_peer *peer)
{
    struct session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return NULL;
    }
    session->engine = stratum;
    session->peer = *peer;
    session->peer.text[sizeof(session->peer.text) - 1] = '\0';
    session->kind = miner_kind_find("");
    init_times(session);
    if (!take_slot(stratum, session)) {
        free(session);
        return NULL;
    }
    if (!schedule_add(&stratum->schedule, &session->node, MONO_NEVER)) {
        leave_slot(stratum, session);
        free(session);
        return NULL;
    }
    // A counter never gives two living connections the same search space.
    uint32_t extranonce = stratum->next_extranonce++;
    for (size_t i = 0; i < EXTRANONCE1_SIZE; i++) {
        session->extranonce1[i] = (uint8_t)(extranonce >> (8 * (3 - i)));
    }
    env_random_bytes(stratum->env, session->resume_key, sizeof(session->resume_key));
    ban_session_joined(stratum->bans, &session->peer);
    stratum->totals.connections++;
    session_reschedule(session);
    return session;
}

void session_free(struct session *session)
{
    for (size_t i = 0; i < session->jobs_count; i++) {
        engine_release_job(session->engine, session->jobs[i]);
    }
    for (size_t i = 0; i < session->users_count; i++) {
        free(session->users[i]);
    }
    free(session->users);
    free(session->partial);
    free(session);
}

void session_close(struct session *session, enum stratum_close reason)
{
    struct stratum *stratum = session->engine;
    struct stratum_session_view view;
    if (session->is_closed) {
        return;
    }
    if (stratum->out_session == session && reason == STRATUM_CLOSE_DISCONNECTED) {
        buffer_reset(&stratum->out); // nobody is there to read it
        stratum->out_session = NULL;
    } else if (stratum->out_session == session) {
        session_flush(stratum);
        if (session->is_closed) {
            return;
        }
    }
    report_worker_rate(session);
    report_session(session, stratum->now, &view);
    session->is_closed = true;
    session->close_reason = reason;
    stratum->totals.closes[reason]++;
    leave_slot(stratum, session);
    schedule_remove(&stratum->schedule, &session->node);
    ban_session_left(stratum->bans, &session->peer);
    session->next_closed = stratum->closed;
    stratum->closed = session;
    stratum->events.session_closed(stratum->events.context, &view, reason);
    if (reason != STRATUM_CLOSE_DISCONNECTED) {
        stratum->events.close(stratum->events.context, session->id, reason);
    }
}

// What the engine has written goes out. The buffer is set aside meanwhile: the transport may call
// back and make us write again.
static void send_out(struct stratum *stratum)
{
    struct session *session = stratum->out_session;
    struct buffer sending = stratum->out;
    stratum->out_session = NULL;
    stratum->out = stratum->out_spare;
    buffer_init(&stratum->out_spare, sending.size_max);
    if (!session->is_closed && !sending.failed && sending.size > 0) {
        size_t queued =
            stratum->events.send(stratum->events.context, session->id, sending.data, sending.size);
        if (queued > 0 && session->queued == 0) {
            session->blocked_since = stratum->now.mono;
        }
        session->queued = queued;
    }
    bool is_failed = sending.failed;
    buffer_reset(&sending);
    if (stratum->out_spare.data == NULL) {
        stratum->out_spare = sending;
    } else {
        buffer_clear(&sending);
    }
    if (session->is_closed) {
        return;
    }
    if (is_failed) {
        session_close(session, STRATUM_CLOSE_MEMORY);
    } else if (session->queued > stratum->send_max) {
        session_close(session, STRATUM_CLOSE_SLOW_READER);
    } else if (session->queued > 0) {
        session_reschedule(session);
    }
}

void session_flush(struct stratum *stratum)
{
    while (stratum->out_session != NULL) {
        send_out(stratum);
    }
}

struct buffer *session_out(struct session *session)
{
    struct stratum *stratum = session->engine;
    if (session->is_closed) {
        return &stratum->nowhere;
    }
    if (stratum->out_session != session) {
        session_flush(stratum);
        if (session->is_closed) {
            return &stratum->nowhere;
        }
        stratum->out_session = session;
    }
    return &stratum->out;
}

void session_drained(struct session *session)
{
    session->queued = 0;
    session->blocked_since = MONO_NEVER;
    if (session->is_job_due) {
        session->is_job_due = false;
        assign_job(session, false);
    }
}

void session_name(const struct session *session, char out[SESSION_NAME_SIZE])
{
    hex_encode(session->extranonce1, EXTRANONCE1_SIZE, out);
    hex_encode(session->resume_key, SESSION_RESUME_KEY_SIZE, out + 2 * EXTRANONCE1_SIZE);
}

void session_offend(struct session *session, enum ban_offence offence, enum stratum_close reason)
{
    struct stratum *stratum = session->engine;
    if (!ban_add_offence(stratum->bans, &session->peer, offence, stratum->now.mono)) {
        return;
    }
    log_event(stratum->env->log, LOG_WARN, "stratum", "address banned",
              LOG_TEXT("address", session->peer.text), LOG_TEXT("why", stratum_close_text(reason)),
              LOG_I64("seconds", stratum->config.ban_ms / 1000));
    session_close(session, reason);
}

double session_hashrate(const struct session *session)
{
    const struct stratum *stratum = session->engine;
    if (!session->is_mining) {
        return 0;
    }
    return vardiff_estimate(&session->vardiff, stratum->now.mono) * stratum->hashes_per_difficulty;
}

static struct mono_time after(struct mono_time time, int64_t ms)
{
    return time.ms == MONO_NEVER.ms ? time : (struct mono_time){time.ms + ms};
}

static struct mono_time next_deadline(const struct session *session)
{
    const struct stratum_config *config = &session->engine->config;
    struct mono_time at = after(session->line_at, config->idle_ms);
    at = mono_min(at, after(session->blocked_since, config->blocked_ms));
    at = mono_min(at, after(session->partial_since, config->blocked_ms));
    if (!session->has_line) {
        at = mono_min(at, after(session->connected.mono, config->first_line_ms));
    }
    if (!session->is_mining) {
        return mono_min(at, session->authorize_by);
    }
    if (!session->is_job_due) {
        at = mono_min(at, after(session->job_at, config->refresh_ms));
    }
    return mono_min(at, vardiff_deadline(&session->vardiff));
}

void session_reschedule(struct session *session)
{
    if (session->is_closed) {
        return;
    }
    struct mono_time at = next_deadline(session);
    if (at.ms < session->node.at.ms) {
        schedule_set(&session->engine->schedule, &session->node, at);
    }
}

// True, and closed, if the session's patience with the miner is over.
static bool close_if_overdue(struct session *session)
{
    const struct stratum_config *config = &session->engine->config;
    int64_t now = session->engine->now.mono.ms;
    if (!session->has_line && now >= session->connected.mono.ms + config->first_line_ms) {
        session_offend(session, BAN_SILENT, STRATUM_CLOSE_NO_FIRST_LINE);
        session_close(session, STRATUM_CLOSE_NO_FIRST_LINE);
    } else if (!session->is_mining && now >= session->authorize_by.ms) {
        session_close(session, session->close_reason != STRATUM_CLOSE_DISCONNECTED
                                   ? session->close_reason
                                   : STRATUM_CLOSE_NOT_AUTHORIZED);
    } else if (now >= after(session->blocked_since, config->blocked_ms).ms) {
        session_close(session, STRATUM_CLOSE_SLOW_READER);
    } else if (now >= after(session->partial_since, config->blocked_ms).ms ||
               now >= after(session->line_at, config->idle_ms).ms) {
        session_close(session, STRATUM_CLOSE_IDLE);
    }
    return session->is_closed;
}

static void refresh(struct session *session)
{
    struct stratum *stratum = session->engine;
    if (stratum->now.mono.ms - stratum->era_begun.ms >= STALE_KEEP_MS) {
        assign_drop_stale(session);
    }
    if (stratum->now.mono.ms - session->rate_told_at.ms >= RATE_TELL_MS) {
        report_worker_rate(session);
    }
    assign_job(session, false);
}

void session_tick(struct session *session)
{
    struct stratum *stratum = session->engine;
    struct mono_time now = stratum->now.mono;
    if (close_if_overdue(session)) {
        return;
    }
    if (session->is_mining) {
        assign_adjust(session);
        if (!session->is_job_due &&
            now.ms >= after(session->job_at, stratum->config.refresh_ms).ms) {
            refresh(session);
        }
    }
    if (session->is_closed) {
        return;
    }
    struct mono_time next = next_deadline(session);
    struct mono_time soonest = {now.ms + TICK_STEP_MIN_MS};
    schedule_set(&stratum->schedule, &session->node, next.ms > soonest.ms ? next : soonest);
}
