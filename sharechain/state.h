// The insides of the share-chain engine, shared by its files and by nobody else. One idea a file:
// sharechain.c (adding and asking), waiting.c (who waits for what), share_check.c (section 5),
// link_check.c (section 7), links.c (the tree of links: ancestors, epochs, windows' limits),
// window.c (weights of the current window), loose.c (grains to include), mint.c, persist.c,
// views.c, browse.c, serve.c (what others ask for), old.c (skeletons of links that are not here any
// more), root.c, prune.c (what makes them so), adopt.c (a chain that begins behind a proof),
// views.c, credited.c, serve.c (what others ask for), old.c (skeletons of links that are not here
// any more), root.c, prune.c (what makes them so), adopt.c (a chain that begins behind a proof),
// lacks.c (what to ask others for).
#ifndef SHOAL_SHARECHAIN_STATE_H
#define SHOAL_SHARECHAIN_STATE_H

#include "node/base/log.h"
#include "node/base/map.h"
#include "node/pow/pow.h"
#include "node/pow/target.h"
#include "sharechain/sharechain.h"

struct credit {
    uint32_t script; // index into scripts
    struct u256 weight;
};

// A valid link, or link 0.
struct link {
    struct entry *entry;    // NULL for link 0
    struct link *parent;    // its anchor; NULL for link 0
    struct link *skip;      // an ancestor, for logarithmic walks
    struct entry *anchored; // the shares that are anchored here
    struct link *dead_next; // while it is taken out (prune.c)
    bool is_dead;
    int64_t skip_tip_min; // lowest tip height from here down to, and without, skip
    const struct header_node *tip;
    struct u256 work;       // cumulative
    struct u256 credits_to; // credits of link 1 up to this one
    struct credit *credits;
    uint32_t credits_count;
    uint32_t grains_count;
    uint32_t height;
    uint32_t time;
    uint32_t bits;
    uint32_t child_bits; // section 4, of a share anchored here
    struct u256 child_target;
};

struct inclusion {
    struct inclusion *next;
    struct link *link;
};

// A valid share.
struct entry {
    struct hash256 id;
    struct hash256 object;       // hash of its bytes, once has_object
    struct link *anchor;         // of the root's entry: chain->below
    struct entry *anchored_next; // others with this anchor
    const struct header_node *prev;
    struct link *link;            // set once it is valid as a link
    struct inclusion *inclusions; // the links that credited it
    struct candidate *candidate;  // set while it waits to become a link
    uint64_t record;              // its number in the store; 0 if it is not there
    uint32_t script;
    uint8_t grain_shift;
    bool has_object;
    bool is_detached;
    bool misses_link;     // its work does not reach the link target
    bool is_invalid_link; // its body breaks a rule
    uint32_t loose_index; // place in the list of loose grains; LOOSE_NONE if it is in none
};
#define LOOSE_NONE UINT32_MAX

// ---- Waiting

enum wait_kind { WAIT_LINK, WAIT_SHARE, WAIT_HEADER, WAIT_BODY, WAIT_KINDS_COUNT };
enum waiter_kind { WAITER_COPY, WAITER_CANDIDATE };

// Somebody who cannot be judged yet.
struct waiter {
    enum waiter_kind kind;
    struct wait *waits;
    struct waiter *queue_next; // in the list of those to judge again
    bool is_queued;
};

struct wait {
    struct wait *list_next, **list_back;     // others who wait for the same
    struct wait *waiter_next, **waiter_back; // what else its waiter waits for
    struct wait_list *list;
    struct waiter *waiter;
};

struct wait_list {
    struct hash256 key;
    enum wait_kind kind;
    struct wait *first;
};

// Bytes held for somebody: unknown copies and unused bodies.
struct holding {
    struct source *source;
    struct holding *older, *newer;
    size_t bytes;
    bool is_body;
};

struct source {
    uint32_t number;
    size_t bytes;
    struct holding *oldest, *newest;
    struct source *next;
};

// A copy of a share: these very bytes.
struct copy {
    struct hash256 object; // hash of the bytes, if has_object
    struct hash256 id;
    struct hash256 pow;
    struct share share;
    struct mint *mint; // as in share_arrival
    bool has_object;   // all but those with a mint
    uint32_t source;
    size_t size;
    const uint8_t *bytes;
};

// One that points to something missing.
struct waiting_copy {
    struct waiter waiter; // first
    struct holding holding;
    struct copy copy; // with the bytes below; of no mint
    uint8_t bytes[];
};

