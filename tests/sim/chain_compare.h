// What scenarios ask about several share-chains at once.
#ifndef SHOAL_TESTS_SIM_CHAIN_COMPARE_H
#define SHOAL_TESTS_SIM_CHAIN_COMPARE_H

#include "tests/sim/full_node.h"
#include "tests/sim/scenario.h"

struct full_net *chain_net_new(const struct scenario_run *run, uint32_t spacing_s);
void chain_net_free(struct full_net *net, const struct scenario_run *run);

// How long until `wanted` honest nodes have this node's tip, in milliseconds; ten times most_ms if
// they had not by then.
double chain_converge_ms(struct full_net *net, struct full_node *with, size_t wanted,
                         int64_t most_ms);
// Honest nodes whose whole state (full_chain_state) is that of this one.
size_t chain_count_states(const struct full_net *net, const struct full_node *with);
// Of the newest links, those that two nodes both have, with equal credits.
size_t chain_count_same(const struct full_node *a, const struct full_node *b, uint32_t links);
// Percent of the shares made since, by nodes of this side of a partition, that the best chain of
// node 0 credits or has as links.
double chain_credited(const struct full_net *net, size_t first, unsigned side);

#endif
