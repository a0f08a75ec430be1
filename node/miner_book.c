#include "node/miner_book.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/miner_book_parts.h"
#include "node/pow/sha256.h"

#define KEEP_MS       60000
#define KEEP_AT_ONCE  256 // of addresses: the disk is not kept busy by statistics
#define DAY_BUCKET_S  600
#define WEEK_BUCKET_S 3600

static struct hash256 payout_key(const struct script *payout)
{
    struct hash256 key;
    sha256_once(payout->bytes, payout->size, &key);
    return key;
}

static struct hash256 session_key(uint64_t session)
{
    struct hash256 key = {{0}};
    memcpy(key.bytes, &session, sizeof(session));
    return key;
}

static struct miner *find_miner(const struct miner_book *book, const struct script *payout)
{
    struct hash256 key = payout_key(payout);
    return map_find(book->by_payout, &key);
}

// ---- History

static struct bucket *history_bucket(const struct history *history, int64_t number)
{
    return &history->buckets[number % history->count];
}

bool history_open(struct history *history)
{
    if (history->buckets == NULL)
        history->buckets = calloc((size_t)history->count, sizeof(*history->buckets));
    return history->buckets != NULL;
}

// The bucket of this moment. A clock that is set back goes on in the newest one.
static struct bucket *history_now(struct history *history, struct now now)
{
    int64_t number = wall_seconds(now.wall) / history->length_s;
    int64_t skipped = number - history->number;
    if (skipped > history->count)
        skipped = history->count;
    for (int64_t i = 0; i < skipped; i++)
        *history_bucket(history, number - i) = (struct bucket){0};
    if (skipped > 0)
        history->number = number;
    return history_bucket(history, history->number);
}

// ---- Addresses and workers

static void miner_free(struct miner *miner)
{
    for (size_t i = 0; i < miner->workers_count; i++)
        free(miner->workers[i]);
    for (size_t i = 0; i < 2; i++)
        free(miner->histories[i].buckets);
    free(miner->workers);
    free(miner);
}

static void forget_idlest_miner(struct miner_book *book)
{
    size_t idlest = book->miners_count;
    for (size_t i = 0; i < book->miners_count; i++) {
        const struct miner *miner = book->miners[i];
        if (miner->connections > 0)
            continue;
        if (idlest == book->miners_count || miner->seen_at.ms < book->miners[idlest]->seen_at.ms)
            idlest = i;
    }
    if (idlest == book->miners_count)
        return;
    struct miner *miner = book->miners[idlest];
    struct hash256 key = payout_key(&miner->payout);
    map_remove(book->by_payout, &key);
    miner_book_drop(book, miner);
    miner_free(miner);
    book->miners_count--;
    book->miners[idlest] = book->miners[book->miners_count];
}

static bool miners_fit(struct miner_book *book)
{
    if (book->miners_count >= book->options.addresses_max)
        forget_idlest_miner(book);
    if (book->miners_count >= book->options.addresses_max)
        return false;
    if (book->miners_count < book->miners_capacity)
        return true;
    size_t capacity = book->miners_capacity == 0 ? 16 : book->miners_capacity * 2;
    struct miner **grown = realloc(book->miners, capacity * sizeof(struct miner *));
    if (grown == NULL)
        return false;
    book->miners = grown;
    book->miners_capacity = capacity;
    return true;
}

struct miner *miner_book_add(struct miner_book *book, const struct script *payout, struct now now)
{
    struct miner *miner = miners_fit(book) ? calloc(1, sizeof(*miner)) : NULL;
    if (miner == NULL)
        return NULL;
    miner->payout = *payout;
    miner->seen_at = now.wall;
    rate_init(&miner->tally.rate, now.mono);
    miner->histories[MINER_DAY] = (struct history){.count = DAY_BUCKETS, .length_s = DAY_BUCKET_S};
    miner->histories[MINER_WEEK] =
        (struct history){.count = WEEK_BUCKETS, .length_s = WEEK_BUCKET_S};
    book->miners[book->miners_count] = miner;
    book->miners_count++;
    struct hash256 key = payout_key(payout);
    map_set(book->by_payout, &key, miner);
    return miner;
}

static void forget_idlest_worker(struct miner *miner)
{
    size_t idlest = miner->workers_count;
    for (size_t i = 0; i < miner->workers_count; i++) {
        const struct worker *worker = miner->workers[i];
        if (worker->connections > 0)
            continue;
        if (idlest == miner->workers_count ||
            worker->seen_at.ms < miner->workers[idlest]->seen_at.ms)
            idlest = i;
    }
    if (idlest == miner->workers_count)
        return;
    free(miner->workers[idlest]);
    miner->workers_count--;
    miner->workers[idlest] = miner->workers[miner->workers_count];
}

