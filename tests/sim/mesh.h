// A network of whole engines over the toy chain, in which shares are made and followed: how long
// they take to be valid everywhere, in how many copies they come.
#ifndef SHOAL_TESTS_SIM_MESH_H
#define SHOAL_TESTS_SIM_MESH_H

#include "tests/sim/histogram.h"
#include "tests/sim/scenario.h"
#include "tests/sim/swarm.h"
#include "tests/sim/toy_chain.h"

#define MESH_SHARES 60 // that are measured

struct mesh;

struct mesh_node {
    struct mesh *mesh;
    struct swarm_node *swarm_node;
    struct toy_chain chain;
};

struct mesh {
    struct swarm swarm;
    struct toy_pool pool;
    struct mesh_node **nodes;
    size_t count;
    size_t capacity;
    size_t first_measured; // share
    struct histogram times;
    size_t arrivals;
    size_t expected;
    unsigned holes_permille; // of those that mesh_fill adds: they take shares and relay none
    unsigned nat_permille;   // behind NATs of all kinds; then nobody is told his address
};

struct mesh *mesh_new(const struct scenario_run *run);
void mesh_free(struct mesh *mesh, const struct scenario_run *run);
// A node with its chain, down yet.
struct mesh_node *mesh_add(struct mesh *mesh, const struct host_options *options);
// Adds and starts nodes until there are `count`, and lets them settle.
void mesh_fill(struct mesh *mesh, size_t count);
// Shares of honest nodes chosen at random, one after the other.
void mesh_mine(struct mesh *mesh, size_t count);

// Of all nodes.
struct copies {
    uint64_t received;
    uint64_t first;
    uint64_t announced;
    uint64_t wants;
};
// Makes MESH_SHARES shares and takes times, arrivals and copies anew.
void mesh_measure(struct mesh *mesh, struct copies *copies);
// The same, after so many shares that everybody has ranked his peers.
void mesh_warm_up_and_measure(struct mesh *mesh, struct copies *copies);
// Percent of the honest nodes that were up, over all measured shares.
double mesh_coverage(const struct mesh *mesh);
double mesh_time_ms(const struct mesh *mesh, double percentile);
// Percent of honest nodes with at least so many peers.
double mesh_linked(const struct mesh *mesh, size_t peers);

#endif
