// Cuts the byte stream into lines and hands each to its method. A line that lies whole in what was
// received is read where it is; only an unfinished one is copied.
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "stratum/engine.h"
#include "stratum/reply.h"

#define JUNK_LINES_MAX 3
#define TLS_HANDSHAKE  0x16

static size_t line_limit(const struct session *session)
{
    return session->is_subscribed ? LIMIT_LINE_AFTER_SUBSCRIBE : LIMIT_LINE_BEFORE_SUBSCRIBE;
}

// One token a line; the bucket fills with time.
static bool take_token(struct session *session)
{
    const struct stratum *stratum = session->engine;
    double rate = stratum->config.lines_per_second;
    if (rate <= 0) {
        return true;
    }
    double passed = (double)(stratum->now.mono.ms - session->line_tokens_at.ms) / 1000;
    double tokens = session->line_tokens + passed * rate;
    double most = stratum->config.lines_burst;
    session->line_tokens = tokens < most ? tokens : most;
    session->line_tokens_at = stratum->now.mono;
    if (session->line_tokens < 1) {
        return false;
    }
    session->line_tokens -= 1;
    return true;
}

static bool begins_with(const char *text, size_t size, const char *word)
{
    size_t word_size = strlen(word);
    return size >= word_size && memcmp(text, word, word_size) == 0;
}

// A browser on the miners' port gets a page that says so.
static bool answer_http(struct session *session, const char *text, size_t size)
{
    static const char *const verbs[] = {"GET /", "HEAD /",   "POST /",
                                        "PUT /", "OPTIONS ", "CONNECT "};
    static const char page[] = "HTTP/1.1 400 Bad Request\r\n"
                               "Content-Type: text/plain\r\n"
                               "Content-Length: 65\r\n"
                               "Connection: close\r\n\r\n"
                               "This port speaks Stratum: it is for mining devices, not browsers\n";
    if (session->has_line) {
        return false;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (begins_with(text, size, verbs[i])) {
            write_bytes(session_out(session), page, sizeof(page) - 1);
            session_close(session, STRATUM_CLOSE_NOT_STRATUM);
            return true;
        }
    }
    return false;
}

static void receive_junk(struct session *session, const char *text, size_t size)
{
    session->engine->totals.lines_junk++;
    if (answer_http(session, text, size)) {
        return;
    }
    session->junk_lines++;
    log_event(session->engine->env->log, LOG_DEBUG, "stratum", "line is not Stratum",
              LOG_TEXT("address", session->peer.text), LOG_U64("size", size));
    session_offend(session, BAN_JUNK_LINE, STRATUM_CLOSE_JUNK);
    if (session->junk_lines >= JUNK_LINES_MAX) {
        session_close(session, STRATUM_CLOSE_JUNK);
    }
}

static void dispatch(struct session *session, const struct line *line)
{
    if (line->is_answer) {
        return; // to a ping or a message of ours; nothing waits for it
    }
    method_handler *handler = method_find(&line->method);
    if (handler != NULL) {
        handler(session, line);
    } else {
        reply_error(session_out(session), &line->id, "null", REPLY_METHOD_NOT_FOUND,
                    "Method not found");
    }
}

static bool is_blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r') {
            return false;
        }
    }
    return true;
}

static void receive_line(struct session *session, const char *text, size_t size)
{
    struct line line;
    if (is_blank(text, size)) {
        return;
    }
    if (!take_token(session)) {
        session_offend(session, BAN_FLOOD, STRATUM_CLOSE_FLOOD);
        session_close(session, STRATUM_CLOSE_FLOOD);
        return;
    }
    session->engine->totals.lines++;
    if (!line_parse(text, size, &line) || (line.method.kind == LINE_ABSENT && !line.is_answer)) {
        receive_junk(session, text, size);
        return;
    }
    session->has_line = true;
    session->line_at = session->engine->now.mono;
    dispatch(session, &line);
}

static void refuse_long_line(struct session *session)
{
    session_offend(session, BAN_LINE_TOO_LONG, STRATUM_CLOSE_LINE_TOO_LONG);
    session_close(session, STRATUM_CLOSE_LINE_TOO_LONG);
}

static void drop_partial(struct session *session)
{
    free(session->partial);
    session->partial = NULL;
    session->partial_size = 0;
    session->partial_since = MONO_NEVER;
}

// Keeps what has no newline yet; size is not 0.
static void keep_partial(struct session *session, const char *bytes, size_t size)
{
    if (session->partial_size + size > line_limit(session)) {
        refuse_long_line(session);
        return;
    }
    char *partial = realloc(session->partial, session->partial_size + size);
    if (partial == NULL) {
        session_close(session, STRATUM_CLOSE_MEMORY);
        return;
    }
    memcpy(partial + session->partial_size, bytes, size);
    session->partial = partial;
    if (session->partial_size == 0) {
        session->partial_since = session->engine->now.mono;
        session_reschedule(session);
    }
    session->partial_size += size;
}

// The rest of a line whose beginning was kept.
static void finish_partial(struct session *session, const char *bytes, size_t size)
{
    if (size > 0) {
        keep_partial(session, bytes, size);
        if (session->is_closed) {
            return;
        }
    }
    char *line = session->partial;
    size_t line_size = session->partial_size;
    session->partial = NULL;
    drop_partial(session);
    receive_line(session, line, line_size);
    free(line);
}

void receive_bytes(struct session *session, const char *bytes, size_t size)
{
    const char *end = bytes + size;
    bool is_first = !session->has_line && session->partial_size == 0;
    if (is_first && size > 0 && (unsigned char)bytes[0] == TLS_HANDSHAKE) {
        // bfgminer tries TLS first and falls back to plain text as soon as it is hung up on.
        session_close(session, STRATUM_CLOSE_NOT_STRATUM);
        return;
    }
    while (bytes < end && !session->is_closed) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        if (newline == NULL) {
            keep_partial(session, bytes, (size_t)(end - bytes));
            return;
        }
        size_t line_size = (size_t)(newline - bytes);
        if (session->partial_size > 0) {
            finish_partial(session, bytes, line_size);
        } else if (line_size > line_limit(session)) {
            refuse_long_line(session);
        } else {
            receive_line(session, bytes, line_size);
        }
        bytes = newline + 1;
    }
}
