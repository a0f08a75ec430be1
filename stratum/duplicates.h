// The shares already seen on one job, as what was hashed and not as it was written: a share sent
// again in another case or padding is the same share. Bounded; freed with the job; costs nothing
// before the first share.
#ifndef SHOAL_STRATUM_DUPLICATES_H
#define SHOAL_STRATUM_DUPLICATES_H

#include <stdbool.h>
#include <stdint.h>

#define DUPLICATES_MAX 6144 // shares of one job

// All that a miner may vary within a job (extranonce1 belongs to the connection).
struct duplicates_key {
    uint64_t extranonce2;
    uint32_t time;
    uint32_t nonce;
    uint32_t version;
};

struct duplicates {
    struct duplicates_slot *slots;
    uint32_t capacity;
    uint32_t count;
};

enum duplicates_result { DUPLICATES_NEW, DUPLICATES_SEEN, DUPLICATES_FULL };

// A zeroed struct is an empty set. `seed` is secret, so that nobody outside can make keys collide.
enum duplicates_result duplicates_insert(struct duplicates *set, const struct duplicates_key *key,
                                         uint64_t seed);
void duplicates_clear(struct duplicates *set);

#endif
