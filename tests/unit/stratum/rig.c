#include "tests/unit/stratum/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/env.h"
#include "node/pow/target.h"

static void seeded_random(void *context, void *out, size_t size)
{
    struct rig *rig = context;
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++) {
        rig->seed = rig->seed * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(rig->seed >> 56);
    }
}

static struct rig_tap *tap_of(struct rig *rig, uint64_t session)
{
    for (size_t i = rig->taps_count; i-- > 0;) {
        if (rig->taps[i].session == session) {
            return &rig->taps[i];
        }
    }
    fail_msg("no session %llu", (unsigned long long)session);
    return NULL;
}

static size_t on_send(void *context, uint64_t session, const void *bytes, size_t size)
{
    struct rig *rig = context;
    struct rig_tap *tap = tap_of(rig, session);
    assert_false(tap->is_closed);
    assert_true(size > 0 && tap->size + size < RIG_OUTPUT_MAX);
    if (tap->size + size >= tap->capacity) {
        tap->capacity = tap->size + size + 1;
        tap->text = realloc(tap->text, tap->capacity);
        assert_non_null(tap->text);
    }
    memcpy(tap->text + tap->size, bytes, size);
    tap->size += size;
    tap->text[tap->size] = '\0';
    rig->sends++;
    return rig->queued;
}

static void on_close(void *context, uint64_t session, enum stratum_close reason)
{
    struct rig_tap *tap = tap_of(context, session);
    assert_false(tap->is_closed);
    tap->is_closed = true;
    tap->reason = reason;
}

static bool on_job_commitment(void *context, const struct stratum_job_request *request,
                              struct stratum_commitment *commitment, struct buffer *own_prefix)
{
    struct rig *rig = context;
    rig->commitments_count++;
    rig->asked_hashrate = request->hashrate;
    assert_true(request->hashrate > 0);
    // As different as the payout scripts are, and no two jobs alike.
    for (size_t i = 0; i < 32; i++) {
        commitment->share_info_hash.bytes[i] =
            (uint8_t)(request->payout->bytes[i % request->payout->size] + i +
                      rig->commitments_count);
    }
    commitment->grain_target = rig->grain_target;
    commitment->link_target = rig->link_target;
    commitment->grain_shift = 3;
    commitment->time_max = rig->time_max;
    rig->asked_team = *request->team;
    commitment->tag = rig->commitments_count;
    if (rig->own_prefix != NULL) {
        write_text(own_prefix, rig->own_prefix);
    }
    return !rig->has_no_commitment;
}

static uint64_t on_share_found(void *context, const struct stratum_share *share)
{
    struct rig *rig = context;
    assert_true(rig->shares_count < RIG_SHARES_MAX);
    struct rig_share *record = &rig->shares[rig->shares_count++];
    record->share = *share;
    record->commitment = *share->commitment;
    record->payout = *share->payout;
    snprintf(record->user, sizeof(record->user), "%s", share->user);
    memcpy(record->prefix, share->prefix,
           share->prefix_size < sizeof(record->prefix) ? share->prefix_size
                                                       : sizeof(record->prefix));
    record->sends_before = rig->sends;
    if (rig->on_share != NULL) {
        rig->on_share(rig);
    }
    return rig->next_sequence == 0 ? 0 : rig->next_sequence++;
}

static void on_share_judged(void *context, const struct stratum_judgement *judgement)
{
    struct rig *rig = context;
    rig->judged = *judgement;
    rig->judged_count++;
}

static uint64_t on_submit_arrived(void *context)
{
    struct rig *rig = context;
    return ++rig->submits_arrived;
}

static void on_submit_answered(void *context, uint64_t mark)
{
    struct rig *rig = context;
    rig->submits_answered++;
    rig->mark_answered = mark;
    rig->sends_before_answer = rig->sends;
}

static void on_hash_wanted(void *context, uint64_t token, const uint8_t header[HEADER_SIZE])
{
    struct rig *rig = context;
    rig->hash_token = token;
    memcpy(rig->hash_header, header, HEADER_SIZE);
    rig->hashes_wanted++;
}

static void on_work_released(void *context, void *owner)
{
    struct rig *rig = context;
    rig->released_count++;
    rig->released_owner = owner;
}

static void on_session_authorized(void *context, const struct stratum_session_view *session)
{
    struct rig *rig = context;
    assert_true(session->is_authorized);
    rig->authorized_count++;
}

