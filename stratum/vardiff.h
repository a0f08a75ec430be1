// Variable difficulty of one session: how fast is this miner, and which difficulty gives the wanted
// rate of shares? A Gamma-Poisson estimate: shares are counted (weighted by the difficulty they
// were mined at) against time, and the difficulty moves only if the wanted rate is outside the
// credible interval. Fast while nothing is known, slow and calm afterwards; a miner that falls
// silent is followed down by a timer. Pure arithmetic; the caller sends.
#ifndef SHOAL_STRATUM_VARDIFF_H
#define SHOAL_STRATUM_VARDIFF_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/time.h"

// How much a starting value is worth, as a number of shares already seen.
#define VARDIFF_GUESS 0.5 // by device or default
#define VARDIFF_HINT  1.0 // the miner's own suggestion
#define VARDIFF_KNOWN 8.0 // this worker's rate of last time

struct vardiff {
    double difficulty;  // what the miner works at
    double floor;       // of difficulty
    double ceiling;     // of difficulty; wins over floor
    double rate_wanted; // shares a second
    bool is_fixed;      // only watches
    bool wants_powers_of_two;

    // Private. The window: shares counted, in units of the present difficulty, in so many seconds;
    // both fade once the fast phase is over.
    double shares;
    double seconds;
    double shares_first; // what the window began with
    struct mono_time begun;
    struct mono_time updated;
    struct mono_time silent_since;
    struct mono_time burst_begun;
    double burst_shares;
    double rate_expected; // shares a second at the last share
    // Of the last vardiff_check that wanted a change: difficulty a second, and its worth in shares;
    // else 0.
    double proposed;
    double proposed_confidence;
    uint8_t share_check; // next look after 4, 8 or 16 shares
    uint8_t time_check;  // next look after 2, 4, 8 or 16 s; 0 for none
    uint8_t idle_steps;
    bool is_fast;
    bool has_shares; // ever
};

struct vardiff_start {
    double difficulty; // > 0
    double floor;
    double rate_wanted;
    double confidence; // VARDIFF_GUESS, _HINT or _KNOWN
    bool is_fixed;
    bool wants_powers_of_two;
};

void vardiff_init(struct vardiff *vardiff, const struct vardiff_start *start, struct mono_time now);
// A share of a job of this difficulty came in.
void vardiff_add_share(struct vardiff *vardiff, double job_difficulty, struct mono_time now);

enum vardiff_change {
    VARDIFF_KEEP,
    VARDIFF_CHANGE,      // send a new job
    VARDIFF_CHANGE_CLEAN // a jump up so large that old work should be dropped
};
// Looks whether the difficulty should be another: if so, *wanted is it. Cheap; call it after each
// share and at vardiff_deadline.
enum vardiff_change vardiff_check(struct vardiff *vardiff, struct mono_time now, double *wanted);
// The difficulty that a new job was given (clamped to what the job allows; its ceiling is
// remembered).
void vardiff_sent(struct vardiff *vardiff, double difficulty, double ceiling, struct mono_time now);
struct mono_time vardiff_deadline(const struct vardiff *vardiff);
// Difficulty per second: times the hashes of difficulty 1 it is the hashrate. Never 0.
double vardiff_estimate(const struct vardiff *vardiff, struct mono_time now);

// The nearest difficulty that is fit to be sent: an integer from 1 on, three significant digits
// below, a power of two if wanted; and not above the ceiling, whatever else.
double vardiff_round(double difficulty, double ceiling, bool wants_powers_of_two);

#endif