struct body_entry {
    struct holding holding;
    struct hash256 root;
    bool is_used; // by a link: then it is in the list of recent bodies, not in a source's holdings
    bool is_bad;  // its bytes are no body: whoever commits to it is no link. The bytes are not kept
    struct body_entry *recent_next, *recent_previous;
    size_t size;
    uint8_t bytes[];
};

// A valid share with a link's work whose body or grains are missing.
struct candidate {
    struct waiter waiter; // first
    struct entry *entry;
    struct hash256 body_root;
    uint32_t time;   // of the share: the link's
    uint32_t source; // of the share
};

// A bounded memory of hashes: the newest push out the oldest.
struct memory {
    struct map *map;
    struct hash256 *ring;
    size_t capacity, count, next;
};

// ---- Caches

struct plan_slot {
    const struct link *epoch;
    const struct header_node *prev;
    struct payout_plan *plan;
};
#define PLAN_SLOTS 32

// A coinbase prefix, hashed: valid for shares with the same plan, value, commitment, aux (and
// script, if solo).
struct prefix_slot {
    struct hash256 key;
    struct sha256 state;
};
#define PREFIX_SLOTS 64

// Weights per script of the links first..head of one branch.
struct window {
    struct link *head;
    uint32_t low;         // height of the oldest link in it; head->height + 1 if it is empty
    struct u256 *weights; // by script index
    size_t capacity;
};

// Skeletons of heights above `above`, up to the next segment's, stand in the store under this
// number: every chain that was followed from a proof has its own (old.c).
struct old_segment {
    uint32_t above;
    uint32_t serial;
};
#define OLD_SEGMENTS_MAX 64

#define DOUBTS_MAX 5

struct sharechain {
    const struct env *env;
    const struct pool *pool;
    struct store *store;
    struct sharechain_events events;
    struct pow_memory *pow_memory;
    struct header_chain *headers;
    bool is_loading;
    uint64_t sequence;
    uint64_t last_record; // number of the newest share in the store
    uint32_t told_source; // of the share that an event tells of

    struct map *entries;       // share id -> struct entry
    struct memory refused;     // hashes of copies that were invalid
    struct memory bad_ids;     // ids of which an unaltered copy was invalid
    struct memory waiting_ids; // of copies that had to wait lately: a hint for lacks.c
    size_t lack_cursors[WAIT_KINDS_COUNT];
    struct link genesis;
    // The oldest link that is here: link 0, or what pruning or a pruned start left (prune.c,
    // adopt.c). What is older is in the store only, as skeletons.
    struct link *root;
    struct link below;   // in the place of the root's anchor, where that is not here
    uint32_t whole_from; // credits of the links above this height are known
    uint32_t lenient_to; // links up to this height are not asked for their grains, nor judged
    uint32_t trusted_to; // coinbases up to this height that cannot be rebuilt are taken on trust
    bool takes_on_trust; // while the proven chain is fetched, and no longer
    struct map *early;   // grain id -> the link up to lenient_to that credits it
    struct old_segment old_segments[OLD_SEGMENTS_MAX];
    size_t old_segments_count;
    uint32_t old_serial_last;
    struct hash256 doubted[DOUBTS_MAX]; // links whose coinbase does not match what is trusted
    size_t doubts_count;
    struct link **links; // all valid ones but link 0, in the order they became valid
    size_t links_count, links_capacity;
    struct link *best;
    struct link **best_chain; // by height
    size_t best_capacity;

    struct script *scripts;
    uint32_t *script_uses; // by entries and credits; at 0 the place is free
    size_t scripts_count, scripts_capacity;
    uint32_t *free_scripts; // places
    size_t free_scripts_count;
    struct map *script_indices; // SHA-256 of a script -> index + 1

    struct map *waits[WAIT_KINDS_COUNT]; // key -> struct wait_list
    struct map *copies;                  // object hash -> struct waiting_copy
    struct map *bodies;                  // body root -> struct body_entry
    struct body_entry *recent_newest, *recent_oldest;
    size_t recent_count;
    struct source *sources;
    size_t held_bytes;
    struct waiter *queue_first, **queue_last;

    struct entry **loose;
    size_t loose_count, loose_capacity;

    struct window window;
    struct plan_slot plans[PLAN_SLOTS];
    size_t plan_next;
    struct prefix_slot prefixes[PREFIX_SLOTS];
    size_t prefix_next;
    struct coinbase_output outputs[COINBASE_OUTPUTS_MAX]; // scratch
    struct buffer scratch;
};

