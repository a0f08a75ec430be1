// The LMDB store on a failing disk. The calls with which LMDB and the store reach the disk are
// replaced by the ones below (the linker prefers a program's own), which fail where the test says.
// After each failure nothing may be lost, and nothing may be called durable that is not.
#include "sharechain/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "tests/unit/sharechain/store_folder.h"

#define SETTLE_MS 30000

enum fault_kind { FAULT_ERROR, FAULT_SHORT_WRITE };

struct faults {
    atomic_int kind;
    atomic_int error;
    atomic_long writes_until_fault; // writes and syncs; below 0: no more faults
    atomic_long faults_left;
    atomic_int open_error;     // for opening store.mdb to write
    atomic_int open_all_error; // for opening it at all
    atomic_long map_size_max;  // larger maps of files fail; 0: none do
    atomic_long happened;
};

static struct faults *faults(void)
{
    static struct faults shared;
    return &shared;
}

static void no_more_faults(void)
{
    struct faults *f = faults();
    f->writes_until_fault = -1;
    f->faults_left = 0;
    f->open_error = 0;
    f->open_all_error = 0;
    f->map_size_max = 0;
}

// The writes and syncs from the nth on (0: the next), `count` of them, fail.
static void fail_writes(enum fault_kind kind, int error, long nth, long count)
{
    struct faults *f = faults();
    f->kind = (int)kind;
    f->error = error;
    f->faults_left = count;
    f->happened = 0;
    f->writes_until_fault = nth;
}

static bool is_to_fail(void)
{
    struct faults *f = faults();
    if (f->writes_until_fault < 0 || atomic_fetch_sub(&f->writes_until_fault, 1) > 0)
        return false;
    f->writes_until_fault = 0;
    if (atomic_fetch_sub(&f->faults_left, 1) <= 0) {
        f->writes_until_fault = -1;
        return false;
    }
    f->happened++;
    return true;
}

// Their names and parameters are the C library's, which names the latter with underscores.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name,readability-function-size)
static ssize_t plain_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    if (!is_to_fail())
        return plain_pwrite(fd, data, size, offset);
    if (faults()->kind == FAULT_SHORT_WRITE && size > 1)
        return plain_pwrite(fd, data, size / 2, offset);
    errno = faults()->error;
    return -1;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (!is_to_fail())
        return syscall(SYS_writev, fd, parts, count);
    if (faults()->kind == FAULT_SHORT_WRITE && count > 1)
        return syscall(SYS_writev, fd, parts, count / 2);
    errno = faults()->error;
    return -1;
}

int fdatasync(int fd)
{
    if (!is_to_fail())
        return (int)syscall(SYS_fdatasync, fd);
    errno = faults()->error;
    return -1;
}

