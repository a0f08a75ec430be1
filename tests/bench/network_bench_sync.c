// What a new node costs that fetches a long chain from another over loopback: time, and memory.
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "node/pow/sha256.h"
#include "tests/bench/bench.h"
#include "tests/bench/network_bench_chain.h"
#include "tests/bench/network_bench_nodes.h"
#include "tests/bench/supervise.h"

#define SECONDS_MAX 300

#define LOAD_MS    120000 // until the serving node has read its chain
#define SYNC_MS    240000
#define POLL_MS    250
#define PIECE      65536
#define SHARE_SIZE 700 // about what a share has

#define SYNC_BAR_S    60
#define MEMORY_BAR_MB 250

// ---- The baseline: the same bytes through a connection, and a double hash over each share's worth

_Noreturn static void send_bytes(int fd, uint64_t bytes)
{
    static uint8_t piece[PIECE];
    while (bytes > 0) {
        ssize_t sent = send(fd, piece, bytes < PIECE ? (size_t)bytes : PIECE, MSG_NOSIGNAL);
        if (sent <= 0)
            _exit(1);
        bytes -= (uint64_t)sent;
    }
    _exit(0);
}

// Both ends of a TCP connection over loopback.
static void connect_pair(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || ends[0] < 0 ||
        bind(listener, (const struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        connect(ends[0], (const struct sockaddr *)&address, size) != 0 ||
        (ends[1] = accept(listener, NULL, NULL)) < 0)
        process_fail("no connection over loopback: %s", strerror(errno));
    close(listener);
}

static double copy_s(uint64_t bytes)
{
    static uint8_t piece[PIECE];
    int ends[2];
    struct hash256 hash;
    connect_pair(ends);
    double begin = bench_now_ns();
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        process_fail("fork: %s", strerror(errno));
    if (pid == 0)
        send_bytes(ends[0], bytes);
    close(ends[0]);
    uint64_t got_all = 0;
    ssize_t got;
    while ((got = recv(ends[1], piece, sizeof piece, MSG_WAITALL)) > 0) {
        got_all += (uint64_t)got;
        for (size_t at = 0; at < (size_t)got; at += SHARE_SIZE)
            sha256d(piece + at, (size_t)got - at < SHARE_SIZE ? (size_t)got - at : SHARE_SIZE,
                    &hash);
    }
    double passed = (bench_now_ns() - begin) / 1e9;
    close(ends[1]);
    process_stop(pid);
    if (got_all != bytes)
        process_fail("only %llu of %llu bytes came through", (unsigned long long)got_all,
                     (unsigned long long)bytes);
    return passed;
}

// ---- The sync

struct progress {
    uint64_t height;
    struct hash256 tip;
    uint64_t bytes;
    uint64_t shares;
};

static bool look(const struct node_process *node, struct progress *progress)
{
    struct node_answer answer;
    char text[65];
    if (!nodes_ask(node, "chain", &answer))
        return false;
    struct json_value tip = json_get(json_root(answer.json), "tip");
    bool is_read = json_to_u64(json_get(tip, "height"), &progress->height) &&
                   json_to_text(json_get(tip, "id"), text, sizeof text) &&
                   hash_from_hex(&progress->tip, text);
    if (!is_read)
        process_fail("a node does not say its tip");
    progress->bytes = nodes_number(answer.json, "sync", "bytes_fetched");
    progress->shares = nodes_number(answer.json, NULL, "shares");
    nodes_answer_clear(&answer);
    return true;
}

// Until the node is at the tip.
static struct progress await_tip(const struct node_process *node, const struct long_chain *made,
                                 int wait_ms)
{
    struct progress progress = {.height = 0};
    double deadline = bench_now_ns() + wait_ms * 1e6;
    while (!look(node, &progress) || !hash_equal(&progress.tip, &made->tip)) {
        if (bench_now_ns() > deadline)
            process_fail("a node is at link %llu of %u after %d ms",
                         (unsigned long long)progress.height, made->height, wait_ms);
        process_wait_ms(POLL_MS);
    }
    return progress;
}

static void start_coin(struct node_set *set, const struct long_chain *made)
{
    char data[PROCESS_PATH_SIZE], genesis[16];
    snprintf(data, sizeof data, "%s/coin", set->folder);
    snprintf(genesis, sizeof genesis, "%u", made->genesis_time);
    const char *more[] = {"--data",        data, "--genesis-time", genesis, "--bits",
                          LONG_BLOCK_BITS, NULL};
    nodes_start_daemon(set, more);
}

static void print_memory(const char *who, pid_t pid)
{
    printf("memory of the %s node, now: %.0f MB its own, %.0f MB of the file with its chain; at "
           "its highest %.0f MB together\n",
           who, process_memory_of(pid, "RssAnon") / 1e6, process_memory_of(pid, "RssFile") / 1e6,
           process_memory_of(pid, "VmHWM") / 1e6);
}

static void print_rows(struct bench *bench, double seconds, double baseline, double memory_mb)
{
    struct bench_row time = {.what = "a new node syncs 20 000 links, 600 000 grains",
                             .unit = "s",
                             .ours = seconds,
                             .baseline_name = "the same bytes, hashed",
                             .baseline = baseline,
                             .most = SYNC_BAR_S};
    struct bench_row memory = {.what = "memory of that node at its highest",
                               .unit = "MB",
                               .ours = memory_mb,
                               .most = MEMORY_BAR_MB};
    bench_row_print(bench, &time);
    bench_row_print(bench, &memory);
}

static int measure_all(struct bench *bench, const char *folder)
{
    struct node_set set = {.folder = folder};
    struct long_chain made;
    char store[PROCESS_PATH_SIZE];
    nodes_store_path(&set, 1, store);
    long_chain_make(&made, folder, store);
    start_coin(&set, &made);
    const struct node_process *serving = nodes_add(&set, false);
    nodes_await_seed(&set, LOAD_MS);
    await_tip(serving, &made, LOAD_MS);

    double begin = bench_now_ns();
    const struct node_process *syncing = nodes_add(&set, false);
    struct progress end = await_tip(syncing, &made, SYNC_MS);
    double seconds = (bench_now_ns() - begin) / 1e9;
    double cpu_s = process_cpu_ns(syncing->pid) / 1e9;
    uint64_t wanted = made.height + made.grains;
    // The newest grains, which no link has yet, are not of the chain.
    if (end.shares < wanted - LONG_GRAINS_PER_LINK)
        process_fail("the new node has %llu shares of %llu", (unsigned long long)end.shares,
                     (unsigned long long)wanted);
    print_rows(bench, seconds, copy_s(end.bytes), process_memory_of(syncing->pid, "VmHWM") / 1e6);
    printf("sync: %llu shares, %.0f MB in %.1f s: %.1f MB/s, %.1f s of it CPU of the new node; the "
           "chain was made in %.0f s\n",
           (unsigned long long)end.shares, (double)end.bytes / 1e6, seconds,
           (double)end.bytes / 1e6 / seconds, cpu_s, made.made_s);
    print_memory("syncing", syncing->pid);
    print_memory("serving", serving->pid);
    nodes_stop(&set);
    return bench_finish(bench);
}

int main(int argc, char **argv)
{
    struct bench bench;
    if (!bench_init(&bench, 1, argc, argv))
        return 2;
    return supervise(&bench, measure_all, SECONDS_MAX);
}
