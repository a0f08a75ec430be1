// The share-chain engine: takes headers, shares and bodies in any order, says what the rules make
// of them, follows the heaviest chain of links, and says what a new share must look like (protocol
// sections 2-8). The composition root and, later, gossip call it; it knows no peers, files or
// clocks. Objects that point to something missing wait, bounded in bytes by source. Everything
// valid is put into the store, from which sharechain_load rebuilds all.
#ifndef SHOAL_SHARECHAIN_SHARECHAIN_H
#define SHOAL_SHARECHAIN_SHARECHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/env.h"
#include "node/base/hash.h"
#include "node/base/time.h"
#include "node/base/u256.h"
#include "node/bitcoin/coinbase.h"
#include "sharechain/header_chain.h"
#include "sharechain/payout.h"
#include "sharechain/pool.h"
#include "sharechain/share.h"
#include "sharechain/skeleton.h"
#include "sharechain/store.h"
#include "sharechain/verdict.h"

struct sharechain;

// Ourselves and our disk: never evicted, never charged. Other sources are numbered by the caller.
#define SHARECHAIN_OWN 0

// Facts, told from inside the sharechain_add_ functions after the state has settled; handlers must
// not add.
struct sharechain_events {
    void *context;
    // A share became valid (a grain at least). The bytes are those of the share, borrowed for the
    // call.
    void (*share_became_valid)(void *context, const struct hash256 *id, const uint8_t *bytes,
                               size_t size);
    void (*link_became_valid)(void *context, const struct hash256 *id);
    // The best link is another one. `depth` is how many links of the old chain were left (0: it
    // grew).
    void (*tip_changed)(void *context, const struct hash256 *id, uint32_t depth);
};

// pool, store and env are borrowed and outlive the engine; store may be NULL (nothing is kept).
// NULL if out of memory.
struct sharechain *sharechain_new(const struct env *env, const struct pool *pool,
                                  struct store *store, const struct sharechain_events *events);
void sharechain_free(struct sharechain *chain);
// Reads everything back from the store; to be called once, first. False with a sentence if the
// store belongs to another pool or cannot be read.
bool sharechain_load(struct sharechain *chain, char *error, size_t error_capacity);

enum verdict sharechain_add_header(struct sharechain *chain, const uint8_t bytes[HEADER_SIZE]);

// One share as it arrived. pow is its proof-of-work hash if the caller computed it, else NULL; body
// may be NULL. With a mint, and then with pow, the caller answers for the share being of it: it has
// just built the coinbase with mint_outputs and mint_share_info and found the header's merkle root
// from it. Once a share of a mint was checked whole, that root is not computed again for its
// grains; all that a miner rolls is checked as always.
struct share_arrival {
    const uint8_t *bytes;
    size_t size;
    const struct hash256 *pow;
    struct mint *mint; // NULL: of others, or from the disk
    const uint8_t *body;
    size_t body_size;
    uint32_t source;
};
enum verdict sharechain_add_share(struct sharechain *chain, const struct share_arrival *arrival);
// A body by itself; it serves every share whose body_root it hashes to.
void sharechain_add_body(struct sharechain *chain, const uint8_t *bytes, size_t size,
                         uint32_t source);
// Forgets what waits on behalf of a source that has gone.
void sharechain_forget_source(struct sharechain *chain, uint32_t number);

// The verdict on these very bytes as a share (never on an id: others can alter a copy).
enum verdict sharechain_share_verdict(const struct sharechain *chain, const uint8_t *bytes,
                                      size_t size);
// The verdict on an id as a link. *misses_link (may be NULL): it is a valid share whose work misses
// the link target.
enum verdict sharechain_link_verdict(const struct sharechain *chain, const struct hash256 *id,
                                     bool *misses_link);
// Whether a share with this id is here and valid.
bool sharechain_has_share(const struct sharechain *chain, const struct hash256 *id);
// Appends the bytes of a valid share, or of a valid link's body; false if not here.
bool sharechain_share_bytes(const struct sharechain *chain, const struct hash256 *id,
                            struct buffer *out);
bool sharechain_body_bytes(const struct sharechain *chain, const struct hash256 *id,
                           struct buffer *out);

// Where the share came from that the event under way tells of; SHARECHAIN_OWN outside of events.
uint32_t sharechain_told_source(const struct sharechain *chain);

const struct pool *sharechain_pool(const struct sharechain *chain);
struct header_chain *sharechain_headers(const struct sharechain *chain);

// ---- Reading the chain

struct link_view {
    struct hash256 id;
    struct hash256 anchor;
    uint32_t height;
    uint32_t time;
    uint32_t link_bits;
    struct u256 work;       // cumulative
    struct u256 weight;     // of the link's own share
    struct u256 credits;    // sum of what it gives
    struct u256 credits_to; // of all links up to it; only differences mean something
    bool is_detached;
    struct hash256 tip;
    int64_t tip_height;
    struct script payout_script; // empty for link 0
    uint32_t grains_count;       // included
};

