#include "tests/bench/network_bench_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "node/pow/target.h"
#include "testnet/common/memory.h"
#include "testnet/miner/scan.h"
#include "tests/bench/bench.h"
#include "tests/bench/node_bench_echo.h"

// Of what the pool of network_bench_share.c takes: far enough from its targets that none of their
// small movements matters.
#define LINK_BITS  0x1f0fffffu // of the easiest link
#define LINK_MORE  4           // bits: a link of ours is this much better
#define GRAIN_LESS 6           // and a grain this much easier than the easiest link

#define SCAN_COUNT   2048
#define LINE_SIZE    512
#define FIRST_JOB_MS 30000
#define PATIENCE_MS  5000
#define PREPARE_MS   12 // before it is due
#define POLLS        (NODES_MAX + 2)

// ---- Reading

static void take_share(struct watch *watch, size_t node, const char *text)
{
    struct hash256 id;
    double now = bench_now_ns();
    if (!hash_from_hex(&id, text))
        return;
    for (size_t i = watch->shares_count; i-- > 0;) {
        struct watched_share *share = &watch->shares[i];
        if (!hash_equal(&share->id, &id))
            continue;
        if (share->at_ns[node] == 0)
            share->at_ns[node] = now;
        return;
    }
}

static void take_line(struct watch *watch, size_t node, const char *line)
{
    static const char event[] = "\"event\":\"new share\",\"id\":\"";
    char id[65] = "";
    const char *at = strstr(line, event);
    if (at == NULL)
        return;
    snprintf(id, sizeof id, "%s", at + sizeof event - 1);
    take_share(watch, node, id);
}

