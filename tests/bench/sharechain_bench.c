// What the share-chain costs: the full check of a share, a link's worth of work, and reopening a
// large chain with its standings. Baselines are measured in the same run: the SHA-256d work that a
// check cannot do without, and a plain copy of the stored bytes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "node/bitcoin/merkle.h"
#include "node/standings.h"
#include "tests/bench/bench.h"
#include "tests/support/share_maker.h"

#define MINERS       200
#define TEAMS        10
#define CHECKS       1500
#define ROUNDS       5
#define BRANCH_COUNT 12
#define LINKS        10000
#define GRAINS       100000

struct fixture {
    struct pool pool;
    struct maker_random random;
    struct env env;
    struct store *store;
    struct sharechain *chain;
    int64_t clock_s;
    uint64_t salt;
};

static void fixture_pool(struct pool *pool)
{
    maker_pool(pool, 30, 16);
    pool->window_multiple = 1000000000; // all of the chain is in the window
    struct pool_error error;
    if (!pool_finish(pool, &error))
        abort();
}

static void fixture_open(struct fixture *fixture, struct store *store)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture_pool(&fixture->pool);
    maker_env_init(&fixture->env, &fixture->random, 1);
    fixture->store = store;
    fixture->chain = sharechain_new(&fixture->env, &fixture->pool, store, NULL);
    fixture->clock_s = fixture->pool.genesis_time + 10;
}

static void fixture_close(struct fixture *fixture)
{
    sharechain_free(fixture->chain);
    if (fixture->store != NULL)
        store_close(fixture->store);
    maker_env_clear(&fixture->env);
}

static bool make(struct fixture *fixture, enum maker_want want, struct made_share *made)
{
    struct maker_spec spec = {
        .team = {.name = {'t', (char)('0' + fixture->salt % TEAMS)}},
        .prev = header_chain_best(sharechain_headers(fixture->chain))->id,
        .now = {fixture->clock_s * 1000},
        .script = maker_script((uint32_t)(fixture->salt % MINERS)),
        .want = want,
        .salt = ++fixture->salt,
        .branch_count = BRANCH_COUNT,
    };
    return maker_share(fixture->chain, &spec, made);
}

static void grow(struct fixture *fixture, enum maker_want want)
{
    struct made_share made;
    if (!make(fixture, want, &made) && !make(fixture, MAKER_LINK, &made))
        abort();
    if (maker_add(fixture->chain, &made, SHARECHAIN_OWN) != VERDICT_VALID)
        abort();
    made_share_clear(&made);
}

static void grow_block(struct fixture *fixture)
{
    uint8_t header[HEADER_SIZE];
    const struct header_node *best = header_chain_best(sharechain_headers(fixture->chain));
    maker_header(fixture->chain, best, (uint32_t)fixture->clock_s, fixture->salt, header);
    sharechain_add_header(fixture->chain, header);
}

// Links come too fast until the link target is a sixteenth of the easiest; from then on one each 30
// s.
static void grow_chain(struct fixture *fixture, uint32_t links, uint32_t grains_per_link)
{
    for (uint32_t i = 1; i <= links; i++) {
        for (uint32_t g = 0; i > 100 && g < grains_per_link; g++)
            grow(fixture, MAKER_GRAIN);
        grow(fixture, MAKER_LINK);
        fixture->clock_s += i <= 100 ? 4 : 30;
        if (i % 20 == 0)
            grow_block(fixture);
    }
}

// ---- Checking one share

// The hashing that no implementation can leave out: id and proof of work are one hash, the
// coinbase's tail, 12 merkle steps and share_info.
static double hashing_us(const struct made_share *made)
{
    uint8_t data[80] = {0};
    struct hash256 hash;
    struct share share;
    if (!share_decode(made->bytes, made->size, &share))
        abort();
    double start = bench_now_ns();
    for (unsigned i = 0; i < CHECKS; i++) {
        memcpy(data, &i, sizeof(i));
        sha256d_80(data, &hash);
        struct hash256 leaf = hash;
        merkle_branch_root(&share.branch, &leaf, &hash);
        share_info_hash(&share.info, &hash);
        sha256d_64(data, &hash);
    }
    return (bench_now_ns() - start) / CHECKS / 1e3;
}

static struct made_share *make_grains(struct fixture *fixture, bool is_cold)
{
    struct made_share *made = calloc(CHECKS, sizeof(*made));
    for (size_t i = 0; made != NULL && i < CHECKS; i++) {
        struct maker_spec spec = {
            .prev = header_chain_best(sharechain_headers(fixture->chain))->id,
            .now = {fixture->clock_s * 1000},
            .script = maker_script((uint32_t)(i % MINERS)),
            .want = MAKER_GRAIN,
            .salt = ++fixture->salt,
            .branch_count = BRANCH_COUNT,
            .coinbase_value = is_cold ? UINT64_C(5000000001) + fixture->salt : 0,
        };
        if (!maker_share(fixture->chain, &spec, &made[i]))
            abort();
        made_share_clear(&made[i]);
    }
    return made;
}