static void on_session_closed(void *context, const struct stratum_session_view *session,
                              enum stratum_close reason)
{
    struct rig *rig = context;
    (void)session;
    (void)reason;
    rig->closed_count++;
}

static void on_device_refused(void *context, const struct stratum_refused_device *device)
{
    struct rig *rig = context;
    rig->refused_count++;
    rig->refused = *device;
}

static double on_worker_rate_find(void *context, const char *user)
{
    const struct rig *rig = context;
    assert_true(user[0] != '\0');
    return rig->worker_rate;
}

static void on_worker_rate_changed(void *context, const char *user, double hashrate)
{
    struct rig *rig = context;
    rig->told_rate = hashrate;
    snprintf(rig->told_rate_user, sizeof(rig->told_rate_user), "%s", user);
}

static struct u256 target_of(const struct rig *rig, double difficulty)
{
    return target_from_difficulty(difficulty, pow_algorithm(rig->config.chain->pow));
}

struct rig *rig_new(const char *chain)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->seed = 20240407;
    rig->env = (struct env){seeded_random, rig, log_new_silent()};
    rig->config = stratum_config_default(chain_params_by_name(chain), 500);
    rig->config.difficulty_start = 1e-7;
    rig->config.difficulty_min = 1e-9;
    rig->now.mono.ms = 1000000;
    rig->now.wall.ms = INT64_C(1735689600000);
    rig->network_target = target_of(rig, 1e9);
    rig->link_target = target_of(rig, 1e-5);
    rig->grain_target = target_of(rig, 1e-6);
    rig->time_max = UINT32_MAX;
    return rig;
}

void rig_start(struct rig *rig)
{
    const struct stratum_events events = {
        .context = rig,
        .send = on_send,
        .close = on_close,
        .job_commitment = on_job_commitment,
        .share_found = on_share_found,
        .share_judged = on_share_judged,
        .submit_arrived = on_submit_arrived,
        .submit_answered = on_submit_answered,
        .hash_wanted = on_hash_wanted,
        .work_released = on_work_released,
        .session_authorized = on_session_authorized,
        .session_closed = on_session_closed,
        .device_refused = on_device_refused,
        .worker_rate_find = on_worker_rate_find,
        .worker_rate_changed = on_worker_rate_changed,
    };
    rig->stratum = stratum_new(&rig->env, &events, &rig->config);
    assert_non_null(rig->stratum);
    rig_work(rig, 0x11, true);
}

struct rig *rig_started(void)
{
    struct rig *rig = rig_new("regtest");
    rig_start(rig);
    return rig;
}

void rig_free(struct rig *rig)
{
    stratum_free(rig->stratum);
    for (size_t i = 0; i < rig->taps_count; i++) {
        free(rig->taps[i].text);
    }
    log_free(rig->env.log);
    free(rig->taken);
    free(rig);
}

void rig_work_sized(struct rig *rig, uint8_t prev_byte, bool is_clean, size_t prefix_size,
                    size_t branches)
{
    uint8_t *prefix = malloc(prefix_size);
    assert_non_null(prefix);
    for (size_t i = 0; i < prefix_size; i++) {
        prefix[i] = (uint8_t)(i * 7 + prev_byte);
    }
    struct stratum_work work = {.height = 800000,
                                .version = 0x20000000,
                                .bits = 0x1d00ffff,
                                .time = (uint32_t)(rig->now.wall.ms / 1000),
                                .min_time = (uint32_t)(rig->now.wall.ms / 1000) - 3600,
                                .network_target = rig->network_target,
                                .is_clean = is_clean,
                                .prefix = prefix,
                                .prefix_size = prefix_size,
                                .owner = (void *)(uintptr_t)prev_byte};
    // No two bytes alike, so that an order gone wrong shows.
    for (size_t i = 0; i < 32; i++) {
        work.prev.bytes[i] = (uint8_t)(prev_byte + i);
    }
    work.branch.count = branches;
    for (size_t i = 0; i < branches; i++) {
        memset(work.branch.hashes[i].bytes, (int)(0x40 + i), 32);
        work.branch.hashes[i].bytes[0] = prev_byte;
    }
    assert_true(stratum_set_work(rig->stratum, &work, rig->now));
    free(prefix);
}

void rig_work(struct rig *rig, uint8_t prev_byte, bool is_clean)
{
    rig_work_sized(rig, prev_byte, is_clean, 201, 3);
}

