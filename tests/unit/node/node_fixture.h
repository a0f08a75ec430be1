// A node without sockets and daemons: a share-chain that grows by itself, an idle Stratum engine, a
// daemon that nobody asks. For tests of what a node tells.
#ifndef SHOAL_TESTS_UNIT_NODE_NODE_FIXTURE_H
#define SHOAL_TESTS_UNIT_NODE_NODE_FIXTURE_H

#include "node/state.h"
#include "tests/support/share_maker.h"

struct node_fixture {
    struct config config;
    struct pool pool;
    struct maker_random random;
    struct node node;
    uint64_t salt;
    int64_t clock_s;
    uint32_t links_grown;
    char error[NODE_ERROR_SIZE];
};

void node_fixture_open(struct node_fixture *fixture);
void node_fixture_close(struct node_fixture *fixture);
// The same for each test of a group: *state is the fixture.
int node_fixture_set_up(void **state);
int node_fixture_tear_down(void **state);
// One block every `links_per_block` links; each link includes two grains, of scripts 1..3 in turn;
// the first is of team "reef", the last of "atoll".
void node_fixture_grow(struct node_fixture *fixture, uint32_t links, uint32_t links_per_block);
// A link whose hash is also a block, added to the header chain and to the ledger; its miner is
// script 1.
struct hash256 node_fixture_find_block(struct node_fixture *fixture);
// Makes the mint that a node would serve now.
void node_fixture_mint(struct node_fixture *fixture);

#endif
