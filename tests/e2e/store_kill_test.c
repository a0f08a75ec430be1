// kill -9 at random moments: a child puts numbered records into an LMDB store and reports what
// became durable, the parent kills it, opens the store and compares all of it with what the first k
// steps leave behind, for some k not smaller than what was reported. Some rounds begin with no
// store at all, to hit the making of one. Usage: store_kill_test [seed]
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include "sharechain/store.h"
#include "tests/unit/sharechain/store_folder.h"

#define ROUNDS         120
#define SECONDS_MAX    20
#define WINDOW         200u // shares kept
#define SLOTS          300u // bodies, each overwritten again and again
#define VALUE_SIZE_MAX 3000u
#define PENDING_MAX    (512u << 10)

// Step 4 n + 0 puts share n, + 1 puts body n % SLOTS, + 2 removes share n - WINDOW, + 3 notes n as
// the last. Numbers begin with WINDOW, so that every removal is one. `steps` counts those done
// since the beginning.
enum part { PUT_SHARE, PUT_BODY, REMOVE_SHARE, NOTE_LAST, PARTS };

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

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *state >> 33;
}

static size_t value_of(uint32_t n, enum part part, uint8_t value[VALUE_SIZE_MAX])
{
    uint64_t random = (uint64_t)n * PARTS + (uint64_t)part;
    size_t size = 4 + next_random(&random) % (VALUE_SIZE_MAX - 4);
    memcpy(value, &n, 4);
    for (size_t i = 4; i < size; i++)
        value[i] = (uint8_t)(next_random(&random));
    return size;
}

static void key_of(uint32_t n, uint8_t key[4])
{
    for (unsigned i = 0; i < 4; i++)
        key[i] = (uint8_t)(n >> (24 - 8 * i));
}

static void do_step(struct store *store, uint64_t step)
{
    uint8_t key[4], value[VALUE_SIZE_MAX];
    uint32_t n = WINDOW + (uint32_t)(step / PARTS);
    enum part part = (enum part)(step % PARTS);
    size_t size = value_of(n, part, value);
    switch (part) {
    case PUT_SHARE:
        key_of(n, key);
        store_put(store, STORE_SHARES, key, sizeof key, value, size);
        return;
    case PUT_BODY:
        key_of(n % SLOTS, key);
        store_put(store, STORE_BODIES, key, sizeof key, value, size);
        return;
    case REMOVE_SHARE:
        key_of(n - WINDOW, key);
        store_remove(store, STORE_SHARES, key, sizeof key);
        return;
    case NOTE_LAST:
        store_put(store, STORE_META, "last", 4, &n, sizeof n);
        return;
    case PARTS:
        break;
    }
    die("no such step");
}

static struct store *open_in(const struct store_folder *folder)
{
    char error[400];
    // Small, so that the map also grows under fire.
    struct store *store = store_lmdb_open(
        &(struct store_lmdb_options){.path = folder->path, .map_size_first = 1 << 20}, error,
        sizeof error);
    if (store == NULL)
        die("%s", error);
    return store;
}

// Puts from step `steps` on until killed, and writes the number of durable steps to the pipe.
static _Noreturn void run_child(const struct store_folder *folder, uint64_t steps, int pipe_fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct store *store = open_in(folder);
    uint64_t reported = 0, random = steps + 1;
    for (uint64_t step = steps;; step++) {
        do_step(store, step);
        if (next_random(&random) % 256 == 0)
            (void)store_settle(store, 1000); // small batches too
        while (store_pending_bytes(store) > PENDING_MAX)
            (void)store_settle(store, 1);
        uint64_t durable = store_durable(store);
        if (durable == reported)
            continue;
        reported = durable;
        uint64_t message = steps + durable;
        if (write(pipe_fd, &message, sizeof message) != (ssize_t)sizeof message)
            exit(1);
    }
}

static int64_t now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

// Takes reports until the time has come, kills, takes the rest. Returns the last report, at least
// `reported`.
static uint64_t kill_after_us(pid_t child, int pipe_fd, int64_t delay_us, uint64_t reported)
{
    int64_t deadline = now_us() + delay_us;
    bool is_alive = true;
    uint64_t message;
    for (;;) {
        int64_t left = deadline - now_us();
        if (is_alive && left <= 0) {
            kill(child, SIGKILL);
            is_alive = false;
        }
        struct timespec wait = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
        struct pollfd ready = {.fd = pipe_fd, .events = POLLIN};
        if (is_alive && ppoll(&ready, 1, &wait, NULL) <= 0)
            continue;
        if (read(pipe_fd, &message, sizeof message) != (ssize_t)sizeof message)
            break; // the other end is closed
        reported = message;
    }
    int status;
    waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        die("the child ended by itself, status %d", status);
    return reported;
}

static bool has_value(struct store *store, enum store_table table, uint32_t key_number, uint32_t n,
                      enum part part)
{
    uint8_t key[4], value[VALUE_SIZE_MAX];
    size_t size = value_of(n, part, value);
    struct buffer out;
    buffer_init(&out, VALUE_SIZE_MAX);
    key_of(key_number, key);
    bool is_right = store_get(store, table, key, sizeof key, &out) && out.size == size &&
                    memcmp(out.data, value, size) == 0;
    buffer_clear(&out);
    return is_right;
}

