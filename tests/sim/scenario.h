// The scenarios: each builds a world from a seed, lets something happen in it, and measures. They
// run in the order of this list.
#ifndef SHOAL_TESTS_SIM_SCENARIO_H
#define SHOAL_TESTS_SIM_SCENARIO_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "tests/sim/report.h"
#include "tests/sim/world.h"

struct scenario_run {
    size_t nodes;
    uint64_t seed;
    FILE *trace_file; // or NULL
    struct report *report;
};

struct scenario {
    const char *name;
    const char *about;
    size_t nodes;       // of --all, where the bars are meant to hold
    size_t nodes_small; // of --selection; 0: not in it
    void (*run)(const struct scenario_run *run);
};

extern const struct scenario scenarios[];
extern const size_t scenarios_count;

// A world with this run's seed and trace, and the usual faults of a network: of a thousand
// datagrams 2 are lost, 5 late, 1 comes twice.
struct world *scenario_world(const struct scenario_run *run);
// Takes what the world counted into the report and frees it.
void scenario_world_done(const struct scenario_run *run, struct world *world);

void scenario_look_up(const struct scenario_run *run);
void scenario_join(const struct scenario_run *run);
void scenario_record_get(const struct scenario_run *run);
void scenario_broadcast(const struct scenario_run *run);
void scenario_black_holes(const struct scenario_run *run);
void scenario_nat(const struct scenario_run *run);
void scenario_flood(const struct scenario_run *run);
void scenario_eclipse(const struct scenario_run *run);
void scenario_partition(const struct scenario_run *run);
void scenario_replay(const struct scenario_run *run);
void scenario_orders(const struct scenario_run *run);
void scenario_lying_sync(const struct scenario_run *run);
void scenario_low_work(const struct scenario_run *run);
void scenario_churn(const struct scenario_run *run);
void scenario_month(const struct scenario_run *run);

#endif
