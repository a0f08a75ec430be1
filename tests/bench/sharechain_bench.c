// What the share-chain costs: the full check of a share, a link's worth of work, and reopening a
// large chain. Baselines are measured in the same run: the SHA-256d work that a check cannot do
// without, and a plain copy of the stored bytes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "node/bitcoin/merkle.h"
#include "tests/support/share_maker.h"

#define MINERS       200
#define CHECKS       1500
#define ROUNDS       5
#define BRANCH_COUNT 12
#define LINKS        10000
#define GRAINS       100000

struct bench {
    struct pool pool;
    struct maker_random random;
    struct env env;
    struct store *store;
    struct sharechain *chain;
    int64_t clock_s;
    uint64_t salt;
};

static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    return values[count / 2];
}

static void bench_pool(struct pool *pool)
{
    maker_pool(pool, 30, 16);
    pool->window_multiple = 1000000000; // all of the chain is in the window
    struct pool_error error;
    if (!pool_finish(pool, &error))
        abort();
}

static void bench_open(struct bench *bench, struct store *store)
{
    memset(bench, 0, sizeof(*bench));
    bench_pool(&bench->pool);
    maker_env_init(&bench->env, &bench->random, 1);
    bench->store = store;
    bench->chain = sharechain_new(&bench->env, &bench->pool, store, NULL);
    bench->clock_s = bench->pool.genesis_time + 10;
}

static void bench_close(struct bench *bench)
{
    sharechain_free(bench->chain);
    if (bench->store != NULL)
        store_close(bench->store);
    maker_env_clear(&bench->env);
}

static bool make(struct bench *bench, enum maker_want want, struct made_share *made)
{
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(bench->chain))->id,
        .now = {bench->clock_s * 1000},
        .script = maker_script((uint32_t)(bench->salt % MINERS)),
        .want = want,
        .salt = ++bench->salt,
        .branch_count = BRANCH_COUNT,
    };
    return maker_share(bench->chain, &spec, made);
}

static void grow(struct bench *bench, enum maker_want want)
{
    struct made_share made;
    if (!make(bench, want, &made) && !make(bench, MAKER_LINK, &made))
        abort();
    if (maker_add(bench->chain, &made, SHARECHAIN_OWN) != VERDICT_VALID)
        abort();
    made_share_clear(&made);
}

static void grow_block(struct bench *bench)
{
    uint8_t header[HEADER_SIZE];
    const struct header_node *best = header_chain_best(sharechain_headers(bench->chain));
    maker_header(bench->chain, best, (uint32_t)bench->clock_s, bench->salt, header);
    sharechain_add_header(bench->chain, header);
}

// Links come too fast until the link target is a sixteenth of the easiest; from then on one each 30
// s.
static void grow_chain(struct bench *bench, uint32_t links, uint32_t grains_per_link)
{
    for (uint32_t i = 1; i <= links; i++) {
        for (uint32_t g = 0; i > 100 && g < grains_per_link; g++)
            grow(bench, MAKER_GRAIN);
        grow(bench, MAKER_LINK);
        bench->clock_s += i <= 100 ? 4 : 30;
        if (i % 20 == 0)
            grow_block(bench);
    }
}

// ---- Checking one share

static void print_row(const char *what, double ours, const char *unit, double baseline,
                      const char *baseline_name, const char *bar)
{
    printf("%-52s %10.2f %-3s %10.2f %-3s %-26s %6.2fx  bar %s\n", what, ours, unit, baseline, unit,
           baseline_name, ours / baseline, bar);
}

// The hashing that no implementation can leave out: id and proof of work are one hash, the
// coinbase's tail, 12 merkle steps and share_info.
static double hashing_us(const struct made_share *made)
{
    uint8_t data[80] = {0};
    struct hash256 hash;
    struct share share;
    if (!share_decode(made->bytes, made->size, &share))
        abort();
    double start = now_us();
    for (unsigned i = 0; i < CHECKS; i++) {
        memcpy(data, &i, sizeof(i));
        sha256d_80(data, &hash);
        struct hash256 leaf = hash;
        merkle_branch_root(&share.branch, &leaf, &hash);
        share_info_hash(&share.info, &hash);
        sha256d_64(data, &hash);
    }
    return (now_us() - start) / CHECKS;
}

