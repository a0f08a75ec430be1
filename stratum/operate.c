// What an operator asks for while the engine runs.
#include "node/base/log.h"
#include "stratum/engine.h"
#include "stratum/reply.h"

bool stratum_disconnect(struct stratum *stratum, uint64_t id, struct now now)
{
    engine_enter(stratum, now);
    struct session *session = engine_session(stratum, id);
    if (session != NULL) {
        session_close(session, STRATUM_CLOSE_OPERATOR);
    }
    engine_leave(stratum);
    return session != NULL;
}

void stratum_send_away(struct stratum *stratum, const char *reason, struct now now)
{
    engine_enter(stratum, now);
    log_event(stratum->env->log, LOG_INFO, "stratum", "miners are sent away",
              LOG_TEXT("why", reason), LOG_U64("sessions", stratum->slots_used));
    stratum->pause_reason = reason;
    engine_close_all(stratum, STRATUM_CLOSE_DRAINED);
    engine_leave(stratum);
}

void stratum_set_limits(struct stratum *stratum, const struct stratum_limits *limits)
{
    struct stratum_config *config = &stratum->config;
    config->sessions_max = limits->sessions_max;
    config->sessions_per_address_max = limits->sessions_per_address_max;
    config->difficulty_start = limits->difficulty_start;
    config->difficulty_min = limits->difficulty_min;
    config->shares_per_minute = limits->shares_per_minute;
}
