#include "stratum/stratum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "node/pow/target.h"
#include "stratum/engine.h"
#include "stratum/reply.h"
#include "stratum/submit.h"

#define OUT_SIZE_MAX (4u << 20)

struct stratum_config stratum_config_default(const struct chain_params *chain,
                                             size_t coinbase_size_max)
{
    return (struct stratum_config){
        .chain = chain,
        .pool_name = "shoal",
        .coinbase_size_max = coinbase_size_max,
        .version_mask = 0x1fffe000,
        .sessions_max = 10000,
        .sessions_per_address_max = 2000,
        .connections_per_second = 200,
        .connections_burst = 2000,
        .lines_per_second = 200,
        .lines_burst = 4000,
        .difficulty_start = 1024,
        .difficulty_min = 1e-6,
        .shares_per_minute = 15,
        .shares_per_second_max = 2000,
        .first_line_ms = 10000,
        .authorize_ms = 15000,
        .idle_ms = 7200000,
        .refresh_ms = 30000,
        .blocked_ms = 30000,
        .answer_hold_ms = 1000,
        .resume_ms = 120000,
        .ban_ms = 600000,
        .hashes_pending_max = 4096,
    };
}

static bool make_parts(struct stratum *stratum)
{
    stratum->answers = answers_new();
    stratum->hashing = hashing_new();
    stratum->refused = refused_ring_new();
    stratum->bans = ban_table_new(stratum->env, &stratum->config);
    return stratum->answers != NULL && stratum->hashing != NULL && stratum->refused != NULL &&
           stratum->bans != NULL;
}

// Hashes that a share of difficulty 1 takes on average: 2^256 over its target.
static double hashes_of_difficulty_one(const struct pow_algorithm *algorithm)
{
    struct u256 target = target_from_difficulty(1, algorithm);
    return exp2(256) / u256_to_double(&target);
}

struct stratum *stratum_new(const struct env *env, const struct stratum_events *events,
                            const struct stratum_config *config)
{
    struct stratum *stratum = calloc(1, sizeof(*stratum));
    if (stratum == NULL) {
        return NULL;
    }
    stratum->env = env;
    stratum->events = *events;
    stratum->config = *config;
    stratum->algorithm = pow_algorithm(config->chain->pow);
    stratum->hashes_per_difficulty = hashes_of_difficulty_one(stratum->algorithm);
    stratum->duplicates_seed = env_random_u64(env);
    stratum->next_extranonce = (uint32_t)env_random_u64(env);
    // Jobs of an earlier run of the node are not to be mistaken for ours.
    stratum->next_job = (uint32_t)env_random_u64(env);
    stratum->next_serial = 1;
    stratum->pause_reason = "starting";
    stratum->send_max = LIMIT_SESSION_SEND_BYTES;
    stratum->connection_tokens = config->connections_burst;
    stratum->now.mono.ms = INT64_MIN;
    buffer_init(&stratum->out, OUT_SIZE_MAX);
    buffer_init(&stratum->out_spare, OUT_SIZE_MAX);
    buffer_init_fixed(&stratum->nowhere, NULL, 0);
    if (!make_parts(stratum)) {
        stratum_free(stratum);
        return NULL;
    }
    return stratum;
}

void stratum_free(struct stratum *stratum)
{
    if (stratum == NULL) {
        return;
    }
    for (size_t i = 0; i < stratum->slots_count; i++) {
        if (stratum->slots[i] != NULL) {
            session_free(stratum->slots[i]);
        }
    }
    resume_expire(stratum, true);
    hashing_free(stratum);
    engine_release_work(stratum, stratum->work);
    answers_free(stratum->answers);
    ban_table_free(stratum->bans);
    schedule_clear(&stratum->schedule);
    buffer_clear(&stratum->out);
    buffer_clear(&stratum->out_spare);
    free(stratum->refused);
    free(stratum->parked);
    free(stratum->slots);
    free(stratum);
}

static bool take_connection_token(struct stratum *stratum)
{
    double most = stratum->config.connections_burst;
    int64_t passed = stratum->now.mono.ms - stratum->connection_tokens_at.ms;
    if (passed > 0) {
        stratum->connection_tokens +=
            (double)passed / 1000 * stratum->config.connections_per_second;
        stratum->connection_tokens = fmin(stratum->connection_tokens, most);
    }
    stratum->connection_tokens_at = stratum->now.mono;
    if (stratum->connection_tokens < 1) {
        return false;
    }
    stratum->connection_tokens -= 1;
    return true;
}

