// A disk that is really full, under the LMDB store: a limit on the size of files, and (as root, who
// may mount them) two small file systems that others fill and empty. The store must say so, keep
// serving everything, lose nothing when space returns, and survive kill -9 and a start while the
// disk is full. Without the rights to mount, or mkfs.ext4, it says what it left out and ends
// with 77.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "sharechain/store.h"
#include "tests/unit/sharechain/store_folder.h"

#define VALUE_SIZE     700u
#define STATUS_SKIPPED 77

static _Noreturn void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "FAILED: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static struct store *open_in(const struct store_folder *folder)
{
    char error[400];
    struct store *store =
        store_lmdb_open(&(struct store_lmdb_options){.path = folder->path}, error, sizeof error);
    if (store == NULL)
        die("%s", error);
    return store;
}

static void put_numbers(struct store *store, uint32_t first, uint32_t end)
{
    for (uint32_t n = first; n < end; n++) {
        uint32_t key = __builtin_bswap32(n), value[VALUE_SIZE / 4] = {n, ~n};
        store_put(store, STORE_SHARES, &key, sizeof key, value, sizeof value);
    }
}

static bool has_number(struct store *store, uint32_t n)
{
    uint32_t key = __builtin_bswap32(n), value[VALUE_SIZE / 4] = {n, ~n};
    struct buffer out;
    buffer_init(&out, VALUE_SIZE);
    bool is_right = store_get(store, STORE_SHARES, &key, sizeof key, &out) &&
                    out.size == VALUE_SIZE && memcmp(out.data, value, VALUE_SIZE) == 0;
    buffer_clear(&out);
    return is_right;
}

static bool count_entry(void *context, const void *key, size_t key_size, const void *value,
                        size_t value_size)
{
    (void)key;
    (void)key_size;
    (void)value;
    (void)value_size;
    ++*(uint32_t *)context;
    return true;
}

static uint32_t count_of(struct store *store)
{
    uint32_t count = 0;
    if (!store_each(store, STORE_SHARES, NULL, 0, count_entry, &count))
        die("the store cannot be read");
    return count;
}

// The store serves the numbers 0 to count - 1 and nothing else.
static void check_numbers(struct store *store, uint32_t count, const char *when)
{
    for (uint32_t n = 0; n < count; n++)
        if (!has_number(store, n))
            die("%s: number %" PRIu32 " of %" PRIu32 " is missing or wrong", when, n, count);
    uint32_t found = count_of(store);
    if (found != count)
        die("%s: %" PRIu32 " numbers instead of %" PRIu32, when, found, count);
}

static void wait_until_full(struct store *store)
{
    for (unsigned i = 0; store_health(store) != STORE_DISK_FULL; i++) {
        char text[300];
        store_health_text(store, text, sizeof text);
        if (i > 1000 || store_health(store) == STORE_DISK_ERROR)
            die("the full disk goes unnoticed: %s", text);
        (void)store_settle(store, 10);
    }
}

static void check_full(struct store *store, const char *when)
{
    char text[300];
    store_health_text(store, text, sizeof text);
    printf("  %s: %s\n", when, text);
    if (strstr(text, "is full") == NULL || strstr(text, "free some space") == NULL)
        die("%s: the sentence says neither what is wrong nor what to do", when);
    if (store_pending_bytes(store) == 0)
        die("%s: nothing waits, yet the disk is full", when);
}

static void check_recovery(struct store *store, const char *when)
{
    if (!store_settle(store, 5000))
        die("%s: there is room again, but nothing is written", when);
    if (store_health(store) != STORE_HEALTHY || store_pending_bytes(store) != 0)
        die("%s: everything is written, but the store is not healthy", when);
}

static void limit_file_size(rlim_t size)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        die("cannot limit the size of files: %s", strerror(errno));
}

// SIGXFSZ keeps its deadly default: the writer must not let it come to that.
static void run_file_size_limit(const struct store_folder *folder)
{
    struct store *store = open_in(folder);
    put_numbers(store, 0, 1000);
    if (!store_settle(store, 5000))
        die("a thousand puts take longer than five seconds");
    limit_file_size(2 << 20);
    put_numbers(store, 1000, 5000);
    wait_until_full(store);
    check_full(store, "files limited to 2 MiB");
    uint64_t durable = store_durable(store);
    put_numbers(store, 5000, 6000);
    if (store_settle(store, 2500)) // two tries at least
        die("more is on disk than the limit allows");
    check_numbers(store, 6000, "files limited");
    if (store_durable(store) != durable)
        die("more became durable than the limit allows");
    limit_file_size(RLIM_INFINITY);
    check_recovery(store, "limit lifted");
    store_close(store);
    store = open_in(folder);
    check_numbers(store, 6000, "limit lifted, opened again");
    store_close(store);
}

