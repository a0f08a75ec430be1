// One Stratum V1 connection as a state machine without sockets, clocks and threads: bytes in, bytes
// out, work and hits between. Logs in one step after the other, takes difficulty and extranonce
// with the next job, and believes nothing that a pool sends.
#ifndef SHOAL_TESTNET_MINER_CLIENT_H
#define SHOAL_TESTNET_MINER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "testnet/miner/job.h"
#include "testnet/miner/scan.h"
#include "testnet/miner/stats.h"

#define CLIENT_LINE_MAX   (256u << 10) // bytes of one line of the pool
#define CLIENT_OUTPUT_MAX (1u << 20)   // bytes that wait to be sent
#define CLIENT_TEXT_MAX   256

struct client_config {
    enum pow_kind pow;
    const char *user;
    const char *password;
    const char *agent;
    uint32_t version_mask;     // bits that we would roll; 0: not asked for
    bool wants_extranonce;     // mining.extranonce.subscribe
    double suggest_difficulty; // 0: none
    struct stats *stats;       // shared by all clients
    // Something to tell the user: from us, or from the pool (then made printable).
    void (*say)(void *context, const char *text);
    void *context;
};

enum client_state {
    CLIENT_IDLE, // no connection
    CLIENT_CONFIGURING,
    CLIENT_SUBSCRIBING,
    CLIENT_AUTHORIZING,
    CLIENT_MINING,
    CLIENT_FAILED, // the connection is to be closed: client_error
};

// A range of nonces to look at, and all that is needed to submit what is found there.
struct client_task {
    struct scan_work work;
    uint32_t first;
    uint64_t count;
    uint64_t epoch; // of the client: good while no clean job or new session came
    char job_id[JOB_ID_MAX + 1];
    uint8_t extranonce2[JOB_EXTRANONCE2_MAX];
    size_t extranonce2_size;
    uint32_t time;
    uint32_t bits;
    uint32_t version;
};

struct client;

// Borrows the config, which outlives it. `seed` is random: where its part of the extranonce begins.
struct client *client_new(const struct client_config *config, uint64_t seed);
void client_free(struct client *client);

// The connection is up: the first request is in the output.
void client_begin(struct client *client, int64_t now_us);
// The connection is gone: what was not answered never will be.
void client_end(struct client *client);
// False: close the connection.
bool client_receive(struct client *client, const void *data, size_t size, int64_t now_us);
// To be called every second or so. False: close the connection (the pool is silent, or takes
// nothing).
bool client_tick(struct client *client, int64_t now_us);
// What is to be sent; the caller consumes it.
struct buffer *client_output(struct client *client);

enum client_state client_state(const struct client *client);
// Why client_receive or client_tick said false.
const char *client_error(const struct client *client);
// The pool asked for the end (client.reconnect); it has not failed.
bool client_wants_reconnect(const struct client *client);
// Seconds that it asked us to wait before the next connection, else 0.
uint32_t client_pause_s(const struct client *client);
// Answers to submissions that are still to come.
size_t client_pending(const struct client *client);
// Logged in and with a job.
bool client_has_work(const struct client *client);
// Up to `count` nonces that nobody has looked at; false if there is no work.
bool client_take(struct client *client, uint64_t count, struct client_task *task);
// Submits a hit, unless its job is worth nothing any more.
void client_found(struct client *client, const struct client_task *task, const struct scan_hit *hit,
                  int64_t now_us);

#endif