void rig_pass_ms(struct rig *rig, int64_t ms)
{
    rig->now.mono.ms += ms;
    rig->now.wall.ms += ms;
    stratum_tick(rig->stratum, rig->now);
}

void rig_run_ms(struct rig *rig, int64_t ms)
{
    int64_t end = rig->now.mono.ms + ms;
    for (;;) {
        int64_t next = stratum_next_deadline(rig->stratum).ms;
        if (next > end) {
            break;
        }
        rig_pass_ms(rig, next > rig->now.mono.ms ? next - rig->now.mono.ms : 0);
    }
    rig_pass_ms(rig, end - rig->now.mono.ms);
}

enum stratum_refusal rig_try_connect(struct rig *rig, const char *address, uint64_t *session)
{
    struct stratum_peer peer = {.family = 4};
    unsigned parts[4];
    char *end;
    const char *at = address;
    for (size_t i = 0; i < 4; i++) {
        parts[i] = (unsigned)strtoul(at, &end, 10);
        peer.bytes[i] = (uint8_t)parts[i];
        at = end + 1;
    }
    snprintf(peer.text, sizeof(peer.text), "%s:40000", address);
    enum stratum_refusal refusal = stratum_connected(rig->stratum, &peer, rig->now, session);
    if (refusal == STRATUM_CONNECTED) {
        // The oldest taps of a long test are of no interest any more.
        if (rig->taps_count == RIG_TAPS_MAX) {
            free(rig->taps[0].text);
            memmove(&rig->taps[0], &rig->taps[1], (RIG_TAPS_MAX - 1) * sizeof(rig->taps[0]));
            rig->taps_count--;
        }
        rig->taps[rig->taps_count++] = (struct rig_tap){.session = *session};
    }
    return refusal;
}

uint64_t rig_connect(struct rig *rig, const char *address)
{
    uint64_t session = 0;
    assert_int_equal(rig_try_connect(rig, address, &session), STRATUM_CONNECTED);
    assert_true(session != 0);
    return session;
}

void rig_send_bytes(struct rig *rig, uint64_t session, const void *bytes, size_t size)
{
    // A copy of its very size, so that a sanitizer sees a read beyond it.
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    stratum_receive(rig->stratum, session, copy, size, rig->now);
    free(copy);
}

void rig_send(struct rig *rig, uint64_t session, const char *line)
{
    size_t size = strlen(line);
    char *copy = malloc(size + 2);
    assert_non_null(copy);
    memcpy(copy, line, size);
    copy[size] = '\n';
    rig_send_bytes(rig, session, copy, size + 1);
    free(copy);
}

const char *rig_take(struct rig *rig, uint64_t session)
{
    struct rig_tap *tap = tap_of(rig, session);
    free(rig->taken);
    rig->taken = tap->text != NULL ? tap->text : calloc(1, 1);
    tap->text = NULL;
    tap->size = 0;
    tap->capacity = 0;
    return rig->taken;
}

void rig_expect(struct rig *rig, uint64_t session, const char *text)
{
    assert_string_equal(rig_take(rig, session), text);
}

const struct rig_tap *rig_tap(struct rig *rig, uint64_t session)
{
    return tap_of(rig, session);
}

void rig_assert_open(struct rig *rig, uint64_t session)
{
    const struct rig_tap *tap = tap_of(rig, session);
    if (tap->is_closed) {
        fail_msg("closed: %s", stratum_close_text(tap->reason));
    }
}

void rig_assert_closed(struct rig *rig, uint64_t session, enum stratum_close reason)
{
    const struct rig_tap *tap = tap_of(rig, session);
    assert_true(tap->is_closed);
    assert_string_equal(stratum_close_text(tap->reason), stratum_close_text(reason));
}

struct wanted_view {
    uint64_t session;
    bool is_found;
    struct stratum_session_view view;
};

static void pick_view(void *context, const struct stratum_session_view *session)
{
    struct wanted_view *wanted = context;
    if (session->session == wanted->session) {
        wanted->is_found = true;
        wanted->view = *session;
    }
}

struct stratum_session_view rig_view(struct rig *rig, uint64_t session)
{
    struct wanted_view wanted = {.session = session};
    stratum_each_session(rig->stratum, rig->now, pick_view, &wanted);
    assert_true(wanted.is_found);
    return wanted.view;
}

struct stratum_totals rig_totals(struct rig *rig)
{
    struct stratum_totals totals;
    stratum_totals(rig->stratum, rig->now, &totals);
    return totals;
}