int fsync(int fd)
{
    if (!is_to_fail())
        return (int)syscall(SYS_fsync, fd);
    errno = faults()->error;
    return -1;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = (flags & O_CREAT) != 0 ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    if (strstr(path, "store.mdb") != NULL) {
        bool is_to_write = (flags & O_ACCMODE) != O_RDONLY;
        int error = faults()->open_all_error;
        if (error == 0 && is_to_write)
            error = faults()->open_error;
        if (error != 0) {
            errno = error;
            return -1;
        }
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

// ThreadSanitizer lays out its own memory through mmap before anything else runs and wants the
// plain one.
#ifndef __SANITIZE_THREAD__
#define HAS_MAP_FAULTS 1
void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    long size_max = faults()->map_size_max;
    if (fd >= 0 && size_max > 0 && size > (size_t)size_max) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    union {
        long number;
        void *pointer;
    } result = {.number = syscall(SYS_mmap, address, size, protection, flags, fd, offset)};
    return result.pointer;
}
#else
#define HAS_MAP_FAULTS 0
#endif
// NOLINTEND(readability-inconsistent-declaration-parameter-name,readability-function-size)

static int set_up(void **state)
{
    no_more_faults();
    struct store_folder *folder = test_malloc(sizeof *folder);
    *folder = store_folder_new();
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    no_more_faults();
    store_folder_remove(*state);
    test_free(*state);
    return 0;
}

static struct store *open_with_map(const struct store_folder *folder, uint64_t map_size)
{
    char error[400] = "";
    struct store *store = store_lmdb_open(&(struct store_lmdb_options){.path = folder->path,
                                                                       .map_size_first = map_size,
                                                                       .retry_ms = 1},
                                          error, sizeof error);
    if (store == NULL)
        print_error("%s\n", error);
    assert_non_null(store);
    return store;
}

static struct store *open_in(const struct store_folder *folder)
{
    return open_with_map(folder, 0);
}

// A history of puts of which any prefix can be recognised: put i sets key i % 40 to i, or removes
// it.
#define HISTORY_KEYS  40u
#define HISTORY_VALUE 900u

static uint64_t put_history(struct store *store, unsigned first, unsigned end)
{
    uint64_t sequence = 0;
    for (unsigned i = first; i < end; i++) {
        uint8_t key = (uint8_t)(i * 7 % HISTORY_KEYS);
        unsigned value[HISTORY_VALUE / sizeof(unsigned)] = {i};
        if (i % 5 == 3)
            sequence = store_remove(store, STORE_BODIES, &key, 1);
        else
            sequence = store_put(store, STORE_BODIES, &key, 1, value, sizeof value);
    }
    return sequence;
}

static unsigned last_of_key(unsigned key, unsigned end)
{
    unsigned last = 0;
    for (unsigned i = 1; i < end; i++)
        if (i * 7 % HISTORY_KEYS == key)
            last = i % 5 == 3 ? 0 : i;
    return last;
}

static bool count_entry(void *context, const void *key, size_t key_size, const void *value,
                        size_t value_size)
{
    (void)key;
    (void)key_size;
    (void)value;
    (void)value_size;
    ++*(unsigned *)context;
    return true;
}

// The store holds the puts 1 to end - 1, read by key and by walking.
static bool holds_history(struct store *store, unsigned end)
{
    unsigned expected = 0, visited = 0;
    for (unsigned n = 0; n < HISTORY_KEYS; n++) {
        unsigned last = last_of_key(n, end);
        uint8_t key = (uint8_t)n;
        struct buffer out;
        buffer_init(&out, HISTORY_VALUE);
        bool is_there = store_get(store, STORE_BODIES, &key, 1, &out);
        bool is_right =
            is_there == (last > 0) &&
            (!is_there || (out.size == HISTORY_VALUE && memcmp(out.data, &last, sizeof last) == 0));
        buffer_clear(&out);
        if (!is_right)
            return false;
        expected += last > 0;
    }
    return store_each(store, STORE_BODIES, NULL, 0, count_entry, &visited) && visited == expected;
}

// Waits for the writer to notice.
static void wait_for_health(struct store *store, enum store_health health)
{
    for (unsigned i = 0; store_health(store) != health; i++) {
        assert_true(i < 10000);
        (void)store_settle(store, 5);
    }
}

// One run: the nth write fails (`count` in a row) while puts 100 to 199 go to disk. False when
// there was no nth.
static bool run_with_fault(enum fault_kind kind, int error, long nth, long count)
{
    struct store_folder folder = store_folder_new();
    struct store *store = open_in(&folder);
    put_history(store, 1, 100);
    assert_true(store_settle(store, SETTLE_MS));
    fail_writes(kind, error, nth, count);
    put_history(store, 100, 150);
    assert_true(holds_history(store, 150));
    assert_true(store_settle(store, SETTLE_MS));
    assert_true(holds_history(store, 150));
    uint64_t sequence = put_history(store, 150, 200);
    assert_true(holds_history(store, 200));
    assert_true(store_settle(store, SETTLE_MS));
    bool has_failed = faults()->happened > 0;
    assert_int_equal(store_durable(store), sequence);
    assert_int_equal(store_pending_bytes(store), 0);
    assert_int_equal(store_health(store), STORE_HEALTHY);
    assert_true(holds_history(store, 200));
    no_more_faults();
    store_close(store);
    store = open_in(&folder);
    assert_true(holds_history(store, 200));
    store_close(store);
    store_folder_remove(&folder);
    return has_failed;
}

static void nth_failing_write_or_sync_loses_nothing(void **state)
{
    (void)state;
    static const struct {
        enum fault_kind kind;
        int error;
    } ways[] = {{FAULT_ERROR, EIO}, {FAULT_ERROR, ENOSPC}, {FAULT_SHORT_WRITE, EIO}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        for (long count = 1; count <= 4; count++) {
            long nth = 0;
            while (run_with_fault(ways[i].kind, ways[i].error, nth, count))
                nth++;
            assert_true(nth >= 6); // two commits at least: pages, sync and root of each
        }
    }
}

// What is on disk at this moment, as after a power cut.
static struct store_folder copy_of(const struct store_folder *folder)
{
    struct store_folder copy = store_folder_new();
    char path[300];
    FILE *from = fopen(store_folder_file(folder, "store.mdb", path), "r");
    assert_non_null(from);
    FILE *to = fopen(store_folder_file(&copy, "store.mdb", path), "w");
    assert_non_null(to);
    for (int byte; (byte = fgetc(from)) != EOF;)
        fputc(byte, to);
    fclose(from);
    assert_int_equal(fclose(to), 0);
    return copy;
}

static void assert_copy_holds(struct store_folder copy, unsigned end)
{
    struct store *store = open_in(&copy);
    assert_true(holds_history(store, end));
    store_close(store);
    store_folder_remove(&copy);
}

static void check_full_or_broken(const struct store_folder *folder, int error,
                                 enum store_health health, const char *words)
{
    struct store *store = open_in(folder);
    put_history(store, 1, 100);
    assert_true(store_settle(store, SETTLE_MS));
    uint64_t durable = store_durable(store);
    fail_writes(FAULT_ERROR, error, 0, 1000000000);
    put_history(store, 100, 150);
    wait_for_health(store, health);
    uint64_t sequence = put_history(store, 150, 200);
    assert_false(store_settle(store, 20));
    assert_int_equal(store_health(store), health);
    assert_int_equal(store_durable(store), durable);
    uint64_t pending = 100 + 80 * HISTORY_VALUE; // of 100 puts every fifth is a removal
    assert_int_equal(store_pending_bytes(store), pending);
    char text[300], bytes[30];
    store_health_text(store, text, sizeof text);
    snprintf(bytes, sizeof bytes, "%llu bytes", (unsigned long long)pending);
    assert_non_null(strstr(text, words));
    assert_non_null(strstr(text, folder->path));
    assert_non_null(strstr(text, bytes));
    assert_true(holds_history(store, 200));
    struct store_folder copy = copy_of(folder);
    no_more_faults();
    assert_copy_holds(copy, 100);
    assert_true(store_settle(store, SETTLE_MS));
    assert_int_equal(store_health(store), STORE_HEALTHY);
    assert_int_equal(store_durable(store), sequence);
    store_health_text(store, text, sizeof text);
    assert_string_equal(text, "");
    assert_copy_holds(copy_of(folder), 200);
    store_close(store);
}

static void full_disk_is_said_and_ends_when_there_is_room(void **state)
{
    check_full_or_broken(*state, ENOSPC, STORE_DISK_FULL, "free some space");
}

static void full_quota_counts_as_full_disk(void **state)
{
    check_full_or_broken(*state, EDQUOT, STORE_DISK_FULL, "free some space");
}

static void failing_disk_is_said_and_ends_when_it_works_again(void **state)
{
    check_full_or_broken(*state, EIO, STORE_DISK_ERROR, "look at the disk");
}

static void older_put_on_disk_does_not_hide_a_newer_one_that_is_not(void **state)
{
    struct store *store = open_in(*state);
    // Enough others before it, so that the older put is let go of only after the newer one came.
    put_history(store, 1, 100);
    store_put(store, STORE_META, "key", 3, "old", 3);
    assert_true(store_settle(store, SETTLE_MS));
    fail_writes(FAULT_ERROR, ENOSPC, 0, 1000000000);
    store_put(store, STORE_META, "key", 3, "new", 3);
    for (unsigned i = 0; i < 100; i++) {
        struct buffer out;
        buffer_init(&out, 3);
        assert_true(store_get(store, STORE_META, "key", 3, &out));
        assert_memory_equal(out.data, "new", 3);
        buffer_clear(&out);
    }
    no_more_faults();
    store_close(store);
}

// The disk fills up ever later in a flood of several batches, in the end not at all.
static void pending_bytes_are_those_of_the_puts_that_are_not_durable(void **state)
{
    const struct store_folder *folder = *state;
    enum { COUNT = 9000, SIZE = 1000 };
    unsigned runs_within = 0;
    uint64_t durable = 0;
    for (long nth = 20; durable < COUNT; nth += 60) {
        struct store *store = open_in(folder);
        uint8_t value[SIZE - 4] = {0};
        fail_writes(FAULT_ERROR, ENOSPC, nth, 1000000000);
        for (uint32_t n = 0; n < COUNT; n++)
            store_put(store, STORE_SHARES, &n, sizeof n, value, sizeof value);
        while (store_health(store) == STORE_HEALTHY && store_durable(store) < COUNT)
            (void)store_settle(store, 5);
        durable = store_durable(store);
        assert_int_equal(store_pending_bytes(store), (COUNT - durable) * SIZE);
        runs_within += durable > 0 && durable < COUNT;
        no_more_faults();
        store_close(store);
    }
    assert_true(runs_within > 0);
}

// The root's write fails and the file system goes read-only, as ext4 does after an error.
static void disk_that_goes_read_only_stays_readable(void **state)
{
    const struct store_folder *folder = *state;
    struct store *store = open_in(folder);
    put_history(store, 1, 100);
    assert_true(store_settle(store, SETTLE_MS));
    faults()->open_error = EROFS;
    fail_writes(FAULT_ERROR, EIO, 0, 1000000000);
    // Let the pages and the sync through, so that it is the root that fails.
    faults()->writes_until_fault = 2;
    uint8_t key = (uint8_t)(100 * 7 % HISTORY_KEYS);
    unsigned value[HISTORY_VALUE / sizeof(unsigned)] = {100};
    store_put(store, STORE_BODIES, &key, 1, value, sizeof value);
    wait_for_health(store, STORE_DISK_ERROR);
    put_history(store, 101, 150);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(holds_history(store, 150));
        (void)store_settle(store, 1);
    }
    char text[300];
    store_health_text(store, text, sizeof text);
    assert_non_null(strstr(text, "Read-only file system"));
    no_more_faults();
    assert_true(store_settle(store, SETTLE_MS));
    assert_int_equal(store_health(store), STORE_HEALTHY);
    store_close(store);
    store = open_in(folder);
    assert_true(holds_history(store, 150));
    store_close(store);
}

