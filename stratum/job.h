// Works and jobs. A work is a template as all miners share it, with its texts and the hash state of
// its coinbase prefix made once. A job is a work as one miner got it: commitment, target, header
// time, and the shares seen on it. Both are counted by reference; no I/O, no events.
#ifndef SHOAL_STRATUM_JOB_H
#define SHOAL_STRATUM_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/time.h"
#include "node/bitcoin/header.h"
#include "node/pow/sha256.h"
#include "stratum/duplicates.h"
#include "stratum/stratum.h"

#define EXTRANONCE1_SIZE 4
#define EXTRANONCE2_SIZE 8

struct work {
    uint32_t refs;
    uint64_t era;
    struct mono_time made;
    struct hash256 prev;
    int64_t height;
    uint32_t version;
    uint32_t bits;
    uint32_t time;
    uint32_t min_time;
    struct merkle_branch branch;
    struct u256 network_target;
    void *owner;
    struct sha256 prefix_state;
    size_t prefix_size;
    size_t tail_size;
    uint8_t *prefix;
    char *prefix_hex;   // 2 * prefix_size characters, no zero
    char *tail;         // of the notify line: from behind coinb1 to before ntime
    char prev_text[64]; // as notify has it
};

// Everything copied, one reference. NULL if out of memory.
struct work *work_new(const struct stratum_work *source, uint64_t era, struct mono_time now);
// The owner's word about it is said by the engine, before.
void work_free(struct work *work);

// A prefix of this miner's own.
struct own_prefix {
    struct sha256 state;
    size_t size;
    uint8_t bytes[];
};

struct job {
    uint32_t refs;
    uint32_t id;
    struct work *work; // holds a reference
    struct u256 target;
    double difficulty; // as announced
    struct mono_time made;
    uint32_t time; // of the header, to begin with
    struct stratum_commitment commitment;
    struct script payout;
    struct own_prefix *own_prefix; // NULL for the work's
    struct duplicates seen;
};

struct job_options {
    uint32_t id;
    const struct stratum_commitment *commitment;
    const struct buffer *own_prefix; // size 0 for the work's
    const struct script *payout;
    double difficulty;
    struct u256 target;
};

// Takes a reference to the work. NULL if out of memory.
struct job *job_new(struct work *work, const struct job_options *options, struct mono_time now);
// When the last reference is gone; gives back the work, whose reference the caller now has.
struct work *job_free(struct job *job);
void job_write_notify(const struct job *job, bool is_clean, struct buffer *out);
// Upper bound of the line that job_write_notify writes.
size_t job_notify_size_max(const struct work *work);

// What a miner found.
struct job_solution {
    uint8_t extranonce[COINBASE_EXTRANONCE_SIZE];
    uint32_t time;
    uint32_t nonce;
    uint32_t version;
};
void job_header(const struct job *job, const struct job_solution *solution,
                uint8_t header[HEADER_SIZE]);

#endif
