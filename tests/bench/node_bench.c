// What the node process costs, seen from outside: `shoal node` on a coin daemon of ours
// (testnet/devchain), loaded over loopback. CPU of a submit from socket to answer, memory of an
// idle connection, time from start to the first job, and how fast a new block reaches all miners.
// The baseline is a server over the same node/net that only answers lines (node_bench_echo.h),
// under the same load in the same run, in turns.
#include <stdio.h>
#include <stdlib.h>
#include "tests/bench/bench.h"
#include "tests/bench/node_bench_scene.h"
#include "tests/bench/supervise.h"

#define ROUNDS_DEFAULT 7
#define ROUNDS_MAX     35 // a session may send so many lines at once and no more
#define SECONDS_MAX    150

#define STARTS       3
#define MEMORY_FEW   1000
#define MEMORY_MANY  4000
#define TOLD         1000
#define SUBMITTERS   64
#define SUBMITS_EACH 56 // in one turn
// As many in all, with more waiting for the same write to disk.
#define MANY_SUBMITTERS   512
#define MANY_SUBMITS_EACH 7
#define LONE_SUBMITS      100
// More than in any pool of some size: a miner's submits are far more than what its node may have of
// the pool's four grains a second.
#define GRAINS_EVERY 8
#define TURN_MS      20000

#define START_BAR_MS     2000
#define MEMORY_BAR_BYTES 8192
#define SUBMIT_BAR_US    12

// ---- Start

static void measure_start(struct bench *bench, struct scene *scene)
{
    double times[STARTS];
    for (size_t i = 0; i < STARTS; i++) {
        scene_stop_node(scene);
        double begin = bench_now_ns();
        scene_start_node(scene);
        load_open(&scene->node, 1, false, TURN_MS);
        times[i] = (bench_now_ns() - begin) / 1e6;
    }
    struct bench_row row = {.what = "node: start to the first job",
                            .unit = "ms",
                            .ours = bench_median(times, STARTS),
                            .most = START_BAR_MS};
    bench_row_print(bench, &row);
}

// ---- Memory

struct memory {
    pid_t pid;
    struct load *load;
    double before;
    size_t connections_before;
};

// Per connection: of the first thousand, of those beyond, and with a full set of jobs.
struct memory_result {
    double few;
    double more;
    double jobs;
};

// Since `memory_begin`, in bytes.
static double memory_grown(const struct memory *memory)
{
    load_idle(memory->load, 500);
    return process_memory(memory->pid) - memory->before;
}

static struct memory memory_begin(pid_t pid, struct load *load)
{
    return (struct memory){pid, load, process_memory(pid), load->count};
}

static void print_memory(struct bench *bench, const char *what, double ours, double baseline)
{
    struct bench_row row = {.what = what,
                            .unit = "bytes",
                            .ours = ours,
                            .baseline_name = "echo server",
                            .baseline = baseline,
                            .most = MEMORY_BAR_BYTES};
    bench_row_print(bench, &row);
}

// What the process has freed before (a parsed template) is used again by the first connections, so
// the first thousand look cheaper than they are; those beyond show what a connection costs.
static void take_memory(struct memory *memory, struct memory_result *result)
{
    load_open(memory->load, memory->connections_before + MEMORY_FEW, false, TURN_MS);
    double few = memory_grown(memory);
    load_open(memory->load, memory->connections_before + MEMORY_MANY, false, TURN_MS);
    double many = memory_grown(memory);
    result->few = few / MEMORY_FEW;
    result->more = (many - few) / (MEMORY_MANY - MEMORY_FEW);
}

static void measure_memory(struct bench *bench, struct scene *scene)
{
    struct memory node = memory_begin(scene->node_pid, &scene->node);
    struct memory echo = memory_begin(scene->echo_pid, &scene->echo);
    struct memory_result ours, baseline;
    take_memory(&echo, &baseline);
    load_close(&scene->echo, 0);
    take_memory(&node, &ours);
    // A session keeps its last eight jobs, so that no work of a slow miner is lost.
    double before = memory_grown(&node);
    for (size_t i = 1; i < LIMIT_SESSION_JOBS; i++)
        scene_find_link(scene);
    ours.jobs = ours.more + (memory_grown(&node) - before) / (double)scene->node.count;
    print_memory(bench, "node: memory of an idle connection, first 1000", ours.few, baseline.few);
    print_memory(bench, "node: memory of an idle connection, next 3000", ours.more, baseline.more);
    print_memory(bench, "node: the same after minutes, with eight jobs", ours.jobs, baseline.more);
}

