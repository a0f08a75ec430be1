// What a share costs the Stratum engine: the check alone, and all from the received line to the
// answer's bytes (what the socket costs comes on top). A template of 48 outputs, 12 branches, and
// the straightforward check with OpenSSL's low-level SHA-256 as baseline: hash the whole coinbase
// twice over, climb the branch, hash the header.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/base/json.h"
#include "node/base/log.h"
#include "node/pow/target.h"
#include "stratum/job.h"
#include "stratum/line.h"
#include "tests/bench/bench.h"

#define ROUNDS      31
#define OUTPUTS     48
#define BRANCHES    12
#define BATCH       16
#define MINERS      1000
#define CHECK_NS    4000
#define COLD_NS     6000
#define SUBMIT_NS   12000
#define PARSE_NS    200
#define SUBMIT_SIZE 256
#define ADDRESS     "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

struct world {
    struct env env;
    struct log *log;
    struct stratum *stratum;
    struct now now;
    uint64_t session;
    size_t answers;
    size_t accepted;
    bool is_listening; // looks into what is sent

    struct stratum_work work;
    uint8_t prefix[4096];
    struct work *own_work;
    struct job *job;
    struct job_solution solution;
    uint8_t header[HEADER_SIZE];
    struct hash256 hash;
    uint32_t nonce;

    char line[SUBMIT_SIZE];
    size_t line_size;
    char *line_job;
    char *line_nonce;
};

static void fixed_random(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 0x21, size);
}

static size_t on_send(void *context, uint64_t session, const void *bytes, size_t size)
{
    struct world *world = context;
    const char *text = bytes;
    (void)session;
    world->answers++;
    if (!world->is_listening) {
        return 0;
    }
    // A job follows an answer only rarely, and is longer than any answer.
    static const char notify[] = "\"mining.notify\",\"params\":[\"";
    const char *at = size > 200 ? memmem(text, size, notify, sizeof(notify) - 1) : NULL;
    if (at != NULL) {
        memcpy(world->line_job, at + sizeof(notify) - 1, 8);
    }
    return 0;
}

static void on_close(void *context, uint64_t session, enum stratum_close reason)
{
    (void)context;
    (void)session;
    fprintf(stderr, "closed: %s\n", stratum_close_text(reason));
    abort();
}

static bool on_job_commitment(void *context, const struct stratum_job_request *request,
                              struct stratum_commitment *commitment, struct buffer *own_prefix)
{
    (void)context;
    (void)own_prefix;
    memcpy(commitment->share_info_hash.bytes, request->payout->bytes, 22);
    commitment->grain_target = target_from_difficulty(1, pow_algorithm(POW_SHA256D));
    commitment->link_target = commitment->grain_target;
    commitment->time_max = UINT32_MAX;
    return true;
}

static uint64_t on_share_found(void *context, const struct stratum_share *share)
{
    (void)context;
    (void)share;
    return 0;
}

static void on_share_judged(void *context, const struct stratum_judgement *judgement)
{
    struct world *world = context;
    world->accepted += judgement->verdict == STRATUM_ACCEPTED ? 1 : 0;
}

static uint64_t on_submit_arrived(void *context)
{
    (void)context;
    return 0;
}

static void on_submit_answered(void *context, uint64_t mark)
{
    (void)context;
    (void)mark;
}

static void on_hash_wanted(void *context, uint64_t token, const uint8_t header[HEADER_SIZE])
{
    (void)context;
    (void)token;
    (void)header;
}

static void on_work_released(void *context, void *owner)
{
    (void)context;
    (void)owner;
}

static void on_session_authorized(void *context, const struct stratum_session_view *session)
{
    (void)context;
    (void)session;
}

static void on_session_closed(void *context, const struct stratum_session_view *session,
                              enum stratum_close reason)
{
    (void)context;
    (void)session;
    (void)reason;
}

