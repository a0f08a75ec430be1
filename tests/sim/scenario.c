#include "tests/sim/scenario.h"

#include "tests/sim/crypto_model.h"

const struct scenario scenarios[] = {
    {"look-up", "finds the nodes nearest to keys, 15 % of all nodes dead", 10000, 600,
     scenario_look_up},
    {"join", "new nodes fill their tables, 15 % of all nodes dead", 10000, 600, scenario_join},
    {"record-get", "finds records while 20 % of all nodes lie", 10000, 600, scenario_record_get},
    {"broadcast", "shares of random nodes reach all others", 10000, 400, scenario_broadcast},
    {"black-holes", "the same while 40 % of all nodes relay nothing", 1000, 400,
     scenario_black_holes},
    {"nat", "30 % are behind NATs, and all must learn their address", 1000, 200, scenario_nat},
    {"flood", "5 % send a hundred invalid shares a second each", 500, 200, scenario_flood},
    {"eclipse", "200 nodes of one operator besiege one node", 500, 150, scenario_eclipse},
    {"partition", "two fifths are cut off for two minutes, then not", 50, 15, scenario_partition},
    {"orders", "what was made arrives in other orders", 8, 5, scenario_orders},
    {"lying-sync", "new nodes sync while two of five peers lie", 30, 15, scenario_lying_sync},
    {"low-work", "peers claim much work and prove little", 20, 10, scenario_low_work},
    {"churn", "sessions of an hour, for two hours", 2000, 200, scenario_churn},
    {"month", "a node comes back after a month", 6, 6, scenario_month},
    {"replay", "runs with one seed are one run", 60, 40, scenario_replay},
};
const size_t scenarios_count = sizeof scenarios / sizeof scenarios[0];

struct world *scenario_world(const struct scenario_run *run)
{
    struct world_options options = {.seed = run->seed,
                                    .loss_permille = 2,
                                    .reorder_permille = 5,
                                    .duplicate_permille = 1,
                                    .trace = run->trace_file};
    return world_new(&options);
}

void scenario_world_done(const struct scenario_run *run, struct world *world)
{
    struct report *report = run->report;
    report->trace = (report->trace * 31) ^ world->trace;
    report->events += world->handled;
    report->virtual_seconds += (double)world->now_us / 1e6;
    world_free(world);
}

static struct report run_inside(const struct scenario_run *run,
                                void (*scenario)(const struct scenario_run *run), uint64_t seed)
{
    struct report report = {.seed = seed, .nodes = run->nodes};
    struct scenario_run inside = {
        .nodes = run->nodes, .seed = seed, .trace_file = run->trace_file, .report = &report};
    scenario(&inside);
    run->report->events += report.events;
    run->report->virtual_seconds += report.virtual_seconds;
    run->report->trace = (run->report->trace * 31) ^ report.trace;
    return report;
}

void scenario_replay(const struct scenario_run *run)
{
    struct report *report = run->report;
    struct report first = run_inside(run, scenario_broadcast, run->seed);
    struct report again = run_inside(run, scenario_broadcast, run->seed);
    struct report other = run_inside(run, scenario_broadcast, run->seed + 1);
    report_holds(report, "broadcast: one seed, one trace", first.trace == again.trace);
    report_holds(report, "broadcast: another seed, another trace", first.trace != other.trace);
    first = run_inside(run, scenario_partition, run->seed);
    again = run_inside(run, scenario_partition, run->seed);
    report_holds(report, "partition: one seed, one trace", first.trace == again.trace);
    bool was_model = crypto_model_use(false);
    first = run_inside(run, scenario_broadcast, run->seed);
    crypto_model_use(was_model);
    report_holds(report, "broadcast: the bars hold with real cryptography, too",
                 report_failed(&first) == 0 && report_passed(&first) > 0);
}
