#include "testnet/devchain/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "node/base/bytes.h"
#include "node/base/hash.h"
#include "node/pow/sha256.h"
#include "testnet/common/memory.h"

#define MAGIC           "shoal devchain\n"
#define MAGIC_SIZE      (sizeof MAGIC - 1)
#define HEAD_SIZE       (MAGIC_SIZE + HEADER_SIZE)
#define RECORD_HEAD     8
#define RECORD_SIZE_MAX (16u << 20)

struct store {
    int file;
    off_t size; // of the whole records
};

// What reading needs to hand around.
struct loading {
    const char *path;
    const struct store_options *options;
    struct store_report *report;
    char *error; // STORE_ERROR_SIZE
};

enum record { RECORD_READ, RECORD_END, RECORD_TORN, RECORD_BAD };

static bool fail(const struct loading *loading, const char *what)
{
    snprintf(loading->error, STORE_ERROR_SIZE, "%s: %s", loading->path, what);
    return false;
}

static bool fail_errno(const struct loading *loading, const char *action)
{
    snprintf(loading->error, STORE_ERROR_SIZE, "%s: cannot %s: %s", loading->path, action,
             strerror(errno));
    return false;
}

static bool write_all(int file, const void *data, size_t size, off_t offset)
{
    const uint8_t *at = data;
    while (size > 0) {
        ssize_t written = pwrite(file, at, size, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        at += written;
        offset += written;
        size -= (size_t)written;
    }
    return true;
}

// Reads as much as there is; less than `size` only at the end of the file, -1 on errors.
static ssize_t read_all(int file, void *out, size_t size, off_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(file, (uint8_t *)out + done, size - done, offset + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static void checksum(const uint8_t *bytes, size_t size, uint8_t out[4])
{
    struct hash256 hash;
    sha256d(bytes, size, &hash);
    memcpy(out, hash.bytes, 4);
}

// The record at the store's end so far; *bytes is the caller's to free if it was read.
static enum record read_record(const struct store *store, off_t file_size, uint8_t **bytes,
                               size_t *size)
{
    uint8_t head[RECORD_HEAD];
    uint8_t expected[4];
    off_t left = file_size - store->size;
    if (left == 0)
        return RECORD_END;
    if (left < RECORD_HEAD || read_all(store->file, head, sizeof head, store->size) < RECORD_HEAD)
        return RECORD_TORN;
    struct reader reader = reader_init(head, sizeof head);
    *size = read_u32(&reader);
    if ((off_t)*size > left - RECORD_HEAD)
        return *size > RECORD_SIZE_MAX ? RECORD_BAD : RECORD_TORN;
    if (*size > RECORD_SIZE_MAX)
        return RECORD_BAD;
    *bytes = memory_new(*size, 1);
    ssize_t got = read_all(store->file, *bytes, *size, store->size + RECORD_HEAD);
    checksum(*bytes, *size, expected);
    if (got == (ssize_t)*size && memcmp(expected, reader.at, sizeof expected) == 0)
        return RECORD_READ;
    free(*bytes);
    // A machine that lost power may have kept the size of its last write and not the content.
    return (off_t)*size == left - RECORD_HEAD ? RECORD_TORN : RECORD_BAD;
}

static bool cut(struct store *store, const struct loading *loading, off_t file_size)
{
    loading->report->cut_size = (uint64_t)(file_size - store->size);
    return ftruncate(store->file, store->size) == 0 || fail_errno(loading, "cut off a torn record");
}

static bool load_records(struct store *store, const struct loading *loading, off_t file_size)
{
    for (;;) {
        uint8_t *bytes = NULL;
        size_t size = 0;
        enum record record = read_record(store, file_size, &bytes, &size);
        if (record == RECORD_END)
            return true;
        if (record == RECORD_TORN)
            return cut(store, loading, file_size);
        bool is_good =
            record == RECORD_READ && loading->options->each(loading->options->context, bytes, size);
        if (record == RECORD_READ)
            free(bytes);
        if (!is_good) {
            snprintf(loading->error, STORE_ERROR_SIZE,
                     "%s: damaged at byte %lld, before its end; move the file away to begin anew",
                     loading->path, (long long)store->size);
            return false;
        }
        store->size += RECORD_HEAD + (off_t)size;
        loading->report->blocks++;
    }
}

// A new file, or one torn while it was made, gets its head now; another head is not ours to
// overwrite.
static bool check_head(struct store *store, const struct loading *loading)
{
    uint8_t expected[HEAD_SIZE];
    uint8_t head[HEAD_SIZE] = {0};
    memcpy(expected, MAGIC, MAGIC_SIZE);
    memcpy(expected + MAGIC_SIZE, loading->options->genesis, HEADER_SIZE);
    ssize_t got = read_all(store->file, head, HEAD_SIZE, 0);
    if (got < 0)
        return fail_errno(loading, "read it");
    size_t size = (size_t)got;
    if (memcmp(head, expected, size < MAGIC_SIZE ? size : MAGIC_SIZE) != 0)
        return fail(loading, "not a file of devchain's blocks; take another --data");
    if (memcmp(head, expected, size) != 0)
        return fail(loading, "holds a chain with another genesis block; give the --bits, "
                             "--hashrate, --spacing, --genesis-time and --scrypt it was made "
                             "with, or another --data");
    store->size = HEAD_SIZE;
    return size == HEAD_SIZE || write_all(store->file, expected, HEAD_SIZE, 0) ||
           fail_errno(loading, "write to it");
}

static bool load(struct store *store, const struct loading *loading)
{
    struct stat status;
    if (flock(store->file, LOCK_EX | LOCK_NB) != 0)
        return fail(loading, "another devchain uses it; stop that one or take another --data");
    if (!check_head(store, loading))
        return false;
    if (fstat(store->file, &status) != 0)
        return fail_errno(loading, "look at it");
    return load_records(store, loading, status.st_size);
}

struct store *store_open(const struct store_options *options, struct store_report *report,
                         char error[STORE_ERROR_SIZE])
{
    char path[STORE_PATH_SIZE];
    struct loading loading = {path, options, report, error};
    struct store *store = memory_new(1, sizeof *store);
    *report = (struct store_report){0};
    store->file = -1;
    int size = snprintf(path, sizeof path, "%s/blocks.dat", options->directory);
    if (size < 0 || (size_t)size >= sizeof path) {
        fail(&loading, "the name of the directory is too long");
        store_close(store);
        return NULL;
    }
    if (mkdir(options->directory, 0700) != 0 && errno != EEXIST)
        fail_errno(&loading, "make its directory");
    store->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->file < 0)
        fail_errno(&loading, "open it");
    else if (load(store, &loading))
        return store;
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    if (store->file >= 0)
        close(store->file);
    free(store);
}

bool store_append(struct store *store, const uint8_t *bytes, size_t size)
{
    struct buffer record;
    uint8_t sum[4];
    buffer_init(&record, RECORD_HEAD + size);
    checksum(bytes, size, sum);
    write_u32(&record, (uint32_t)size);
    write_bytes(&record, sum, sizeof sum);
    write_bytes(&record, bytes, size);
    bool is_written =
        !record.failed && write_all(store->file, record.data, record.size, store->size);
    buffer_clear(&record);
    if (is_written) {
        store->size += RECORD_HEAD + (off_t)size;
        return true;
    }
    int reason = errno;
    // What was written of it is cut off again; if even that fails, the next start does it.
    if (ftruncate(store->file, store->size) != 0)
        reason = errno;
    errno = reason;
    return false;
}
