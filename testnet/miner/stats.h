// What the miner did, counted where it happens and shown as text or JSON. Shares are counted when
// the pool has answered, not when they are sent.
#ifndef SHOAL_TESTNET_MINER_STATS_H
#define SHOAL_TESTNET_MINER_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"

#define STATS_REASONS_MAX 16
#define STATS_REASON_SIZE 96
#define STATS_LATENCIES   40 // powers of two of microseconds

struct stats_reason {
    char text[STATS_REASON_SIZE];
    uint64_t count;
};

struct stats {
    uint64_t hashes;
    uint64_t submitted;
    uint64_t accepted;
    uint64_t rejected;
    uint64_t unanswered;  // the connection ended, or too many others were sent since
    uint64_t discarded;   // found for a job that was no longer good, and so not sent
    uint64_t blocks;      // shares whose hash is good enough for the job's bits
    double accepted_work; // hashes that the accepted shares stand for
    double difficulty;    // as last set by a pool
    struct stats_reason
        reasons[STATS_REASONS_MAX]; // of rejections; the last one takes what is left
    size_t reasons_count;
    uint64_t latencies[STATS_LATENCIES]; // of answers: [i] under 2^i us
    uint64_t connects;                   // that came as far as work
    uint64_t disconnects;
    uint64_t failures; // of connecting or logging in
};

// What a report shows beside the counters.
struct stats_moment {
    const char *event; // "report" or "end"
    double seconds;    // since the start
    double recent_seconds;
    uint64_t recent_hashes; // in those
    size_t connections;     // that have work now
    size_t connections_wanted;
};

// `reason` comes from a pool: anything but printable ASCII is shown as '?', and it is cut.
void stats_reject(struct stats *stats, const char *reason);
void stats_answer(struct stats *stats, int64_t latency_us);
// An upper bound of the answer time of this part (0..1) of all answers, in ms; 0 without answers.
double stats_latency_ms(const struct stats *stats, double part);
// One line with its newline.
void stats_write(const struct stats *stats, const struct stats_moment *moment, bool is_json,
                 struct buffer *out);

#endif
