// What the bench programs share: alternating rounds, medians, and one way to print a result, so
// that tests/bench/run can put the rows of all programs into one table. A program prints its rows
// with these functions and anything else as lines of plain text, which the table quotes as notes.
// A row is `| what | ours | baseline | times as fast | bar | met |`. No numbers are kept between
// runs: a baseline is always measured in the same run, in turns with ours.
#ifndef SHOAL_TESTS_BENCH_BENCH_H
#define SHOAL_TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>

enum { BENCH_ROUNDS_MAX = 1000 };

// One program's run. `rounds`: how often each side of a contest takes its turn.
struct bench {
    size_t rounds;
    size_t missed; // rows that missed their bar
};

// One side of a contest. A call of `run` does `count` operations; it returns false where this
// machine cannot do them.
struct bench_side {
    const char *name;
    size_t count;
    bool (*run)(void *context);
};

// Two ways to do the same. A bar of 0 is none.
struct bench_contest {
    const char *what;
    struct bench_side ours;
    struct bench_side baseline;
    double most_ns;     // bar: an operation of ours takes at most this
    double least_speed; // bar: ours is at least this many times as fast as the baseline
};

// One result, in whatever unit it has. Smaller is better.
struct bench_row {
    const char *what;
    const char *unit;
    double ours;
    const char *baseline_name; // NULL: there is no baseline
    double baseline;
    double most;        // bar on `ours`, 0: none
    double least_speed; // bar on baseline / ours, 0: none
};

// Reads the only argument that every bench program takes, [ROUNDS]; false, having said what is
// wrong on stderr, if it is none from 1 to BENCH_ROUNDS_MAX.
bool bench_init(struct bench *bench, size_t rounds_default, int argc, char **argv);

// Monotonic time in nanoseconds, from an arbitrary start.
double bench_now_ns(void);

// The median of `count` values, at least one; sorts them.
double bench_median(double *values, size_t count);

// Runs both sides in turns, each turn about 2 ms, and prints the medians per operation. A side that
// this machine cannot run is said so in a note instead of a row.
void bench_contest_run(struct bench *bench, const struct bench_contest *contest, void *context);

// Prints a row that the caller measured, and counts it if it misses its bar.
void bench_row_print(struct bench *bench, const struct bench_row *row);

// The exit status of the program: 0, or 1 if a row missed its bar.
int bench_finish(const struct bench *bench);

#endif
