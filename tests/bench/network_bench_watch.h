// How long shares take: one miner at the first node sends them at an even pace, and the log of each
// node, read as it is written, says when the share is there. All times are of one clock, this
// process's; what it adds by being woken is in the echo, measured in turns with the shares.
#ifndef SHOAL_TESTS_BENCH_NETWORK_BENCH_WATCH_H
#define SHOAL_TESTS_BENCH_NETWORK_BENCH_WATCH_H

#include <stddef.h>
#include <stdint.h>
#include "tests/bench/network_bench_nodes.h"
#include "tests/bench/node_bench_load.h"

#define WATCH_LINE_MAX 8192

struct watched_share {
    struct hash256 id;
    double sent_ns;
    double at_ns[NODES_MAX]; // 0: not there
};

// The log of one node.
struct watch_log {
    char text[WATCH_LINE_MAX]; // a line that is not whole yet
    size_t size;
};

struct watch {
    struct node_set *set; // borrowed
    struct load miner;
    struct load echo;
    pid_t echo_pid;
    struct scanner *scanner;
    uint64_t nonce;
    char job_id[JOB_ID_MAX + 1]; // whose nonces were looked at
    uint64_t sent;               // shares, ever
    struct watch_log logs[NODES_MAX];
    // Of the last run:
    struct watched_share *shares;
    size_t shares_count;
    size_t shares_max;
    double *echo_ms;
    double memory_most[NODES_MAX]; // bytes
};

// Starts the echo server and logs the miner in, as soon as the first node has work. Runs have at
// most shares_max shares.
void watch_open(struct watch *watch, struct node_set *set, size_t shares_max);
void watch_close(struct watch *watch);
// Sends so many shares, `rate` a second; every rate-th of them is a link, the others are grains.
void watch_run(struct watch *watch, size_t count, size_t rate);
// Waits until each share of the last run is at each of these nodes; ends the program if one is
// lost.
void watch_await_all(struct watch *watch, size_t first, size_t nodes);
// Reads what comes for so long.
void watch_idle(struct watch *watch, int ms);

#endif
