// One look-up (p2p.md, DHT): whom to ask next on the way to the nodes nearest to a key. Over 1, 4
// or 8 paths that share no node, so that a liar on one path cannot speak on another. On each path
// the three nearest are asked, five once an answer is late or lost: a nearer one does not wait for
// those further away. Where there is one path, the quickest of those near enough is asked at
// first, too; all that are left are once the nearest answered. A path ends when the 16 nearest that
// it knows of have answered. Sends nothing and keeps no time: the owner asks, and tells what came.
#ifndef SHOAL_DHT_LOOKUP_H
#define SHOAL_DHT_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include "dht/contact.h"
#include "node/base/hash.h"

#define LOOKUP_PATHS_MAX      8
#define LOOKUP_RESULTS_MAX    16
#define LOOKUP_ALPHA          3
#define LOOKUP_ALPHA_LOSS     5
#define LOOKUP_QUICK          1  // of those known at the beginning,
#define LOOKUP_QUICK_AMONG    12 // among the nearest on a path
#define LOOKUP_CANDIDATES_MAX 48 // remembered on a path, the nearest
#define LOOKUP_QUERIES_MAX    64 // on a path
#define LOOKUP_NEAR_MAX       3  // candidates of a path in one /24 or /48

struct lookup;

struct lookup_config {
    struct hash256 target;
    struct dht_key own;
    unsigned paths;  // 1..LOOKUP_PATHS_MAX
    bool is_crowded; // no limit by neighbourhood: see routing_table.h
};

// NULL if out of memory.
struct lookup *lookup_new(const struct lookup_config *config);
void lookup_free(struct lookup *lookup);

struct lookup_start {
    struct contact contact;
    uint32_t round_trip_ms; // 0: not known
};
// Nodes to begin with, nearest first; they are dealt out over the paths.
void lookup_begin(struct lookup *lookup, const struct lookup_start *starts, size_t count);
// Whom to ask now and on which path; false if for now nobody.
bool lookup_next(struct lookup *lookup, struct hint *hint, unsigned *path);

// What became of a query that lookup_next gave. Late: no answer in the usual time; lost: given up,
// or the answer was wrong. Late may be followed by lost or answered.
void lookup_late(struct lookup *lookup, unsigned path, const struct dht_key *key);
void lookup_lost(struct lookup *lookup, unsigned path, const struct dht_key *key);
// `contact` is who answered, proven; `hints` whom it named.
void lookup_answered(struct lookup *lookup, unsigned path, const struct contact *contact,
                     const struct hint *hints, size_t hints_count);

// Nobody is left to ask and no answer is waited for.
bool lookup_is_done(const struct lookup *lookup);
// Who answered, on any path, nearest first, at most LOOKUP_RESULTS_MAX; the count.
size_t lookup_results(const struct lookup *lookup, struct contact out[LOOKUP_RESULTS_MAX]);
const struct hash256 *lookup_target(const struct lookup *lookup);
// How many queries one after the other led to the nearest that answered; 0 if nobody did.
unsigned lookup_hops(const struct lookup *lookup);
// Queries on all paths.
size_t lookup_queries(const struct lookup *lookup);

#endif
