// The engine on a test bench: its events are recorded, its transport is an array per session, time
// is a variable. And a miner made without any code of ours that it is meant to check: it reads
// notify lines, builds headers with OpenSSL's SHA-256 and searches nonces.
#ifndef SHOAL_TESTS_UNIT_STRATUM_RIG_H
#define SHOAL_TESTS_UNIT_STRATUM_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/log.h"
#include "stratum/stratum.h"

#define RIG_ADDRESS       "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
#define RIG_OTHER_ADDRESS "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"
#define RIG_TAPS_MAX      2048
#define RIG_SHARES_MAX    64
#define RIG_OUTPUT_MAX    (1u << 20)

// What one session was sent.
struct rig_tap {
    uint64_t session;
    char *text; // since the last rig_take
    size_t size;
    size_t capacity;
    bool is_closed;
    enum stratum_close reason;
};

struct rig_share {
    struct stratum_share share; // pointers in it are not to be followed
    struct stratum_commitment commitment;
    struct script payout;
    char user[128];
    uint8_t prefix[4096];
    size_t sends_before; // how many sends had happened when it was told
};

struct rig {
    struct env env;
    uint64_t seed;
    struct stratum *stratum;
    struct stratum_config config;
    struct now now;

    // How the world answers.
    struct u256 network_target;
    struct u256 grain_target;
    struct u256 link_target;
    uint32_t time_max;
    const char *own_prefix; // NULL for none
    bool has_no_commitment;
    uint64_t next_sequence; // 0: answers need not wait
    size_t queued;          // what the transport says it still has, every time
    double worker_rate;
    void (*on_share)(struct rig *rig); // called inside share_found

    // What happened.
    struct rig_tap taps[RIG_TAPS_MAX];
    size_t taps_count;
    size_t sends;
    struct rig_share shares[RIG_SHARES_MAX];
    size_t shares_count;
    struct stratum_judgement judged;
    size_t judged_count;
    uint64_t submits_arrived; // the mark of the last one
    uint64_t submits_answered;
    uint64_t mark_answered;
    size_t sends_before_answer; // how many sends had happened when it was told
    size_t authorized_count;
    size_t closed_count;
    size_t refused_count;
    struct stratum_refused_device refused;
    size_t released_count;
    void *released_owner;
    size_t commitments_count;
    double asked_hashrate;
    struct team asked_team;
    double told_rate;
    char told_rate_user[128];
    uint64_t hash_token;
    uint8_t hash_header[HEADER_SIZE];
    size_t hashes_wanted;

    char *taken; // what rig_take returned last
    char taken_user[128];
};

// A rig on this chain whose sessions begin at difficulty 1e-7, with grains at 1e-6, links at 1e-5
// and blocks out of reach, until a test says otherwise. rig_start makes the engine from
// rig->config.
struct rig *rig_new(const char *chain);
void rig_start(struct rig *rig);
// Both, on regtest.
struct rig *rig_started(void);
void rig_free(struct rig *rig);

// New work on a previous block of 32 such bytes; is_clean as given.
void rig_work(struct rig *rig, uint8_t prev_byte, bool is_clean);
// With a coinbase prefix of this size and this many branches.
void rig_work_sized(struct rig *rig, uint8_t prev_byte, bool is_clean, size_t prefix_size,
                    size_t branches);
void rig_pass_ms(struct rig *rig, int64_t ms); // moves both clocks, then ticks
void rig_run_ms(struct rig *rig, int64_t ms);  // the same, stopping at each deadline on the way

// Asserts that it is let in.
uint64_t rig_connect(struct rig *rig, const char *address);
enum stratum_refusal rig_try_connect(struct rig *rig, const char *address, uint64_t *session);
void rig_send(struct rig *rig, uint64_t session, const char *line); // adds the newline
void rig_send_bytes(struct rig *rig, uint64_t session, const void *bytes, size_t size);
// All that the session was sent since the last time; valid until the next call.
const char *rig_take(struct rig *rig, uint64_t session);
void rig_expect(struct rig *rig, uint64_t session, const char *text);
const struct rig_tap *rig_tap(struct rig *rig, uint64_t session);
void rig_assert_open(struct rig *rig, uint64_t session);
void rig_assert_closed(struct rig *rig, uint64_t session, enum stratum_close reason);
// The view of a session; its texts point into static memory of the rig.
struct stratum_session_view rig_view(struct rig *rig, uint64_t session);
struct stratum_totals rig_totals(struct rig *rig);

// A job as the miner reads it from a notify line.
struct rig_job {
    char id[16];
    uint8_t prev[32];
    uint8_t coinbase1[65536];
    size_t coinbase1_size;
    uint8_t coinbase2[64];
    size_t coinbase2_size;
    uint8_t branches[16][32];
    size_t branches_count;
    uint32_t version;
    uint32_t bits;
    uint32_t time;
    bool is_clean;
};

struct rig_solution {
    uint8_t extranonce2[8];
    uint32_t time;
    uint32_t nonce;
    uint32_t version_bits;
    bool has_version_bits;
    uint32_t version_mask;
};

struct rig_miner {
    struct rig *rig;
    uint64_t session;
    char user[128];
    uint8_t extranonce1[4];
    char name[25]; // of the session, for resuming
    double difficulty;
    size_t jobs_count; // notifies read so far
    struct rig_job job;
    uint64_t next_id;
    uint64_t next_extranonce2;
};

// Subscribes and authorizes RIG_ADDRESS ".rig" over a new connection and reads the first job.
struct rig_miner rig_miner_open(struct rig *rig, const char *user_agent);
// The same on an open session; `session_name` is of the session to take up again, or NULL.
void rig_miner_begin(struct rig_miner *miner, const char *user_agent, const char *user,
                     const char *session_name);
// Reads what the session was sent: difficulty and job stand as after it. Answers to submits are
// returned as text.
const char *rig_miner_read(struct rig_miner *miner);
// Searches a solution of the current job whose hash has at least this difficulty (and less than ten
// thousand times as much).
struct rig_solution rig_miner_mine(struct rig_miner *miner, double difficulty);
void rig_miner_submit(struct rig_miner *miner, const struct rig_solution *solution);
// Mines at the job's difficulty, submits, and returns the answer.
const char *rig_miner_share(struct rig_miner *miner);
void rig_header(const struct rig_miner *miner, const struct rig_job *job,
                const struct rig_solution *solution, uint8_t header[80]);
void rig_sha256d(const void *data, size_t size, uint8_t hash[32]);
double rig_hash_difficulty(const uint8_t hash[32]);
bool rig_read_notify(const char *line, struct rig_job *job);

#endif
