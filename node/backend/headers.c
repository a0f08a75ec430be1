// Fetching the coin's headers. A usual gap is one or two headers: they are asked for one by one,
// from the tip down, until a known one is reached. A long gap is closed by height: the last header
// that we share is searched for, 64 heights at a time, and everything above it is fetched in
// batches. If the daemon's chain changes meanwhile, what comes does not link up and the fetch
// starts anew.
#include <stdio.h>
#include <string.h>
#include "node/backend/internal.h"

#define RESTARTS_MAX 3

static void start(struct backend *backend);

static void say_once(struct backend *backend, const char *problem)
{
    struct headers_state *headers = &backend->headers;
    if (strcmp(headers->said, problem) == 0) {
        return;
    }
    snprintf(headers->said, sizeof(headers->said), "%s", problem);
    if (problem[0] != '\0') {
        log_event(backend->env->log, LOG_ERROR, "backend", "headers cannot be fetched",
                  LOG_TEXT("daemon", backend->daemons[backend->active].link.shown),
                  LOG_TEXT("problem", problem));
    }
}

// Tried again after a while, by the same daemon or another.
static void retry_later(struct backend *backend, const char *problem)
{
    struct headers_state *headers = &backend->headers;
    struct mono_time now = net_loop_now(backend->loop).mono;
    headers->phase = HEADERS_IDLE;
    headers->retry_at = mono_after(now, backend_back_off(backend, &headers->backoff_ms));
    say_once(backend, problem);
    backend_wake(backend);
}

static void finish(struct backend *backend, enum headers_result result)
{
    struct headers_state *headers = &backend->headers;
    headers->phase = HEADERS_IDLE;
    headers->is_wanted = false;
    headers->backoff_ms = backend->config.backoff_min_ms;
    say_once(backend, "");
    struct hash256 tip = headers->tip;
    backend->events.headers_finished(backend->events.context, &tip, result);
}

// The daemon's chain is not what it was: from the tip again, a few times.
static void restart(struct backend *backend)
{
    struct headers_state *headers = &backend->headers;
    headers->phase = HEADERS_IDLE;
    if (++headers->restarts_count > RESTARTS_MAX) {
        finish(backend, HEADERS_NO_TIP);
        return;
    }
    start(backend);
}

static bool is_known(struct backend *backend, const struct hash256 *id)
{
    return backend->events.has_header(backend->events.context, id);
}

// False if the receiver wished for something else meanwhile.
static bool deliver(struct backend *backend, const uint8_t *bytes, size_t count)
{
    uint64_t generation = backend->headers.generation;
    backend->events.headers_arrived(backend->events.context, bytes, count);
    return generation == backend->headers.generation && backend->headers.is_wanted;
}

static struct hash256 parent_of(const uint8_t *bytes)
{
    struct header header;
    header_decode(bytes, &header);
    return header.prev;
}

// The calls of each phase.

static int64_t asked_height(const struct headers_state *headers, size_t i)
{
    if (headers->phase == HEADERS_SEARCH) {
        int64_t gap = headers->high - headers->low;
        return headers->low + (int64_t)i * gap / (int64_t)headers->asked_count;
    }
    return headers->low + 1 + (int64_t)i;
}

static void write_header_call(struct json_writer *writer, size_t i, const struct hash256 *id,
                              bool is_verbose)
{
    char text[65];
    hash_to_display(id, text);
    rpc_begin_call(writer, i, "getblockheader");
    json_write_text(writer, NULL, text);
    json_write_bool(writer, NULL, is_verbose);
    rpc_end_call(writer);
}

static void write_call(void *context, size_t i, struct json_writer *writer)
{
    struct backend *backend = context;
    const struct headers_state *headers = &backend->headers;
    switch (headers->phase) {
    case HEADERS_IDLE:
        break;
    case HEADERS_BACK:
        write_header_call(writer, i, &headers->cursor, false);
        break;
    case HEADERS_HEIGHT:
        write_header_call(writer, i, &headers->tip, true);
        break;
    case HEADERS_SEARCH:
    case HEADERS_HASHES:
        rpc_begin_call(writer, i, "getblockhash");
        json_write_i64(writer, NULL, asked_height(headers, i));
        rpc_end_call(writer);
        break;
    case HEADERS_FETCH:
        write_header_call(writer, i, &headers->ids[i], false);
        break;
    }
}

