// What the dashboard costs the miners: how long a submit waits for its answer while 200 readers
// follow the events over WebSocket and the documents of the overview are asked for 2 000 times a
// second, against the same node without them, in turns; and how fast and how large the overview is.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/bench/bench.h"
#include "tests/bench/node_bench_scene.h"
#include "tests/bench/supervise.h"
#include "tests/bench/web_bench_load.h"

#define ROUNDS_DEFAULT 3
#define ROUNDS_MAX     6 // a session may send so many lines at once and no more
#define SECONDS_MAX    150
#define TURN_MS        20000
#define MINERS         64
#define SUBMITS_EACH   16 // of a miner in a turn
#define PAUSE_MS       2  // between submits: the miners of a node of some size
#define SETTLE_MS      1000
#define OVERVIEWS      15

#define SLOWER_MAX     2.0
#define OVERVIEW_MS    100
#define OVERVIEW_BYTES 300000

// ---- Submits

static int compare(const void *a, const void *b)
{
    const double *first = a, *second = b;
    return (*first > *second) - (*first < *second);
}

static double percentile(double *values, size_t count, double part)
{
    qsort(values, count, sizeof *values, compare);
    size_t i = (size_t)ceil(part * (double)count) - 1;
    return values[i];
}

struct latencies {
    double p50[BENCH_ROUNDS_MAX];
    double p99[BENCH_ROUNDS_MAX];
};

// Every miner in turn sends one line and waits for its answer.
static void take_latencies(struct scene *scene, struct work_lines *lines, struct latencies *out,
                           size_t round)
{
    size_t count = 0;
    double *values = calloc((size_t)MINERS * SUBMITS_EACH, sizeof *values);
    if (values == NULL)
        process_fail("out of memory");
    for (size_t i = 0; i < (size_t)MINERS * SUBMITS_EACH; i++) {
        size_t miner = i % MINERS;
        struct load_turn turn = {miner, 1, &lines[miner], 1, TURN_MS};
        load_idle(&scene->node, PAUSE_MS);
        double begin = bench_now_ns();
        load_run(&scene->node, &turn);
        values[count++] = (bench_now_ns() - begin) / 1e6;
    }
    out->p50[round] = percentile(values, count, 0.5);
    out->p99[round] = percentile(values, count, 0.99);
    free(values);
}

static void take_loaded(struct scene *scene, struct work_lines *lines, struct latencies *out,
                        size_t round)
{
    pid_t load = process_fork(web_load_run, scene->http_port);
    load_idle(&scene->node, SETTLE_MS);
    double requests = web_load_metric(scene->http_port, "shoal_http_requests_total");
    double begin = bench_now_ns();
    take_latencies(scene, lines, out, round);
    double seconds = (bench_now_ns() - begin) / 1e9;
    double readers = web_load_metric(scene->http_port, "shoal_http_streams");
    requests = web_load_metric(scene->http_port, "shoal_http_requests_total") - requests;
    process_stop(load);
    load_idle(&scene->node, SETTLE_MS);
    printf("round %zu: %.0f readers and %.0f requests/s; a submit waits %.2f ms (median), %.2f ms "
           "(p99)\n",
           round + 1, readers, requests / seconds, out->p50[round], out->p99[round]);
    if (readers < WEB_READERS || requests / seconds < 0.95 * WEB_REQUESTS_PER_SECOND)
        process_fail("that is not the load that was wanted");
}

static void measure_submits(struct bench *bench, struct scene *scene)
{
    struct latencies quiet, loaded;
    struct work_lines lines[MINERS] = {{.count = 0}};
    load_open(&scene->node, MINERS, true, TURN_MS);
    for (size_t i = 0; i < MINERS; i++)
        scene_search_many(scene, i, &scene->statistics_band, 2 * SUBMITS_EACH * bench->rounds,
                          &lines[i]);
    for (size_t i = 0; i < bench->rounds; i++) {
        take_latencies(scene, lines, &quiet, i);
        take_loaded(scene, lines, &loaded, i);
    }
    struct bench_row row = {.what = "web: submit to answer, p99, 200 readers and 2000 requests/s",
                            .unit = "ms",
                            .ours = bench_median(loaded.p99, bench->rounds),
                            .baseline_name = "without them",
                            .baseline = bench_median(quiet.p99, bench->rounds),
                            .least_speed = 1 / SLOWER_MAX};
    bench_row_print(bench, &row);
    row = (struct bench_row){.what = "web: submit to answer, median, under the same load",
                             .unit = "ms",
                             .ours = bench_median(loaded.p50, bench->rounds),
                             .baseline_name = "without them",
                             .baseline = bench_median(quiet.p50, bench->rounds)};
    bench_row_print(bench, &row);
    for (size_t i = 0; i < MINERS; i++)
        work_lines_clear(&lines[i]);
}

// ---- The overview

static void measure_overview(struct bench *bench, const struct scene *scene)
{
    double times[OVERVIEWS];
    struct web_overview overview;
    for (size_t i = 0; i < OVERVIEWS; i++) {
        web_load_overview(scene->http_port, &overview);
        times[i] = overview.ms;
    }
    struct bench_row row = {.what = "web: overview, every file and document, one connection",
                            .unit = "ms",
                            .ours = bench_median(times, OVERVIEWS),
                            .most = OVERVIEW_MS};
    bench_row_print(bench, &row);
    row = (struct bench_row){.what = "web: the same, sent in all",
                             .unit = "bytes",
                             .ours = (double)overview.bytes,
                             .most = OVERVIEW_BYTES};
    bench_row_print(bench, &row);
    printf("the overview is %zu answers\n", overview.answers);
}

// ---- The whole

static int measure_all(struct bench *bench, const char *folder)
{
    struct scene scene;
    scene_open(&scene, folder);
    scene.http_port = process_free_port();
    scene_start_node(&scene);
    load_open(&scene.node, 1, true, TURN_MS);
    scene_fill_window(&scene);
    measure_submits(bench, &scene);
    measure_overview(bench, &scene);
    scene_close(&scene);
    return bench_finish(bench);
}
int main(int argc, char **argv)
{
    struct bench bench;
    if (!bench_init(&bench, ROUNDS_DEFAULT, argc, argv))
        return 2;
    if (bench.rounds > ROUNDS_MAX) {
        fprintf(stderr, "web_bench: at most %d rounds\n", ROUNDS_MAX);
        return 2;
    }
    return supervise(&bench, measure_all, SECONDS_MAX);
}
