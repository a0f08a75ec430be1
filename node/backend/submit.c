// Found blocks on their way to the daemons: to all of them at once, and again to those that could
// not be reached.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/backend/internal.h"

#define RETRY_FIRST_MS 250
#define RETRY_MOST_MS  10000

struct delivery {
    struct submission *submission;
    struct daemon_call call;
    struct mono_time try_at; // MONO_NEVER while the call is on its way or when it is settled
    int64_t backoff_ms;
    bool is_settled;
    char error[DAEMON_ERROR_SIZE]; // of the last try
};

struct submission {
    struct submission *next;
    struct backend *backend;
    struct hash256 hash;
    struct mono_time began_at;
    struct buffer body; // the whole call; all deliveries send it
    struct delivery deliveries[LIMIT_DAEMONS];
};

static void free_submission(struct submission *submission)
{
    for (size_t i = 0; i < LIMIT_DAEMONS; i++) {
        daemon_call_cancel(&submission->deliveries[i].call);
    }
    buffer_clear(&submission->body);
    free(submission);
}

static size_t daemon_index(const struct delivery *delivery)
{
    return (size_t)(delivery - delivery->submission->deliveries);
}

static void settle(struct delivery *delivery, enum block_fate fate, const char *reason)
{
    struct submission *submission = delivery->submission;
    struct backend *backend = submission->backend;
    delivery->is_settled = true;
    delivery->try_at = MONO_NEVER;
    if (fate == BLOCK_ACCEPTED || fate == BLOCK_KNOWN || fate == BLOCK_INCONCLUSIVE) {
        watch_add(backend, &submission->hash);
    }
    // Accepted or too late: in either case there is a new tip to work on. The long-poll may have
    // been faster.
    if (!hash_equal(&backend->work.session_prev, &submission->hash)) {
        work_want_template(backend);
    }
    backend_wake(backend);
    const struct block_report report = {
        .hash = submission->hash, .daemon = daemon_index(delivery), .fate = fate, .reason = reason};
    backend->events.block_result(backend->events.context, &report);
}

static void try_later(struct delivery *delivery, const char *error)
{
    struct submission *submission = delivery->submission;
    struct backend *backend = submission->backend;
    struct mono_time now = net_loop_now(backend->loop).mono;
    if (strcmp(delivery->error, error) != 0) {
        char hash[65];
        hash_to_display(&submission->hash, hash);
        snprintf(delivery->error, sizeof(delivery->error), "%s", error);
        log_event(backend->env->log, LOG_ERROR, "backend",
                  "a found block did not reach a daemon yet: it is sent again",
                  LOG_TEXT("hash", hash),
                  LOG_TEXT("daemon", backend->daemons[daemon_index(delivery)].link.shown),
                  LOG_TEXT("problem", error));
    }
    delivery->try_at = mono_after(now, delivery->backoff_ms);
    delivery->backoff_ms =
        delivery->backoff_ms * 2 < RETRY_MOST_MS ? delivery->backoff_ms * 2 : RETRY_MOST_MS;
    backend_wake(backend);
}

// The words of BIP 22 and of the daemons; bcoin puts "rejected: " before them.
static enum block_fate fate_of(const char *reason)
{
    static const struct {
        const char *word;
        bool is_prefix;
        enum block_fate fate;
    } table[] = {
        {"duplicate-invalid", false, BLOCK_REJECTED},
        {"duplicate", true, BLOCK_KNOWN},
        {"inconclusive-not-best-prevblk", false, BLOCK_STALE},
        {"inconclusive", true, BLOCK_INCONCLUSIVE},
        {"stale", true, BLOCK_STALE},
        {"prev-blk-not-found", false, BLOCK_STALE},
        {"bad-prevblk", false, BLOCK_STALE},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t size = strlen(table[i].word) + (table[i].is_prefix ? 0 : 1);
        if (strncmp(reason, table[i].word, size) == 0) {
            return table[i].fate;
        }
    }
    return BLOCK_REJECTED;
}

// A reply that says something about the block, not about the daemon's state.
static bool is_verdict(const struct rpc_reply *reply)
{
    return reply->code == RPC_DECODE_FAILED || reply->code == -25 || reply->code == -26 ||
           reply->code == -27;
}

static void take_verdict(struct delivery *delivery, const struct rpc_reply *reply)
{
    static const char prefix[] = "rejected: ";
    char reason[RPC_MESSAGE_SIZE] = "";
    if (json_is_null(reply->result)) {
        settle(delivery, BLOCK_ACCEPTED, "");
        return;
    }
    if (!json_to_text(reply->result, reason, sizeof(reason))) {
        settle(delivery, BLOCK_REJECTED, "the daemon's answer to submitblock is no text");
        return;
    }
    const char *word = reason;
    if (strncmp(word, prefix, sizeof(prefix) - 1) == 0) {
        word += sizeof(prefix) - 1;
    }
    settle(delivery, fate_of(word), word);
}

