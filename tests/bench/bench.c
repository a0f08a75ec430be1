#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "tests/bench/bench.h"

#define TURN_NS 2e6

bool bench_init(struct bench *bench, size_t rounds_default, int argc, char **argv)
{
    *bench = (struct bench){.rounds = rounds_default};
    if (argc < 2)
        return true;
    char *end;
    errno = 0;
    unsigned long rounds = strtoul(argv[1], &end, 10);
    bool is_number = argv[1][0] >= '0' && argv[1][0] <= '9' && *end == '\0' && errno == 0;
    if (argc > 2 || !is_number || rounds == 0 || rounds > BENCH_ROUNDS_MAX) {
        fprintf(stderr, "usage: %s [ROUNDS], from 1 to %d rounds\n", argv[0], BENCH_ROUNDS_MAX);
        return false;
    }
    bench->rounds = rounds;
    return true;
}

double bench_now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
    assert(count > 0);
    qsort(values, count, sizeof *values, compare_doubles);
    return values[count / 2];
}

// Nanoseconds per operation over one turn, the first call apart: it finds the other side's data in
// the caches. Negative if the machine cannot do it.
static double turn_ns(const struct bench_side *side, void *context)
{
    if (!side->run(context))
        return -1;
    size_t calls = 0;
    double start = bench_now_ns(), end = start;
    for (; end - start < TURN_NS; calls++) {
        if (!side->run(context))
            return -1;
        end = bench_now_ns();
    }
    return (end - start) / (double)(calls * side->count);
}

// The unit in which a time is between 1 and 1000, so that a row reads well.
static double scaled(double ns, const char **unit)
{
    static const char *const units[] = {"ns", "us", "ms"};
    size_t i = 0;
    double value = ns;
    for (; i < 2 && value >= 1000; i++)
        value /= 1000;
    *unit = units[i];
    return value / ns;
}

void bench_contest_run(struct bench *bench, const struct bench_contest *contest, void *context)
{
    double ours[BENCH_ROUNDS_MAX], baseline[BENCH_ROUNDS_MAX];
    for (size_t i = 0; i < bench->rounds; i++) {
        baseline[i] = turn_ns(&contest->baseline, context);
        ours[i] = turn_ns(&contest->ours, context);
    }
    double ours_ns = bench_median(ours, bench->rounds);
    double baseline_ns = bench_median(baseline, bench->rounds);
    if (ours_ns < 0 || baseline_ns < 0) {
        printf("%s: not on this machine\n", contest->what);
        return;
    }
    struct bench_row row = {.what = contest->what,
                            .baseline_name = contest->baseline.name,
                            .least_speed = contest->least_speed};
    double scale = scaled(ours_ns, &row.unit);
    row.ours = ours_ns * scale;
    row.baseline = baseline_ns * scale;
    row.most = contest->most_ns * scale;
    bench_row_print(bench, &row);
}

static void print_bar(const struct bench_row *row)
{
    if (row->most > 0)
        printf("at most %.4g %s", row->most, row->unit);
    if (row->most > 0 && row->least_speed > 0)
        printf(", ");
    if (row->least_speed > 0)
        printf("%.4g times as fast", row->least_speed);
}

void bench_row_print(struct bench *bench, const struct bench_row *row)
{
    assert(row->baseline_name != NULL || row->least_speed <= 0);
    bool has_bar = row->most > 0 || row->least_speed > 0;
    bool is_met = row->most <= 0 || row->ours <= row->most;
    printf("| %s | %.4g %s | ", row->what, row->ours, row->unit);
    if (row->baseline_name != NULL) {
        double speed = row->baseline / row->ours;
        printf("%.4g %s, %s | %.2f | ", row->baseline, row->unit, row->baseline_name, speed);
        is_met = is_met && speed >= row->least_speed;
    } else {
        printf("| | ");
    }
    print_bar(row);
    printf(" | %s |\n", !has_bar ? "" : is_met ? "yes" : "no");
    fflush(stdout);
    bench->missed += has_bar && !is_met;
}

int bench_finish(const struct bench *bench)
{
    return bench->missed == 0 ? 0 : 1;
}