void sharechain_tip(const struct sharechain *chain, struct link_view *view);
// False if it is no valid link. pool_id names link 0.
bool sharechain_link(const struct sharechain *chain, const struct hash256 *id,
                     struct link_view *view);
// The link of the best chain at a height 0..tip height.
bool sharechain_link_at(const struct sharechain *chain, uint32_t height, struct link_view *view);
// Every valid link but link 0, parents first.
void sharechain_each_link(const struct sharechain *chain,
                          void (*visit)(void *context, const struct link_view *view),
                          void *context);
// The credits a link gives, script by script, zeros left out (protocol section 7).
void sharechain_link_credits(const struct sharechain *chain, const struct hash256 *id,
                             void (*visit)(void *context, const struct script *script,
                                           const struct u256 *weight),
                             void *context);

struct share_view {
    struct hash256 id;
    struct hash256 anchor;
    uint32_t link_height;
    struct u256 weight;
    bool is_detached;
    bool is_link;
    uint32_t credited_height; // of the link of the best chain that credits it, its own if it is
                              // one; 0 if none does
    struct script payout_script;
};
typedef void share_visitor(void *context, const struct share_view *view);
// False if no valid share with this id is here.
bool sharechain_share(const struct sharechain *chain, const struct hash256 *id,
                      struct share_view *view);
// Every valid share that the best chain has not credited and that can still be included, in no
// order.
void sharechain_each_loose(const struct sharechain *chain,
                           void (*visit)(void *context, const struct share_view *view),
                           void *context);

// A share as a link gives credit for it, with what is public about its finder.
struct credited_share {
    struct hash256 id;
    struct hash256 pow;
    struct script payout_script;
    uint8_t node_tag[SHARE_NODE_TAG_SIZE];
    uint32_t link_height;
    struct u256 weight;
    struct u256 fee; // of the weight, what goes to the script of the including link
    bool is_link;    // the including link itself
    bool is_credited;
    bool is_block; // its hash meets the bits of its header
};
typedef void sharechain_credited_visitor(void *context, const struct credited_share *share);
// The link's own share first (not credited if it is detached), then its grains as in the body.
// False if it is no valid link, or if one of them is not here: a link of which only its work is
// known (height <= sharechain_whole_from), or no store. Some may have been visited then.
bool sharechain_link_shares(const struct sharechain *chain, const struct hash256 *id,
                            sharechain_credited_visitor *visit, void *context);
// Credits of the links of the best chain above this height are known; 0 if all are.
uint32_t sharechain_whole_from(const struct sharechain *chain);

struct window_view {
    struct hash256 epoch; // E: its head
    uint32_t epoch_height;
    uint32_t links_count;
    struct u256 sum;
};
// The window of a link taken as E.
bool sharechain_window(const struct sharechain *chain, const struct hash256 *id,
                       struct window_view *view);
// The weights of that window, script by script, zeros left out. Costs what the window differs from
// the one that was looked at or minted on last.
bool sharechain_window_weights(struct sharechain *chain, const struct hash256 *id,
                               void (*visit)(void *context, const struct script *script,
                                             const struct u256 *weight),
                               void *context);
// The window that a share with this id is paid by: its E. False if no such share is here.
bool sharechain_share_window(const struct sharechain *chain, const struct hash256 *id,
                             struct window_view *view);
// The payout list of a share that is here; outputs has room for COINBASE_OUTPUTS_MAX. False if it
// is not.
bool sharechain_share_outputs(struct sharechain *chain, const struct hash256 *id,
                              struct coinbase_output *outputs, size_t *outputs_count);

// ---- Looking through the chain (browse.c)

struct share_browse {
    const struct script *script; // NULL: of everybody
    uint64_t from;               // the place to begin with; 0: the newest
    size_t count_max;
};
// Visits shares, the newest first: loose ones, then what the best chain credits, each link before
// what it includes. Returns the place of the first that did not fit, 0 if there is none. A place
// is below 2^49; when the chain grows, a loose share moves to another one.
uint64_t sharechain_browse(const struct sharechain *chain, const struct share_browse *wanted,
                           share_visitor *visit, void *context);

// Visits the shares that a valid link includes, as far as they are here. False if its body is not.
bool sharechain_each_included(const struct sharechain *chain, const struct hash256 *link,
                              share_visitor *visit, void *context);

// What a script has: in the window of a link, by links of the best chain after it, and loose.
struct script_weights {
    struct u256 window, credited_after, loose;
    size_t loose_count;
};
// False if the script has nothing here, or `epoch` is no link: all zeros then. pool_id is link 0.
bool sharechain_script_weights(struct sharechain *chain, const struct script *script,
                               const struct hash256 *epoch, struct script_weights *weights);