static bool has_key(struct store *store, enum store_table table, uint32_t key_number)
{
    uint8_t key[4];
    struct buffer out;
    buffer_init(&out, VALUE_SIZE_MAX);
    key_of(key_number, key);
    bool is_there = store_get(store, table, key, sizeof key, &out);
    buffer_clear(&out);
    return is_there;
}

static bool count_entry(void *context, const void *key, size_t key_size, const void *value,
                        size_t value_size)
{
    (void)key;
    (void)key_size;
    (void)value;
    (void)value_size;
    ++*(uint64_t *)context;
    return true;
}

static uint64_t count_of(struct store *store, enum store_table table)
{
    uint64_t count = 0;
    if (!store_each(store, table, NULL, 0, count_entry, &count))
        die("table %d cannot be read", (int)table);
    return count;
}

// How many steps were done, going by the last record noted and what came after it.
static uint64_t find_steps(struct store *store)
{
    struct buffer out;
    uint32_t last = WINDOW - 1;
    buffer_init(&out, 4);
    if (store_get(store, STORE_META, "last", 4, &out))
        memcpy(&last, out.data, 4);
    buffer_clear(&out);
    uint64_t steps = (uint64_t)(last + 1 - WINDOW) * PARTS;
    uint32_t n = last + 1;
    if (!has_key(store, STORE_SHARES, n))
        return steps;
    steps++;
    if (!has_value(store, STORE_BODIES, n % SLOTS, n, PUT_BODY))
        return steps;
    steps++;
    // The first WINDOW removals find nothing to remove: done or not, it is the same state.
    return has_key(store, STORE_SHARES, n - WINDOW) ? steps : steps + 1;
}

// Everything must be as the first `steps` steps leave it, nothing more.
static void check_state(struct store *store, uint64_t steps)
{
    uint32_t next = WINDOW + (uint32_t)(steps / PARTS); // the number under way
    uint32_t parts_done = (uint32_t)(steps % PARTS);
    uint32_t shares_end = next + (parts_done > PUT_SHARE);
    uint32_t shares_first = next + (parts_done > REMOVE_SHARE) - WINDOW;
    if (shares_first < WINDOW)
        shares_first = WINDOW;
    for (uint32_t n = shares_first; n < shares_end; n++)
        if (!has_value(store, STORE_SHARES, n, n, PUT_SHARE))
            die("share %" PRIu32 " is missing or wrong after %" PRIu64 " steps", n, steps);
    if (count_of(store, STORE_SHARES) != shares_end - shares_first)
        die("there are shares that should not be there after %" PRIu64 " steps", steps);
    uint32_t bodies_end = next + (parts_done > PUT_BODY);
    uint32_t bodies_first = bodies_end > WINDOW + SLOTS ? bodies_end - SLOTS : WINDOW;
    for (uint32_t n = bodies_first; n < bodies_end; n++)
        if (!has_value(store, STORE_BODIES, n % SLOTS, n, PUT_BODY))
            die("body %" PRIu32 " is missing or wrong after %" PRIu64 " steps", n, steps);
    if (count_of(store, STORE_BODIES) != bodies_end - bodies_first)
        die("there are bodies that should not be there after %" PRIu64 " steps", steps);
}

struct totals {
    unsigned rounds;
    unsigned births; // rounds that began without a store
    uint64_t steps;  // found on disk
    uint64_t beyond; // steps found that had not been reported yet
};

// One life of the child in a store that holds `steps` steps; returns how many it holds afterwards.
static uint64_t run_round(const struct store_folder *folder, uint64_t steps, int64_t delay_us,
                          struct totals *totals)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        die("no pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0)
        die("no child: %s", strerror(errno));
    if (child == 0) {
        close(ends[0]);
        run_child(folder, steps, ends[1]);
    }
    close(ends[1]);
    uint64_t reported = kill_after_us(child, ends[0], delay_us, steps);
    close(ends[0]);
    struct store *store = open_in(folder);
    uint64_t found = find_steps(store);
    check_state(store, found);
    if (found < reported)
        die("%" PRIu64 " steps were durable, only %" PRIu64 " are there", reported, found);
    store_close(store);
    totals->rounds++;
    totals->steps += found - steps;
    totals->beyond += found - reported;
    return found;
}

int main(int argc, char **argv)
{
    uint64_t random;
    if (argc > 1)
        random = strtoull(argv[1], NULL, 10);
    else if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        die("no random number");
    printf("seed %" PRIu64 "\n", random);
    fflush(stdout);
    struct totals totals = {0};
    int64_t end = now_us() + (int64_t)SECONDS_MAX * 1000000;
    struct store_folder folder = store_folder_new();
    uint64_t steps = 0;
    while (totals.rounds < ROUNDS && now_us() < end) {
        bool is_birth = totals.rounds % 4 == 3;
        if (is_birth) {
            store_folder_remove(&folder);
            folder = store_folder_new();
            steps = 0;
            totals.births++;
        }
        int64_t delay_us = (int64_t)(next_random(&random) % (is_birth ? 10000 : 150000));
        steps = run_round(&folder, steps, delay_us, &totals);
    }
    store_folder_remove(&folder);
    printf("%u kills, %u of them at the birth of a store: %" PRIu64 " steps on disk, %" PRIu64
           " of them not yet reported, none lost or torn\n",
           totals.rounds, totals.births, totals.steps, totals.beyond);
    if (totals.rounds < 20 || totals.steps < 1000)
        die("too little was done to say anything");
    return 0;
}