static void read_log(struct watch *watch, size_t node)
{
    struct watch_log *log = &watch->logs[node];
    ssize_t got = read(watch->set->nodes[node].heard, log->text + log->size,
                       sizeof log->text - 1 - log->size);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        process_fail("node %zu has ended", node + 1);
    log->size += (size_t)got;
    log->text[log->size] = '\0';
    char *line = log->text, *end;
    while ((end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        take_line(watch, node, line);
        line = end + 1;
    }
    log->size -= (size_t)(line - log->text);
    memmove(log->text, line, log->size);
    if (log->size == sizeof log->text - 1)
        process_fail("node %zu logs lines that are too long", node + 1);
}

static void poll_all(struct watch *watch, int ms)
{
    struct pollfd polls[POLLS] = {{.fd = watch->miner.epoll, .events = POLLIN},
                                  {.fd = watch->echo.epoll, .events = POLLIN}};
    size_t count = watch->set->count;
    for (size_t i = 0; i < count; i++)
        polls[i + 2] = (struct pollfd){.fd = watch->set->nodes[i].heard, .events = POLLIN};
    poll(polls, count + 2, ms);
    for (size_t i = 0; i < count; i++) {
        if (polls[i + 2].revents != 0)
            read_log(watch, i);
    }
    if (polls[0].revents != 0)
        load_poll(&watch->miner, 0);
    if (polls[1].revents != 0)
        load_poll(&watch->echo, 0);
}

static void idle_until(struct watch *watch, double deadline_ns)
{
    double left_ns;
    while ((left_ns = deadline_ns - bench_now_ns()) > 0)
        poll_all(watch, left_ns > 1e6 ? (int)(left_ns / 1e6) : 0);
}

void watch_idle(struct watch *watch, int ms)
{
    idle_until(watch, bench_now_ns() + ms * 1e6);
}

// ---- Shares

static struct work_band band_of(bool is_link)
{
    struct u256 link;
    if (!target_expand(LINK_BITS, &link))
        process_fail("wrong bits");
    if (is_link)
        return (struct work_band){.most = u256_shift_right(&link, LINK_MORE)};
    bool overflowed = false;
    return (struct work_band){.above = link,
                              .most = u256_multiply_u64(&link, 1u << GRAIN_LESS, &overflowed)};
}

// The next nonce of the newest job with a hash in the band.
static uint32_t search(struct watch *watch, const struct work_band *band, struct hash256 *id)
{
    const struct load_connection *miner = &watch->miner.connections[0];
    struct scan_work work = {.target = band->most};
    struct scan_hits hits;
    uint8_t second[JOB_EXTRANONCE2_MAX] = {0};
    if (strcmp(watch->job_id, miner->job.id) != 0)
        watch->nonce = 0;
    snprintf(watch->job_id, sizeof watch->job_id, "%s", miner->job.id);
    job_header(&miner->job, &miner->extranonce, second, miner->job.version, work.header);
    scan_work_prepare(&work);
    while (watch->nonce + SCAN_COUNT < UINT32_MAX) {
        scanner_scan(watch->scanner, &work, (uint32_t)watch->nonce, SCAN_COUNT, &hits);
        for (size_t i = 0; i < hits.count; i++) {
            if (target_is_met(&hits.hits[i].hash, &band->above))
                continue;
            *id = hits.hits[i].hash;
            watch->nonce = (uint64_t)hits.hits[i].nonce + 1;
            return hits.hits[i].nonce;
        }
        watch->nonce += SCAN_COUNT;
    }
    process_fail("no more nonces");
}

static int prepare(struct watch *watch, bool is_link, char line[LINE_SIZE], struct hash256 *id)
{
    const struct load_connection *miner = &watch->miner.connections[0];
    struct work_band band = band_of(is_link);
    uint32_t nonce = search(watch, &band, id);
    return snprintf(line, LINE_SIZE,
                    "{\"id\":%llu,\"method\":\"mining.submit\",\"params\":[\"%s\",\"%s\",\"%0*d\","
                    "\"%08x\",\"%08x\"]}\n",
                    (unsigned long long)(100000 + watch->sent % 900000), miner->user, miner->job.id,
                    (int)(2 * miner->extranonce.second_size), 0, miner->job.time, nonce);
}

static double measure_echo(struct watch *watch)
{
    double begin = bench_now_ns();
    uint64_t answers = watch->echo.answers;
    load_send(&watch->echo, 0, "x\n", 2);
    while (watch->echo.answers == answers) {
        if (bench_now_ns() > begin + PATIENCE_MS * 1e6)
            process_fail("the echo server does not answer");
        poll_all(watch, 1);
    }
    return (bench_now_ns() - begin) / 1e6;
}

static void note_memory(struct watch *watch)
{
    for (size_t i = 0; i < watch->set->count; i++) {
        double memory = process_memory(watch->set->nodes[i].pid);
        if (memory > watch->memory_most[i])
            watch->memory_most[i] = memory;
    }
}

void watch_run(struct watch *watch, size_t count, size_t rate)
{
    double interval_ns = 1e9 / (double)rate;
    double begin_ns = bench_now_ns();
    if (count > watch->shares_max)
        process_fail("%zu shares are too many", count);
    watch->shares_count = 0;
    memset(watch->memory_most, 0, sizeof watch->memory_most);
    for (size_t i = 0; i < count; i++) {
        char line[LINE_SIZE];
        double due_ns = begin_ns + (double)(i + 1) * interval_ns;
        struct watched_share share = {.sent_ns = 0};
        idle_until(watch, due_ns - PREPARE_MS * 1e6);
        int size = prepare(watch, watch->sent % rate == 0, line, &share.id);
        idle_until(watch, due_ns);
        share.sent_ns = bench_now_ns();
        watch->shares[watch->shares_count++] = share;
        load_send(&watch->miner, 0, line, (size_t)size);
        watch->sent++;
        idle_until(watch, share.sent_ns + interval_ns / 2);
        watch->echo_ms[i] = measure_echo(watch);
        note_memory(watch);
    }
}

// The first that is not there.
static bool is_missing(const struct watch *watch, size_t first, size_t nodes, size_t *share,
                       size_t *node)
{
    for (*share = 0; *share < watch->shares_count; (*share)++) {
        for (*node = first; *node < first + nodes; (*node)++) {
            if (watch->shares[*share].at_ns[*node] == 0)
                return true;
        }
    }
    return false;
}

void watch_await_all(struct watch *watch, size_t first, size_t nodes)
{
    double deadline = bench_now_ns() + PATIENCE_MS * 1e6;
    size_t share, node;
    while (is_missing(watch, first, nodes, &share, &node)) {
        if (bench_now_ns() > deadline)
            process_fail("share %zu of %zu did not reach node %zu within %d ms", share + 1,
                         watch->shares_count, node + 1, PATIENCE_MS);
        poll_all(watch, 10);
    }
}

// ---- A life

void watch_open(struct watch *watch, struct node_set *set, size_t shares_max)
{
    uint16_t echo_port = process_free_port();
    *watch = (struct watch){.set = set,
                            .scanner = scanner_new(POW_SHA256D),
                            .shares = memory_new(shares_max, sizeof *watch->shares),
                            .shares_max = shares_max,
                            .echo_ms = memory_new(shares_max, sizeof *watch->echo_ms)};
    for (size_t i = 0; i < set->count; i++)
        fcntl(set->nodes[i].heard, F_SETFL, O_NONBLOCK);
    watch->echo_pid = process_fork(echo_serve, echo_port);
    load_init(&watch->echo, echo_port, true);
    load_init(&watch->miner, set->nodes[0].stratum_port, false);
    load_open(&watch->echo, 1, false, PATIENCE_MS);
    load_open(&watch->miner, 1, true, FIRST_JOB_MS);
}

void watch_close(struct watch *watch)
{
    load_clear(&watch->miner);
    load_clear(&watch->echo);
    process_stop(watch->echo_pid);
    scanner_free(watch->scanner);
    free(watch->shares);
    free(watch->echo_ms);
}
