#include "tests/bench/network_bench_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "testnet/common/memory.h"
#include "tests/bench/network_bench_nodes.h"
#include "tests/bench/network_bench_watch.h"
#include "tests/bench/node_bench_echo.h"

#define COIN_BITS       "1d00ffff" // nobody here ever finds a block
#define EASIEST_BITS    "1f0fffff"
#define GRAINS_PER_LINK "1000"
#define TEXT_SIZE       65536
#define TOKENS_MAX      64

#define NODES 5
#define WAYS  3
// Shares a second; every RATE-th is a link: one a second, as the pool wants.
#define RATE           25
#define SHARES_FIRST   280
#define SHARES_A_TURN  60
#define TURNS          4 // quiet ones and attacked ones, for each way to attack
#define WARMUP         40
#define START_MS       30000
#define ATTACK_SECONDS "3.2" // longer than a turn
#define ATTACK_MS      500   // until it is under way

#define LATENCY_BAR_MS 20
#define SPEED_LEAST    0.5 // less than twice as slow
#define MEMORY_BAR_KB  512

// The miner is at the first node; the second and third are attacked.
#define VICTIM_FIRST 1
#define VICTIMS      2
#define OTHER_FIRST  3
#define OTHERS       2

// ---- The scene

static void make_pool(struct node_set *set)
{
    char program[PROCESS_PATH_SIZE], file[PROCESS_PATH_SIZE], *text = memory_new(TEXT_SIZE, 1);
    const char *more[] = {"--bits", COIN_BITS, NULL};
    process_path("devchain", program);
    const char *anchor_argv[] = {program, "--bits", COIN_BITS, "--print-anchor", NULL};
    process_output(anchor_argv, text, TEXT_SIZE);
    text[strcspn(text, "\n")] = '\0';
    char *anchor = strdup(text);
    process_path("shoal", program);
    snprintf(file, sizeof file, "%s/pool", set->folder);
    const char *argv[] = {program,
                          "pool",
                          "new",
                          "--name",
                          "bench",
                          "--chain",
                          "devchain",
                          "--link-spacing",
                          "1",
                          "--easiest-bits",
                          EASIEST_BITS,
                          "--grains-per-link",
                          GRAINS_PER_LINK,
                          "--half-life",
                          "86400",
                          "--anchor-header",
                          anchor,
                          file,
                          NULL};
    process_output(argv, text, TEXT_SIZE);
    free(anchor);
    free(text);
    nodes_start_daemon(set, more);
}

static void open_scene(struct node_set *set)
{
    make_pool(set);
    nodes_add(set, true);
    nodes_await_seed(set, START_MS);
    while (set->count < NODES)
        nodes_add(set, true);
}

// ---- Percentiles

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

struct spread {
    double p50_ms, p99_ms, most_ms;
    size_t count;
};

static struct spread spread_of(double *ms, size_t count)
{
    struct spread spread = {.count = count};
    if (count == 0)
        process_fail("no share to be measured");
    qsort(ms, count, sizeof *ms, compare);
    spread.p50_ms = ms[count / 2];
    spread.p99_ms = ms[count * 99 / 100];
    spread.most_ms = ms[count - 1];
    return spread;
}

// From the miner's line to the last of these nodes.
static void take_delays(const struct watch *watch, size_t first, size_t nodes, double *ms)
{
    for (size_t i = 0; i < watch->shares_count; i++) {
        double last = 0;
        for (size_t n = first; n < first + nodes; n++)
            last = watch->shares[i].at_ns[n] > last ? watch->shares[i].at_ns[n] : last;
        ms[i] = (last - watch->shares[i].sent_ns) / 1e6;
    }
}

// ---- Turns

#define MEASURED_MAX (SHARES_FIRST + WAYS * TURNS * SHARES_A_TURN)

struct measured {
    double all[MEASURED_MAX];    // to all five, in milliseconds
    double others[MEASURED_MAX]; // to those that are never attacked
    double echo[MEASURED_MAX];
    size_t count;
};

