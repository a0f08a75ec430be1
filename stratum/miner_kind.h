// What is known about mining software and firmware by its user agent: above all how large a
// coinbase it takes before it cuts it off and spoils every share. Numbers come from server-side
// experience with these devices, not from data sheets; where versions differ the row holds what all
// of them take.
#ifndef SHOAL_STRATUM_MINER_KIND_H
#define SHOAL_STRATUM_MINER_KIND_H

#include <stdbool.h>
#include <stdint.h>

enum miner_match { MINER_PREFIX, MINER_CONTAINS };

struct miner_kind {
    const char *name; // for people
    enum miner_match match;
    const char *pattern;   // compared without regard to case
    uint32_t coinbase_max; // bytes; 0 for no limit known
    bool is_ceiling_known; // with coinbase_max 0: it is known to take any size
    bool wants_powers_of_two;
    double difficulty_min;   // 0 for none
    double hashrate_typical; // hashes a second of SHA-256d, 0 if it can be anything
};

// Never NULL: the last row, "unknown", takes every user agent.
const struct miner_kind *miner_kind_find(const char *user_agent);
// Row i, or NULL past the end.
const struct miner_kind *miner_kind_row(uint32_t i);
// Does the pattern of a row, or of the operator's list, apply to this user agent?
bool miner_kind_matches(enum miner_match match, const char *pattern, const char *user_agent);

#endif
