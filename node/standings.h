// Standings and milestones of addresses and teams, from the share-chain alone: every node that
// follows the same chain from the same link says the same (docs/standings.md defines each number).
// Follows the best chain link by link; where that changes, it goes back to a state that it has kept
// and comes forward again, so nothing is ever taken back by subtraction. Such states are in the
// store, too, and outlive a restart and the pruning of old links. No I/O but through the store; no
// clock: time is the time of links.
#ifndef SHOAL_NODE_STANDINGS_H
#define SHOAL_NODE_STANDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/env.h"
#include "node/base/team.h"
#include "sharechain/sharechain.h"

// More addresses, and members of teams, are not told apart for long (docs/standings.md, Bounds).
#define STANDINGS_ADDRESSES_MAX  4096
#define STANDINGS_TEAMS_MAX      512
#define STANDINGS_MILESTONES_MAX 4096 // the newest; older ones are forgotten

struct standings;

// env and chain are borrowed; store may be NULL (no state is kept), else it is the chain's. Call
// standings_follow once the chain is loaded. NULL if out of memory.
struct standings *standings_new(const struct env *env, struct sharechain *chain,
                                struct store *store);
void standings_free(struct standings *standings);
// Catches up with the best chain; to be called whenever that may have moved, and costs nothing if
// it has not. Not from inside an event of the chain.
void standings_follow(struct standings *standings);

enum standings_kind {
    STANDINGS_HASHRATE, // by credited work
    STANDINGS_BEST_SHARE,
    STANDINGS_STREAK,
    STANDINGS_BLOCKS
};
enum standings_period { STANDINGS_DAY, STANDINGS_WEEK, STANDINGS_ALL };
// Who stands in a list: addresses, teams, or the addresses of one team with what each did for it.
enum standings_subject { STANDINGS_ADDRESSES, STANDINGS_TEAMS, STANDINGS_MEMBERS };
#define STANDINGS_SUBJECTS_COUNT 3

// Up to where it has counted, and from where on.
struct standings_view {
    bool is_known;       // false: nothing was counted yet, and nothing else is said
    uint32_t height;     // of the last link counted
    struct hash256 id;   // of it
    uint32_t time;       // its time: every period ends there
    uint32_t since;      // the first link counted
    uint32_t since_time; // time of the link before it
};
void standings_view(const struct standings *standings, struct standings_view *view);
// When the period began, and how many of its seconds were counted (at least 1).
uint32_t standings_period_start(const struct standings *standings, enum standings_period period,
                                uint32_t *seconds);

struct standings_entry {
    enum standings_subject subject;
    struct script script; // of an address or a member
    struct team team;     // of a team or a member
    // Of the period:
    struct u256 work;
    double hashrate;
    uint64_t shares;
    uint64_t blocks;
    struct hash256 best; // lowest hash; only with shares > 0
    // Of all that was counted:
    uint32_t streak_days; // that has not ended, else 0
    uint32_t streak_longest_days;
    uint32_t first_at; // time of the first link that credits a share of theirs, 0: none did
    uint32_t last_at;
};

struct standings_query {
    enum standings_subject subject;
    enum standings_kind kind;
    enum standings_period period;
    struct team team; // of STANDINGS_MEMBERS
};
// All who have something to show, the best first; an array that the caller frees. NULL if there
// are none, or no memory.
struct standings_entry *standings_rank(const struct standings *standings,
                                       const struct standings_query *query, size_t *count);
// One address or one team; false if nothing of it was counted.
bool standings_find(const struct standings *standings, const struct standings_entry *who,
                    enum standings_period period, struct standings_entry *found);
// How many addresses were counted for a team.
size_t standings_members(const struct standings *standings, const struct team *team);
// The team for which an address did most of its work; false if it did none for any.
bool standings_main_team(const struct standings *standings, const struct script *script,
                         struct team *team);
// The work of all addresses in a period.
struct u256 standings_work(const struct standings *standings, enum standings_period period);

enum milestone_kind {
    MILESTONE_FIRST_GRAIN, // an address's first credited share
    MILESTONE_GRAINS,      // its 10th, 100th, ...
    MILESTONE_BLOCK,       // a block of its
    MILESTONE_BEST_SHARE,  // the lowest hash of all so far
    MILESTONE_STREAK       // its longest run of days is 7, 30, 100, 365, 730, ... days long
};
const char *milestone_kind_text(enum milestone_kind kind);

struct milestone {
    uint64_t number; // 1, 2, ... since standings_view.since
    enum milestone_kind kind;
    struct script script;
    uint64_t value;       // shares, blocks, days; of a best share how many there were before it
    struct hash256 share; // that did it: its id
    struct hash256 pow;
    uint32_t height; // of the link that credits it
    uint32_t time;
};
// Milestone number i of those kept, the newest first; false past the end.
bool standings_milestone(const struct standings *standings, size_t i, struct milestone *milestone);

// What it holds in memory, for the curious and for tests.
struct standings_stats {
    size_t rows[STANDINGS_SUBJECTS_COUNT];
    size_t milestones;
    size_t bytes;
    uint64_t rebuilds; // changes to another branch, and the start
};
void standings_stats(const struct standings *standings, struct standings_stats *stats);

#endif