static void disk_that_vanishes_leaves_the_puts_and_says_what_it_cannot_read(void **state)
{
    const struct store_folder *folder = *state;
    struct store *store = open_in(folder);
    store_put(store, STORE_META, "old", 3, "on disk", 7);
    assert_true(store_settle(store, SETTLE_MS));
    faults()->open_all_error = EIO;
    fail_writes(FAULT_ERROR, EIO, 2, 1000000000);
    store_put(store, STORE_META, "new", 3, "in memory", 9);
    wait_for_health(store, STORE_DISK_ERROR);
    (void)store_settle(store, 20); // by now the file was closed and could not be opened
    struct buffer out;
    buffer_init(&out, 100);
    unsigned visited = 0;
    assert_true(store_get(store, STORE_META, "new", 3, &out));
    assert_false(store_get(store, STORE_META, "old", 3, &out));
    assert_false(store_each(store, STORE_META, NULL, 0, count_entry, &visited));
    no_more_faults();
    assert_true(store_settle(store, SETTLE_MS));
    assert_int_equal(store_health(store), STORE_HEALTHY);
    assert_true(store_get(store, STORE_META, "old", 3, &out));
    visited = 0;
    assert_true(store_each(store, STORE_META, NULL, 0, count_entry, &visited));
    assert_int_equal(visited, 3); // and the schema
    buffer_clear(&out);
    store_close(store);
}

