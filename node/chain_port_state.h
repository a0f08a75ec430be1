// The insides of the port, shared by its files: chain_port.c (the table, what is told),
// chain_port_add.c (what comes in), chain_port_block.c (whole blocks), chain_port_hold.c (links
// ahead of the clock) and chain_port_proof.c (chains of skeletons).
#ifndef SHOAL_NODE_CHAIN_PORT_STATE_H
#define SHOAL_NODE_CHAIN_PORT_STATE_H

#include "node/base/log.h"
#include "node/base/map.h"
#include "node/chain_port.h"
#include "node/pow/pow.h"

// A link whose time has not come.
struct held_link {
    struct held_link *next; // the one that came after it
    struct hash256 object;  // hash of the share's bytes
    struct hash256 pow;
    uint32_t source;
    uint32_t time; // its own, in seconds
    struct mono_time due;
    bool is_sync;
    size_t share_size;
    size_t body_size; // 0: without a body
    uint8_t bytes[];  // share, then body
};

// A valid share with a link's work, not told yet: it may become a link in this same step.
struct untold {
    struct untold *next;
    struct hash256 id;
    bool is_own;
    bool is_told; // as a link, meanwhile
    size_t size;
    uint8_t bytes[CHAIN_SHARE_MAX];
};

struct chain_port {
    const struct env *env;
    struct sharechain *chain;
    const struct pool *pool;
    struct chain_port_events events;
    struct pow_memory *pow_memory;
    struct held_link *held_first, **held_last;
    size_t held_count, held_bytes;
    struct untold *untold_first, **untold_last;
    struct map *untold;           // id -> struct untold
    bool wants_prune;             // the tip moved since pruning had nothing more to do
    struct chain_proof *proofs;   // all there are
    struct chain_proof *followed; // the one that was accepted last
    bool is_contradicted;         // a link of it was invalid while something is taken on trust
    bool has_failed;              // and it was given up
    unsigned failures;            // pruned starts that were given up
    bool has_daemon_tip;
    struct hash256 daemon_tip;
    bool has_easiest;       // the next is up to date
    struct u256 easiest_id; // no includable share has a larger one
    uint64_t ignored;
    uint64_t deep_forks_refused;
};

// chain_port_add.c
enum chain_verdict port_add_share(void *context, const struct chain_arrival *arrival,
                                  struct now now);
void port_add_body(void *context, uint32_t source, const uint8_t *bytes, size_t size);
enum chain_verdict port_add_headers(void *context, uint32_t source, const uint8_t *headers,
                                    size_t count);
// Gives a share whose time is right to the engine; pow may be NULL.
enum chain_verdict port_feed(struct chain_port *port, const struct chain_arrival *arrival,
                             const struct hash256 *pow);

// chain_port_block.c
bool port_is_block(void *context, const struct hash256 *share_id, const uint8_t *block,
                   size_t size);

// chain_port_hold.c
// Keeps a link until the clock is CHAIN_PORT_AHEAD_S before its time.
void hold_add(struct chain_port *port, const struct chain_arrival *arrival,
              const struct hash256 *pow, uint32_t time, struct now now);
void hold_forget_source(struct chain_port *port, uint32_t source);
void hold_clear(struct chain_port *port);

// chain_port_proof.c
struct chain_proof *port_proof_new(void *context, const struct hash256 *from);
enum chain_proof_result port_proof_step(struct chain_proof *proof, const uint8_t *skeleton,
                                        size_t size, struct chain_proof_state *state);
void port_proof_free(struct chain_proof *proof);
bool port_proof_accept(void *context, const struct chain_proof *proof, uint32_t *height,
                       struct now now);
// The share with this id and height is invalid here: does that contradict the proof that is
// followed, and may the reason be what was taken on trust?
bool proof_is_contradicted(const struct chain_port *port, const struct hash256 *id,
                           uint32_t height);
// Begins again if what was taken on trust was wrong.
void proof_check_trust(struct chain_port *port);
bool port_proof_link(const struct chain_proof *proof, uint32_t height, struct hash256 *id);

#endif