// sharechain.c
bool best_chain_fit(struct sharechain *chain, uint32_t height);
// Judges what is queued, until nothing is.
void sharechain_settle(struct sharechain *chain);
// Frees all entries.
void entries_clear(struct sharechain *chain);

// waiting.c
bool memory_init(struct memory *memory, const struct env *env, size_t capacity);
void memory_clear(struct memory *memory);
bool memory_has(const struct memory *memory, const struct hash256 *hash);
void memory_add(struct memory *memory, const struct hash256 *hash);
void waiting_add(struct sharechain *chain, struct waiter *waiter, enum wait_kind kind,
                 const struct hash256 *key);
void waiting_cancel(struct sharechain *chain, struct waiter *waiter);
// What was waited for is decided: waiters with nothing else to wait for, or all of them if it is
// bad, are queued.
void waiting_wake(struct sharechain *chain, enum wait_kind kind, const struct hash256 *key,
                  bool is_bad);
void waiting_queue(struct sharechain *chain, struct waiter *waiter);
struct waiter *waiting_next(struct sharechain *chain);
void holding_add(struct sharechain *chain, struct holding *holding, uint32_t source, size_t bytes);
void holding_remove(struct sharechain *chain, struct holding *holding);
// Drops the oldest holdings of the most expensive sources until the limits hold.
void holding_enforce(struct sharechain *chain);
// NULL if out of memory.
struct waiting_copy *waiting_copy_new(struct sharechain *chain, const struct copy *copy);
void waiting_copy_free(struct sharechain *chain, struct waiting_copy *waiting);
struct body_entry *body_entry_add(struct sharechain *chain, const uint8_t *bytes, size_t size,
                                  uint32_t source);
void body_entry_mark_used(struct sharechain *chain, struct body_entry *body);
void body_entry_free(struct sharechain *chain, struct body_entry *body);

// links.c
struct link *link_ancestor(struct link *link, uint32_t height);
bool link_is_ancestor(const struct link *ancestor, struct link *link); // or the same
struct link *link_common_ancestor(struct link *a, struct link *b);
// The last link among `link` and its ancestors with height(tip) <= height; link 0 if there is none.
struct link *link_last_with_tip_at_most(struct link *link, int64_t height);
// E of a share anchored here with a prev at this height (section 8).
struct link *link_epoch(struct link *anchor, int64_t prev_height);
// Height of the oldest link of the window of E; E's height + 1 if it is empty (E is link 0). If the
// window reaches below what is here, that of the oldest that is.
uint32_t link_window_low(const struct sharechain *chain, struct link *epoch);
// Whether all of the window of E is here, with its credits.
bool link_window_is_whole(const struct sharechain *chain, struct link *epoch);
// Work that a window whose E has this tip holds at least, where window_blocks does not limit it.
struct u256 window_wanted(const struct sharechain *chain, const struct header_node *tip);
void link_window_sum(struct link *epoch, uint32_t low, struct u256 *sum);
void link_set_child_target(const struct sharechain *chain, struct link *link);
bool link_is_better(const struct link *a, const struct link *b);
const struct hash256 *link_id(const struct sharechain *chain, const struct link *link);
// Joins a link to the tree: work, credits_to, skip, tip minima.
void link_join(const struct sharechain *chain, struct link *link, struct link *parent);
// Sets skip and its minimum; the ancestors' are set.
void link_set_skip(const struct sharechain *chain, struct link *link);

// window.c
void window_clear(struct window *window);
bool window_move(struct sharechain *chain, struct link *epoch);
// The plan for shares on prev with epoch E, borrowed from the cache; NULL if out of memory.
struct payout_plan *window_plan(struct sharechain *chain, struct link *epoch,
                                const struct header_node *prev);
// Its place in the list of scripts. Every entry and credit that names it holds it.
uint32_t script_index(struct sharechain *chain, const struct script *script);
// False if nobody has it.
bool script_find(const struct sharechain *chain, const struct script *script, uint32_t *index);
void script_hold(struct sharechain *chain, uint32_t index);
void script_release(struct sharechain *chain, uint32_t index);

// share_check.c
// *made is the entry of a share that became valid by this; NULL if its id was here before.
enum verdict share_check(struct sharechain *chain, const struct copy *copy, struct entry **made);
// Notes what an unknown copy waits for.
void share_wait(struct sharechain *chain, struct waiting_copy *waiting);
void entry_weight(const struct sharechain *chain, const struct entry *entry, struct u256 *weight);
struct link *find_link(struct sharechain *chain, const struct hash256 *id);
enum verdict link_verdict(const struct sharechain *chain, const struct hash256 *id);
enum verdict share_id_verdict(const struct sharechain *chain, const struct hash256 *id);
bool is_detached(const struct link *anchor, const struct header_node *prev);

