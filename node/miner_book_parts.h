// The insides of the book of miners, shared by miner_book*.c and by nobody else.
#ifndef SHOAL_NODE_MINER_BOOK_PARTS_H
#define SHOAL_NODE_MINER_BOOK_PARTS_H

#include "node/base/map.h"
#include "node/base/team.h"
#include "node/miner_book.h"

// What is counted of a worker, and of an address.
struct tally {
    struct rate rate;
    uint64_t shares[STRATUM_VERDICTS_COUNT];
    double work_accepted, best_difficulty;
    struct wall_time best_at, share_at;
};

struct worker {
    char name[MINER_NAME_SIZE];
    char device[MINER_KIND_SIZE];
    struct team team;
    uint32_t connections;
    struct wall_time seen_at;
    struct tally tally;
};

struct bucket {
    double hashes;
    uint32_t accepted, rejected;
};

#define DAY_BUCKETS  144
#define WEEK_BUCKETS 168

// The newest bucket stands at number % count; those of numbers that were skipped are empty.
struct history {
    int64_t number;         // of the newest: seconds since 1970 / length
    struct bucket *buckets; // NULL: all are empty, as of who connects and never finds a share
    int64_t count;
    int64_t length_s;
};

struct miner {
    struct script payout;
    struct worker **workers;
    size_t workers_count, workers_capacity;
    uint32_t connections;
    struct wall_time seen_at;
    struct tally tally;
    struct history histories[2]; // by enum miner_history
    bool is_changed;             // since it was kept
};

struct miner_book {
    struct miner_book_options options;
    struct miner **miners;
    size_t miners_count, miners_capacity;
    struct map *by_payout; // SHA-256 of a script -> struct miner
    struct map *sessions;  // session id -> struct session_place
    struct mono_time keep_at;
    size_t keep_next; // whose turn it is
};

struct session_place {
    struct miner *miner;
    struct worker *worker; // NULL: more workers than are told apart
};

// miner_book.c
// NULL if out of memory. Forgets another one if there are too many.
struct miner *miner_book_add(struct miner_book *book, const struct script *payout, struct now now);
// NULL if there are too many, all of them connected, or out of memory.
struct worker *miner_add_worker(struct miner_book *book, struct miner *miner, const char *name,
                                struct now now);

// Makes its buckets, empty; false if out of memory.
bool history_open(struct history *history);

// miner_book_store.c
void miner_book_load(struct miner_book *book, struct now now);
void miner_book_keep(struct miner_book *book, struct miner *miner, struct now now);
void miner_book_drop(struct miner_book *book, const struct miner *miner);

#endif