// A header must have the id it was asked for by.
static bool take_header(struct json_value value, const struct hash256 *wanted,
                        uint8_t bytes[HEADER_SIZE])
{
    struct hash256 id;
    if (!json_to_hex(value, bytes, HEADER_SIZE)) {
        return false;
    }
    header_id(bytes, &id);
    return hash_equal(&id, wanted);
}

static bool take_reply(void *context, size_t i, const struct rpc_reply *reply)
{
    struct backend *backend = context;
    struct headers_state *headers = &backend->headers;
    char text[65] = "";
    bool is_good = false;
    switch (headers->phase) {
    case HEADERS_IDLE:
        break;
    case HEADERS_BACK:
        is_good = take_header(reply->result, &headers->cursor, headers->back[headers->back_count]);
        break;
    case HEADERS_HEIGHT:
        is_good = json_to_i64(json_get(reply->result, "height"), &headers->tip_height) &&
                  headers->tip_height >= 0 && headers->tip_height <= UINT32_MAX;
        break;
    case HEADERS_SEARCH:
    case HEADERS_HASHES:
        is_good = json_to_text(reply->result, text, sizeof(text)) &&
                  hash_from_display(&headers->ids[i], text);
        break;
    case HEADERS_FETCH:
        is_good = take_header(reply->result, &headers->ids[i], headers->chunk + i * HEADER_SIZE);
        break;
    }
    headers->is_refused = !is_good || reply->is_error;
    return !headers->is_refused;
}

static void on_ended(void *context, const char *error);

static void ask(struct backend *backend, enum headers_phase phase, size_t count)
{
    struct headers_state *headers = &backend->headers;
    struct coin_daemon *daemon = &backend->daemons[backend->active];
    char error[DAEMON_ERROR_SIZE];
    headers->phase = phase;
    headers->asked_count = count;
    headers->is_refused = false;
    const struct many_spec spec = {.link = &daemon->link,
                                   .has_batch = &daemon->has_batch,
                                   .count = count,
                                   .timeout_ms = backend->config.request_timeout_ms,
                                   .write = write_call,
                                   .take = take_reply,
                                   .ended = on_ended,
                                   .context = backend};
    if (!many_start(&headers->many, &spec, error)) {
        retry_later(backend, error);
    }
}

// What follows each phase.

static void after_back(struct backend *backend)
{
    struct headers_state *headers = &backend->headers;
    struct hash256 parent = parent_of(headers->back[headers->back_count++]);
    if (is_known(backend, &parent)) {
        uint8_t bytes[HEADERS_BACK_MAX * HEADER_SIZE];
        for (size_t i = 0; i < headers->back_count; i++) {
            memcpy(bytes + i * HEADER_SIZE, headers->back[headers->back_count - 1 - i],
                   HEADER_SIZE);
        }
        if (deliver(backend, bytes, headers->back_count)) {
            finish(backend, HEADERS_DONE);
        }
        return;
    }
    headers->cursor = parent;
    if (headers->back_count < HEADERS_BACK_MAX && !hash_is_zero(&parent)) {
        ask(backend, HEADERS_BACK, 1);
    } else {
        ask(backend, HEADERS_HEIGHT, 1);
    }
}

static size_t smaller(int64_t wanted, size_t most)
{
    return wanted < (int64_t)most ? (size_t)wanted : most;
}

static void after_height(struct backend *backend)
{
    struct headers_state *headers = &backend->headers;
    headers->low = backend->config.header_floor;
    headers->high = headers->tip_height;
    headers->is_first_search = true;
    if (headers->high <= headers->low) {
        finish(backend, HEADERS_NO_ANCHOR);
        return;
    }
    ask(backend, HEADERS_SEARCH, smaller(headers->high - headers->low, HEADERS_ASKED_MAX));
}

static void fetch_next_chunk(struct backend *backend)
{
    struct headers_state *headers = &backend->headers;
    int64_t left = headers->tip_height - headers->low;
    if (left > 0) {
        ask(backend, HEADERS_HASHES, smaller(left, HEADERS_CHUNK_MAX));
    } else if (hash_equal(&headers->low_id, &headers->tip)) {
        finish(backend, HEADERS_DONE);
    } else {
        restart(backend); // the tip is not on the daemon's best chain any more
    }
}

