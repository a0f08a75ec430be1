// Sync (p2p.md, protocol section 9): catching up. Headers, then skeletons by locator from one peer
// with the tips of others compared, then shares, bodies and grains of the proven chain from all
// peers in parallel; then the grains that no link credits yet; and, at any time, what waiting
// objects lack. Only work that skeletons prove counts. An engine over messages; the owner decodes
// and sends, as for gossip.
#ifndef SHOAL_DHT_SYNC_H
#define SHOAL_DHT_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/chain.h"
#include "dht/link.h"
#include "dht/peer_message.h"
#include "dht/shared_bytes.h"
#include "node/base/env.h"
#include "node/base/time.h"

#define SYNC_PEERS_MAX         96
#define SYNC_TIPS_COMPARED     3    // before a chain is fetched, if so many peers are there
#define SYNC_COMPARE_MS        3000 // or after so long, with the tips that came
#define SYNC_BEHIND_LINKS      20   // synced: no proven tip has more work than ours plus these
#define SYNC_BATCH_LINKS       32
#define SYNC_BATCHES_PEER_MAX  2           // in flight to one peer
#define SYNC_AHEAD_BYTES_MAX   (32u << 20) // downloaded, waiting for earlier batches
#define SYNC_TIMEOUT_MS        10000       // of a request, at least; more for a slow link
#define SYNC_LACK_RETRY_MS     1000        // doubling up to:
#define SYNC_LACK_RETRY_MAX_MS 600000

struct sync;

enum sync_fault {
    SYNC_FAULT_BAD_PROOF,   // skeletons that do not follow, or less work than was claimed
    SYNC_FAULT_BAD_HEADERS, // headers that break the coin's rules
    SYNC_FAULT_BAD_ANSWER,  // what was not asked for, or an invalid share
    SYNC_FAULT_NO_ANSWER,   // a time-out
};

enum sync_phase {
    SYNC_ALONE,     // no peer
    SYNC_COMPARING, // tips are coming in
    SYNC_PROVING,   // headers and skeletons of a better chain
    SYNC_FETCHING,  // shares, bodies and grains of a proven chain
    SYNC_DONE,      // synced: no proven tip is better
};
const char *sync_phase_text(enum sync_phase phase);

// Called from inside the functions below; handlers only take note or queue bytes.
struct sync_events {
    void *context;
    // False if the peer's link is full or gone: nothing was sent.
    bool (*send)(void *context, uint32_t peer, enum link_lane lane, enum peer_message_type type,
                 struct shared_bytes *bytes);
    void (*fault)(void *context, uint32_t peer, enum sync_fault fault, struct now now);
    void (*phase_changed)(void *context, enum sync_phase phase, struct now now);
};

struct sync_config {
    const struct network_chain *chain; // borrowed, outlives the engine
    struct sync_events events;
};

// env is borrowed. NULL if out of memory.
struct sync *sync_new(const struct env *env, const struct sync_config *config);
void sync_free(struct sync *sync);

// A link is open; its number is never 0 and never used twice. False if SYNC_PEERS_MAX are there.
bool sync_peer_opened(struct sync *sync, uint32_t number, struct now now);
void sync_peer_closed(struct sync *sync, uint32_t number, struct now now);
// HELLO (again whenever the peer's tip moved), LINKS, HEADERS, BODIES, SHARES, LOOSE.
void sync_receive(struct sync *sync, uint32_t number, const struct peer_message *message,
                  struct now now);
// Our own tip changed, or something began to wait: looks for what to do at the next tick.
void sync_poke(struct sync *sync, struct now now);
void sync_tick(struct sync *sync, struct now now);
struct mono_time sync_next_deadline(const struct sync *sync);

enum sync_phase sync_phase(const struct sync *sync);
// Whether what becomes valid just now was fetched by a node that has only just come, so that the
// others have it: it is not told.
bool sync_is_catching_up(const struct sync *sync);
// While sync feeds a proven chain of many links, gossip stays quiet.
bool sync_is_far_behind(const struct sync *sync);

struct sync_stats {
    enum sync_phase phase;
    uint32_t target_height; // of the chain that is proven or fetched; 0: none
    uint32_t proven_height;
    uint32_t fetched_height;
    uint64_t links_fetched;
    uint64_t shares_fetched;
    uint64_t bytes_fetched;
    uint64_t requests;
    uint64_t time_outs;
    size_t lacking; // objects that are asked for on behalf of those that wait
    size_t memory;
};
void sync_stats(const struct sync *sync, struct sync_stats *stats);

#endif
