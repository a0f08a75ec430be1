#include "tests/unit/stratum/rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include "node/base/env.h"
#include "node/base/hex.h"
#include "node/base/json.h"
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
    tap->text = realloc(tap->text, tap->size + size + 1);
    assert_non_null(tap->text);
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

void rig_sha256d(const void *data, size_t size, uint8_t hash[32])
{
    assert_int_equal(EVP_Digest(data, size, hash, NULL, EVP_sha256(), NULL), 1);
    assert_int_equal(EVP_Digest(hash, 32, hash, NULL, EVP_sha256(), NULL), 1);
}

double rig_hash_difficulty(const uint8_t hash[32])
{
    double value = 0;
    for (size_t i = 32; i-- > 0;) {
        value = value * 256 + hash[i];
    }
    return ldexp(65535, 208) / (value + 1);
}

static size_t read_hex(struct json_value value, uint8_t *out, size_t size_max)
{
    const char *text;
    size_t size;
    assert_true(json_is_text(value));
    json_raw(value, &text, &size);
    assert_true(size % 2 == 0 && size / 2 <= size_max);
    assert_true(hex_decode(text, size, out, size / 2));
    return size / 2;
}

static uint32_t read_u32_text(struct json_value value)
{
    uint8_t bytes[4];
    assert_int_equal(read_hex(value, bytes, 4), 4);
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void read_job(struct json_value params, struct rig_job *job)
{
    struct json_value value = json_first(params);
    uint8_t words[32];
    assert_int_equal(json_size(params), 9);
    assert_true(json_to_text(value, job->id, sizeof(job->id)));
    value = json_next(value);
    assert_int_equal(read_hex(value, words, 32), 32);
    for (size_t i = 0; i < 32; i++) {
        job->prev[i] = words[i / 4 * 4 + 3 - i % 4];
    }
    value = json_next(value);
    job->coinbase1_size = read_hex(value, job->coinbase1, sizeof(job->coinbase1));
    value = json_next(value);
    job->coinbase2_size = read_hex(value, job->coinbase2, sizeof(job->coinbase2));
    value = json_next(value);
    job->branches_count = 0;
    for (struct json_value v = json_first(value); json_exists(v); v = json_next(v)) {
        assert_int_equal(read_hex(v, job->branches[job->branches_count++], 32), 32);
    }
    value = json_next(value);
    job->version = read_u32_text(value);
    value = json_next(value);
    job->bits = read_u32_text(value);
    value = json_next(value);
    job->time = read_u32_text(value);
    assert_true(json_to_bool(json_next(value), &job->is_clean));
}

bool rig_read_notify(const char *line, struct rig_job *job)
{
    struct json *json = json_parse(line, strcspn(line, "\n"), 100);
    assert_non_null(json);
    struct json_value root = json_root(json);
    bool is_notify = json_text_equals(json_get(root, "method"), "mining.notify");
    if (is_notify) {
        assert_true(json_is_null(json_get(root, "id")));
        read_job(json_get(root, "params"), job);
    }
    json_free(json);
    return is_notify;
}

static void read_line(struct rig_miner *miner, const char *line)
{
    struct json *json = json_parse(line, strcspn(line, "\n"), 100);
    assert_non_null(json);
    struct json_value root = json_root(json);
    if (json_text_equals(json_get(root, "method"), "mining.set_difficulty")) {
        assert_true(json_to_double(json_first(json_get(root, "params")), &miner->difficulty));
    }
    json_free(json);
    if (rig_read_notify(line, &miner->job)) {
        miner->jobs_count++;
    }
}

const char *rig_miner_read(struct rig_miner *miner)
{
    const char *text = rig_take(miner->rig, miner->session);
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_non_null(strchr(line, '\n')); // whole lines only
        read_line(miner, line);
    }
    return text;
}

