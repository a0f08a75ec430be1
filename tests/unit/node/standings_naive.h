// docs/standings.md computed the long way: everything that the best chain credits as one list, and
// every number from the whole list each time. Shares no code with node/standings*: for tests of it.
#ifndef SHOAL_TESTS_UNIT_NODE_STANDINGS_NAIVE_H
#define SHOAL_TESTS_UNIT_NODE_STANDINGS_NAIVE_H

#include "node/standings.h"
#include "sharechain/sharechain.h"

// A share that a link credits, or (is_fee) what the link got for including others.
struct naive_credit {
    uint32_t height, time;
    struct hash256 id; // of the share; on devchain the proof of work, too
    struct script script;
    char team[12];
    struct u256 work;
    bool is_fee;
    bool is_block;
};

struct naive {
    struct naive_credit *credits;
    size_t count, capacity;
    uint32_t since, since_time, time;
};

// Reads the best chain from this height on, out of a chain that has all of it.
void naive_read(struct naive *naive, const struct sharechain *chain, uint32_t since);
void naive_clear(struct naive *naive);
// As standings_rank.
struct standings_entry *naive_rank(const struct naive *naive, const struct standings_query *query,
                                   size_t *count);
// All milestones, oldest first; the caller frees them.
struct milestone *naive_milestones(const struct naive *naive, size_t *count);

#endif
