// A pool's job as mining.notify brings it, and headers made from it. What comes from a pool is not
// trusted: every size is bounded before anything is kept.
#ifndef SHOAL_TESTNET_MINER_JOB_H
#define SHOAL_TESTNET_MINER_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/hash.h"
#include "node/base/json.h"
#include "node/bitcoin/header.h"
#include "node/pow/sha256.h"

#define JOB_ID_MAX          128
#define JOB_COINBASE_MAX    65536 // bytes of each half
#define JOB_BRANCHES_MAX    32
#define JOB_EXTRANONCE1_MAX 32
#define JOB_EXTRANONCE2_MAX 16

struct job {
    char id[JOB_ID_MAX + 1]; // empty: no job
    struct hash256 prev;
    uint8_t *coinbase1;
    size_t coinbase1_size;
    uint8_t *coinbase2;
    size_t coinbase2_size;
    struct hash256 branches[JOB_BRANCHES_MAX];
    size_t branches_count;
    uint32_t version;
    uint32_t bits;
    uint32_t time;
    bool is_clean; // earlier jobs are worth nothing now
};

struct extranonce {
    uint8_t first[JOB_EXTRANONCE1_MAX]; // the pool's
    size_t first_size;
    size_t second_size; // ours
};

// Takes the parameters of mining.notify; more of them than there should be do no harm. False (and
// *what says which one) if they are no job; *job is then empty. Otherwise job_clear frees it.
bool job_read(struct job *job, struct json_value params, const char **what);
void job_clear(struct job *job);
// The header for our part of the extranonce (extranonce->second_size bytes) and a version, nonce 0.
void job_header(const struct job *job, const struct extranonce *extranonce, const uint8_t *second,
                uint32_t version, uint8_t header[HEADER_SIZE]);

#endif
