#include "testnet/miner/workers.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "testnet/common/clock.h"
#include "testnet/common/memory.h"

#define SECOND_NS         INT64_C(1000000000)
#define IDLE_NS           (SECOND_NS / 2)
#define SLICES_PER_SECOND 200 // of all threads, at least: so smooth is a limited hashrate
#define SLICE_FAST        131072
#define SLICE_SLOW_LANES  16

struct workers {
    struct miner *miner;
    uint64_t slice; // hashes between two looks at the lock
    size_t count;
    pthread_t *threads;
};

static uint64_t slice_size(const struct settings *settings, uint32_t lanes)
{
    bool is_slow = pow_algorithm(settings->pow)->is_slow;
    uint64_t most = is_slow ? (uint64_t)lanes * SLICE_SLOW_LANES : SLICE_FAST;
    if (settings->hashrate == 0)
        return most;
    // Each connection has its turn several times a second.
    uint64_t turns = settings->connections * 4;
    uint64_t slices = turns > SLICES_PER_SECOND ? turns : SLICES_PER_SECOND;
    uint64_t slice = settings->hashrate / slices;
    // Full lanes, unless that would make a slow rate jerky.
    if (slice > lanes)
        slice -= slice % lanes;
    if (slice == 0)
        slice = 1;
    return slice < most ? slice : most;
}

// Waits until then, or until something changed. The lock is held.
static void wait_until(struct miner *miner, int64_t ns)
{
    struct timespec until = {.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};
    pthread_cond_timedwait(&miner->changed, &miner->lock, &until);
}

static bool has_work(const struct miner *miner)
{
    for (size_t i = 0; i < miner->settings->connections && !miner->is_paused; i++) {
        if (client_has_work(miner->clients[i]))
            return true;
    }
    return false;
}

// From the next client whose turn it is; SIZE_MAX if nobody has work.
static size_t take(struct miner *miner, uint64_t slice, struct client_task *task)
{
    size_t count = miner->settings->connections;
    for (size_t i = 0; i < count && !miner->is_paused; i++) {
        size_t at = miner->next_client;
        miner->next_client = (at + 1) % count;
        if (client_take(miner->clients[at], slice, task))
            return at;
    }
    return SIZE_MAX;
}

static void wake_network(struct miner *miner, size_t client)
{
    const uint64_t one = 1;
    if (miner->is_dirty[client])
        return;
    miner->is_dirty[client] = true;
    miner->dirty[miner->dirty_count++] = client;
    // A full counter wakes as well: nothing to do if the write fails.
    if (miner->dirty_count == 1 && write(miner->wake_fd, &one, sizeof one) < 0)
        return;
}

// Hashes a whole task; the lock is let go of meanwhile.
static void work_on(struct miner *miner, struct scanner *scanner, size_t client,
                    const struct client_task *task)
{
    struct scan_hits hits;
    for (uint64_t done = 0; done < task->count && !miner->is_stopping;) {
        pthread_mutex_unlock(&miner->lock);
        uint64_t looked_at = scanner_scan(scanner, &task->work, task->first + (uint32_t)done,
                                          task->count - done, &hits);
        pthread_mutex_lock(&miner->lock);
        done += looked_at;
        miner->stats.hashes += looked_at;
        for (size_t i = 0; i < hits.count; i++)
            client_found(miner->clients[client], task, &hits.hits[i], clock_mono_ns() / 1000);
        if (hits.count > 0)
            wake_network(miner, client);
    }
}

static void mine(const struct workers *workers, struct scanner *scanner)
{
    struct miner *miner = workers->miner;
    struct client_task task;
    pthread_mutex_lock(&miner->lock);
    while (!miner->is_stopping) {
        if (!has_work(miner)) {
            wait_until(miner, clock_mono_ns() + IDLE_NS);
            continue;
        }
        int64_t begin = limiter_reserve(&miner->limiter, workers->slice, clock_mono_ns());
        while (clock_mono_ns() < begin && !miner->is_stopping)
            wait_until(miner, begin);
        size_t client = take(miner, workers->slice, &task);
        if (client != SIZE_MAX)
            work_on(miner, scanner, client, &task);
    }
    pthread_mutex_unlock(&miner->lock);
}

static void *run(void *context)
{
    const struct workers *workers = context;
    struct scanner *scanner = scanner_new(workers->miner->settings->pow);
    if (scanner == NULL)
        abort(); // workers_start has shown that there is memory for one
    mine(workers, scanner);
    scanner_free(scanner);
    return NULL;
}

struct workers *workers_start(struct miner *miner)
{
    struct scanner *scanner = scanner_new(miner->settings->pow);
    if (scanner == NULL)
        return NULL;
    struct workers *workers = memory_new(1, sizeof *workers);
    workers->miner = miner;
    workers->slice = slice_size(miner->settings, scanner_lanes(scanner));
    scanner_free(scanner);
    workers->threads = memory_new(miner->settings->threads, sizeof *workers->threads);
    while (workers->count < miner->settings->threads) {
        pthread_t *thread = &workers->threads[workers->count];
        if (pthread_create(thread, NULL, run, workers) != 0) {
            workers_stop(workers);
            return NULL;
        }
        workers->count++;
    }
    return workers;
}

void workers_stop(struct workers *workers)
{
    if (workers == NULL)
        return;
    pthread_mutex_lock(&workers->miner->lock);
    workers->miner->is_stopping = true;
    pthread_cond_broadcast(&workers->miner->changed);
    pthread_mutex_unlock(&workers->miner->lock);
    for (size_t i = 0; i < workers->count; i++)
        pthread_join(workers->threads[i], NULL);
    free(workers->threads);
    free(workers);
}