static enum stratum_refusal admit(struct stratum *stratum, const struct stratum_peer *peer)
{
    const struct stratum_config *config = &stratum->config;
    if (stratum->pause_reason != NULL) {
        return STRATUM_REFUSED_PAUSED;
    }
    if (ban_is_banned(stratum->bans, peer, stratum->now.mono)) {
        return STRATUM_REFUSED_BANNED;
    }
    if (stratum->slots_used >= config->sessions_max) {
        return STRATUM_REFUSED_FULL;
    }
    if (ban_sessions(stratum->bans, peer) >= config->sessions_per_address_max &&
        !ban_is_trusted(stratum->bans, peer)) {
        return STRATUM_REFUSED_ADDRESS;
    }
    return take_connection_token(stratum) ? STRATUM_CONNECTED : STRATUM_REFUSED_RATE;
}

enum stratum_refusal stratum_connected(struct stratum *stratum, const struct stratum_peer *peer,
                                       struct now now, uint64_t *session_id)
{
    engine_enter(stratum, now);
    enum stratum_refusal refusal = admit(stratum, peer);
    if (refusal == STRATUM_CONNECTED) {
        const struct session *session = session_open(stratum, peer);
        if (session != NULL) {
            *session_id = session->id;
        } else {
            refusal = STRATUM_REFUSED_MEMORY;
        }
    }
    if (refusal != STRATUM_CONNECTED) {
        stratum->totals.refused++;
        stratum->totals.refusals[refusal]++;
    }
    engine_leave(stratum);
    return refusal;
}

void stratum_receive(struct stratum *stratum, uint64_t id, const void *bytes, size_t size,
                     struct now now)
{
    engine_enter(stratum, now);
    struct session *session = engine_session(stratum, id);
    if (session != NULL && size > 0) {
        receive_bytes(session, bytes, size);
        session_reschedule(session);
    }
    engine_leave(stratum);
}

void stratum_drained(struct stratum *stratum, uint64_t id, struct now now)
{
    engine_enter(stratum, now);
    struct session *session = engine_session(stratum, id);
    if (session != NULL) {
        session_drained(session);
    }
    engine_leave(stratum);
}

void stratum_disconnected(struct stratum *stratum, uint64_t id, struct now now)
{
    engine_enter(stratum, now);
    struct session *session = engine_session(stratum, id);
    if (session != NULL) {
        session_close(session, STRATUM_CLOSE_DISCONNECTED);
    }
    engine_leave(stratum);
}

void engine_housekeeping(struct stratum *stratum)
{
    stratum->housekeeping_at.ms = stratum->now.mono.ms + HOUSEKEEPING_MS;
    resume_expire(stratum, false);
    ban_sweep(stratum->bans, stratum->now.mono);
    assign_rebalance(stratum);
}

void stratum_tick(struct stratum *stratum, struct now now)
{
    engine_enter(stratum, now);
    answers_release(stratum, 0);
    struct schedule_node *first = schedule_first(&stratum->schedule);
    while (first != NULL && first->at.ms <= stratum->now.mono.ms) {
        session_tick((struct session *)first);
        first = schedule_first(&stratum->schedule);
    }
    if (stratum->housekeeping_at.ms <= stratum->now.mono.ms) {
        engine_housekeeping(stratum);
    }
    engine_leave(stratum);
}

struct mono_time stratum_next_deadline(const struct stratum *stratum)
{
    const struct schedule_node *first = schedule_first(&stratum->schedule);
    struct mono_time deadline = answers_deadline(stratum);
    if (first != NULL) {
        deadline = mono_min(deadline, first->at);
    }
    if (first != NULL || stratum->parked_count > 0) {
        deadline = mono_min(deadline, stratum->housekeeping_at);
    }
    return deadline;
}

