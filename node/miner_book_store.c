// The book of miners in STORE_WORKERS: a zero byte and the script -> a record. (What else is in
// that table begins with the text of a user's name.)
#include <stdlib.h>
#include <string.h>
#include "node/miner_book_parts.h"

#define RECORD_VERSION  1
#define RECORD_SIZE_MAX (4u << 20)
#define KEY_SIZE_MAX    (1 + SCRIPT_SIZE_MAX)

static size_t make_key(const struct script *payout, uint8_t key[KEY_SIZE_MAX])
{
    key[0] = 0;
    memcpy(key + 1, payout->bytes, payout->size);
    return 1 + (size_t)payout->size;
}

// ---- Writing

static void write_name(struct buffer *out, const char *text)
{
    size_t size = strlen(text);
    write_u8(out, (uint8_t)size);
    write_bytes(out, text, size);
}

// The monotonic clock does not outlive the program: times of it are kept as wall times.
static void write_mono(struct buffer *out, struct mono_time time, struct now now)
{
    write_u64(out, (uint64_t)(now.wall.ms - (now.mono.ms - time.ms)));
}

static void write_tally(struct buffer *out, const struct tally *tally, struct now now)
{
    write_mono(out, tally->rate.started, now);
    write_mono(out, tally->rate.at, now);
    for (int i = 0; i < RATE_SPANS; i++)
        write_double(out, tally->rate.sums[i]);
    for (int i = 0; i < STRATUM_VERDICTS_COUNT; i++)
        write_u64(out, tally->shares[i]);
    write_double(out, tally->work_accepted);
    write_double(out, tally->best_difficulty);
    write_u64(out, (uint64_t)tally->best_at.ms);
    write_u64(out, (uint64_t)tally->share_at.ms);
}

static void write_history(struct buffer *out, const struct history *history)
{
    write_u64(out, (uint64_t)history->number);
    for (int64_t i = 0; i < history->count; i++) {
        const struct bucket none = {.hashes = 0};
        const struct bucket *bucket = history->buckets == NULL ? &none : &history->buckets[i];
        write_double(out, bucket->hashes);
        write_u32(out, bucket->accepted);
        write_u32(out, bucket->rejected);
    }
}

void miner_book_keep(struct miner_book *book, struct miner *miner, struct now now)
{
    uint8_t key[KEY_SIZE_MAX];
    struct buffer out;
    buffer_init(&out, RECORD_SIZE_MAX);
    write_u8(&out, RECORD_VERSION);
    write_u8(&out, RATE_SPANS);
    write_u8(&out, STRATUM_VERDICTS_COUNT);
    write_u64(&out, (uint64_t)miner->seen_at.ms);
    write_tally(&out, &miner->tally, now);
    write_history(&out, &miner->histories[MINER_DAY]);
    write_history(&out, &miner->histories[MINER_WEEK]);
    write_u32(&out, (uint32_t)miner->workers_count);
    for (size_t i = 0; i < miner->workers_count; i++) {
        const struct worker *worker = miner->workers[i];
        write_name(&out, worker->name);
        write_name(&out, worker->device);
        write_name(&out, worker->team.name);
        write_u64(&out, (uint64_t)worker->seen_at.ms);
        write_tally(&out, &worker->tally, now);
    }
    if (!out.failed)
        store_put(book->options.store, STORE_WORKERS, key, make_key(&miner->payout, key), out.data,
                  out.size);
    buffer_clear(&out);
}

void miner_book_drop(struct miner_book *book, const struct miner *miner)
{
    uint8_t key[KEY_SIZE_MAX];
    if (book->options.store != NULL)
        store_remove(book->options.store, STORE_WORKERS, key, make_key(&miner->payout, key));
}

// ---- Reading

static void read_name(struct reader *reader, char *out, size_t capacity)
{
    size_t size = read_u8(reader);
    if (size >= capacity)
        reader->failed = true;
    else
        read_bytes(reader, out, size);
    out[reader->failed ? 0 : size] = '\0';
}