// link_check.c
bool inclusion_add(struct entry *grain, struct link *link);
bool links_append(struct sharechain *chain, struct link *link);
void candidate_judge(struct sharechain *chain, struct candidate *candidate);
bool entry_is_credited(const struct entry *entry, struct link *link);

// loose.c
void loose_add(struct sharechain *chain, struct entry *entry);
void loose_remove(struct sharechain *chain, struct entry *entry);
void loose_move(struct sharechain *chain, struct link *from, struct link *to);
// The ids that a link anchored here should include, ascending; *count of them. NULL if there are
// none or no memory.
struct hash256 *loose_choose(struct sharechain *chain, struct link *anchor, size_t *count);

// persist.c
void persist_header(struct sharechain *chain, const struct header_node *node);
void persist_share(struct sharechain *chain, const struct copy *copy, struct entry *entry);
void persist_body(struct sharechain *chain, const struct entry *entry, const uint8_t *bytes,
                  size_t size);

void persist_skeleton(struct sharechain *chain, uint64_t record, const uint8_t *bytes, size_t size);
// Appends the skeleton with this number; false if there is none.
bool stored_skeleton(const struct sharechain *chain, uint64_t record, struct buffer *out);

// Appends proof-of-work hash and share; false if it is not there. entry may be NULL.
bool stored_share(const struct sharechain *chain, const struct entry *entry, struct buffer *out);

// views.c
void share_view_fill(const struct sharechain *chain, const struct entry *entry,
                     struct share_view *view);
#define STORED_SHARE_SIZE_MAX (32 + SHARE_SIZE_MAX)
// Appends pow hash || share of an entry; false if it is not in the store.
bool stored_share(const struct sharechain *chain, const struct entry *entry, struct buffer *out);

// credited.c
// What of a grain's weight goes to the link that includes it.
struct u256 inclusion_fee(const struct pool *pool, const struct u256 *weight);

// serve.c
// Puts the skeleton of a new link into the store.
void skeleton_keep(struct sharechain *chain, const struct link *link);

// Removes what belongs to an entry: share, and of a link body and skeleton.
void persist_drop(struct sharechain *chain, const struct entry *entry);

// old.c
struct old_link {
    struct hash256 id;
    const uint8_t *skeleton; // borrowed
    size_t size;
};
void old_put(struct sharechain *chain, uint32_t height, const struct old_link *link);
// The number under which the skeleton of this height stands.
uint32_t old_serial(const struct sharechain *chain, uint32_t height);
bool old_skeleton(const struct sharechain *chain, uint32_t height, struct buffer *out);
// That of a link which is here, from the proof that it came with.
bool old_skeleton_of(const struct sharechain *chain, const struct link *link, struct buffer *out);
bool old_id(const struct sharechain *chain, uint32_t height, struct hash256 *id);
// The height of a link below the root, on the best chain; false if it is none.
bool old_height(const struct sharechain *chain, const struct hash256 *id, uint32_t *height);
// Forgets proofs that an end of the program interrupted.
void old_sweep(struct sharechain *chain);
// Removes all old links.
void old_clear(struct sharechain *chain);

// root.c
// Writes down where the chain begins now.
void root_save(struct sharechain *chain);
// Makes the root that was written down; false if it was, and cannot be made.
bool root_load(struct sharechain *chain);
struct root_spec {
    uint32_t height;
    struct u256 work;
    uint32_t anchor_time;
    const struct header_node *tip;
    struct skeleton skeleton;
};
// Makes a root of what is left of a link, on an empty chain; false if memory or a header is
// missing.
bool root_make(struct sharechain *chain, const struct root_spec *spec);
void root_set_below(struct sharechain *chain, uint32_t anchor_time);

// prune.c
// How many links after the root are not asked for their grains, when they are read anew.
uint32_t lenient_links(const struct sharechain *chain);
// Makes link `height` of the best chain the root; false if a skeleton is missing.
bool root_move(struct sharechain *chain, uint32_t height);
// Drops copies that wait for what will not be taken any more.
void copies_forget(struct sharechain *chain);
// Forgets plans, prefixes and a window that name links which are gone.
void caches_forget(struct sharechain *chain);

// mint.c
struct link *mint_anchor(struct sharechain *chain, const struct header_node *prev, int64_t clock);

#endif
