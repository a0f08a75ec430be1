// The baseline of node_bench: a server over the same node/net that does nothing with what it
// receives but answer each line with a line as long as the node's answer to a submit.
#ifndef SHOAL_TESTS_BENCH_NODE_BENCH_ECHO_H
#define SHOAL_TESTS_BENCH_NODE_BENCH_ECHO_H

#include <stdint.h>

// As long as each answer of the node to a submit whose id has six digits.
#define ECHO_ANSWER "{\"id\":100000,\"result\":true,\"error\":null}\n"
// A line that begins so is answered with one line to all connections, of as many bytes as the
// number behind it says, that looks like a job for a new block.
#define ECHO_BROADCAST     '!'
#define ECHO_BROADCAST_MAX 65536

// Serves on a port of the loopback address until it is killed.
void echo_serve(uint16_t port);

#endif