struct worker *miner_add_worker(struct miner_book *book, struct miner *miner, const char *name,
                                struct now now)
{
    if (miner->workers_count >= book->options.workers_max)
        forget_idlest_worker(miner);
    if (miner->workers_count >= book->options.workers_max)
        return NULL;
    if (miner->workers_count == miner->workers_capacity) {
        size_t capacity = miner->workers_capacity == 0 ? 4 : miner->workers_capacity * 2;
        struct worker **grown = realloc(miner->workers, capacity * sizeof(struct worker *));
        if (grown == NULL)
            return NULL;
        miner->workers = grown;
        miner->workers_capacity = capacity;
    }
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL)
        return NULL;
    snprintf(worker->name, sizeof(worker->name), "%s", name);
    worker->seen_at = now.wall;
    rate_init(&worker->tally.rate, now.mono);
    miner->workers[miner->workers_count] = worker;
    miner->workers_count++;
    return worker;
}

static struct worker *find_worker(const struct miner *miner, const char *name)
{
    char known[MINER_NAME_SIZE];
    snprintf(known, sizeof(known), "%s", name);
    for (size_t i = 0; i < miner->workers_count; i++) {
        if (strcmp(miner->workers[i]->name, known) == 0)
            return miner->workers[i];
    }
    return NULL;
}

// ---- Events

void miner_book_connected(struct miner_book *book, const struct stratum_session_view *session,
                          struct now now)
{
    struct hash256 key = session_key(session->session);
    if (session->payout == NULL || map_find(book->sessions, &key) != NULL)
        return;
    struct miner *miner = find_miner(book, session->payout);
    if (miner == NULL)
        miner = miner_book_add(book, session->payout, now);
    struct session_place *place = miner == NULL ? NULL : malloc(sizeof(*place));
    if (place == NULL)
        return;
    struct worker *worker = find_worker(miner, session->worker);
    if (worker == NULL)
        worker = miner_add_worker(book, miner, session->worker, now);
    *place = (struct session_place){miner, worker};
    map_set(book->sessions, &key, place);
    miner->connections++;
    miner->seen_at = now.wall;
    miner->is_changed = true;
    if (worker == NULL)
        return;
    worker->connections++;
    worker->seen_at = now.wall;
    snprintf(worker->device, sizeof(worker->device), "%s", session->kind);
    team_from_text(session->team, strlen(session->team), &worker->team);
}

void miner_book_gone(struct miner_book *book, uint64_t session, struct now now)
{
    struct hash256 key = session_key(session);
    struct session_place *place = map_remove(book->sessions, &key);
    if (place == NULL)
        return;
    place->miner->connections--;
    place->miner->seen_at = now.wall;
    place->miner->is_changed = true;
    if (place->worker != NULL) {
        place->worker->connections--;
        place->worker->seen_at = now.wall;
    }
    free(place);
}

static void tally_add(struct tally *tally, const struct stratum_judgement *judgement, double hashes,
                      struct now now)
{
    tally->shares[judgement->verdict]++;
    if (judgement->verdict != STRATUM_ACCEPTED)
        return;
    rate_add(&tally->rate, hashes, now.mono);
    tally->work_accepted += hashes;
    tally->share_at = now.wall;
    if (judgement->hash_difficulty <= tally->best_difficulty)
        return;
    tally->best_difficulty = judgement->hash_difficulty;
    tally->best_at = now.wall;
}

void miner_book_judged(struct miner_book *book, const struct stratum_judgement *judgement,
                       struct now now)
{
    struct hash256 key = session_key(judgement->session);
    struct session_place *place = map_find(book->sessions, &key);
    if (place == NULL)
        return;
    bool is_good = judgement->verdict == STRATUM_ACCEPTED;
    double hashes = judgement->difficulty * book->options.hashes_per_difficulty;
    struct miner *miner = place->miner;
    tally_add(&miner->tally, judgement, hashes, now);
    if (place->worker != NULL)
        tally_add(&place->worker->tally, judgement, hashes, now);
    for (size_t i = 0; i < 2; i++) {
        if (!history_open(&miner->histories[i]))
            continue;
        struct bucket *bucket = history_now(&miner->histories[i], now);
        bucket->hashes += is_good ? hashes : 0;
        bucket->accepted += is_good ? 1 : 0;
        bucket->rejected += is_good ? 0 : 1;
    }
    miner->is_changed = true;
}

// ---- The book

