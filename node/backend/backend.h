// The coin daemons. Keeps a fresh block template from the most preferred daemon that works, brings
// the coin's headers, takes found blocks to every daemon and says what became of them. Never serves
// stale work: when nobody has confirmed the tip for unsafe_after_ms it says so and the node closes
// its miners. Runs on the loop; made by the composition root.
#ifndef SHOAL_NODE_BACKEND_BACKEND_H
#define SHOAL_NODE_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/env.h"
#include "node/base/hash.h"
#include "node/bitcoin/block_template.h"
#include "node/bitcoin/chain_params.h"
#include "node/limits.h"
#include "node/net/loop.h"

struct backend;

struct backend_daemon_config {
    const char *url; // http://[user:password@]host[:port][/path]; the port is the chain's usual one
                     // if absent
    const char *user; // NULL or empty: from the url, else the cookie file, else none
    const char *password;
    const char *cookie_file; // read before the first call and again when the daemon answers 401
};

// Times of 0 mean the default.
struct backend_config {
    const struct chain_params *params;
    struct backend_daemon_config daemons[LIMIT_DAEMONS]; // most preferred first
    size_t daemons_count;
    uint32_t
        coinbase_weight; // reserve for our coinbase in weight units; 0 = 40 000, about 230 outputs
    uint32_t coinbase_sigops; // reserve in sigop cost (4 for a P2PKH output); 0 = 1 000
    int64_t poll_ms;    // getbestblockhash beside the long-poll; 5 s, without long-poll at most 1 s
    int64_t probe_ms;   // getblockchaininfo on every daemon; 10 s
    int64_t refresh_ms; // a template is never older; 30 s
    int64_t unsafe_after_ms; // without a confirmed tip; 60 s
    int64_t behind_after_ms; // another daemon knows a better tip for so long: fail over; 20 s
    int64_t return_after_ms; // a preferred daemon that failed is trusted again after so long; 5 min
    int64_t connect_timeout_ms;  // 3 s
    int64_t request_timeout_ms;  // small calls; 10 s
    int64_t template_timeout_ms; // getblocktemplate, submitblock; 30 s
    int64_t longpoll_timeout_ms; // 10 min
    int64_t backoff_min_ms;      // 1 s, doubling, with jitter
    int64_t backoff_max_ms;      // 30 s
    int64_t submit_for_ms;       // a block is offered to an unreachable daemon for so long; 10 min
    int64_t header_floor; // height of the pool's anchor header: no header below it is fetched
};

// What a daemon made of a block.
enum block_fate {
    BLOCK_ACCEPTED,     // null
    BLOCK_KNOWN,        // it had it already: from our other daemon, or an answer of ours was lost
    BLOCK_INCONCLUSIVE, // good, but not (yet) on its best chain
    BLOCK_STALE,        // built on a block that is not its tip
    BLOCK_REJECTED,     // invalid; the reason is the daemon's
    BLOCK_UNREACHABLE,  // given up after submit_for_ms
};
const char *block_fate_text(enum block_fate fate);

struct block_report {
    struct hash256 hash;
    size_t daemon; // index in the config
    enum block_fate fate;
    const char *reason; // the daemon's word or the transport's; empty if there is none
};

enum block_place { BLOCK_PLACE_IN_CHAIN, BLOCK_PLACE_ORPHANED, BLOCK_PLACE_MATURE };

enum headers_result {
    HEADERS_DONE,      // the tip that was asked for is delivered (or was there)
    HEADERS_NO_ANCHOR, // the daemon's chain does not hold a header we know at header_floor
    HEADERS_NO_TIP,    // the daemon does not know the tip that was asked for
};

// Facts, told from the loop; none comes from inside a call of the functions below. Arguments are
// borrowed.
struct backend_events {
    void *context;
    // A fresh template. is_new_block: prev differs from the last one, or there was no safe work
    // before. Hold it (block_template_hold) to keep it.
    void (*template_changed)(void *context, struct block_template *block_template,
                             bool is_new_block);
    // No daemon confirmed the tip for unsafe_after_ms: close the miners. Work is safe again with
    // the next template_changed.
    void (*work_unsafe)(void *context, const char *reason);
    // `count` headers of HEADER_SIZE bytes, ascending, each the child of the one before.
    void (*headers_arrived)(void *context, const uint8_t *headers, size_t count);
    // Asked while fetching: is this header known already?
    bool (*has_header)(void *context, const struct hash256 *id);
    // The end of a backend_fetch_headers; a daemon that fails meanwhile is not an end, fetching
    // goes on elsewhere.
    void (*headers_finished)(void *context, const struct hash256 *tip, enum headers_result result);
    // Once for each daemon and submitted block.
    void (*block_result)(void *context, const struct block_report *report);
    // A watched block entered or left the best chain, or is so deep that it is watched no more (100
    // confirmations).
    void (*block_moved)(void *context, const struct hash256 *hash, enum block_place place,
                        int64_t confirmations);
};

#define BACKEND_ERROR_SIZE 256
// NULL with a sentence in `error` if the config is wrong (a url, no daemon) or memory is out.
// Starts at once. The config's texts are copied; env, loop and params are borrowed.
struct backend *backend_new(struct net_loop *loop, const struct env *env,
                            const struct backend_config *config,
                            const struct backend_events *events, char error[BACKEND_ERROR_SIZE]);
void backend_free(struct backend *backend); // not from inside an event

// Takes a whole block to every daemon, at once and in parallel, and watches it.
void backend_submit_block(struct backend *backend, const struct hash256 *hash, const uint8_t *block,
                          size_t size);
// Watches a block that was submitted earlier (after a restart).
void backend_watch_block(struct backend *backend, const struct hash256 *hash);
// Delivers every header that has_header does not know, up to `tip`. One fetch at a time: a later
// call takes the place of an earlier one that has not ended.
void backend_fetch_headers(struct backend *backend, const struct hash256 *tip);
// Asks for a template now (a miner or an operator has reason to think that it is old).
void backend_refresh(struct backend *backend);
// Another reserve for the coinbase, from the next template on.
void backend_set_coinbase_reserve(struct backend *backend, uint32_t weight, uint32_t sigops);

enum daemon_state {
    DAEMON_CHECKING, // not answered yet
    DAEMON_READY,
    DAEMON_SYNCING, // answers, but gives no template while it catches up with its network
    DAEMON_WRONG_CHAIN,
    DAEMON_DOWN, // see error
};
const char *daemon_state_text(enum daemon_state state);

#define DAEMON_ERROR_SIZE 384
struct daemon_view {
    char url[256]; // without secrets
    enum daemon_state state;
    bool is_active; // its templates are in use
    bool has_longpoll;
    int64_t height;          // of its tip; -1 unknown
    struct hash256 tip;      // zero if unknown
    int64_t latency_ms;      // of the last small call; -1 unknown
    int64_t answered_ms_ago; // -1 never
    uint64_t failures_count;
    char error[DAEMON_ERROR_SIZE]; // what is wrong and what to do; empty if nothing
};

struct backend_view {
    struct daemon_view daemons[LIMIT_DAEMONS];
    size_t daemons_count;
    bool has_work;            // a template is in use and its tip is confirmed
    int64_t template_height;  // -1 without a template
    int64_t template_age_ms;  // since it was asked for
    int64_t confirmed_ms_ago; // since its tip was confirmed; -1 never
    size_t submissions_count; // block and daemon pairs without an answer yet
};
void backend_get_view(struct backend *backend, struct backend_view *view);

#endif
