#include "sharechain/store_lmdb_writer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

// From the beginning of one batch to that of the next, at least: what comes meanwhile shares the
// next one, its sync, the pages that LMDB copies for it and the waking of both threads. A put that
// finds the disk at rest goes at once.
#define GATHER_MS 5
// A batch has an end, so that the first put of a flood is not as late as the last, and a full disk
// is not asked for more room than it soon has.
#define BATCH_BYTES   (4u << 20)
#define BATCH_ENTRIES 16384u

struct lmdb_writer {
    struct lmdb_writer_options options;
    pthread_t thread;
    pthread_mutex_t mutex;  // over everything below
    pthread_cond_t changed; // for the thread: hurry, the end, entries if it is idle or many
    pthread_cond_t settled; // for the loop: a batch was written
    // One list, oldest first: on disk (up to durable), then from `waiting` on not yet. All links
    // are set under the mutex; the thread follows those of its batch without it.
    struct store_entry *oldest;
    struct store_entry *waiting;
    struct store_entry *newest;
    uint64_t sequence; // of the newest put
    uint64_t durable;
    uint64_t pending_bytes;
    struct timespec due; // when to stop gathering
    bool is_idle;        // the thread waits for an entry
    bool is_hurried;     // the loop waits for the disk
    bool is_stopping;
    int trouble;
    struct store_commit commits[STORE_COMMITS_KEPT]; // a ring of those that nobody has asked for
    size_t commits_first, commits_count;
};

struct batch {
    const struct store_entry *first;
    struct store_entry *last;
    uint64_t bytes;
    uint64_t duration_us;
};

static uint64_t clock_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static struct timespec after_ms(unsigned ms)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += ms / 1000;
    time.tv_nsec += (long)(ms % 1000) * 1000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_sec++;
        time.tv_nsec -= 1000000000;
    }
    return time;
}

static bool is_gathering(const struct lmdb_writer *writer)
{
    return !writer->is_stopping && !writer->is_hurried && writer->pending_bytes < BATCH_BYTES;
}

// Waits for work; false when it is time to end.
static bool wait_for_batch(struct lmdb_writer *writer)
{
    while (is_gathering(writer) &&
           pthread_cond_timedwait(&writer->changed, &writer->mutex, &writer->due) != ETIMEDOUT)
        continue;
    writer->is_idle = true;
    while (writer->waiting == NULL && !writer->is_stopping)
        pthread_cond_wait(&writer->changed, &writer->mutex);
    writer->is_idle = false;
    return !writer->is_stopping;
}

static struct batch take_batch(struct lmdb_writer *writer)
{
    struct batch batch = {.first = writer->waiting, .last = writer->waiting};
    batch.bytes = store_entry_size(batch.last);
    for (unsigned count = 1; batch.last->next != NULL && count < BATCH_ENTRIES; count++) {
        if (batch.bytes >= BATCH_BYTES)
            break;
        batch.last = batch.last->next;
        batch.bytes += store_entry_size(batch.last);
    }
    writer->due = after_ms(GATHER_MS);
    return batch;
}

static void note_commit(struct lmdb_writer *writer, const struct batch *batch)
{
    if (writer->commits_count == STORE_COMMITS_KEPT)
        writer->commits_first = (writer->commits_first + 1) % STORE_COMMITS_KEPT;
    else
        writer->commits_count++;
    size_t last = writer->commits_first + writer->commits_count - 1;
    writer->commits[last % STORE_COMMITS_KEPT] =
        (struct store_commit){.duration_us = batch->duration_us, .bytes = batch->bytes};
}

static void finish_batch(struct lmdb_writer *writer, const struct batch *batch)
{
    writer->waiting = batch->last->next;
    writer->durable = batch->last->sequence;
    writer->pending_bytes -= batch->bytes;
    note_commit(writer, batch);
    pthread_cond_broadcast(&writer->settled);
}

static void wait_for_retry(struct lmdb_writer *writer)
{
    struct timespec until = after_ms(writer->options.retry_ms);
    while (!writer->is_stopping &&
           pthread_cond_timedwait(&writer->changed, &writer->mutex, &until) != ETIMEDOUT)
        continue;
}

static void wake_loop(struct lmdb_writer *writer)
{
    pthread_mutex_unlock(&writer->mutex);
    if (writer->options.wake != NULL)
        writer->options.wake(writer->options.context);
    pthread_mutex_lock(&writer->mutex);
}