static struct made_share *make_grains(struct bench *bench, bool is_cold)
{
    struct made_share *made = calloc(CHECKS, sizeof(*made));
    for (size_t i = 0; made != NULL && i < CHECKS; i++) {
        struct maker_spec spec = {
            .prev = header_chain_best(sharechain_headers(bench->chain))->id,
            .now = {bench->clock_s * 1000},
            .script = maker_script((uint32_t)(i % MINERS)),
            .want = MAKER_GRAIN,
            .salt = ++bench->salt,
            .branch_count = BRANCH_COUNT,
            .coinbase_value = is_cold ? UINT64_C(5000000001) + bench->salt : 0,
        };
        if (!maker_share(bench->chain, &spec, &made[i]))
            abort();
        made_share_clear(&made[i]);
    }
    return made;
}

static double check_us(struct bench *bench, const struct made_share *made)
{
    double start = now_us();
    for (size_t i = 0; i < CHECKS; i++) {
        struct share_arrival arrival = {.bytes = made[i].bytes, .size = made[i].size, .source = 1};
        if (sharechain_add_share(bench->chain, &arrival) != VERDICT_VALID)
            abort();
    }
    return (now_us() - start) / CHECKS;
}

static void bench_check(bool is_cold)
{
    struct bench bench;
    bench_open(&bench, NULL);
    grow_chain(&bench, 400, 4);
    double ours[ROUNDS], baseline[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        struct made_share *made = make_grains(&bench, is_cold);
        baseline[round] = hashing_us(&made[0]);
        ours[round] = check_us(&bench, made);
        free(made);
    }
    print_row(is_cold ? "share: decode, check, keep; prefix not known"
                      : "share: decode, check, keep; prefix known",
              median(ours, ROUNDS), "us", median(baseline, ROUNDS), "its hashes alone",
              is_cold ? "6 us" : "4 us");
    bench_close(&bench);
}

// ---- Reopening

static long resident_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static struct store *open_store(const char *path)
{
    char error[256];
    struct store_lmdb_options options = {.path = path};
    struct store *store = store_lmdb_open(&options, error, sizeof(error));
    if (store == NULL) {
        fprintf(stderr, "%s\n", error);
        abort();
    }
    return store;
}

static bool sum_bytes(void *context, const void *key, size_t key_size, const void *value,
                      size_t value_size)
{
    (void)key;
    (void)key_size;
    uint64_t *sum = context;
    static uint8_t copy[1 << 20];
    memcpy(copy, value, value_size);
    *sum += copy[value_size / 2];
    return true;
}

static int reopen(const char *path)
{
    struct bench bench;
    struct store *store = open_store(path);
    uint64_t sum = 0;
    double start = now_us();
    store_each(store, STORE_SHARES, NULL, 0, sum_bytes, &sum);
    store_each(store, STORE_BODIES, NULL, 0, sum_bytes, &sum);
    double baseline = (now_us() - start) / 1e3;
    bench_open(&bench, store);
    char error[256];
    start = now_us();
    if (!sharechain_load(bench.chain, error, sizeof(error)))
        return 1;
    double ours = (now_us() - start) / 1e3;
    struct sharechain_counts counts;
    sharechain_counts(bench.chain, &counts);
    if (counts.links < LINKS || counts.shares < LINKS + GRAINS)
        return 1;
    char what[80];
    snprintf(what, sizeof(what), "reopen %zu links, %zu shares", counts.links, counts.shares);
    print_row(what, ours, "ms", baseline, "reading and copying it", "5000 ms");
    printf("%-52s %10.2f MB %44s bar 200 MB\n", "  memory of the process at its highest",
           (double)resident_kb() / 1024, "");
    bench_close(&bench);
    return 0;
}

static void bench_reopen(const char *program)
{
    char path[] = "/tmp/shoal-bench-XXXXXX";
    if (mkdtemp(path) == NULL)
        abort();
    struct bench bench;
    bench_open(&bench, open_store(path));
    char error[256];
    if (!sharechain_load(bench.chain, error, sizeof(error)))
        abort();
    grow_chain(&bench, LINKS + 100, GRAINS / LINKS);
    bench_close(&bench);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, "--reopen", path, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0)
        printf("reopen failed\n");
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", path);
    if (system(command) != 0)
        printf("could not remove %s\n", path);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--reopen") == 0)
        return reopen(argv[2]);
    bench_check(false);
    bench_check(true);
    bench_reopen("/proc/self/exe");
    return 0;
}