void rig_miner_begin(struct rig_miner *miner, const char *user_agent, const char *user,
                     const char *session_name)
{
    char line[512];
    snprintf(miner->user, sizeof(miner->user), "%s", user);
    if (session_name != NULL) {
        snprintf(line, sizeof(line),
                 "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"%s\",\"%s\"]}",
                 user_agent, session_name);
    } else {
        snprintf(line, sizeof(line),
                 "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"%s\"]}", user_agent);
    }
    rig_send(miner->rig, miner->session, line);
    const char *reply = rig_take(miner->rig, miner->session);
    struct json *json = json_parse(reply, strcspn(reply, "\n"), 100);
    assert_non_null(json);
    struct json_value result = json_get(json_root(json), "result");
    struct json_value notify = json_first(json_first(result));
    assert_true(json_text_equals(json_first(notify), "mining.notify"));
    assert_true(json_to_text(json_next(json_first(notify)), miner->name, sizeof(miner->name)));
    assert_true(
        json_to_hex(json_next(json_first(result)), miner->extranonce1, sizeof(miner->extranonce1)));
    json_free(json);
    snprintf(line, sizeof(line),
             "{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"%s\",\"x\"]}", user);
    rig_send(miner->rig, miner->session, line);
    rig_miner_read(miner);
    miner->next_id = 10;
}

struct rig_miner rig_miner_open(struct rig *rig, const char *user_agent)
{
    struct rig_miner miner = {.rig = rig};
    miner.session = rig_connect(rig, "192.0.2.7");
    rig_miner_begin(&miner, user_agent, RIG_ADDRESS ".rig", NULL);
    rig_assert_open(rig, miner.session);
    assert_true(miner.jobs_count > 0);
    return miner;
}

void rig_header(const struct rig_miner *miner, const struct rig_job *job,
                const struct rig_solution *solution, uint8_t header[80])
{
    uint8_t coinbase[66000];
    size_t size = job->coinbase1_size;
    memcpy(coinbase, job->coinbase1, size);
    memcpy(coinbase + size, miner->extranonce1, 4);
    memcpy(coinbase + size + 4, solution->extranonce2, 8);
    memcpy(coinbase + size + 12, job->coinbase2, job->coinbase2_size);
    uint8_t pair[64];
    rig_sha256d(coinbase, size + 12 + job->coinbase2_size, pair);
    for (size_t i = 0; i < job->branches_count; i++) {
        memcpy(pair + 32, job->branches[i], 32);
        rig_sha256d(pair, 64, pair);
    }
    uint32_t version = job->version;
    if (solution->has_version_bits) {
        version = (version & ~solution->version_mask) | solution->version_bits;
    }
    const uint32_t numbers[] = {version, solution->time, job->bits, solution->nonce};
    const size_t offsets[] = {0, 68, 72, 76};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            header[offsets[i] + j] = (uint8_t)(numbers[i] >> (8 * j));
        }
    }
    memcpy(header + 4, job->prev, 32);
    memcpy(header + 36, pair, 32);
}

struct rig_solution rig_miner_mine(struct rig_miner *miner, double difficulty)
{
    struct rig_solution solution = {.time = miner->job.time};
    uint8_t header[80];
    uint8_t hash[32];
    miner->next_extranonce2++;
    for (size_t i = 0; i < 8; i++) {
        solution.extranonce2[i] = (uint8_t)(miner->next_extranonce2 >> (8 * i));
    }
    rig_header(miner, &miner->job, &solution, header);
    for (;;) {
        for (size_t j = 0; j < 4; j++) {
            header[76 + j] = (uint8_t)(solution.nonce >> (8 * j));
        }
        rig_sha256d(header, sizeof(header), hash);
        double found = rig_hash_difficulty(hash);
        if (found >= difficulty && found < difficulty * 10000) {
            return solution;
        }
        solution.nonce++;
    }
}

void rig_miner_submit(struct rig_miner *miner, const struct rig_solution *solution)
{
    char line[512];
    char extranonce2[17];
    char bits[16] = "";
    hex_encode(solution->extranonce2, 8, extranonce2);
    if (solution->has_version_bits) {
        snprintf(bits, sizeof(bits), ",\"%08x\"", solution->version_bits);
    }
    snprintf(line, sizeof(line),
             "{\"id\":%llu,\"method\":\"mining.submit\",\"params\":[\"%s\",\"%s\",\"%s\",\"%08x\","
             "\"%08x\"%s]}",
             (unsigned long long)miner->next_id++, miner->user, miner->job.id, extranonce2,
             solution->time, solution->nonce, bits);
    rig_send(miner->rig, miner->session, line);
}

const char *rig_miner_share(struct rig_miner *miner)
{
    struct rig_solution solution = rig_miner_mine(miner, miner->difficulty);
    rig_miner_submit(miner, &solution);
    return rig_miner_read(miner);
}
