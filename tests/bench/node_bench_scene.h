// The scene of node_bench: a coin daemon, a node and the echo server as processes in a temporary
// folder, connections to both servers, and a pool whose targets are chosen so that single shares
// cost nothing to find: a share of the easiest difficulty takes 4 hashes, a grain 262, a link a
// quarter of a million, a block a million. What a hash is worth is therefore ours to choose.
#ifndef SHOAL_TESTS_BENCH_NODE_BENCH_SCENE_H
#define SHOAL_TESTS_BENCH_NODE_BENCH_SCENE_H

#include "node/limits.h"
#include "testnet/common/memory.h"
#include "tests/bench/node_bench_echo.h"
#include "tests/bench/node_bench_load.h"
#include "tests/bench/node_bench_process.h"
#include "tests/bench/node_bench_work.h"

struct scene {
    const char *folder; // borrowed
    pid_t daemon_pid;
    pid_t node_pid; // 0 if it does not run
    pid_t echo_pid;
    uint16_t daemon_port;
    uint16_t http_port; // of the node's dashboard; 0: none
    size_t nodes_started;
    char data[PROCESS_PATH_SIZE]; // of the node
    struct load node;
    struct load echo;
    struct scanner *scanner;
    uint64_t nonce; // where the first connection's search for links and blocks goes on
    struct work_band statistics_band; // shares that are no grains
    struct work_band grain_band;      // grains that are no links
    struct work_band link_band;       // links that are no blocks
    struct work_band block_band;
};

// Starts the daemon and the echo server, and makes the pool file. `folder` exists and is empty.
void scene_open(struct scene *scene, const char *folder);
// The processes end with the one that started them.
void scene_close(struct scene *scene);

// A new node without a past; connections are opened by the caller.
void scene_start_node(struct scene *scene);
void scene_stop_node(struct scene *scene);

// Finds one share, or `count` of them, on the newest job of a connection.
void scene_search(struct scene *scene, size_t connection, const struct work_band *band,
                  struct work_lines *lines);
void scene_search_many(struct scene *scene, size_t connection, const struct work_band *band,
                       size_t count, struct work_lines *lines);
// The first connection finds a link, and all have had time to take the job on it.
void scene_find_link(struct scene *scene);
// The first connection finds a block, and `told` of them have been told of the next.
void scene_find_block(struct scene *scene, size_t told);
// Mines until the pool pays as many scripts as a coinbase takes, as one that has run for a while.
void scene_fill_window(struct scene *scene);
// Waits and mines until the jobs have the branches of a full block.
void scene_fill_template(struct scene *scene);

// How many shares the node has given to its share-chain.
uint64_t scene_shares_found(const struct scene *scene);
// Prints what the jobs are like, as a note; ends the program if they are not what they should be.
void scene_say_job(const struct scene *scene);

#endif