static void *run(void *context)
{
    struct lmdb_writer *writer = context;
    pthread_mutex_lock(&writer->mutex);
    while (wait_for_batch(writer)) {
        struct batch batch = take_batch(writer);
        pthread_mutex_unlock(&writer->mutex);
        uint64_t begun_us = clock_us();
        int result = lmdb_file_commit(writer->options.file, batch.first, batch.last);
        batch.duration_us = clock_us() - begun_us;
        pthread_mutex_lock(&writer->mutex);
        bool is_news = result == 0 || result != writer->trouble;
        writer->trouble = result;
        if (result == 0)
            finish_batch(writer, &batch);
        if (is_news)
            wake_loop(writer);
        if (result != 0)
            wait_for_retry(writer);
    }
    pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

static void init_locks(struct lmdb_writer *writer)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->changed, &attributes);
    pthread_cond_init(&writer->settled, &attributes);
    pthread_condattr_destroy(&attributes);
}

// Signals are the loop's affair; and with SIGXFSZ blocked a write beyond the permitted file size is
// an error like a full disk, not the end of the program. Faults of the thread itself stay its own.
static int start_thread(struct lmdb_writer *writer)
{
    sigset_t blocked, before;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGILL);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int result = pthread_create(&writer->thread, NULL, run, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

static void free_writer(struct lmdb_writer *writer)
{
    while (writer->oldest != NULL) {
        struct store_entry *next = writer->oldest->next;
        free(writer->oldest);
        writer->oldest = next;
    }
    pthread_cond_destroy(&writer->settled);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->mutex);
    free(writer);
}

struct lmdb_writer *lmdb_writer_start(const struct lmdb_writer_options *options)
{
    struct lmdb_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        abort();
    writer->options = *options;
    init_locks(writer);
    if (start_thread(writer) == 0)
        return writer;
    free_writer(writer);
    return NULL;
}

void lmdb_writer_stop(struct lmdb_writer *writer)
{
    if (writer == NULL)
        return;
    pthread_mutex_lock(&writer->mutex);
    writer->is_stopping = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    free_writer(writer);
}

uint64_t lmdb_writer_add(struct lmdb_writer *writer, struct store_entry *entry)
{
    pthread_mutex_lock(&writer->mutex);
    uint64_t sequence = ++writer->sequence;
    entry->sequence = sequence;
    if (writer->newest != NULL)
        writer->newest->next = entry;
    else
        writer->oldest = entry;
    writer->newest = entry;
    writer->pending_bytes += store_entry_size(entry);
    if (writer->waiting == NULL)
        writer->waiting = entry;
    if (writer->is_idle || writer->pending_bytes >= BATCH_BYTES)
        pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
    return sequence;
}

struct store_entry *lmdb_writer_take_done(struct lmdb_writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    struct store_entry *entry = writer->oldest;
    if (entry != NULL && entry->sequence <= writer->durable) {
        writer->oldest = entry->next;
        if (writer->newest == entry)
            writer->newest = NULL;
    } else {
        entry = NULL;
    }
    pthread_mutex_unlock(&writer->mutex);
    return entry;
}

uint64_t lmdb_writer_durable(struct lmdb_writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    uint64_t durable = writer->durable;
    pthread_mutex_unlock(&writer->mutex);
    return durable;
}

uint64_t lmdb_writer_pending_bytes(struct lmdb_writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    uint64_t bytes = writer->pending_bytes;
    pthread_mutex_unlock(&writer->mutex);
    return bytes;
}

int lmdb_writer_trouble(struct lmdb_writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    int trouble = writer->trouble;
    pthread_mutex_unlock(&writer->mutex);
    return trouble;
}

bool lmdb_writer_next_commit(struct lmdb_writer *writer, struct store_commit *commit)
{
    pthread_mutex_lock(&writer->mutex);
    bool is_there = writer->commits_count > 0;
    if (is_there) {
        *commit = writer->commits[writer->commits_first];
        writer->commits_first = (writer->commits_first + 1) % STORE_COMMITS_KEPT;
        writer->commits_count--;
    }
    pthread_mutex_unlock(&writer->mutex);
    return is_there;
}

bool lmdb_writer_settle(struct lmdb_writer *writer, unsigned timeout_ms)
{
    struct timespec until = after_ms(timeout_ms);
    pthread_mutex_lock(&writer->mutex);
    writer->is_hurried = true;
    pthread_cond_signal(&writer->changed);
    while (writer->durable < writer->sequence &&
           pthread_cond_timedwait(&writer->settled, &writer->mutex, &until) != ETIMEDOUT)
        continue;
    writer->is_hurried = false;
    bool is_settled = writer->durable == writer->sequence;
    pthread_mutex_unlock(&writer->mutex);
    return is_settled;
}