static void on_device_refused(void *context, const struct stratum_refused_device *device)
{
    (void)context;
    (void)device;
}

static double on_worker_rate_find(void *context, const char *user)
{
    (void)context;
    (void)user;
    return 0;
}

static void on_worker_rate_changed(void *context, const char *user, double hashrate)
{
    (void)context;
    (void)user;
    (void)hashrate;
}

static void make_work(struct world *world)
{
    struct coinbase_output outputs[OUTPUTS];
    struct hash256 commitment = {{1}};
    struct buffer prefix;
    for (size_t i = 0; i < OUTPUTS; i++) {
        outputs[i].amount = 6000000 + i;
        outputs[i].script = (struct script){.size = 34, .bytes = {0x51, 0x20, (uint8_t)i}};
    }
    struct coinbase_spec spec = {.height = 840000,
                                 .outputs = outputs,
                                 .outputs_count = OUTPUTS,
                                 .witness_commitment = &commitment};
    buffer_init_fixed(&prefix, world->prefix, sizeof(world->prefix));
    coinbase_write_prefix(&spec, &prefix);
    assert(!prefix.failed);
    world->work = (struct stratum_work){.height = 840000,
                                        .version = 0x20000000,
                                        .bits = 0x1d00ffff,
                                        .time = 1700000000,
                                        .min_time = 1699999000,
                                        .is_clean = true,
                                        .prefix = world->prefix,
                                        .prefix_size = prefix.size};
    world->work.branch.count = BRANCHES;
    for (size_t i = 0; i < BRANCHES; i++) {
        memset(world->work.branch.hashes[i].bytes, (int)i + 1, 32);
    }
}

