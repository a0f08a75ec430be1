// A miner whose connection broke comes back with the name of its session and sends the shares it
// found meanwhile: its extranonce and its jobs are kept for it for a while, so that none of them is
// lost.
#include <stdlib.h>
#include <string.h>
#include "stratum/engine.h"

#define PARKED_MAX 1024

bool resume_is_possible(const struct session *session)
{
    if (session->jobs_count == 0 || session->engine->config.resume_ms <= 0) {
        return false;
    }
    switch (session->close_reason) {
    case STRATUM_CLOSE_DISCONNECTED:
    case STRATUM_CLOSE_PAUSED:
    case STRATUM_CLOSE_DRAINED:
    case STRATUM_CLOSE_IDLE:
    case STRATUM_CLOSE_SLOW_READER:
        return true;
    case STRATUM_CLOSE_NO_FIRST_LINE:
    case STRATUM_CLOSE_NOT_AUTHORIZED:
    case STRATUM_CLOSE_DEVICE_REFUSED:
    case STRATUM_CLOSE_LINE_TOO_LONG:
    case STRATUM_CLOSE_JUNK:
    case STRATUM_CLOSE_NOT_STRATUM:
    case STRATUM_CLOSE_FLOOD:
    case STRATUM_CLOSE_INVALID_SHARES:
    case STRATUM_CLOSE_NO_JOB:
    case STRATUM_CLOSE_MEMORY:
    case STRATUM_CLOSE_RESUMED:
    case STRATUM_CLOSE_OPERATOR:
    case STRATUM_CLOSES_COUNT:
        return false;
    }
    return false;
}

static void remove_parked(struct stratum *stratum, size_t index)
{
    stratum->parked_count--;
    memmove(&stratum->parked[index], &stratum->parked[index + 1],
            (stratum->parked_count - index) * sizeof(struct session *));
}

void resume_expire(struct stratum *stratum, bool is_all)
{
    while (stratum->parked_count > 0) {
        struct session *session = stratum->parked[0];
        if (!is_all && session->parked_until.ms > stratum->now.mono.ms) {
            return;
        }
        remove_parked(stratum, 0);
        session_free(session);
    }
}

void resume_park(struct session *session)
{
    struct stratum *stratum = session->engine;
    if (stratum->parked == NULL) {
        stratum->parked = calloc(PARKED_MAX, sizeof(struct session *));
        if (stratum->parked == NULL) {
            session_free(session);
            return;
        }
    }
    if (stratum->parked_count == PARKED_MAX) {
        struct session *oldest = stratum->parked[0];
        remove_parked(stratum, 0);
        session_free(oldest);
    }
    free(session->partial);
    session->partial = NULL;
    session->parked_until.ms = stratum->now.mono.ms + stratum->config.resume_ms;
    stratum->parked[stratum->parked_count++] = session;
}

static bool has_name(const struct session *session, const uint8_t *name)
{
    return memcmp(session->extranonce1, name, EXTRANONCE1_SIZE) == 0 &&
           memcmp(session->resume_key, name + EXTRANONCE1_SIZE, SESSION_RESUME_KEY_SIZE) == 0;
}

// Whoever knows the name is the miner: eight bytes of it are random. Its old connection may look
// alive to us long after it broke for the miner.
static struct session *find_living(struct session *session, const uint8_t *name)
{
    const struct stratum *stratum = session->engine;
    for (size_t i = 0; i < stratum->slots_count; i++) {
        struct session *other = stratum->slots[i];
        if (other != NULL && other != session && has_name(other, name)) {
            return other;
        }
    }
    return NULL;
}

static void take_over(struct session *session, struct session *old)
{
    memcpy(session->extranonce1, old->extranonce1, EXTRANONCE1_SIZE);
    memcpy(session->resume_key, old->resume_key, SESSION_RESUME_KEY_SIZE);
    memcpy(session->jobs, old->jobs, sizeof(session->jobs));
    session->jobs_count = old->jobs_count;
    session->payout = old->payout;
    session->vardiff = old->vardiff;
    session->rate = old->rate;
    memcpy(session->shares, old->shares, sizeof(session->shares));
    session->grains = old->grains;
    session->blocks = old->blocks;
    session->work_accepted = old->work_accepted;
    session->share_at = old->share_at;
    session->is_resumed = true;
    // The old one keeps nothing that its end would touch.
    old->jobs_count = 0;
}

bool resume_adopt(struct session *session, const struct line_value *text)
{
    struct stratum *stratum = session->engine;
    uint8_t name[EXTRANONCE1_SIZE + SESSION_RESUME_KEY_SIZE];
    if (session->jobs_count > 0 || session->is_resumed || !line_to_hex(text, name, sizeof(name))) {
        return false;
    }
    for (size_t i = 0; i < stratum->parked_count; i++) {
        struct session *old = stratum->parked[i];
        if (has_name(old, name)) {
            take_over(session, old);
            remove_parked(stratum, i);
            session_free(old);
            return true;
        }
    }
    struct session *living = find_living(session, name);
    if (living == NULL || living->jobs_count == 0) {
        return false;
    }
    take_over(session, living);
    session_close(living, STRATUM_CLOSE_RESUMED);
    return true;
}
