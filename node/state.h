// The insides of the composition root, shared by its files (node.h names them) and by nobody else.
#ifndef SHOAL_NODE_STATE_H
#define SHOAL_NODE_STATE_H

#include "node/backend/backend.h"
#include "node/base/map.h"
#include "node/net/tcp.h"
#include "node/net/worker.h"
#include "node/miner_book.h"
#include "node/node.h"
#include "node/payout_book.h"
#include "sharechain/sharechain.h"
#include "stratum/stratum.h"

// What the jobs of one template have in common; owned by the Stratum engine through references of
// its jobs.
struct work {
    struct mint *mint;
    struct block_template *block_template;
    struct buffer prefix; // of the coinbase; a placeholder if mint->is_solo
};

// A block that a miner of this node found, and its fate; kept in STORE_BLOCKS.
struct found_block {
    uint64_t number; // 1, 2, ...
    struct hash256 id;
    int64_t height;
    int64_t found_at; // s since 1970
    uint64_t coinbase_value;
    struct script payout_script; // of the miner who found it
    char user[128];
    bool is_link;
    bool has_fate; // a daemon has answered
    enum block_fate fate;
    enum block_place place;
    int64_t confirmations;
    char reason[128];
    uint64_t found_ns; // of net_clock_ns; 0: in an earlier life
    bool is_kept;      // its bytes are in the store, to be offered again after a restart
};

struct miner_socket {
    struct node *node;
    struct net_connection *connection;
    uint64_t session; // 0 once the engine is done with it
};

struct hash_request {
    uint64_t token;
    uint8_t header[HEADER_SIZE];
};

struct hasher;
struct meter;
struct standings;
struct swarm;
struct web_server;
struct web_events;

struct node {
    const struct config *config;
    const struct pool *pool;
    struct net_loop *loop;
    struct log *log;
    struct env env;
    struct store *store;
    struct net_wake *store_wake;
    enum store_health store_health;
    struct sharechain *sharechain;
    struct standings *standings;
    struct swarm *swarm; // NULL in tests that need no other nodes
    struct backend *backend;
    struct stratum *stratum;
    struct hasher *hasher;
    struct net_timer *stratum_timer; // the engine's next deadline
    struct net_timer *work_timer;    // a job is not older than 30 s
    struct net_timer *stop_timer;
    struct net_listener *listeners[CONFIG_LIST_MAX];
    size_t listeners_count;
    struct map *sockets;                   // session id -> struct miner_socket
    struct block_template *block_template; // the newest, NULL before
    struct hash256 work_prev; // what the newest work builds on; zero while there is none
    struct mono_time
        work_stale_since; // since when work_prev is not the template's; MONO_NEVER: it is
    bool wants_work;      // to be made at the end of this turn
    bool is_paused_for_store;
    bool is_fetching_headers;
    bool is_stopping;
    enum mint_result mint_said; // the last failure that was logged, and when it may be again
    struct mono_time mint_say_again_at;
    const char *refusal_said;             // why no work may be made, as logged; NULL while it may
    struct mono_time anchor_say_again_at; // when a wrong chain of the daemon may be logged again
    uint8_t node_tag[SHARE_NODE_TAG_SIZE];
    const char *device_overrides[CONFIG_LIST_MAX]; // views into config, for the engine's life
    struct found_block *blocks;                    // newest last
    size_t blocks_count, blocks_capacity;
    struct wall_time started_at;
    uint64_t shares_found, links_found;
    uint64_t share_found_ns; // when the last one was, of net_clock_ns
    struct meter *meter;     // NULL in tests that count nothing
    uint64_t jobs_made;      // while a proof of work is wanted
    struct mint *mint;       // the newest, NULL before
    struct miner_book *miner_book;
    struct payout_book *payout_book;
    struct control *control;
    struct access *access;           // accounts and the audit log; NULL in tests that need none
    bool is_drained;                 // by the operator: no miners are taken
    struct config *config_to_change; // `config`, for a reload; NULL in tests
    int argc;                        // of the start, for a reload
    const char *const *argv;
    struct web_server *web_server; // NULL without http-listen
    struct web_access *web_access; // the same
    struct web_events *web_events; // NULL without
};

// node.c: what a reload may change of the Stratum engine, from the configuration.
struct stratum_limits node_stratum_limits(const struct node *node);

// work.c
void work_template_changed(void *context, struct block_template *block_template, bool is_new_block);
void work_unsafe(void *context, const char *reason);
void work_headers_arrived(void *context, const uint8_t *headers, size_t count);
bool work_has_header(void *context, const struct hash256 *id);
void work_headers_finished(void *context, const struct hash256 *tip, enum headers_result result);
// Makes new work from the newest template and the best link; says why not if it cannot.
void work_make(struct node *node);
// Stops serving: miners fail over until the next work_make that succeeds.
void work_stop(struct node *node, const char *reason);
// What the shares of a job commit to.
void work_share_info(const struct work *work, const struct script *payout,
                     const struct stratum_commitment *commitment, struct share_info *info);
bool work_job_commitment(void *context, const struct stratum_job_request *request,
                         struct stratum_commitment *commitment, struct buffer *own_prefix);
void work_released(void *context, void *owner);

// found.c
uint64_t found_share(void *context, const struct stratum_share *found);

// miners.c
bool miners_listen(struct node *node, char error[NODE_ERROR_SIZE]);
void miners_close(struct node *node);
void miners_deadline(struct node *node);
// The book of this node's miners, as stored; NULL if out of memory.
struct miner_book *miners_open_book(struct node *node);
void miners_fill_events(struct node *node, struct stratum_events *events);

// hasher.c
struct hasher *hasher_new(struct node *node);
void hasher_add(struct hasher *hasher, uint64_t token, const uint8_t header[HEADER_SIZE]);
void hasher_free(struct hasher *hasher);

// blocks.c
bool blocks_load(struct node *node);
struct found_block *blocks_add(struct node *node, const struct found_block *block);
// Keeps the whole block until a daemon has judged it: with the daemon away and this node killed, it
// would be lost.
void blocks_keep(struct node *node, struct found_block *block, const void *bytes, size_t size);
// To be called once the daemons can be asked: watches the blocks of earlier lives, and takes those
// that nobody has judged to the daemons again.
void blocks_resume(struct node *node);
struct found_block *blocks_find(struct node *node, const struct hash256 *id);
void blocks_result(void *context, const struct block_report *report);
void blocks_moved(void *context, const struct hash256 *hash, enum block_place place,
                  int64_t confirmations);

#endif