static void make_engine(struct world *world)
{
    const struct stratum_events events = {
        .context = world,
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
    struct stratum_config config = stratum_config_default(chain_params_by_name("regtest"), 2300);
    config.lines_per_second = 0;
    config.difficulty_fixed = 1e-10; // every hash is a share
    config.connections_per_second = 1e9;
    world->log = log_new_silent();
    world->env = (struct env){.random = fixed_random, .log = world->log};
    world->stratum = stratum_new(&world->env, &events, &config);
    assert(world->stratum != NULL && stratum_set_work(world->stratum, &world->work, world->now));
}

static uint64_t open_session(struct world *world)
{
    static const char hello[] =
        "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"bench/1\"]}\n"
        "{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"" ADDRESS ".worker\",\"x\"]}\n";
    struct stratum_peer peer = {.family = 4, .bytes = {127, 0, 0, 1}};
    uint64_t session = 0;
    if (stratum_connected(world->stratum, &peer, world->now, &session) != STRATUM_CONNECTED) {
        abort();
    }
    stratum_receive(world->stratum, session, hello, sizeof(hello) - 1, world->now);
    return session;
}

static void make_line(struct world *world)
{
    int size = snprintf(world->line, sizeof(world->line),
                        "{\"params\": [\"" ADDRESS ".worker\", \"00000000\", \"0000000000000001\", "
                        "\"6553f100\", \"00000000\"], \"id\": 4711, \"method\": "
                        "\"mining.submit\"}\n");
    world->line_size = (size_t)size;
    world->line_job = strstr(world->line, "\"00000000\"") + 1;
    world->line_nonce = strstr(world->line_job + 8, "\"00000000\"") + 1;
}

static void make_job(struct world *world)
{
    struct stratum_commitment commitment = {.time_max = UINT32_MAX};
    struct script payout = {.size = 22};
    struct buffer no_prefix = {.size = 0};
    struct job_options options = {.commitment = &commitment,
                                  .payout = &payout,
                                  .own_prefix = &no_prefix,
                                  .difficulty = 1,
                                  .target = target_from_difficulty(1, pow_algorithm(POW_SHA256D))};
    world->own_work = work_new(&world->work, 1, world->now.mono);
    world->job = job_new(world->own_work, &options, world->now.mono);
    assert(world->own_work != NULL && world->job != NULL);
}

static bool check_ours(void *context)
{
    struct world *world = context;
    for (size_t i = 0; i < BATCH; i++) {
        world->solution.nonce = world->nonce++;
        world->solution.extranonce[7] = (uint8_t)world->hash.bytes[0];
        job_header(world->job, &world->solution, world->header);
        sha256d_80(world->header, &world->hash);
        if (target_is_met(&world->hash, &world->job->target)) {
            world->accepted++;
        }
    }
    return true;
}

// As when the first share of a work comes: the prefix is hashed as well.
static bool check_ours_cold(void *context)
{
    struct world *world = context;
    for (size_t i = 0; i < BATCH; i++) {
        sha256_init(&world->own_work->prefix_state);
        sha256_update(&world->own_work->prefix_state, world->own_work->prefix,
                      world->own_work->prefix_size);
        world->solution.nonce = world->nonce++;
        job_header(world->job, &world->solution, world->header);
        sha256d_80(world->header, &world->hash);
        if (target_is_met(&world->hash, &world->job->target)) {
            world->accepted++;
        }
    }
    return true;
}

static void openssl_double(const uint8_t *data, size_t size, uint8_t out[32])
{
    SHA256_CTX sha;
    SHA256_Init(&sha);
    SHA256_Update(&sha, data, size);
    SHA256_Final(out, &sha);
    SHA256_Init(&sha);
    SHA256_Update(&sha, out, 32);
    SHA256_Final(out, &sha);
}

static bool check_openssl(void *context)
{
    struct world *world = context;
    uint8_t coinbase[4200];
    uint8_t pair[64];
    for (size_t i = 0; i < BATCH; i++) {
        struct buffer out;
        buffer_init_fixed(&out, coinbase, sizeof(coinbase));
        world->solution.nonce = world->nonce++;
        world->solution.extranonce[7] = (uint8_t)world->hash.bytes[0];
        write_bytes(&out, world->prefix, world->work.prefix_size);
        coinbase_write_tail(&world->job->commitment.share_info_hash, world->solution.extranonce,
                            world->work.height, &out);
        openssl_double(coinbase, out.size, pair);
        for (size_t j = 0; j < BRANCHES; j++) {
            memcpy(pair + 32, world->work.branch.hashes[j].bytes, 32);
            openssl_double(pair, 64, pair);
        }
        memcpy(world->header + 36, pair, 32);
        memcpy(world->header + 76, &world->solution.nonce, 4);
        openssl_double(world->header, 80, world->hash.bytes);
        if (target_is_met(&world->hash, &world->job->target)) {
            world->accepted++;
        }
    }
    return true;
}

static void write_nonce(struct world *world)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t nonce = world->nonce++;
    for (size_t i = 0; i < 8; i++) {
        world->line_nonce[7 - i] = digits[nonce >> (4 * i) & 15];
    }
}

static bool submit_ours(void *context)
{
    struct world *world = context;
    for (size_t i = 0; i < BATCH; i++) {
        write_nonce(world);
        stratum_receive(world->stratum, world->session, world->line, world->line_size, world->now);
    }
    return true;
}

static bool parse_ours(void *context)
{
    struct world *world = context;
    for (size_t i = 0; i < BATCH; i++) {
        struct line line;
        uint32_t nonce;
        write_nonce(world);
        if (!line_parse(world->line, world->line_size - 1, &line) ||
            !line_to_hex_u32(&line.params[4], &nonce)) {
            return false;
        }
        world->accepted += nonce & 1;
    }
    return true;
}

static bool parse_general(void *context)
{
    struct world *world = context;
    for (size_t i = 0; i < BATCH; i++) {
        write_nonce(world);
        struct json *json = json_parse(world->line, world->line_size - 1, 64);
        if (json == NULL) {
            return false;
        }
        world->accepted += json_size(json_get(json_root(json), "params"));
        json_free(json);
    }
    return true;
}

