#include "stratum/engine.h"

#include <stdlib.h>
#include "node/base/env.h"

void engine_enter(struct stratum *stratum, struct now now)
{
    stratum->depth++;
    if (stratum->totals.connections == 0 && stratum->totals.works == 0) {
        rate_init(&stratum->rate, now.mono);
        stratum->housekeeping_at.ms = now.mono.ms + HOUSEKEEPING_MS;
    }
    // Within one turn the clock does not go back, whatever an event handler passes in.
    if (now.mono.ms >= stratum->now.mono.ms) {
        stratum->now = now;
    }
}

static void bury_closed(struct stratum *stratum)
{
    while (stratum->closed != NULL) {
        struct session *session = stratum->closed;
        stratum->closed = session->next_closed;
        if (resume_is_possible(session)) {
            resume_park(session);
        } else {
            session_free(session);
        }
    }
}

void engine_leave(struct stratum *stratum)
{
    if (stratum->depth == 1) {
        session_flush(stratum);
        bury_closed(stratum);
    }
    stratum->depth--;
}

struct session *engine_session(const struct stratum *stratum, uint64_t id)
{
    size_t slot = (size_t)(id & ((1u << SESSION_SLOT_BITS) - 1));
    if (slot >= stratum->slots_count) {
        return NULL;
    }
    struct session *session = stratum->slots[slot];
    return session != NULL && session->id == id ? session : NULL;
}

struct ranked {
    struct session *session;
    double hashrate;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a;
    const struct ranked *right = b;
    if (left->hashrate < right->hashrate || left->hashrate > right->hashrate) {
        return left->hashrate < right->hashrate ? 1 : -1;
    }
    return (left->session->id > right->session->id) - (left->session->id < right->session->id);
}

struct session **engine_sessions_by_rate(const struct stratum *stratum, size_t *count)
{
    *count = 0;
    struct ranked *ranked = malloc((stratum->slots_used + 1) * sizeof(*ranked));
    struct session **sessions = malloc((stratum->slots_used + 1) * sizeof(struct session *));
    if (ranked == NULL || sessions == NULL) {
        free(ranked);
        free(sessions);
        return NULL;
    }
    for (size_t i = 0; i < stratum->slots_count; i++) {
        struct session *session = stratum->slots[i];
        if (session != NULL) {
            ranked[(*count)++] = (struct ranked){session, session_hashrate(session)};
        }
    }
    qsort(ranked, *count, sizeof(*ranked), compare_ranked);
    for (size_t i = 0; i < *count; i++) {
        sessions[i] = ranked[i].session;
    }
    free(ranked);
    return sessions;
}

void engine_release_work(struct stratum *stratum, struct work *work)
{
    if (work == NULL || --work->refs > 0) {
        return;
    }
    stratum->totals.works--;
    stratum->events.work_released(stratum->events.context, work->owner);
    work_free(work);
}

void engine_release_job(struct stratum *stratum, struct job *job)
{
    if (job != NULL && --job->refs == 0) {
        engine_release_work(stratum, job_free(job));
    }
}