// A clock that was set back must not put it into the future.
static struct mono_time read_mono(struct reader *reader, struct now now)
{
    int64_t ago_ms = now.wall.ms - (int64_t)read_u64(reader);
    return (struct mono_time){now.mono.ms - (ago_ms > 0 ? ago_ms : 0)};
}

static struct wall_time read_wall(struct reader *reader)
{
    return (struct wall_time){(int64_t)read_u64(reader)};
}

static void read_tally(struct reader *reader, struct tally *tally, struct now now)
{
    tally->rate.started = read_mono(reader, now);
    tally->rate.at = read_mono(reader, now);
    for (int i = 0; i < RATE_SPANS; i++)
        tally->rate.sums[i] = read_double(reader);
    for (int i = 0; i < STRATUM_VERDICTS_COUNT; i++)
        tally->shares[i] = read_u64(reader);
    tally->work_accepted = read_double(reader);
    tally->best_difficulty = read_double(reader);
    tally->best_at = read_wall(reader);
    tally->share_at = read_wall(reader);
}

static void read_history(struct reader *reader, struct history *history)
{
    history->number = (int64_t)read_u64(reader);
    if (history->number < 0 || history->number > INT64_MAX / 2) {
        history->number = 0;
        reader->failed = true;
    }
    if (!history_open(history))
        reader->failed = true;
    for (int64_t i = 0; !reader->failed && i < history->count; i++) {
        struct bucket *bucket = &history->buckets[i];
        bucket->hashes = read_double(reader);
        bucket->accepted = read_u32(reader);
        bucket->rejected = read_u32(reader);
    }
}

static void read_worker(struct reader *reader, struct miner_book *book, struct miner *miner,
                        struct now now)
{
    struct worker read = {.connections = 0};
    char team[TEAM_NAME_MAX + 1];
    read_name(reader, read.name, sizeof(read.name));
    read_name(reader, read.device, sizeof(read.device));
    read_name(reader, team, sizeof(team));
    team_from_text(team, strlen(team), &read.team);
    read.seen_at = read_wall(reader);
    read_tally(reader, &read.tally, now);
    struct worker *worker = reader->failed ? NULL : miner_add_worker(book, miner, read.name, now);
    if (worker != NULL)
        *worker = read;
}

struct load {
    struct miner_book *book;
    struct now now;
};

// A record that is not read whole (of another version, or broken) leaves what could be read.
static bool load_miner(void *context, const void *key, size_t key_size, const void *value,
                       size_t value_size)
{
    struct load *load = context;
    const uint8_t *key_bytes = key;
    struct script payout;
    if (key_bytes[0] != 0)
        return false; // names come behind
    if (key_size < 2 || !script_from_bytes(&payout, key_bytes + 1, key_size - 1))
        return true;
    struct reader reader = reader_init(value, value_size);
    if (read_u8(&reader) != RECORD_VERSION || read_u8(&reader) != RATE_SPANS ||
        read_u8(&reader) != STRATUM_VERDICTS_COUNT)
        return true;
    if (load->book->miners_count == load->book->options.addresses_max)
        return false;
    struct miner *miner = miner_book_add(load->book, &payout, load->now);
    if (miner == NULL)
        return false;
    miner->seen_at = read_wall(&reader);
    read_tally(&reader, &miner->tally, load->now);
    read_history(&reader, &miner->histories[MINER_DAY]);
    read_history(&reader, &miner->histories[MINER_WEEK]);
    uint32_t workers = read_u32(&reader);
    for (uint32_t i = 0; i < workers && !reader.failed; i++)
        read_worker(&reader, load->book, miner, load->now);
    return true;
}

void miner_book_load(struct miner_book *book, struct now now)
{
    struct load load = {book, now};
    store_each(book->options.store, STORE_WORKERS, NULL, 0, load_miner, &load);
}