// ---- A new block

// Times from a trigger until the first and the last connection were told, in milliseconds.
struct told {
    double first[BENCH_ROUNDS_MAX];
    double spread[BENCH_ROUNDS_MAX];
    double last[BENCH_ROUNDS_MAX];
};

static void await_told(struct load *load, struct told *told, size_t round, double begin)
{
    load_await_told(load, TOLD, TURN_MS);
    told->first[round] = (load->told_first_ns - begin) / 1e6;
    told->last[round] = (load->told_last_ns - begin) / 1e6;
    told->spread[round] = told->last[round] - told->first[round];
}

static void measure_new_block(struct bench *bench, struct scene *scene)
{
    struct told node, echo;
    load_close(&scene->node, TOLD);
    load_open(&scene->echo, TOLD, false, TURN_MS);
    for (size_t i = 0; i < bench->rounds; i++) {
        // Not the time that our little daemon takes to check thousands of transactions is wanted:
        // the block before has left few of them.
        scene_find_block(scene, TOLD);
        struct work_lines block = {.count = 0};
        scene_search(scene, 0, &scene->block_band, &block);
        load_mark(&scene->node);
        double begin = bench_now_ns();
        load_send(&scene->node, 0, block.text, block.ends[0]);
        await_told(&scene->node, &node, i, begin);
        work_lines_clear(&block);

        char line[32];
        int size =
            snprintf(line, sizeof line, "%c%zu\n", ECHO_BROADCAST, scene->node.job_line_size);
        load_mark(&scene->echo);
        begin = bench_now_ns();
        load_send(&scene->echo, 0, line, (size_t)size);
        await_told(&scene->echo, &echo, i, begin);
    }
    struct bench_row row = {.what = "node: block found to last of 1000 told of the next",
                            .unit = "ms",
                            .ours = bench_median(node.last, bench->rounds),
                            .baseline_name = "echo server, same bytes",
                            .baseline = bench_median(echo.last, bench->rounds)};
    bench_row_print(bench, &row);
    row.what = "node: from the first told to the last of 1000";
    row.ours = bench_median(node.spread, bench->rounds);
    row.baseline = bench_median(echo.spread, bench->rounds);
    bench_row_print(bench, &row);
    printf("a new block's job is %zu bytes on the wire; the first miner has it %.1f ms after the "
           "share that was the block before\n",
           scene->node.job_line_size, bench_median(node.first, bench->rounds));
    load_close(&scene->echo, 0);
}

// ---- Submits

struct submits {
    const char *what;
    const struct work_band *band;
    size_t connections;
    size_t each; // in one turn
    double most_us;
    size_t grains_every; // a grain is every so many; 0: all or none, as the band says
};

static double turn_us(struct load *load, pid_t pid, const struct load_turn *turn)
{
    double begin = process_cpu_ns(pid);
    load_run(load, turn);
    double passed = process_cpu_ns(pid) - begin;
    return passed / 1e3 / (double)(turn->count * turn->each);
}

static void rewind_lines(struct work_lines *lines, const struct load_turn *turn)
{
    for (size_t i = 0; i < turn->count; i++)
        lines[i].next -= turn->each;
}

// The same lines go to both, in turns; the first turn is not counted.
static void run_submits(struct bench *bench, struct scene *scene, const struct submits *submits,
                        struct work_lines *lines)
{
    double node[BENCH_ROUNDS_MAX], echo[BENCH_ROUNDS_MAX], loop[BENCH_ROUNDS_MAX];
    struct load_turn turn = {
        .count = submits->connections, .lines = lines, .each = submits->each, .wait_ms = TURN_MS};
    struct load_turn node_turn = turn;
    node_turn.first = 1; // the first connection finds links and blocks
    for (size_t i = 0; i <= bench->rounds; i++) {
        size_t at = i == 0 ? 0 : i - 1;
        echo[at] = turn_us(&scene->echo, scene->echo_pid, &turn);
        rewind_lines(lines, &turn);
        double loop_before = process_loop_cpu_ns(scene->node_pid);
        node[at] = turn_us(&scene->node, scene->node_pid, &node_turn);
        loop[at] = (process_loop_cpu_ns(scene->node_pid) - loop_before) / 1e3 /
                   (double)(turn.count * turn.each);
    }
    struct bench_row row = {.what = submits->what,
                            .unit = "us",
                            .ours = bench_median(node, bench->rounds),
                            .baseline_name = "echo server",
                            .baseline = bench_median(echo, bench->rounds),
                            .most = submits->most_us};
    bench_row_print(bench, &row);
    if (submits->band == &scene->grain_band)
        printf("%s: %.1f us of it on the loop's thread, the rest on the disk's\n", submits->what,
               bench_median(loop, bench->rounds));
}

