// What the network of nodes costs, seen from outside, over loopback: the time of a share from its
// miner to all of five nodes, and the same while somebody misbehaves.
#include "tests/bench/bench.h"
#include "tests/bench/network_bench_share.h"
#include "tests/bench/supervise.h"

#define SECONDS_MAX 240

static int measure_all(struct bench *bench, const char *folder)
{
    network_bench_share(bench, folder);
    return bench_finish(bench);
}

int main(int argc, char **argv)
{
    struct bench bench;
    if (!bench_init(&bench, 1, argc, argv))
        return 2;
    return supervise(&bench, measure_all, SECONDS_MAX);
}