static void take(const struct watch *watch, struct measured *measured)
{
    take_delays(watch, 0, NODES, measured->all + measured->count);
    take_delays(watch, OTHER_FIRST, OTHERS, measured->others + measured->count);
    memcpy(measured->echo + measured->count, watch->echo_ms,
           sizeof watch->echo_ms[0] * watch->shares_count);
    measured->count += watch->shares_count;
}

static void quiet_turn(struct watch *watch, size_t shares, struct measured *measured)
{
    watch_run(watch, shares, RATE);
    watch_await_all(watch, 0, NODES);
    take(watch, measured);
}

struct attack {
    const char *way;
    const char *what;        // of the row
    const char *memory_what; // of the one below it
    const char *connections;
    double peers; // at each victim
};

struct tally {
    uint64_t connections;
    uint64_t messages;
    uint64_t bytes;
};

struct result {
    struct tally tally; // of all turns
    double kb;
};

static pid_t start_attacker(const struct node_set *set, const struct attack *attack, size_t victim,
                            int *heard)
{
    char program[PROCESS_PATH_SIZE], key[PROCESS_PATH_SIZE], pool[PROCESS_PATH_SIZE];
    char port[16], first[16], id[128];
    const struct node_process *node = &set->nodes[victim];
    process_path("shoal", program);
    snprintf(pool, sizeof pool, "%s/pool", set->folder);
    const char *id_argv[] = {program, "pool", "check", pool, NULL};
    process_output(id_argv, id, sizeof id);
    id[strcspn(id, "\n")] = '\0';
    process_path("bad_peer", program);
    int size = snprintf(key, sizeof key, "%s/identity.key", node->data);
    if (size >= (int)sizeof key)
        process_fail("the folder's name is too long");
    snprintf(port, sizeof port, "%u", node->peer_port);
    // The drips come from everywhere, the others each from one place.
    bool is_many = attack->peers > 1;
    snprintf(first, sizeof first, "%zu", victim * 1000);
    const char *argv[] = {program,
                          "--way",
                          attack->way,
                          "--port",
                          port,
                          "--victim",
                          key,
                          "--pool-id",
                          id,
                          "--seconds",
                          ATTACK_SECONDS,
                          "--connections",
                          attack->connections,
                          "--addresses",
                          is_many ? attack->connections : "1",
                          "--address-first",
                          first,
                          NULL};
    return process_start_heard(argv, heard);
}