static void offer_to_all(struct stratum *stratum, bool is_clean)
{
    const struct work *work = stratum->work;
    size_t count;
    struct session **sessions = engine_sessions_by_rate(stratum, &count);
    if (sessions == NULL) {
        log_plain(stratum->env->log, LOG_ERROR, "stratum", "out of memory, work goes out late");
        return; // the refresh of each session brings it
    }
    // A newer work may come from inside an event: it has been offered to all then.
    for (size_t i = 0; i < count && stratum->work == work; i++) {
        if (!sessions[i]->is_closed) {
            assign_job(sessions[i], is_clean);
        }
    }
    free(sessions);
}

bool stratum_set_work(struct stratum *stratum, const struct stratum_work *source, struct now now)
{
    engine_enter(stratum, now);
    struct work *before = stratum->work;
    bool is_clean = source->is_clean || before == NULL || !hash_equal(&before->prev, &source->prev);
    struct work *work = work_new(source, stratum->era + (is_clean ? 1 : 0), stratum->now.mono);
    if (work == NULL) {
        stratum->events.work_released(stratum->events.context, source->owner);
        engine_leave(stratum);
        return false;
    }
    if (is_clean) {
        stratum->era++;
        stratum->era_begun = stratum->now.mono;
    }
    stratum->totals.works++;
    stratum->pause_reason = stratum->is_draining ? stratum->pause_reason : NULL;
    size_t two_jobs = 2 * job_notify_size_max(work);
    stratum->send_max = two_jobs > LIMIT_SESSION_SEND_BYTES ? two_jobs : LIMIT_SESSION_SEND_BYTES;
    stratum->work = work;
    engine_release_work(stratum, before);
    offer_to_all(stratum, is_clean);
    engine_leave(stratum);
    return true;
}

void engine_close_all(struct stratum *stratum, enum stratum_close reason)
{
    for (size_t i = 0; i < stratum->slots_count; i++) {
        struct session *session = stratum->slots[i];
        if (session == NULL) {
            continue;
        }
        if (reason == STRATUM_CLOSE_DRAINED && session->is_subscribed) {
            reply_reconnect(session_out(session));
        }
        session_close(session, reason);
    }
}

void stratum_pause(struct stratum *stratum, const char *reason, struct now now)
{
    engine_enter(stratum, now);
    if (stratum->pause_reason == NULL) {
        log_event(stratum->env->log, LOG_WARN, "stratum",
                  "no work for miners, their connections are closed so that they fail over",
                  LOG_TEXT("why", reason), LOG_U64("sessions", stratum->slots_used));
    }
    stratum->pause_reason = reason;
    engine_close_all(stratum, STRATUM_CLOSE_PAUSED);
    engine_leave(stratum);
}

void stratum_drain(struct stratum *stratum, struct now now)
{
    engine_enter(stratum, now);
    stratum->pause_reason = "stopping";
    stratum->is_draining = true;
    engine_close_all(stratum, STRATUM_CLOSE_DRAINED);
    engine_leave(stratum);
}

void stratum_release(struct stratum *stratum, uint64_t sequence, struct now now)
{
    engine_enter(stratum, now);
    answers_release(stratum, sequence);
    engine_leave(stratum);
}

void stratum_hashed(struct stratum *stratum, uint64_t token, const struct hash256 *hash,
                    struct now now)
{
    engine_enter(stratum, now);
    hashing_answer(stratum, token, hash);
    engine_leave(stratum);
}

void stratum_totals(const struct stratum *stratum, struct now now, struct stratum_totals *totals)
{
    *totals = stratum->totals;
    totals->sessions = (uint32_t)stratum->slots_used;
    totals->sessions_parked = (uint32_t)stratum->parked_count;
    totals->answers_held = (uint32_t)answers_count(stratum);
    totals->hashes_pending = (uint32_t)hashing_count(stratum);
    totals->bans = ban_count(stratum->bans, now.mono);
    totals->is_paused = stratum->pause_reason != NULL;
    totals->pause_reason = stratum->pause_reason;
    totals->hashrate_1m = rate_get(&stratum->rate, RATE_1M, now.mono);
    totals->hashrate_10m = rate_get(&stratum->rate, RATE_10M, now.mono);
    totals->hashrate_1h = rate_get(&stratum->rate, RATE_1H, now.mono);
    for (size_t i = 0; i < stratum->slots_count; i++) {
        const struct session *session = stratum->slots[i];
        totals->sessions_authorized += session != NULL && session->is_authorized ? 1 : 0;
    }
}
