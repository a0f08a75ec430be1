// What this node remembers of its miners, by payout address and worker, whatever connections they
// come and go over: hashrates, verdicts, the best share, and a history of a day and a week. Fed by
// the Stratum engine's events (miners.c); read by the documents. Bounded: of addresses and workers
// beyond the most, those idle for longest are forgotten. Kept in STORE_WORKERS, changes once a
// minute and at the end, so that a restart loses a minute of statistics at most (never money: that
// is the share-chain's). Knows no loop: time is passed in.
#ifndef SHOAL_NODE_MINER_BOOK_H
#define SHOAL_NODE_MINER_BOOK_H

#include "sharechain/store.h"
#include "stratum/rate.h"
#include "stratum/stratum.h"

#define MINER_NAME_SIZE 64
#define MINER_KIND_SIZE 48

struct miner_book;

struct miner_book_options {
    const struct env *env;
    struct store *store;          // may be NULL: nothing is kept
    double hashes_per_difficulty; // work of a share of difficulty 1
    size_t addresses_max;
    size_t workers_max; // of an address
};

// Reads what is kept. NULL if out of memory. env and store are borrowed.
struct miner_book *miner_book_new(const struct miner_book_options *options, struct now now);
// Keeps what has changed. NULL is fine.
void miner_book_free(struct miner_book *book, struct now now);

// A session was authorized; it has ended; one of its shares was judged. Sessions that are not known
// are ignored.
void miner_book_connected(struct miner_book *book, const struct stratum_session_view *session,
                          struct now now);
void miner_book_gone(struct miner_book *book, uint64_t session, struct now now);
void miner_book_judged(struct miner_book *book, const struct stratum_judgement *judgement,
                       struct now now);
// Keeps what has changed, if a minute has passed since it last did. To be called every now and
// then.
void miner_book_tick(struct miner_book *book, struct now now);

// ---- Reading

struct miner_figures {
    double hashrates[RATE_SPANS];
    uint64_t shares[STRATUM_VERDICTS_COUNT];
    double work_accepted;   // hashes
    double best_difficulty; // of an accepted share's hash, ever; 0: none
    struct wall_time best_at;
    struct wall_time share_at; // the last accepted one; 0: none
};

struct miner_view {
    struct script payout;
    size_t workers_count;
    uint32_t connections;
    struct miner_figures figures;
};

struct worker_view {
    const char *name;   // "" for none
    const char *device; // of the last connection
    const char *team;   // "" for none
    uint32_t connections;
    struct miner_figures figures;
};

// A stretch of the history.
struct miner_stretch {
    int64_t begins_at; // s since 1970
    int64_t length_s;
    double hashes;
    uint32_t accepted, rejected;
};

enum miner_history { MINER_DAY, MINER_WEEK }; // 144 times ten minutes, 168 hours

size_t miner_book_count(const struct miner_book *book);
// Every address, in no useful order.
void miner_book_each(const struct miner_book *book, struct now now,
                     void (*visit)(void *context, const struct miner_view *view), void *context);
// False if it never mined here, or was forgotten.
bool miner_book_find(const struct miner_book *book, const struct script *payout, struct now now,
                     struct miner_view *view);
void miner_book_each_worker(const struct miner_book *book, const struct script *payout,
                            struct now now,
                            void (*visit)(void *context, const struct worker_view *view),
                            void *context);
struct miner_span {
    enum miner_history history;
    struct now now;
};
// Stretches of the span that ends now, oldest first, those without shares included; the newest is
// not over yet.
void miner_book_each_stretch(const struct miner_book *book, const struct script *payout,
                             const struct miner_span *span,
                             void (*visit)(void *context, const struct miner_stretch *stretch),
                             void *context);

#endif