static void find_lines(struct scene *scene, const struct submits *submits, size_t connection,
                       size_t count, struct work_lines *lines)
{
    if (submits->grains_every == 0) {
        scene_search_many(scene, connection, submits->band, count, lines);
        return;
    }
    struct work_lines many = {.count = 0}, few = {.count = 0};
    size_t grains = count / submits->grains_every;
    scene_search_many(scene, connection, submits->band, count - grains, &many);
    scene_search_many(scene, connection, &scene->grain_band, grains, &few);
    work_lines_mix(&many, &few, submits->grains_every, lines);
}

static size_t grains_among(const struct scene *scene, const struct submits *submits, size_t count)
{
    if (submits->grains_every > 0)
        return count / submits->grains_every;
    return submits->band == &scene->grain_band ? count : 0;
}

static void measure_submits(struct bench *bench, struct scene *scene, const struct submits *submits)
{
    load_close(&scene->node, 1);
    load_open(&scene->node, 1 + submits->connections, true, TURN_MS);
    load_open(&scene->echo, submits->connections, false, TURN_MS);
    struct work_lines *lines = memory_new(submits->connections, sizeof *lines);
    size_t count = (bench->rounds + 1) * submits->each;
    for (size_t i = 0; i < submits->connections; i++)
        find_lines(scene, submits, 1 + i, count, &lines[i]);
    uint64_t found_before = scene_shares_found(scene);
    run_submits(bench, scene, submits, lines);
    uint64_t found = scene_shares_found(scene) - found_before;
    uint64_t wanted = grains_among(scene, submits, count) * submits->connections;
    if (found != wanted)
        process_fail("%s: %llu shares were for the share-chain, not %llu", submits->what,
                     (unsigned long long)found, (unsigned long long)wanted);
    for (size_t i = 0; i < submits->connections; i++)
        work_lines_clear(&lines[i]);
    free(lines);
    load_close(&scene->echo, 0);
}

static void measure_all_submits(struct bench *bench, struct scene *scene)
{
    const struct submits all[] = {
        {"node: CPU of a submit, every eighth a grain", &scene->statistics_band, SUBMITTERS,
         SUBMITS_EACH, SUBMIT_BAR_US, GRAINS_EVERY},
        {"node: CPU of a submit, no grain", &scene->statistics_band, SUBMITTERS, SUBMITS_EACH,
         SUBMIT_BAR_US, 0},
        {"node: CPU of a submit, a grain, on disk", &scene->grain_band, SUBMITTERS, SUBMITS_EACH, 0,
         0},
        {"node: CPU of a submit, a grain, 512 miners", &scene->grain_band, MANY_SUBMITTERS,
         MANY_SUBMITS_EACH, 0, 0},
        {"node: CPU of a submit, one at a time", &scene->statistics_band, 1, LONE_SUBMITS, 0, 0},
    };
    load_close(&scene->node, 1);
    scene_fill_template(scene);
    scene_say_job(scene);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        measure_submits(bench, scene, &all[i]);
}

// ---- The whole

static int measure_all(struct bench *bench, const char *folder)
{
    struct scene scene;
    scene_open(&scene, folder);
    measure_start(bench, &scene);
    scene_fill_window(&scene);
    measure_memory(bench, &scene);
    measure_new_block(bench, &scene);
    measure_all_submits(bench, &scene);
    scene_close(&scene);
    return bench_finish(bench);
}

int main(int argc, char **argv)
{
    struct bench bench;
    if (!bench_init(&bench, ROUNDS_DEFAULT, argc, argv))
        return 2;
    if (bench.rounds > ROUNDS_MAX) {
        fprintf(stderr, "node_bench: at most %d rounds\n", ROUNDS_MAX);
        return 2;
    }
    return supervise(&bench, measure_all, SECONDS_MAX);
}
