// How shares spread: over honest nodes, past black holes, past NATs.
#include "tests/sim/mesh.h"

#define NAT_PERMILLE   300
#define HOLES_PERMILLE 400
#define LEARN_MS       240000

static const struct unit ms = {"ms", 0};
static const struct unit each = {"", 2};
static const struct unit percent = {"%", 3};

void scenario_broadcast(const struct scenario_run *run)
{
    struct copies copies;
    struct report *report = run->report;
    struct mesh *mesh = mesh_new(run);
    mesh_fill(mesh, run->nodes);
    report_at_least(report, "nodes with 8 links or more", mesh_linked(mesh, 8), percent, 95);
    mesh_warm_up_and_measure(mesh, &copies);
    double first = (double)copies.first;
    report_at_least(report, "coverage", mesh_coverage(mesh), percent, 99.999);
    report_at_most(report, "share until valid at a node, p50", mesh_time_ms(mesh, 50), ms, 130);
    report_value(report, "share until valid at a node, p95", mesh_time_ms(mesh, 95), ms);
    report_at_most(report, "share until valid at a node, p99", mesh_time_ms(mesh, 99), ms, 230);
    report_at_most(report, "share until valid at a node, most", mesh_time_ms(mesh, 100), ms, 500);
    report_at_most(report, "copies that a node receives", (double)copies.received / first, each,
                   4.5);
    report_value(report, "announcements that a node sends", (double)copies.announced / first, each);
    report_value(report, "requests that a node sends", (double)copies.wants / first, each);
    mesh_free(mesh, run);
}

void scenario_black_holes(const struct scenario_run *run)
{
    struct copies copies;
    struct report *report = run->report;
    struct mesh *mesh = mesh_new(run);
    mesh->holes_permille = HOLES_PERMILLE;
    mesh_fill(mesh, run->nodes);
    mesh_warm_up_and_measure(mesh, &copies);
    report_at_least(report, "coverage of honest nodes", mesh_coverage(mesh), percent, 99.95);
    report_value(report, "share until valid at a node, p50", mesh_time_ms(mesh, 50), ms);
    report_at_most(report, "share until valid at a node, p99", mesh_time_ms(mesh, 99), ms, 300);
    report_value(report, "share until valid at a node, most", mesh_time_ms(mesh, 100), ms);
    mesh_free(mesh, run);
}

// Of the nodes that can be reached, percent that know it; of the others, those that think so.
static void report_reachable(const struct mesh *mesh, struct report *report)
{
    size_t open = 0;
    size_t open_known = 0;
    size_t closed = 0;
    size_t closed_wrong = 0;
    for (size_t i = SWARM_SEEDS; i < mesh->count; i++) {
        const struct swarm_node *node = mesh->nodes[i]->swarm_node;
        struct network_stats stats;
        network_stats(node->network, &stats);
        bool is_open = node->host->nat == NAT_NONE;
        open += is_open;
        open_known += is_open && stats.is_reachable;
        closed += !is_open;
        closed_wrong += !is_open && stats.is_reachable;
    }
    report_at_least(report, "reachable nodes that know it",
                    100.0 * (double)open_known / (double)open, percent, 98);
    report_at_most(report, "unreachable nodes that think they are not",
                   100.0 * (double)closed_wrong / (double)closed, percent, 0);
}

void scenario_nat(const struct scenario_run *run)
{
    struct copies copies;
    struct report *report = run->report;
    struct mesh *mesh = mesh_new(run);
    mesh->nat_permille = NAT_PERMILLE;
    mesh_fill(mesh, run->nodes);
    world_run_ms(mesh->swarm.world, LEARN_MS);
    report_reachable(mesh, report);
    report_at_least(report, "nodes with 8 links or more", mesh_linked(mesh, 8), percent, 95);
    mesh_warm_up_and_measure(mesh, &copies);
    report_at_least(report, "coverage", mesh_coverage(mesh), percent, 99.999);
    report_value(report, "share until valid at a node, p50", mesh_time_ms(mesh, 50), ms);
    report_at_most(report, "share until valid at a node, p99", mesh_time_ms(mesh, 99), ms, 300);
    mesh_free(mesh, run);
}