// A share with its proof-of-work hash, as it stands in the store. False if it is not there.
bool sharechain_share_stored(const struct sharechain *chain, const struct hash256 *id,
                             struct share *share, struct hash256 *pow);
// Its node_tag alone: one read of the store.
bool sharechain_share_tag(const struct sharechain *chain, const struct hash256 *id,
                          uint8_t tag[SHARE_NODE_TAG_SIZE]);

// A block of the coin that is a share of the pool, whichever node found it.
struct pool_block {
    struct hash256 id;
    int64_t height;
    uint32_t time, bits;
    struct script payout_script; // of the miner who found it
    uint32_t link_height;
    struct u256 credits_before; // credits_to of its anchor
    bool is_link;
};
// False if the share is not here, or its header is not good.
bool sharechain_block(const struct sharechain *chain, const struct hash256 *id,
                      struct pool_block *block);

struct sharechain_counts {
    size_t headers, shares, links, scripts;
    size_t loose;   // valid shares that the best chain has not credited, still includable
    size_t waiting; // unknown objects
    size_t waiting_bytes;
    uint64_t sequence; // of the last put into the store: on disk when store_durable reaches it
};
void sharechain_counts(const struct sharechain *chain, struct sharechain_counts *counts);

// ---- Serving others (p2p.md, Gossip and sync)

// Ids, the newest first.
struct locator {
    const struct hash256 *ids;
    size_t count;
};

// Ids of the best chain of links, or of headers: ten in a row from the newest, then ever further
// apart, the last one link 0's or the anchor header's. At most ids_max (at least 2) of them.
size_t sharechain_link_locator(const struct sharechain *chain, struct hash256 *ids, size_t ids_max);
size_t sharechain_header_locator(const struct sharechain *chain, struct hash256 *ids,
                                 size_t ids_max);
// Appends up to count_max headers, oldest first, of the branch that ends in `wanted` (NULL: of the
// best chain) after the first id of the locator that is on it (none: after the anchor header);
// their count, 0 if `wanted` is not here. What does not fit into out is left out.
size_t sharechain_headers_after(const struct sharechain *chain, const struct hash256 *wanted,
                                const struct locator *locator, size_t count_max,
                                struct buffer *out);
// The height of the first id of the locator that is on the best chain of links; *id is that id. 0
// and the pool id if none is.
uint32_t sharechain_common_height(const struct sharechain *chain, const struct locator *locator,
                                  struct hash256 *id);
// The height of the last link that a valid link's branch and the best chain have in common; 0 if it
// is no valid link.
uint32_t sharechain_fork_height(const struct sharechain *chain, const struct hash256 *id);
// Appends up to count_max skeletons of the best chain from this height on, each as u16 size ||
// bytes; their count. What does not fit into out is left out.
size_t sharechain_skeletons_from(struct sharechain *chain, uint32_t height, size_t count_max,
                                 struct buffer *out);
// Appends the skeleton of a valid link; false if it is not here.
bool sharechain_skeleton(struct sharechain *chain, const struct hash256 *id, struct buffer *out);
// Stands a walk on a valid link, or link 0; false if it is neither.
bool sharechain_walk_from(const struct sharechain *chain, const struct hash256 *id,
                          struct skeleton_walk *walk);
// Whether the best chain credits this share, or has it as a link, in its last links_max links.
bool sharechain_is_credited(const struct sharechain *chain, const struct hash256 *id,
                            uint32_t links_max);
// The easiest link target of the last `horizon` links of the best chain.
void sharechain_easiest_target(const struct sharechain *chain, struct u256 *target);

// ---- Pruning and pruned starts (protocol section 9)

// Where a store is there, the oldest links that section 9 lets go become skeletons, at most
// links_max of them at once; how many did. Not from inside an event.
size_t sharechain_prune(struct sharechain *chain, size_t links_max);
// The oldest link that is here, 0 if all are: links below it and what was anchored on them are not
// kept, nor taken again, but for their skeletons.
uint32_t sharechain_root_height(const struct sharechain *chain);
// Whether this is a link of the best chain below the root.
bool sharechain_is_old_link(const struct sharechain *chain, const struct hash256 *id);

// Skeletons of a chain that is being proven go into the store under a number of their own (0: there
// is no store); the end says whether they stay.
struct bytes_view {
    const uint8_t *data;
    size_t size;
};
uint32_t sharechain_proof_begin(struct sharechain *chain);
void sharechain_proof_put(struct sharechain *chain, uint32_t serial, uint32_t height,
                          const struct bytes_view *skeleton);
