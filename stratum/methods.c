// The small methods of the dialect, and the table of all. A name may carry its argument in
// brackets, "mining.suggest_difficulty(16)": some do.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "node/pow/target.h"
#include "stratum/engine.h"
#include "stratum/reply.h"

// What stands in brackets behind the method's name; ABSENT if nothing does.
static struct line_value fused_argument(const struct line_value *method)
{
    const char *open = memchr(method->text, '(', method->size);
    const char *end = method->text + method->size;
    if (open == NULL || end[-1] != ')') {
        return (struct line_value){.kind = LINE_ABSENT};
    }
    return (struct line_value){
        .kind = LINE_TEXT, .text = open + 1, .size = (uint32_t)(end - 1 - (open + 1))};
}

static struct line_value first_argument(const struct line *line)
{
    return line->params_count > 0 ? line->params[0] : fused_argument(&line->method);
}

static void set_user_agent(struct session *session, const struct line_value *value)
{
    char text[SESSION_USER_AGENT_MAX];
    size_t size;
    if (session->user_agent[0] != '\0' || !line_to_text(value, text, sizeof(text), &size) ||
        size == 0) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e || text[i] == '"' || text[i] == '\\') {
            text[i] = '?';
        }
    }
    memcpy(session->user_agent, text, size + 1);
    session->kind = miner_kind_find(text);
}

static void reply_subscribe(struct session *session, const struct line_value *id)
{
    char name[SESSION_NAME_SIZE];
    session_name(session, name);
    if (!reply_is_wanted(id)) {
        return;
    }
    struct buffer *out = session_out(session);
    reply_begin(out, id);
    // mining.notify stands first: some firmware looks no further for its session's name.
    // Extranonce1 is the name's beginning.
    write_format(out,
                 "[[[\"mining.notify\",\"%s\"],[\"mining.set_difficulty\",\"%s\"]],\"%.*s\",%d]",
                 name, name, 2 * EXTRANONCE1_SIZE, name, EXTRANONCE2_SIZE);
    reply_end(out);
}

// A second subscribe gets the same answer again, or the miner that resent it would wait for ever.
static void method_subscribe(struct session *session, const struct line *line)
{
    if (line->params_count > 0) {
        set_user_agent(session, &line->params[0]);
    }
    if (!session->is_subscribed) {
        if (line->params_count > 1 && resume_adopt(session, &line->params[1])) {
            log_event(session->engine->env->log, LOG_INFO, "stratum", "session taken up again",
                      LOG_TEXT("address", session->peer.text));
        }
        session->is_subscribed = true;
    }
    reply_subscribe(session, &line->id);
    if (session->is_authorized && !session->is_mining && device_check(session, NULL)) {
        assign_begin(session);
    }
}

static void method_suggest_difficulty(struct session *session, const struct line *line)
{
    double difficulty;
    struct line_value argument = first_argument(line);
    reply_result(session_out(session), &line->id, "true");
    if (line_to_double(&argument, &difficulty)) {
        assign_suggested(session, difficulty);
    }
}

// A target as 64 hex digits, most significant first; shorter ones are padded on the left.
static void method_suggest_target(struct session *session, const struct line *line)
{
    struct line_value argument = first_argument(line);
    char hex[65];
    struct u256 target;
    reply_result(session_out(session), &line->id, "true");
    if (argument.kind != LINE_TEXT || argument.size == 0 || argument.size > 64) {
        return;
    }
    memset(hex, '0', 64);
    memcpy(hex + 64 - argument.size, argument.text, argument.size);
    hex[64] = '\0';
    if (u256_from_hex(&target, hex) && !u256_is_zero(&target)) {
        assign_suggested(session, target_to_difficulty(&target, session->engine->algorithm));
    }
}

// For extranonce.subscribe there is nothing more to honour: a session's extranonce never changes.
static void method_agree(struct session *session, const struct line *line)
{
    reply_result(session_out(session), &line->id, "true");
}

static void method_ping(struct session *session, const struct line *line)
{
    reply_result(session_out(session), &line->id, "\"pong\"");
}

static void method_get_transactions(struct session *session, const struct line *line)
{
    reply_result(session_out(session), &line->id, "[]");
}

static void method_ignore(struct session *session, const struct line *line)
{
    (void)session;
    (void)line;
}

static const struct {
    const char *name;
    method_handler *handler;
} methods[] = {
    {"mining.submit", method_submit}, // the most frequent one
    {"mining.configure", method_configure},
    {"mining.subscribe", method_subscribe},
    {"mining.authorize", method_authorize},
    {"mining.suggest_difficulty", method_suggest_difficulty},
    {"mining.suggest_target", method_suggest_target},
    {"mining.extranonce.subscribe", method_agree},
    {"mining.multi_version", method_agree},
    {"mining.get_transactions", method_get_transactions},
    {"mining.ping", method_ping},
    {"mining.pong", method_ignore},
    {"pong", method_ignore},
};

method_handler *method_find(const struct line_value *name)
{
    const char *open = memchr(name->text, '(', name->size);
    size_t size = open != NULL ? (size_t)(open - name->text) : name->size;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strlen(methods[i].name) == size && memcmp(methods[i].name, name->text, size) == 0) {
            return methods[i].handler;
        }
    }
    return NULL;
}