static void on_answer(void *context, const struct daemon_answer *answer)
{
    struct delivery *delivery = context;
    const struct backend *backend = delivery->submission->backend;
    const struct daemon_link *link = &backend->daemons[daemon_index(delivery)].link;
    char error[DAEMON_ERROR_SIZE];
    struct rpc_reply reply;
    if (answer->body == NULL) {
        try_later(delivery, answer->error);
        return;
    }
    struct json *json = daemon_parse_reply(link, answer, "submitblock", &reply, error);
    if (json != NULL) {
        take_verdict(delivery, &reply);
        json_free(json);
    } else if (reply.is_error && is_verdict(&reply)) {
        settle(delivery, BLOCK_REJECTED, reply.message);
    } else {
        try_later(delivery, error);
    }
}

static void send_block(struct delivery *delivery)
{
    struct backend *backend = delivery->submission->backend;
    struct coin_daemon *daemon = &backend->daemons[daemon_index(delivery)];
    char error[DAEMON_ERROR_SIZE];
    const struct daemon_call_spec spec = {.body = &delivery->submission->body,
                                          .timeout_ms = backend->config.template_timeout_ms,
                                          .answered = on_answer,
                                          .context = delivery};
    delivery->try_at = MONO_NEVER;
    if (!daemon_call_start(&delivery->call, &daemon->link, &spec, error)) {
        try_later(delivery, error);
    }
}

static bool write_body(struct submission *submission, const uint8_t *block, size_t size)
{
    struct json_writer writer;
    buffer_init(&submission->body, 2 * size + 256);
    json_writer_init(&writer, &submission->body);
    rpc_begin_call(&writer, 1, "submitblock");
    json_write_hex(&writer, NULL, block, size);
    rpc_end_call(&writer);
    return !submission->body.failed;
}

void backend_submit_block(struct backend *backend, const struct hash256 *hash, const uint8_t *block,
                          size_t size)
{
    struct submission *submission = calloc(1, sizeof(*submission));
    if (submission == NULL || !write_body(submission, block, size)) {
        log_plain(backend->env->log, LOG_ERROR, "backend",
                  "out of memory: a found block could not be sent");
        if (submission != NULL) {
            free_submission(submission);
        }
        return;
    }
    submission->backend = backend;
    submission->hash = *hash;
    submission->began_at = net_loop_now(backend->loop).mono;
    submission->next = backend->submissions;
    backend->submissions = submission;
    for (size_t i = 0; i < backend->config.daemons_count; i++) {
        submission->deliveries[i].submission = submission;
        submission->deliveries[i].backoff_ms = RETRY_FIRST_MS;
        send_block(&submission->deliveries[i]);
    }
}

// True if every daemon has said its word.
static bool tick_submission(struct submission *submission, struct now now)
{
    struct backend *backend = submission->backend;
    bool is_over = now.mono.ms - submission->began_at.ms >= backend->config.submit_for_ms;
    bool is_done = true;
    for (size_t i = 0; i < backend->config.daemons_count; i++) {
        struct delivery *delivery = &submission->deliveries[i];
        if (delivery->is_settled) {
            continue;
        }
        is_done = false;
        if (is_over) {
            daemon_call_cancel(&delivery->call);
            settle(delivery, BLOCK_UNREACHABLE, delivery->error);
        } else if (now.mono.ms >= delivery->try_at.ms && delivery->call.exchange == NULL) {
            send_block(delivery);
        }
    }
    return is_done;
}

void submit_tick(struct backend *backend, struct now now)
{
    struct submission **link = &backend->submissions;
    while (*link != NULL) {
        struct submission *submission = *link;
        if (tick_submission(submission, now)) {
            *link = submission->next;
            free_submission(submission);
            continue;
        }
        link = &submission->next;
    }
}

void submit_add_deadlines(const struct backend *backend, struct mono_time *next, struct now now)
{
    const struct submission *submission = backend->submissions;
    for (; submission != NULL; submission = submission->next) {
        deadline_add(next, mono_after(submission->began_at, backend->config.submit_for_ms), now);
        for (size_t i = 0; i < backend->config.daemons_count; i++) {
            deadline_add(next, submission->deliveries[i].try_at, now);
        }
    }
}

void submit_clear(struct backend *backend)
{
    while (backend->submissions != NULL) {
        struct submission *submission = backend->submissions;
        backend->submissions = submission->next;
        free_submission(submission);
    }
}

size_t submit_pending_count(const struct backend *backend)
{
    size_t count = 0;
    const struct submission *submission = backend->submissions;
    for (; submission != NULL; submission = submission->next) {
        for (size_t i = 0; i < backend->config.daemons_count; i++) {
            count += submission->deliveries[i].is_settled ? 0 : 1;
        }
    }
    return count;
}
