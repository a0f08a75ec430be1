// mining.authorize: the user name is the payout address, with a worker's name behind a dot.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "node/bitcoin/address.h"
#include "stratum/engine.h"
#include "stratum/reply.h"

static enum address_result decode_address(const struct session *session, struct user_name *name,
                                          struct script *payout)
{
    const struct chain_params *chain = session->engine->config.chain;
    enum address_result result = address_decode(chain, name->text, name->address_size, payout);
    if (result == ADDRESS_OK) {
        return result;
    }
    // "address_worker": no address has a '_', so where that helps it was meant.
    struct user_name split = *name;
    if (user_name_split_at_underscore(&split) &&
        address_decode(chain, split.text, split.address_size, payout) == ADDRESS_OK) {
        *name = split;
        return ADDRESS_OK;
    }
    return result;
}

// A refused name costs its connection a wait that doubles from time to time: a misconfigured farm
// is no flood.
static void refuse_name(struct session *session, const struct line *line,
                        const struct user_name *name, const char *why)
{
    struct stratum *stratum = session->engine;
    char message[512];
    snprintf(message, sizeof(message),
             "The user name must be a %s address, perhaps with .worker behind it: %s",
             stratum->config.chain->name, why);
    reply_error(session_out(session), &line->id, "false", REPLY_UNAUTHORIZED, message);
    log_event(stratum->env->log, LOG_WARN, "stratum", "user name refused",
              LOG_TEXT("address", session->peer.text), LOG_TEXT("user", name->text),
              LOG_TEXT("why", why));
    if (!session->is_authorized) {
        int64_t wait_ms = ban_user_backoff_ms(stratum->bans, name->text, stratum->now.mono);
        session->authorize_by.ms = stratum->now.mono.ms + wait_ms;
        session_reschedule(session);
    }
    session_offend(session, BAN_USER_REFUSED, STRATUM_CLOSE_NOT_AUTHORIZED);
}

static bool has_user(const struct session *session, const struct user_name *name)
{
    for (size_t i = 0; i < session->users_count; i++) {
        const struct user_name *user = session->users[i];
        if (user->size == name->size && memcmp(user->text, name->text, name->size) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_user(struct session *session, const struct user_name *name)
{
    struct user_name **users =
        realloc(session->users, (session->users_count + 1) * sizeof(struct user_name *));
    if (users == NULL) {
        return false;
    }
    session->users = users;
    struct user_name *user = malloc(sizeof(*user));
    if (user == NULL) {
        return false;
    }
    *user = *name;
    session->users[session->users_count++] = user;
    return true;
}

// NULL if the name may be added, else why not.
static const char *check_further_user(const struct session *session, const struct script *payout)
{
    if (session->users_count >= LIMIT_SESSION_USERS) {
        return "Too many user names on one connection";
    }
    if (session->is_authorized && !script_equal(&session->payout, payout)) {
        return "This connection already mines for another address: open a second one";
    }
    return NULL;
}

// A team that is none costs the miner nothing but the team.
static void take_team(struct session *session, const struct user_wishes *wishes,
                      const struct password_options *options)
{
    bool has_option = options->team.name[0] != '\0' || options->has_bad_team;
    session->team = has_option ? options->team : wishes->team;
    if (!wishes->has_bad_team && !options->has_bad_team) {
        return;
    }
    log_event(session->engine->env->log, LOG_INFO, "stratum", "what is no team's name is ignored",
              LOG_TEXT("address", session->peer.text), LOG_TEXT("user", session->users[0]->text),
              LOG_TEXT("where", options->has_bad_team ? "password" : "user name"),
              LOG_TEXT("rule", TEAM_NAME_RULE));
}

static void take_wishes(struct session *session, const struct line *line,
                        const struct user_wishes *wishes)
{
    struct password_options options = {.fixed = 0};
    if (line->params_count > 1) {
        password_parse(&line->params[1], &options);
    }
    take_team(session, wishes, &options);
    session->wishes.fixed = options.fixed > 0 ? options.fixed : wishes->difficulty;
    session->wishes.start = options.start;
    if (options.min > 0) {
        session->wishes.min = options.min;
    }
}

static void welcome(struct session *session)
{
    struct stratum *stratum = session->engine;
    struct stratum_session_view view;
    report_session(session, stratum->now, &view);
    stratum->events.session_authorized(stratum->events.context, &view);
    assign_begin(session);
}

static void authorize_first(struct session *session, const struct line *line,
                            const struct script *payout, const struct user_wishes *wishes)
{
    if (session->is_resumed && !script_equal(&session->payout, payout)) {
        session->is_resumed = false; // another miner's past says nothing about its difficulty
    }
    session->payout = *payout;
    take_wishes(session, line, wishes);
    if (session->is_subscribed && !device_check(session, line)) {
        return;
    }
    session->is_authorized = true;
    // Everything slow comes after the answer: the first line that is no notification is taken for
    // it.
    reply_result(session_out(session), &line->id, "true");
    welcome(session);
}

void method_authorize(struct session *session, const struct line *line)
{
    struct user_name name = {.size = 0};
    struct script payout;
    struct user_wishes wishes;
    if (line->params_count == 0 || !user_name_parse(&line->params[0], &name, &wishes)) {
        refuse_name(session, line, &name, "it is empty");
        return;
    }
    enum address_result result = decode_address(session, &name, &payout);
    if (result != ADDRESS_OK) {
        refuse_name(session, line, &name, address_result_text(result));
        return;
    }
    const char *why_not = check_further_user(session, &payout);
    if (has_user(session, &name) && session->is_authorized) {
        reply_result(session_out(session), &line->id, "true");
    } else if (why_not != NULL) {
        reply_error(session_out(session), &line->id, "false", REPLY_UNAUTHORIZED, why_not);
    } else if (!has_user(session, &name) && !add_user(session, &name)) {
        session_close(session, STRATUM_CLOSE_MEMORY);
    } else if (session->is_authorized) {
        reply_result(session_out(session), &line->id, "true");
    } else {
        authorize_first(session, line, &payout, &wishes);
    }
}