static void run_contests(struct bench *bench, struct world *world)
{
    const struct bench_contest contests[] = {
        {.what = "share check, prefix mid-state known",
         .ours = {"ours", BATCH, check_ours},
         .baseline = {"OpenSSL, whole coinbase", BATCH, check_openssl},
         .most_ns = CHECK_NS,
         .least_speed = 1},
        {.what = "share check, cold",
         .ours = {"ours", BATCH, check_ours_cold},
         .baseline = {"OpenSSL, whole coinbase", BATCH, check_openssl},
         .most_ns = COLD_NS,
         .least_speed = 1},
        {.what = "submit, line to answer",
         .ours = {"ours", BATCH, submit_ours},
         .baseline = {"OpenSSL check alone", BATCH, check_openssl},
         .most_ns = SUBMIT_NS},
        {.what = "parse a submit line",
         .ours = {"ours", BATCH, parse_ours},
         .baseline = {"jsmn document", BATCH, parse_general},
         .most_ns = PARSE_NS,
         .least_speed = 1},
    };
    for (size_t i = 0; i < sizeof(contests) / sizeof(contests[0]); i++) {
        bench_contest_run(bench, &contests[i], world);
    }
}

// A new block for a thousand miners: commitment, job and notify line for each. The baseline is what
// it would cost to write the template's coinbase in hex for each of them, instead of once.
static void run_fan_out(struct bench *bench, struct world *world)
{
    double ours[BENCH_ROUNDS_MAX];
    double baseline[BENCH_ROUNDS_MAX];
    static char copy[16384];
    assert(2 * world->work.prefix_size < sizeof(copy));
    world->is_listening = false;
    for (size_t i = 1; i < MINERS; i++) {
        open_session(world);
    }
    for (size_t round = 0; round < bench->rounds; round++) {
        double begin = bench_now_ns();
        for (size_t i = 0; i < MINERS; i++) {
            hex_encode(world->prefix, world->work.prefix_size, copy);
            world->accepted += (size_t)copy[i];
        }
        baseline[round] = (bench_now_ns() - begin) / MINERS;
        begin = bench_now_ns();
        if (!stratum_set_work(world->stratum, &world->work, world->now)) {
            abort();
        }
        ours[round] = (bench_now_ns() - begin) / MINERS;
    }
    struct bench_row row = {.what = "new work, for each of 1000 miners",
                            .unit = "ns",
                            .ours = bench_median(ours, bench->rounds),
                            .baseline_name = "coinbase in hex anew",
                            .baseline = bench_median(baseline, bench->rounds)};
    bench_row_print(bench, &row);
}

int main(int argc, char **argv)
{
    struct bench bench;
    if (!bench_init(&bench, ROUNDS, argc, argv)) {
        return 2;
    }
    struct world *world = calloc(1, sizeof(*world));
    assert(world != NULL);
    world->now = (struct now){{1000000}, {INT64_C(1700000000000)}};
    world->is_listening = true;
    make_work(world);
    make_line(world);
    make_engine(world);
    make_job(world);
    world->session = open_session(world);
    run_contests(&bench, world);
    struct stratum_totals totals;
    stratum_totals(world->stratum, world->now, &totals);
    const uint64_t refused = totals.shares[STRATUM_LOW_DIFFICULTY] +
                             totals.shares[STRATUM_DUPLICATE] + totals.shares[STRATUM_JOB_UNKNOWN];
    printf("%llu submits accepted, %llu refused, coinbase of %zu bytes\n",
           (unsigned long long)totals.shares[STRATUM_ACCEPTED], (unsigned long long)refused,
           coinbase_size(world->work.prefix_size));
    run_fan_out(&bench, world);
    work_free(job_free(world->job));
    stratum_free(world->stratum);
    log_free(world->log);
    free(world);
    return bench_finish(&bench);
}
