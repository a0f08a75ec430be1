// A backend with up to three fake daemons on one loop, and a record of everything it told. Times
// are short: tenths of a second for what are minutes in the field.
#ifndef SHOAL_TESTS_UNIT_NODE_BACKEND_HARNESS_H
#define SHOAL_TESTS_UNIT_NODE_BACKEND_HARNESS_H

#include "node/backend/backend.h"
#include "node/base/map.h"
#include "tests/support/fake_daemon.h"

#define WORLD_DAEMONS     3
#define WORLD_REPORTS_MAX 64
#define WORLD_UNSAFE_MS   300

struct moved_block {
    struct hash256 hash;
    enum block_place place;
    int64_t confirmations;
};

struct world {
    struct net_loop *loop;
    struct env env;
    struct log *log;
    struct buffer log_text;
    struct fake_daemon *daemons[WORLD_DAEMONS];
    uint16_t ports[WORLD_DAEMONS];
    size_t daemons_count;
    struct backend_config config; // changed by a test between world_init and world_start
    char urls[WORLD_DAEMONS][96];
    struct backend *backend;
    struct net_timer *check;
    bool (*condition)(struct world *world);
    struct mono_time give_up_at;
    bool was_met;

    size_t templates_count;
    size_t new_blocks_count;
    int64_t template_height; // of the last one; -1 while work is unsafe
    struct hash256 template_prev;
    struct mono_time template_at;
    size_t unsafe_count;
    struct mono_time unsafe_at;
    char unsafe_reason[512];

    struct map *headers; // known ones
    struct hash256 headers_last;
    size_t headers_count; // delivered
    size_t headers_calls; // of headers_arrived
    bool headers_broke_order;
    size_t headers_finished_count;
    enum headers_result headers_result;

    struct block_report reports[WORLD_REPORTS_MAX];
    char reasons[WORLD_REPORTS_MAX][128];
    size_t reports_count;
    struct moved_block moved[WORLD_REPORTS_MAX];
    size_t moved_count;
};

// Fake daemons with the same chain of 10 blocks; the backend is not started yet.
void world_init(struct world *world, size_t daemons_count);
// Shorter time-outs and a watchdog of WORLD_UNSAFE_MS, for tests that wait for them. The others
// have room for a busy machine.
void world_hurry(struct world *world);
void world_start(struct world *world);
void world_clear(struct world *world);
// Kills a daemon, or starts it again on its port (with a new chain of the given branch and length).
void world_kill(struct world *world, size_t i);
void world_revive(struct world *world, size_t i, size_t blocks, uint32_t branch);

// Runs the loop until the condition holds; fails the test if it does not within some seconds.
void world_run_until(struct world *world, bool (*condition)(struct world *world));
void world_run_for(struct world *world, int64_t ms);

size_t world_active(struct world *world); // SIZE_MAX if none
struct daemon_view world_daemon_view(struct world *world, size_t i);
size_t world_log_count(const struct world *world, const char *part); // lines that contain it
void world_know_header(struct world *world, const struct hash256 *id);
// Conditions.
bool has_work(struct world *world);
bool is_unsafe(struct world *world);
bool is_first_active(struct world *world);
bool is_second_active(struct world *world);

#endif
