#include "tests/bench/network_bench_nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "testnet/common/memory.h"
#include "tests/bench/bench.h"

#define MORE_MAX    8
#define TEXT_SIZE   (1u << 20)
#define TOKENS_MAX  65536
#define POLL_MS     100
#define DAEMON_ARGS 6

void nodes_start_daemon(struct node_set *set, const char *const *more)
{
    char program[PROCESS_PATH_SIZE], log[PROCESS_PATH_SIZE], port[16];
    process_path("devchain", program);
    snprintf(log, sizeof log, "%s/devchain.log", set->folder);
    set->daemon_port = process_free_port();
    snprintf(port, sizeof port, "%u", set->daemon_port);
    const char *argv[DAEMON_ARGS + MORE_MAX + 1] = {program, "--no-auth",      "--port",
                                                    port,    "--transactions", "0"};
    for (size_t i = 0; i < MORE_MAX && more[i] != NULL; i++)
        argv[DAEMON_ARGS + i] = more[i];
    set->daemon_pid = process_start(argv, log);
}

void nodes_store_path(const struct node_set *set, size_t number, char path[PROCESS_PATH_SIZE])
{
    snprintf(path, PROCESS_PATH_SIZE, "%s/node-%zu", set->folder, number);
    mkdir(path, 0700);
    snprintf(path, PROCESS_PATH_SIZE, "%s/node-%zu/chain", set->folder, number);
}

struct node_process *nodes_add(struct node_set *set, bool is_heard)
{
    char program[PROCESS_PATH_SIZE], log[PROCESS_PATH_SIZE], pool[PROCESS_PATH_SIZE];
    char daemon[64], stratum[64], peer[64];
    if (set->count == NODES_MAX)
        process_fail("more than %d nodes", NODES_MAX);
    struct node_process *node = &set->nodes[set->count++];
    *node = (struct node_process){
        .stratum_port = process_free_port(), .peer_port = process_free_port(), .heard = -1};
    process_path("shoal", program);
    snprintf(log, sizeof log, "%s/node-%zu.log", set->folder, set->count);
    snprintf(node->data, sizeof node->data, "%s/node-%zu", set->folder, set->count);
    snprintf(pool, sizeof pool, "%s/pool", set->folder);
    snprintf(daemon, sizeof daemon, "http://127.0.0.1:%u", set->daemon_port);
    snprintf(stratum, sizeof stratum, "127.0.0.1:%u", node->stratum_port);
    snprintf(peer, sizeof peer, "127.0.0.1:%u", node->peer_port);
    bool is_first = set->count == 1;
    const char *argv[] = {program,
                          "node",
                          "--pool",
                          pool,
                          "--data",
                          node->data,
                          "--daemon",
                          daemon,
                          "--daemon-poll",
                          "1",
                          "--stratum-listen",
                          stratum,
                          "--http-listen",
                          "",
                          "--stratum-difficulty-min",
                          "1e-9",
                          "--peer-listen",
                          peer,
                          "--upnp",
                          "0",
                          "--log-format",
                          "json",
                          "--log-level",
                          is_heard ? "debug" : "info",
                          is_first ? "--found" : "--seed",
                          is_first ? NULL : set->seed,
                          NULL};
    node->pid = is_heard ? process_start_heard(argv, &node->heard) : process_start(argv, log);
    return node;
}

void nodes_stop(struct node_set *set)
{
    while (set->count > 0) {
        struct node_process *node = &set->nodes[--set->count];
        process_stop(node->pid);
        if (node->heard >= 0)
            close(node->heard);
    }
    process_stop(set->daemon_pid);
}

// ---- What they say of themselves

bool nodes_ask(const struct node_process *node, const char *document, struct node_answer *answer)
{
    char program[PROCESS_PATH_SIZE];
    process_path("shoal", program);
    const char *argv[] = {program, document, "--json", "--data", node->data, NULL};
    *answer = (struct node_answer){.text = memory_new(TEXT_SIZE, 1)};
    if (process_ask(argv, answer->text, TEXT_SIZE))
        answer->json = json_parse(answer->text, strlen(answer->text), TOKENS_MAX);
    if (answer->json != NULL)
        return true;
    nodes_answer_clear(answer);
    return false;
}

void nodes_answer_clear(struct node_answer *answer)
{
    json_free(answer->json);
    free(answer->text);
    *answer = (struct node_answer){.json = NULL};
}

uint64_t nodes_number(const struct json *json, const char *group, const char *name)
{
    struct json_value at = json_root(json);
    uint64_t number;
    if (group != NULL)
        at = json_get(at, group);
    if (!json_to_u64(json_get(at, name), &number))
        process_fail("a node does not say its %s", name);
    return number;
}

static size_t open_links(const struct node_process *node)
{
    struct node_answer answer;
    size_t count = 0;
    if (!nodes_ask(node, "peers", &answer))
        return 0;
    struct json_value peer = json_first(json_get(json_root(answer.json), "peers"));
    for (; json_exists(peer); peer = json_next(peer)) {
        bool is_open = false;
        count += json_to_bool(json_get(peer, "is_open"), &is_open) && is_open;
    }
    nodes_answer_clear(&answer);
    return count;
}

static bool learn_seed(struct node_set *set)
{
    struct node_answer answer;
    bool has_begun = false;
    if (!nodes_ask(&set->nodes[0], "dht", &answer))
        return false;
    struct json_value root = json_root(answer.json);
    bool is_there =
        json_to_bool(json_get(root, "has_begun"), &has_begun) && has_begun &&
        json_to_text(json_get(json_get(root, "own"), "seed"), set->seed, sizeof set->seed);
    nodes_answer_clear(&answer);
    return is_there;
}

void nodes_await_seed(struct node_set *set, int wait_ms)
{
    double deadline = bench_now_ns() + wait_ms * 1e6;
    while (!learn_seed(set)) {
        if (bench_now_ns() > deadline)
            process_fail("the first node is no seed after %d ms", wait_ms);
        process_wait_ms(POLL_MS);
    }
}

void nodes_await_links(const struct node_set *set, size_t least, int wait_ms)
{
    double deadline = bench_now_ns() + wait_ms * 1e6;
    for (size_t i = 0; i < set->count; i++) {
        while (open_links(&set->nodes[i]) < least) {
            if (bench_now_ns() > deadline)
                process_fail("node %zu has fewer than %zu links after %d ms", i + 1, least,
                             wait_ms);
            process_wait_ms(POLL_MS);
        }
    }
}
