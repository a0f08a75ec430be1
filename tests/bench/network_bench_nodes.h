// The nodes of network_bench: processes `shoal node` on one coin daemon, the first of them the seed
// of the others, and what they say of themselves. Every wait is bounded; a node that does not do
// its part ends the program.
#ifndef SHOAL_TESTS_BENCH_NETWORK_BENCH_NODES_H
#define SHOAL_TESTS_BENCH_NETWORK_BENCH_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "node/base/hash.h"
#include "node/base/json.h"
#include "tests/bench/node_bench_process.h"

#define NODES_MAX 5

struct node_process {
    pid_t pid;
    char data[PROCESS_PATH_SIZE];
    uint16_t stratum_port;
    uint16_t peer_port;
    int heard; // what it says, if it was started so; -1
};

struct node_set {
    const char *folder; // borrowed; the pool file is in it
    uint16_t daemon_port;
    pid_t daemon_pid;
    struct node_process nodes[NODES_MAX];
    size_t count;
    char seed[256]; // of the first one, for the others
};

// The coin daemon, with these further arguments (NULL at their end; at most eight).
void nodes_start_daemon(struct node_set *set, const char *const *more);
// Another node; is_heard: its log, all of it, is to be read from `heard`, else it goes to a file.
struct node_process *nodes_add(struct node_set *set, bool is_heard);
// Where a node that is not there yet will have its share-chain.
void nodes_store_path(const struct node_set *set, size_t number, char path[PROCESS_PATH_SIZE]);
// Kills all, the daemon last.
void nodes_stop(struct node_set *set);

// The document that `shoal NAME --json` shows.
struct node_answer {
    char *text;
    struct json *json; // views into the text
};
// False if the node does not answer; else nodes_answer_clear is owed.
bool nodes_ask(const struct node_process *node, const char *document, struct node_answer *answer);
void nodes_answer_clear(struct node_answer *answer);
// The number at group.name, or at name if group is NULL; ends the program if there is none.
uint64_t nodes_number(const struct json *json, const char *group, const char *name);
// Waits until the first node can be a seed.
void nodes_await_seed(struct node_set *set, int wait_ms);
// Waits until each has open links with `least` others.
void nodes_await_links(const struct node_set *set, size_t least, int wait_ms);

#endif
