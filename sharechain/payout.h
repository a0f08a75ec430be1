// The payout split of protocol section 8: from the weights of a window to the list of coinbase
// outputs. A plan holds every decision (who is paid, in which order, with which share); amounts for
// any coinbase value follow from it.
#ifndef SHOAL_SHARECHAIN_PAYOUT_H
#define SHOAL_SHARECHAIN_PAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/hash.h"
#include "node/base/u256.h"
#include "node/bitcoin/coinbase.h"
#include "node/bitcoin/script.h"

struct payout_weight {
    struct script script;
    struct u256 weight;
};

struct payout_spec {
    uint32_t outputs_max; // K
    uint64_t min_payout;
    uint64_t subsidy; // R0
    struct hash256 pool_id;
    struct hash256 prev;
};

enum payout_branch {
    PAYOUT_EMPTY,     // the window's sum is 0: the share's own script takes everything
    PAYOUT_ALL_EXACT, // "all exact"
    PAYOUT_SAMPLED,   // "m>=1"
    PAYOUT_REST_HIT,  // "m0 hit"
    PAYOUT_REST_MISS, // "m0 miss"
    PAYOUT_ONE_WINNER // "m0 d0"
};

struct payout_plan; // immutable once made; shared by reference count

// weights in any order, scripts distinct, zeros allowed. NULL if out of memory.
struct payout_plan *payout_plan_new(const struct payout_spec *spec,
                                    const struct payout_weight *weights, size_t weights_count);
struct payout_plan *payout_plan_hold(struct payout_plan *plan);
void payout_plan_release(struct payout_plan *plan);
enum payout_branch payout_plan_branch(const struct payout_plan *plan);
// Number of outputs (1 with PAYOUT_EMPTY).
size_t payout_plan_count(const struct payout_plan *plan);
// How many of them are exact: the first ones, paid their part by every block.
size_t payout_plan_exact(const struct payout_plan *plan);
// The list for a coinbase value; outputs has room for payout_plan_count. own_script is used by
// PAYOUT_EMPTY only and may be NULL otherwise.
void payout_plan_outputs(const struct payout_plan *plan, uint64_t coinbase_value,
                         const struct script *own_script, struct coinbase_output *outputs);

#endif