static double check_us(struct fixture *fixture, const struct made_share *made)
{
    double start = bench_now_ns();
    for (size_t i = 0; i < CHECKS; i++) {
        struct share_arrival arrival = {.bytes = made[i].bytes, .size = made[i].size, .source = 1};
        if (sharechain_add_share(fixture->chain, &arrival) != VERDICT_VALID)
            abort();
    }
    return (bench_now_ns() - start) / CHECKS / 1e3;
}

static void bench_check(struct bench *bench, bool is_cold)
{
    struct fixture fixture;
    fixture_open(&fixture, NULL);
    grow_chain(&fixture, 400, 4);
    double ours[BENCH_ROUNDS_MAX], baseline[BENCH_ROUNDS_MAX];
    for (size_t round = 0; round < bench->rounds; round++) {
        struct made_share *made = make_grains(&fixture, is_cold);
        baseline[round] = hashing_us(&made[0]);
        ours[round] = check_us(&fixture, made);
        free(made);
    }
    struct bench_row row = {
        .what = is_cold ? "share: decode, check, keep; prefix not known"
                        : "share: decode, check, keep; prefix known",
        .unit = "us",
        .ours = bench_median(ours, bench->rounds),
        .baseline_name = "its hashes alone",
        .baseline = bench_median(baseline, bench->rounds),
        .most = is_cold ? 6 : 4,
    };
    bench_row_print(bench, &row);
    fixture_close(&fixture);
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

// Counts all links anew, as a node does that has kept no state.
static void bench_standings(struct bench *bench, struct fixture *fixture)
{
    struct standings_query query = {.kind = STANDINGS_HASHRATE, .period = STANDINGS_WEEK};
    struct standings_stats stats;
    size_t count;
    double start = bench_now_ns();
    struct standings *standings = standings_new(&fixture->env, fixture->chain, fixture->store);
    standings_follow(standings);
    double counted = bench_now_ns();
    free(standings_rank(standings, &query, &count));
    double ranked = bench_now_ns();
    standings_stats(standings, &stats);
    if (count != MINERS)
        abort();
    struct bench_row rows[] = {
        {.what = "counting its standings", .unit = "s", .ours = (counted - start) / 1e9, .most = 2},
        {.what = "a list of 200 leaders",
         .unit = "ms",
         .ours = (ranked - counted) / 1e6,
         .most = 5},
        {.what = "memory of standings",
         .unit = "MB",
         .ours = (double)stats.bytes / 1e6,
         .most = 20},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        bench_row_print(bench, &rows[i]);
    standings_free(standings);
}

static void print_reopening(struct bench *bench, double ours_ns, double baseline_ns)
{
    struct bench_row time = {
        .what = "reopening 10 000 links, 100 000 grains",
        .unit = "s",
        .ours = ours_ns / 1e9,
        .baseline_name = "reading and copying it",
        .baseline = baseline_ns / 1e9,
        .most = 5,
    };
    bench_row_print(bench, &time);
}

static void print_memory(struct bench *bench)
{
    struct bench_row memory = {
        .what = "memory of that process at its highest",
        .unit = "MB",
        .ours = (double)resident_kb() / 1024,
        .most = 200,
    };
    bench_row_print(bench, &memory);
}

static int reopen(const char *path)
{
    struct bench bench = {.rounds = 1};
    struct fixture fixture;
    struct store *store = open_store(path);
    uint64_t sum = 0;
    double start = bench_now_ns();
    store_each(store, STORE_SHARES, NULL, 0, sum_bytes, &sum);
    store_each(store, STORE_BODIES, NULL, 0, sum_bytes, &sum);
    double baseline = bench_now_ns() - start;
    fixture_open(&fixture, store);
    char error[256];
    start = bench_now_ns();
    if (!sharechain_load(fixture.chain, error, sizeof(error)))
        return 2;
    double ours = bench_now_ns() - start;
    struct sharechain_counts counts;
    sharechain_counts(fixture.chain, &counts);
    if (counts.links < LINKS || counts.shares < LINKS + GRAINS)
        return 2;
    print_reopening(&bench, ours, baseline);
    bench_standings(&bench, &fixture);
    print_memory(&bench);
    fixture_close(&fixture);
    return bench_finish(&bench);
}

// Reopens in a process of its own, whose memory is counted from its start.
static void bench_reopen(struct bench *bench, const char *path)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        const char *program = "/proc/self/exe";
        execl(program, program, "--reopen", path, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
        abort();
    bench->missed += WEXITSTATUS(status) == 1;
}

static void make_large_chain(const char *path)
{
    struct fixture fixture;
    fixture_open(&fixture, open_store(path));
    char error[256];
    if (!sharechain_load(fixture.chain, error, sizeof(error)))
        abort();
    grow_chain(&fixture, LINKS + 100, GRAINS / LINKS);
    fixture_close(&fixture);
}

static void bench_large_chain(struct bench *bench)
{
    char path[] = "/tmp/shoal-bench-XXXXXX";
    if (mkdtemp(path) == NULL)
        abort();
    make_large_chain(path);
    bench_reopen(bench, path);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", path);
    if (system(command) != 0)
        printf("could not remove %s\n", path);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--reopen") == 0)
        return reopen(argv[2]);
    struct bench bench;
    if (!bench_init(&bench, ROUNDS, argc, argv))
        return 2;
    bench_check(&bench, false);
    bench_check(&bench, true);
    bench_large_chain(&bench);
    return bench_finish(&bench);
}
