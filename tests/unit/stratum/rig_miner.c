#include "tests/unit/stratum/rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include "node/base/hex.h"
#include "node/base/json.h"

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
