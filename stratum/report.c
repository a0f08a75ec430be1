// What people, the API and the metrics see.
#include "stratum/engine.h"

#define SHARES_FOR_A_RATE 16

void report_session(const struct session *session, struct now now,
                    struct stratum_session_view *view)
{
    const struct user_name *user = session->users_count > 0 ? session->users[0] : NULL;
    *view = (struct stratum_session_view){
        .session = session->id,
        .address = session->peer.text,
        .user_agent = session->user_agent,
        .kind = session->kind->name,
        .user = user != NULL ? user->text : "",
        .worker = user != NULL ? user->text + user->worker_at : "",
        .team = session->team.name,
        .payout = session->is_authorized ? &session->payout : NULL,
        .users_count = session->users_count,
        .is_subscribed = session->is_subscribed,
        .is_authorized = session->is_authorized,
        .is_device_overridden = session->is_device_overridden,
        .is_resumed = session->is_resumed,
        .coinbase_max = session->kind->coinbase_max,
        .version_mask = session->version_mask,
        .difficulty = session->difficulty_sent,
        .hashrate_1m = rate_get(&session->rate, RATE_1M, now.mono),
        .hashrate_10m = rate_get(&session->rate, RATE_10M, now.mono),
        .hashrate_1h = rate_get(&session->rate, RATE_1H, now.mono),
        .hashrate_estimate = session_hashrate(session),
        .grains = session->grains,
        .blocks = session->blocks,
        .work_accepted = session->work_accepted,
        .connected_at = session->connected.wall,
        .share_at = session->share_at,
        .bytes_queued = session->queued,
        .jobs_count = (uint32_t)session->jobs_count,
    };
    for (size_t i = 0; i < STRATUM_VERDICTS_COUNT; i++) {
        view->shares[i] = session->shares[i];
    }
}

void report_worker_rate(struct session *session)
{
    struct stratum *stratum = session->engine;
    session->rate_told_at = stratum->now.mono;
    if (session->is_mining && session->shares[STRATUM_ACCEPTED] >= SHARES_FOR_A_RATE) {
        stratum->events.worker_rate_changed(stratum->events.context, session->users[0]->text,
                                            session_hashrate(session));
    }
}

void stratum_each_session(const struct stratum *stratum, struct now now,
                          stratum_session_visitor *visitor, void *context)
{
    struct stratum_session_view view;
    for (size_t i = 0; i < stratum->slots_count; i++) {
        if (stratum->slots[i] != NULL) {
            report_session(stratum->slots[i], now, &view);
            visitor(context, &view);
        }
    }
}

void stratum_each_refused(const struct stratum *stratum, stratum_refused_visitor *visitor,
                          void *context)
{
    refused_ring_each(stratum->refused, visitor, context);
}

const char *stratum_verdict_text(enum stratum_verdict verdict)
{
    switch (verdict) {
    case STRATUM_ACCEPTED:
        return "accepted";
    case STRATUM_NOT_SUBSCRIBED:
        return "not_subscribed";
    case STRATUM_MALFORMED:
        return "malformed";
    case STRATUM_JOB_UNKNOWN:
        return "job_unknown";
    case STRATUM_STALE:
        return "stale";
    case STRATUM_TIME_INVALID:
        return "time_invalid";
    case STRATUM_VERSION_INVALID:
        return "version_invalid";
    case STRATUM_DUPLICATE:
        return "duplicate";
    case STRATUM_BUSY:
        return "busy";
    case STRATUM_LOW_DIFFICULTY:
        return "low_difficulty";
    case STRATUM_UNAUTHORIZED:
        return "unauthorized";
    case STRATUM_VERDICTS_COUNT:
        break;
    }
    return "unknown";
}

const char *stratum_refusal_text(enum stratum_refusal refusal)
{
    switch (refusal) {
    case STRATUM_CONNECTED:
        return "connected";
    case STRATUM_REFUSED_PAUSED:
        return "no work to serve";
    case STRATUM_REFUSED_FULL:
        return "too many connections";
    case STRATUM_REFUSED_ADDRESS:
        return "too many connections from this address";
    case STRATUM_REFUSED_RATE:
        return "connections come too fast";
    case STRATUM_REFUSED_BANNED:
        return "address is banned";
    case STRATUM_REFUSED_MEMORY:
        return "out of memory";
    case STRATUM_REFUSALS_COUNT:
        break;
    }
    return "unknown";
}

const char *stratum_close_text(enum stratum_close reason)
{
    switch (reason) {
    case STRATUM_CLOSE_DISCONNECTED:
        return "disconnected";
    case STRATUM_CLOSE_PAUSED:
        return "no work to serve";
    case STRATUM_CLOSE_DRAINED:
        return "sent away: the node stops or was drained";
    case STRATUM_CLOSE_NO_FIRST_LINE:
        return "sent no first line in time";
    case STRATUM_CLOSE_NOT_AUTHORIZED:
        return "not authorized in time";
    case STRATUM_CLOSE_DEVICE_REFUSED:
        return "device cannot take the coinbase";
    case STRATUM_CLOSE_IDLE:
        return "idle";
    case STRATUM_CLOSE_SLOW_READER:
        return "reads too slowly";
    case STRATUM_CLOSE_LINE_TOO_LONG:
        return "line too long";
    case STRATUM_CLOSE_JUNK:
        return "does not speak Stratum";
    case STRATUM_CLOSE_NOT_STRATUM:
        return "speaks TLS or HTTP";
    case STRATUM_CLOSE_FLOOD:
        return "sends too many lines";
    case STRATUM_CLOSE_INVALID_SHARES:
        return "nothing but invalid shares";
    case STRATUM_CLOSE_NO_JOB:
        return "no job for this miner";
    case STRATUM_CLOSE_MEMORY:
        return "out of memory";
    case STRATUM_CLOSE_RESUMED:
        return "goes on over a new connection";
    case STRATUM_CLOSE_OPERATOR:
        return "disconnected by the operator";
    case STRATUM_CLOSES_COUNT:
        break;
    }
    return "unknown";
}
