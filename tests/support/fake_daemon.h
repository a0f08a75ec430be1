// A coin daemon for tests, on the test's own loop: a chain of headers that the test extends and
// reorganises, the RPC that a pool needs, and every kind of misbehaviour on demand. Proof of work
// is not checked; two daemons that mine the same branches have the same chain.
#ifndef SHOAL_TESTS_SUPPORT_FAKE_DAEMON_H
#define SHOAL_TESTS_SUPPORT_FAKE_DAEMON_H

#include "node/base/hash.h"
#include "node/bitcoin/header.h"
#include "tests/support/fake_daemon_http.h"

enum fake_batch {
    BATCH_TAKEN,
    BATCH_REFUSED, // an error object instead of an array
    BATCH_HTTP_400,
    BATCH_RESETS, // as lcoin: an error, and the connection's next request is met with a reset
    BATCH_SHORT,  // the last reply is missing
};

struct fake_daemon_settings {
    enum fake_fault fault;
    const char *fault_method; // only this one; NULL = all
    const char *chain;        // "regtest" unless told
    int64_t error_code;       // 0 = none
    const char *error_method; // gets this error instead of an answer
    const char *error_message;
    bool has_no_longpoll;
    bool longpoll_never_waits;
    enum fake_batch batch;
    bool says_syncing;
    bool tells_no_chainwork;
    bool template_is_stuck;    // templates keep to the tip of the moment when this was set
    const char *authorization; // the header's value that is let in; NULL = all
    const char *submit_result; // JSON; NULL = "null"
    bool submit_extends;       // an accepted block becomes the tip
};

#define FAKE_METHODS 6

struct fake_daemon;

struct fake_daemon *fake_daemon_new(struct net_loop *loop, uint16_t port);
void fake_daemon_free(struct fake_daemon *daemon); // as if it was killed
struct fake_daemon_settings *fake_daemon_settings(struct fake_daemon *daemon);
uint16_t fake_daemon_port(const struct fake_daemon *daemon);

// Adds blocks; `branch` makes them differ from others at the same height. Wakes long-polls.
void fake_daemon_mine(struct fake_daemon *daemon, size_t count, uint32_t branch);
// Takes the last `depth` blocks from the best chain, then adds `count` of another branch.
void fake_daemon_reorganise(struct fake_daemon *daemon, size_t depth, size_t count,
                            uint32_t branch);
int64_t fake_daemon_height(const struct fake_daemon *daemon);
struct hash256 fake_daemon_id(const struct fake_daemon *daemon, int64_t height);
struct hash256 fake_daemon_tip(const struct fake_daemon *daemon);
const uint8_t *fake_daemon_header(const struct fake_daemon *daemon, int64_t height);

// Calls seen so far, in batches too.
size_t fake_daemon_calls(const struct fake_daemon *daemon, const char *method);
size_t fake_daemon_requests(const struct fake_daemon *daemon);  // HTTP
size_t fake_daemon_longpolls(const struct fake_daemon *daemon); // waiting now
// The block of the last submitblock as hex, empty if there was none.
const char *fake_daemon_submitted(const struct fake_daemon *daemon);

#endif