struct miner_book *miner_book_new(const struct miner_book_options *options, struct now now)
{
    struct miner_book *book = calloc(1, sizeof(*book));
    if (book == NULL)
        return NULL;
    book->options = *options;
    book->by_payout = map_new(options->env);
    book->sessions = map_new(options->env);
    book->keep_at = (struct mono_time){now.mono.ms + KEEP_MS};
    if (options->store != NULL)
        miner_book_load(book, now);
    return book;
}

static void keep_changed(struct miner_book *book, size_t count_max, struct now now)
{
    size_t kept = 0;
    for (size_t i = 0; i < book->miners_count && kept < count_max; i++) {
        book->keep_next = (book->keep_next + 1) % book->miners_count;
        struct miner *miner = book->miners[book->keep_next];
        if (!miner->is_changed)
            continue;
        miner_book_keep(book, miner, now);
        miner->is_changed = false;
        kept++;
    }
}

void miner_book_tick(struct miner_book *book, struct now now)
{
    if (!mono_is_due(book->keep_at, now))
        return;
    book->keep_at = (struct mono_time){now.mono.ms + KEEP_MS};
    if (book->options.store != NULL)
        keep_changed(book, KEEP_AT_ONCE, now);
}

void miner_book_free(struct miner_book *book, struct now now)
{
    if (book == NULL)
        return;
    if (book->options.store != NULL)
        keep_changed(book, book->miners_count, now);
    size_t cursor = 0;
    struct hash256 key;
    void *place;
    while (map_next(book->sessions, &cursor, &key, &place))
        free(place);
    for (size_t i = 0; i < book->miners_count; i++)
        miner_free(book->miners[i]);
    free(book->miners);
    map_free(book->by_payout);
    map_free(book->sessions);
    free(book);
}

// ---- Reading

static void view_tally(const struct tally *tally, struct now now, struct miner_figures *figures)
{
    *figures = (struct miner_figures){
        .work_accepted = tally->work_accepted,
        .best_difficulty = tally->best_difficulty,
        .best_at = tally->best_at,
        .share_at = tally->share_at,
    };
    for (int i = 0; i < RATE_SPANS; i++)
        figures->hashrates[i] = rate_get(&tally->rate, (enum rate_span)i, now.mono);
    memcpy(figures->shares, tally->shares, sizeof(figures->shares));
}

static void view_miner(const struct miner *miner, struct now now, struct miner_view *view)
{
    view->payout = miner->payout;
    view->workers_count = miner->workers_count;
    view->connections = miner->connections;
    view_tally(&miner->tally, now, &view->figures);
}

size_t miner_book_count(const struct miner_book *book)
{
    return book->miners_count;
}

void miner_book_each(const struct miner_book *book, struct now now,
                     void (*visit)(void *context, const struct miner_view *view), void *context)
{
    for (size_t i = 0; i < book->miners_count; i++) {
        struct miner_view view;
        view_miner(book->miners[i], now, &view);
        visit(context, &view);
    }
}

bool miner_book_find(const struct miner_book *book, const struct script *payout, struct now now,
                     struct miner_view *view)
{
    const struct miner *miner = find_miner(book, payout);
    if (miner != NULL)
        view_miner(miner, now, view);
    return miner != NULL;
}

void miner_book_each_worker(const struct miner_book *book, const struct script *payout,
                            struct now now,
                            void (*visit)(void *context, const struct worker_view *view),
                            void *context)
{
    const struct miner *miner = find_miner(book, payout);
    for (size_t i = 0; miner != NULL && i < miner->workers_count; i++) {
        const struct worker *worker = miner->workers[i];
        struct worker_view view = {
            .name = worker->name,
            .device = worker->device,
            .team = worker->team.name,
            .connections = worker->connections,
        };
        view_tally(&worker->tally, now, &view.figures);
        visit(context, &view);
    }
}

void miner_book_each_stretch(const struct miner_book *book, const struct script *payout,
                             const struct miner_span *span,
                             void (*visit)(void *context, const struct miner_stretch *stretch),
                             void *context)
{
    const struct miner *miner = find_miner(book, payout);
    if (miner == NULL)
        return;
    const struct history *history = &miner->histories[span->history];
    int64_t last = wall_seconds(span->now.wall) / history->length_s;
    if (history->number > last)
        last = history->number; // the clock was set back
    for (int64_t number = last - history->count + 1; number <= last; number++) {
        bool is_kept = history->buckets != NULL && number <= history->number &&
                       number > history->number - history->count;
        struct bucket bucket =
            is_kept ? *history_bucket(history, number) : (struct bucket){.hashes = 0};
        struct miner_stretch stretch = {number * history->length_s, history->length_s,
                                        bucket.hashes, bucket.accepted, bucket.rejected};
        visit(context, &stretch);
    }
}