// What it did.
static void end_attacker(pid_t pid, int heard, struct tally *tally)
{
    char text[512];
    size_t size = 0;
    ssize_t got;
    while ((got = read(heard, text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)got;
    close(heard);
    process_stop(pid);
    struct json *json = json_parse(text, size, TOKENS_MAX);
    if (json == NULL)
        process_fail("bad_peer says \"%.*s\"", (int)size, text);
    tally->connections += nodes_number(json, NULL, "connections");
    tally->messages += nodes_number(json, NULL, "messages");
    tally->bytes += nodes_number(json, NULL, "bytes_sent");
    json_free(json);
}

// The growth of the victims beyond that of a node that was left alone, for each hostile peer.
static double memory_kb(const struct watch *watch, const struct attack *attack,
                        const double before[NODES])
{
    double worst = 0;
    double usual = watch->memory_most[OTHER_FIRST] - before[OTHER_FIRST];
    for (size_t i = VICTIM_FIRST; i < VICTIM_FIRST + VICTIMS; i++) {
        double grown = watch->memory_most[i] - before[i] - usual;
        worst = grown > worst ? grown : worst;
    }
    return worst / 1024 / attack->peers;
}

static void attack_turn(struct watch *watch, const struct attack *attack, struct measured *measured,
                        struct result *result)
{
    double before[NODES];
    pid_t pids[VICTIMS];
    int heard[VICTIMS];
    for (size_t i = 0; i < NODES; i++)
        before[i] = process_memory(watch->set->nodes[i].pid);
    for (size_t i = 0; i < VICTIMS; i++)
        pids[i] = start_attacker(watch->set, attack, VICTIM_FIRST + i, &heard[i]);
    watch_idle(watch, ATTACK_MS);
    watch_run(watch, SHARES_A_TURN, RATE);
    watch_await_all(watch, 0, NODES);
    for (size_t i = 0; i < VICTIMS; i++)
        end_attacker(pids[i], heard[i], &result->tally);
    double kb = memory_kb(watch, attack, before);
    result->kb = kb > result->kb ? kb : result->kb;
    take(watch, measured);
}

// In turns: what the machine does meanwhile hits both.
static void run_attack(struct bench *bench, struct watch *watch, const struct attack *attack,
                       struct measured *quiet)
{
    struct measured *attacked = memory_new(1, sizeof *attacked);
    size_t quiet_first = quiet->count;
    struct result result = {.kb = 0};
    for (size_t i = 0; i < TURNS; i++) {
        attack_turn(watch, attack, attacked, &result);
        quiet_turn(watch, SHARES_A_TURN, quiet);
    }
    struct spread ours = spread_of(attacked->others, attacked->count);
    struct spread baseline = spread_of(quiet->others + quiet_first, quiet->count - quiet_first);
    struct spread all = spread_of(attacked->all, attacked->count);
    struct bench_row row = {.what = attack->what,
                            .unit = "ms",
                            .ours = ours.p99_ms,
                            .baseline_name = "nobody does",
                            .baseline = baseline.p99_ms,
                            .least_speed = SPEED_LEAST};
    bench_row_print(bench, &row);
    row = (struct bench_row){
        .what = attack->memory_what, .unit = "KB", .ours = result.kb, .most = MEMORY_BAR_KB};
    bench_row_print(bench, &row);
    printf("%s: p50 %.2f ms (%.2f when nobody does), most %.1f ms (%.1f); to all five, the "
           "attacked ones too, p99 %.1f ms; in %.1f s each time %.0f connections, %.0f messages, "
           "%.1f MB\n",
           attack->way, ours.p50_ms, baseline.p50_ms, ours.most_ms, baseline.most_ms, all.p99_ms,
           strtod(ATTACK_SECONDS, NULL), (double)result.tally.connections / TURNS,
           (double)result.tally.messages / TURNS, (double)result.tally.bytes / 1e6 / TURNS);
    free(attacked);
}

static void print_quiet(struct bench *bench, struct measured *quiet)
{
    struct spread ours = spread_of(quiet->all, quiet->count);
    struct spread baseline = spread_of(quiet->echo, quiet->count);
    struct bench_row row = {.what = "share from its miner to all of five nodes, p50",
                            .unit = "ms",
                            .ours = ours.p50_ms,
                            .baseline_name = "echo, there and back",
                            .baseline = baseline.p50_ms};
    bench_row_print(bench, &row);
    row.what = "share from its miner to all of five nodes, p99";
    row.ours = ours.p99_ms;
    row.baseline = baseline.p99_ms;
    row.most = LATENCY_BAR_MS;
    bench_row_print(bench, &row);
    printf("%zu shares to five nodes: most %.1f ms, echo %.1f ms\n", ours.count, ours.most_ms,
           baseline.most_ms);
}

void network_bench_share(struct bench *bench, const char *folder)
{
    static const struct attack attacks[WAYS] = {
        {"garbage", "the same, p99, two send garbage to others", "memory for one of them", "1", 1},
        {"drip", "the same, p99, 300 send a byte a second", "memory for one of them", "150", 150},
        {"flood", "the same, p99, two members send 100 000 messages a second",
         "memory for one of them", "1", 1},
    };
    struct node_set set = {.folder = folder};
    struct measured *quiet = memory_new(1, sizeof *quiet);
    struct watch watch;
    open_scene(&set);
    watch_open(&watch, &set, SHARES_FIRST);
    nodes_await_links(&set, NODES - 2, START_MS);
    watch_run(&watch, WARMUP, RATE);
    watch_await_all(&watch, 0, NODES);
    quiet_turn(&watch, SHARES_FIRST, quiet);
    for (size_t i = 0; i < WAYS; i++)
        run_attack(bench, &watch, &attacks[i], quiet);
    print_quiet(bench, quiet);
    watch_close(&watch);
    nodes_stop(&set);
    free(quiet);
}