// Known headers have known parents, so the known ones among the heights asked are the first ones.
static void after_search(struct backend *backend)
{
    struct headers_state *headers = &backend->headers;
    size_t known = 0;
    while (known < headers->asked_count && is_known(backend, &headers->ids[known])) {
        known++;
    }
    if (known == 0 && headers->is_first_search) {
        finish(backend, HEADERS_NO_ANCHOR);
        return;
    }
    if (known == 0) {
        restart(backend);
        return;
    }
    int64_t high = known < headers->asked_count ? asked_height(headers, known) : headers->high;
    headers->low_id = headers->ids[known - 1];
    headers->low = asked_height(headers, known - 1);
    headers->high = high;
    headers->is_first_search = false;
    if (headers->high - headers->low > 1) {
        ask(backend, HEADERS_SEARCH, smaller(headers->high - headers->low, HEADERS_ASKED_MAX));
    } else {
        fetch_next_chunk(backend);
    }
}

static void after_fetch(struct backend *backend)
{
    struct headers_state *headers = &backend->headers;
    for (size_t i = 0; i < headers->asked_count; i++) {
        struct hash256 parent = parent_of(headers->chunk + i * HEADER_SIZE);
        if (!hash_equal(&parent, i == 0 ? &headers->low_id : &headers->ids[i - 1])) {
            restart(backend);
            return;
        }
    }
    size_t count = headers->asked_count;
    headers->low += (int64_t)count;
    headers->low_id = headers->ids[count - 1];
    if (deliver(backend, headers->chunk, count)) {
        fetch_next_chunk(backend);
    }
}

static void after_refusal(struct backend *backend)
{
    struct headers_state *headers = &backend->headers;
    bool is_about_tip = headers->phase == HEADERS_HEIGHT ||
                        (headers->phase == HEADERS_BACK && headers->back_count == 0);
    if (is_about_tip) {
        finish(backend, HEADERS_NO_TIP);
    } else {
        restart(backend);
    }
}

static void on_ended(void *context, const char *error)
{
    struct backend *backend = context;
    struct headers_state *headers = &backend->headers;
    if (error != NULL) {
        retry_later(backend, error);
        return;
    }
    if (headers->is_refused) {
        after_refusal(backend);
        return;
    }
    switch (headers->phase) {
    case HEADERS_IDLE:
        break;
    case HEADERS_BACK:
        after_back(backend);
        break;
    case HEADERS_HEIGHT:
        after_height(backend);
        break;
    case HEADERS_SEARCH:
        after_search(backend);
        break;
    case HEADERS_HASHES:
        ask(backend, HEADERS_FETCH, headers->asked_count);
        break;
    case HEADERS_FETCH:
        after_fetch(backend);
        break;
    }
}

static void start(struct backend *backend)
{
    struct headers_state *headers = &backend->headers;
    headers->retry_at = MONO_NEVER;
    if (is_known(backend, &headers->tip)) {
        finish(backend, HEADERS_DONE);
        return;
    }
    headers->cursor = headers->tip;
    headers->back_count = 0;
    ask(backend, HEADERS_BACK, 1);
}

void headers_tick(struct backend *backend, struct now now)
{
    struct headers_state *headers = &backend->headers;
    bool is_waiting = headers->retry_at.ms != MONO_NEVER.ms && now.mono.ms < headers->retry_at.ms;
    if (!headers->is_wanted || headers->phase != HEADERS_IDLE || is_waiting ||
        backend->active == NO_DAEMON) {
        return;
    }
    start(backend);
}

void headers_interrupt(struct backend *backend)
{
    many_cancel(&backend->headers.many);
    backend->headers.phase = HEADERS_IDLE;
    backend->headers.retry_at = MONO_NEVER;
}

void backend_fetch_headers(struct backend *backend, const struct hash256 *tip)
{
    struct headers_state *headers = &backend->headers;
    headers_interrupt(backend);
    headers->generation++;
    headers->is_wanted = true;
    headers->tip = *tip;
    headers->restarts_count = 0;
    backend_wake(backend);
}