static void map_that_cannot_grow_is_said_and_tried_again(void **state)
{
    const struct store_folder *folder = *state;
    if (!HAS_MAP_FAULTS)
        skip();
    struct store *store = open_with_map(folder, 128 << 10);
    put_history(store, 1, 20);
    assert_true(store_settle(store, SETTLE_MS));
    faults()->map_size_max = 128 << 10;
    size_t size = 1 << 20;
    void *large = test_calloc(1, size);
    store_put(store, STORE_META, "large", 5, large, size);
    wait_for_health(store, STORE_DISK_ERROR);
    assert_true(holds_history(store, 20));
    put_history(store, 20, 150);
    assert_true(holds_history(store, 150));
    no_more_faults();
    assert_true(store_settle(store, SETTLE_MS));
    store_close(store);
    store = open_in(folder);
    assert_true(holds_history(store, 150));
    struct buffer out;
    buffer_init(&out, size);
    assert_true(store_get(store, STORE_META, "large", 5, &out));
    assert_int_equal(out.size, size);
    buffer_clear(&out);
    store_close(store);
    test_free(large);
}

static void nth_failure_while_making_a_store_is_said_and_leaves_nothing_behind(void **state)
{
    (void)state;
    long nth = 0;
    for (bool has_failed = true; has_failed; nth++) {
        struct store_folder folder = store_folder_new();
        char error[400] = "";
        fail_writes(FAULT_ERROR, ENOSPC, nth, 1);
        struct store *store =
            store_lmdb_open(&(struct store_lmdb_options){.path = folder.path}, error, sizeof error);
        has_failed = faults()->happened > 0;
        no_more_faults();
        assert_int_equal(store == NULL, has_failed);
        if (has_failed)
            assert_non_null(strstr(error, "disk is full"));
        store_close(store);
        store = open_in(&folder);
        assert_false(store_get(store, STORE_META, "x", 1, NULL));
        store_close(store);
        store_folder_remove(&folder);
    }
    assert_true(nth > 6); // first root, pages, sync, root, name of the file, LMDB's lock file
}