bool sharechain_proof_get(const struct sharechain *chain, uint32_t serial, uint32_t height,
                          struct buffer *out);
void sharechain_proof_end(struct sharechain *chain, uint32_t serial, bool is_followed);

// Where a proven chain is to begin here.
struct sharechain_start {
    uint32_t height;               // of the root
    struct u256 work;              // up to it, its own included
    uint32_t anchor_time;          // of the link below it
    const struct header_node *tip; // tip(root)
    uint32_t trusted_to;           // coinbases up to here are taken on trust while they have to
    uint32_t serial;               // of the proof's skeletons
    uint32_t above;                // the height they begin above
    struct hash256 here;           // the link of ours at that height, or the pool id
};
// Gives up what is here and begins at the root; false if nothing changed, or out of memory.
bool sharechain_adopt(struct sharechain *chain, const struct sharechain_start *start);
// Begins again at link 0: what was taken on trust was wrong.
void sharechain_abandon(struct sharechain *chain);
// The proven chain is here: from now on, what cannot be checked stays unknown.
void sharechain_trust_end(struct sharechain *chain);
// Links that do not match what was taken on trust came, and none that does.
bool sharechain_is_doubted(const struct sharechain *chain);
uint32_t sharechain_trusted_to(const struct sharechain *chain);
// What a window holds at least whose E has this tip, unless window_blocks ends it before.
struct u256 sharechain_window_wanted(const struct sharechain *chain, const struct header_node *tip);
// How many links after a new root are not asked for their grains.
uint32_t sharechain_lenient_links(const struct sharechain *chain);

// ---- What waiting objects lack

enum sharechain_lack {
    LACK_SHARE,  // a share by this id
    LACK_BODY,   // the body of the valid share with this id
    LACK_HEADER, // a header by this id
};
struct lack_view {
    struct hash256 id;
    uint32_t source; // of one that waits for it
};
// Up to lacks_max missing objects of a kind; their count. Where there are more, each call begins
// where the last one ended.
size_t sharechain_lacking(struct sharechain *chain, enum sharechain_lack kind,
                          struct lack_view *lacks, size_t lacks_max);

// ---- Minting: what new shares look like

struct mint_spec {
    struct hash256 prev;     // the daemon's tip, a good header of ours
    uint64_t coinbase_value; // of the template
    bool has_witness;
    struct hash256 witness_commitment;
    const uint8_t *aux; // COINBASE_AUX_SIZE bytes, or NULL
    struct wall_time now;
    uint8_t node_tag[SHARE_NODE_TAG_SIZE];
};

enum mint_result {
    MINT_OK,
    MINT_PREV_UNKNOWN, // prev is no good header here: fetch headers first
    MINT_CLOCK_BEHIND, // the pool's genesis_time is more than 60 s ahead of the clock
    MINT_VALUE_BAD,    // coinbase_value below the subsidy or above 2^53
    MINT_OUT_OF_MEMORY,
};
const char *mint_result_text(enum mint_result result);

// Everything the shares of one template have in common. Immutable but for is_proven, shared by
// reference count.
struct mint {
    struct share_info info; // without grain_shift and payout_script
    struct u256 link_target;
    struct u256 grain_target; // with shift 0
    uint8_t grain_shift_max;
    int64_t height; // of the block
    uint64_t coinbase_value;
    uint32_t
        header_time_min; // what ntime may be: time rules and, on testnet4, the bits they call for
    uint32_t header_time_max;
    uint32_t header_bits;
    struct hash256 prev;
    bool has_witness;
    struct hash256 witness_commitment;
    bool is_solo;     // every miner's own script takes everything: empty window, or detached
    bool is_detached; // its weight will not be credited (section 5)
    bool is_proven;   // a share given with this mint (share_arrival) had the right coinbase
    struct payout_plan *plan; // NULL with is_detached
    uint8_t *body;
    size_t body_size;
    uint32_t grains_count;
    uint32_t references;
};

// Works on the heaviest link whose tip has no more work than prev (protocol section 9), with every
// includable grain.
enum mint_result sharechain_mint(struct sharechain *chain, const struct mint_spec *spec,
                                 struct mint **result);
struct mint *mint_hold(struct mint *mint);
void mint_release(struct mint *mint);
// The outputs of a share of this mint; outputs has room for COINBASE_OUTPUTS_MAX. own_script only
// matters if is_solo.
size_t mint_outputs(const struct mint *mint, const struct script *own_script,
                    struct coinbase_output *outputs);
// The share_info of a miner's shares. shift <= grain_shift_max.
void mint_share_info(const struct mint *mint, const struct script *payout_script,
                     uint8_t grain_shift, struct share_info *info);
// The grain target for a shift.
void mint_grain_target(const struct mint *mint, uint8_t grain_shift, struct u256 *target);

#endif