// Fills the small disk but for about `left` bytes.
static void fill_disk(const char *ballast, size_t left)
{
    static const uint8_t block[4096] = {1};
    int fd = open(ballast, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    off_t size = 0;
    while (write(fd, block, sizeof block) == (ssize_t)sizeof block)
        size += (off_t)sizeof block;
    off_t kept = size > (off_t)left ? size - (off_t)left : 0;
    if (fd < 0 || ftruncate(fd, kept) != 0)
        die("cannot fill %s: %s", ballast, strerror(errno));
    close(fd);
}

// Others take all space and give it back, and each time it strikes somewhere else.
static void run_small_disk(const struct store_folder *folder)
{
    char ballast[300];
    store_folder_file(folder, "ballast", ballast);
    struct store *store = open_in(folder);
    uint32_t count = 0;
    for (unsigned round = 0; round < 5; round++) {
        fill_disk(ballast, round * 30000);
        put_numbers(store, count, count + 300);
        count += 300;
        wait_until_full(store);
        check_numbers(store, count, "small disk full");
        if (round == 0)
            check_full(store, "small disk full");
        unlink(ballast);
        check_recovery(store, "ballast thrown off");
    }
    check_numbers(store, count, "small disk with room");
    store_close(store);
    store = open_in(folder);
    check_numbers(store, count, "small disk opened again");
    store_close(store);
}

static _Noreturn void put_until_killed(const struct store_folder *folder, uint32_t count, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct store *store = open_in(folder);
    put_numbers(store, count, count + 10000);
    wait_until_full(store);
    uint64_t durable = store_durable(store);
    if (write(fd, &durable, sizeof durable) != (ssize_t)sizeof durable)
        exit(1);
    for (;;)
        (void)store_settle(store, 1000);
}

// Killed while the disk is full; started again on the full disk; then there is room.
static void run_kill_on_full_disk(const struct store_folder *folder)
{
    char ballast[300];
    store_folder_file(folder, "ballast", ballast);
    struct store *store = open_in(folder);
    uint32_t count = count_of(store);
    store_close(store);
    fill_disk(ballast, 40000);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        die("no pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0)
        put_until_killed(folder, count, ends[1]);
    close(ends[1]);
    uint64_t durable;
    if (child < 0 || read(ends[0], &durable, sizeof durable) != (ssize_t)sizeof durable)
        die("the child never found the disk full");
    close(ends[0]);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    store = open_in(folder);
    uint32_t found = count_of(store);
    check_numbers(store, found, "killed on a full disk");
    if (found < count + durable)
        die("killed on a full disk: %" PRIu32 " of %" PRIu64 " are there", found, count + durable);
    put_numbers(store, found, found + 100);
    wait_until_full(store);
    unlink(ballast);
    check_recovery(store, "started on a full disk");
    check_numbers(store, found + 100, "started on a full disk");
    store_close(store);
}

static void check_refusal_on_full_disk(const struct store_folder *parent)
{
    struct store_folder folder;
    char ballast[300], error[400];
    store_folder_file(parent, "ballast", ballast);
    snprintf(folder.path, sizeof folder.path, "%.200s/new", parent->path);
    if (mkdir(folder.path, 0700) != 0)
        die("cannot make %s: %s", folder.path, strerror(errno));
    fill_disk(ballast, 0);
    struct store *store =
        store_lmdb_open(&(struct store_lmdb_options){.path = folder.path}, error, sizeof error);
    if (store != NULL || strstr(error, "disk is full") == NULL)
        die("a store cannot be made on a full disk, but: %s", store == NULL ? error : "it was");
    unlink(ballast);
    store_close(open_in(&folder));
    store_folder_remove(&folder);
}

// Alone in a mount namespace of its own, so that the small disk goes away with the process.
static void enter_own_namespace(void)
{
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        return;
    fprintf(stderr, "SKIPPED: no small disk can be mounted (%s); run as root for it\n",
            strerror(errno));
    exit(STATUS_SKIPPED);
}

static void run_small_disk_tests(const struct store_folder *folder)
{
    run_small_disk(folder);
    run_kill_on_full_disk(folder);
    check_refusal_on_full_disk(folder);
}

// Hands out each page until none is left.
static void run_memory_disk(const struct store_folder *folder)
{
    enter_own_namespace();
    if (mount("shoal-test", folder->path, "tmpfs", 0, "size=3m,mode=700") != 0) {
        fprintf(stderr, "SKIPPED: tmpfs cannot be mounted (%s)\n", strerror(errno));
        exit(STATUS_SKIPPED);
    }
    run_small_disk_tests(folder);
}

// Promises blocks and takes them later, and cuts writes short on the way to being full.
static void run_ext4_disk(const struct store_folder *folder)
{
    enter_own_namespace();
    char command[1600];
    snprintf(command, sizeof command,
             "PATH=$PATH:/usr/sbin:/sbin && truncate -s 16M '%s.img' && "
             "mkfs.ext4 -q -m 0 '%s.img' && mount -o loop '%s.img' '%s'; "
             "status=$?; rm -f '%s.img'; exit $status",
             folder->path, folder->path, folder->path, folder->path, folder->path);
    if (system(command) != 0) {
        fprintf(stderr, "SKIPPED: no ext4 in a file can be made and mounted here\n");
        exit(STATUS_SKIPPED);
    }
    run_small_disk_tests(folder);
}

// Runs the test in a process of its own: limits and mounts end with it. Returns its exit status.
static int run_apart(void (*test)(const struct store_folder *folder), const char *name)
{
    printf("%s\n", name);
    fflush(stdout);
    struct store_folder folder = store_folder_new();
    pid_t child = fork();
    if (child == 0) {
        test(&folder);
        exit(0);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child)
        die("no child: %s", strerror(errno));
    store_folder_remove(&folder);
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == STATUS_SKIPPED))
        return WEXITSTATUS(status);
    if (WIFSIGNALED(status))
        fprintf(stderr, "FAILED: killed by signal %d\n", WTERMSIG(status));
    return 1;
}

int main(void)
{
    int limited = run_apart(run_file_size_limit, "a limit on the size of files");
    int memory = run_apart(run_memory_disk, "a tmpfs of 3 MiB");
    int ext4 = run_apart(run_ext4_disk, "an ext4 of 16 MiB");
    if (limited == 1 || memory == 1 || ext4 == 1)
        return 1;
    if (memory == STATUS_SKIPPED || ext4 == STATUS_SKIPPED)
        return STATUS_SKIPPED;
    printf("nothing was lost\n");
    return 0;
}
