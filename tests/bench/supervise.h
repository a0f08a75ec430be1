// Runs a bench that starts processes and writes files so that, whatever becomes of it, none of them
// is left behind: in a child with a temporary folder, for a bounded time.
#ifndef SHOAL_TESTS_BENCH_SUPERVISE_H
#define SHOAL_TESTS_BENCH_SUPERVISE_H

#include "tests/bench/bench.h"

// `run` gets an empty folder and returns the exit status, which becomes that of the program; 2 if
// it was stopped by a signal or after seconds_max.
int supervise(struct bench *bench, int (*run)(struct bench *bench, const char *folder),
              int seconds_max);

#endif