static void store_opens_and_reads_on_a_full_disk(void **state)
{
    const struct store_folder *folder = *state;
    struct store *store = open_in(folder);
    put_history(store, 1, 100);
    store_close(store);
    fail_writes(FAULT_ERROR, ENOSPC, 0, 1000000000);
    store = open_in(folder);
    assert_true(holds_history(store, 100));
    assert_int_equal(store_health(store), STORE_HEALTHY);
    put_history(store, 100, 150);
    wait_for_health(store, STORE_DISK_FULL);
    assert_true(holds_history(store, 150));
    no_more_faults();
    store_close(store);
    store = open_in(folder);
    assert_true(holds_history(store, 150));
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_FOLDER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        WITH_FOLDER(nth_failing_write_or_sync_loses_nothing),
        WITH_FOLDER(full_disk_is_said_and_ends_when_there_is_room),
        WITH_FOLDER(full_quota_counts_as_full_disk),
        WITH_FOLDER(failing_disk_is_said_and_ends_when_it_works_again),
        WITH_FOLDER(older_put_on_disk_does_not_hide_a_newer_one_that_is_not),
        WITH_FOLDER(pending_bytes_are_those_of_the_puts_that_are_not_durable),
        WITH_FOLDER(disk_that_goes_read_only_stays_readable),
        WITH_FOLDER(disk_that_vanishes_leaves_the_puts_and_says_what_it_cannot_read),
        WITH_FOLDER(map_that_cannot_grow_is_said_and_tried_again),
        WITH_FOLDER(nth_failure_while_making_a_store_is_said_and_leaves_nothing_behind),
        WITH_FOLDER(store_opens_and_reads_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
