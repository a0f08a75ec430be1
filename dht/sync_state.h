// The insides of sync.h, for sync*.c: peers and what they were asked for, the proof in progress,
// the proven chain that is fetched batch by batch, and what waiting objects lack. Peers keep their
// place while they are there, so that sets of them are bits, and every walk goes by place, height
// or id: the same events give the same actions.
#ifndef SHOAL_DHT_SYNC_STATE_H
#define SHOAL_DHT_SYNC_STATE_H

#include "dht/sync.h"

#define REQUESTS_PEER_MAX 8          // two batches, a proof, one of each kind of lack, and spare
#define BATCHES_MAX       64         // begun, not yet fed
#define LACKS_MAX         128        // of each kind
#define REFUSED_MAX       16         // tips that are not followed for a while
#define BATCH_BYTES_MAX   (9u << 20) // PEER_GET_IDS_MAX shares and SYNC_BATCH_LINKS bodies
#define FULL_MS           250        // a link that took no message is tried again after so long

// A set of places.
struct place_set {
    uint64_t words[(SYNC_PEERS_MAX + 63) / 64];
};

// ---- Requests

enum purpose {
    FOR_PROOF_LINKS,
    FOR_PROOF_HEADERS,
    FOR_BATCH_BODIES,
    FOR_BATCH_SHARES,
    FOR_LACKING_SHARES, // in the order of enum chain_lack
    FOR_LACKING_BODIES,
    FOR_LACKING_HEADERS,
    FOR_LOOSE_IDS,
    FOR_LOOSE_SHARES,
};

struct request {
    uint32_t number; // 0: none
    enum purpose purpose;
    uint64_t batch; // its serial number
    struct mono_time sent;
    struct mono_time deadline;
};

struct request_spec {
    enum purpose purpose;
    const struct hash256 *ids; // or the locator
    size_t ids_count;
    struct hash256 wanted; // of headers
    uint64_t batch;
    size_t bytes_expected;
};

struct sync_peer {
    uint32_t number; // 0: the place is free
    bool has_claim;
    bool is_judged; // a claim of its was reached, proven or disproved
    struct chain_tip claim;
    struct mono_time better_since; // its claim is better than our tip
    struct mono_time retry_at;     // its claims are not looked at before
    int64_t retry_ms;
    unsigned moves;                // its chain was another one while it was followed
    struct mono_time full_until;   // its link took no more
    struct mono_time heard;        // its last answer
    struct mono_time blamed;       // its last time-out that was a fault
    struct mono_time silent_until; // after it; others are asked first
    unsigned late;                 // requests given up, whose answers may still come
    uint32_t bytes_ms;             // measured rate; 0: not known
    bool has_told_loose;           // what it has that no link credits yet
    struct request requests[REQUESTS_PEER_MAX];
};

// ---- Proving

// Work at the last heights, to know what SYNC_BEHIND_LINKS links are worth.
struct work_ring {
    struct u256 works[SYNC_BEHIND_LINKS + 1];
};

struct proving {
    uint32_t peer;          // 0: nobody's chain is followed
    struct chain_tip claim; // when it began
    struct chain_proof *proof;
    struct chain_proof_state state;
    struct hash256 from;
    uint32_t links; // proven so far
    struct work_ring ring;
    uint32_t request; // that is waited for; 0: none could be sent
    unsigned answers;
    unsigned short_answers;
    unsigned header_rounds;
    bool lacks_header;
    bool has_best_headers;      // it has no more of its best chain
    struct hash256 best_header; // ours, when headers were asked for
    struct buffer rest;         // skeletons that wait for a header
    bool is_rest_short;         // the answer that they are of had fewer than were asked for
    struct mono_time started;
};

struct refused_tip {
    struct hash256 id;
    struct mono_time until;
};

// ---- Fetching

// Bytes that came: of a share, or of a link's body.
struct item {
    struct hash256 id;
    uint32_t offset; // in the batch's bytes
    uint32_t size;   // 0: it has not come
    uint32_t peer;   // who sent it
};

// A body that did not lead to a valid link. Whether it was false shows when the link is valid.
struct suspect {
    uint32_t peer;
    struct hash256 link;
    struct hash256 hash; // of the body
};

#define FAILURES_MAX 3 // then the chain is not followed

enum batch_stage { BATCH_WANTS_BODIES, BATCH_WANTS_SHARES, BATCH_IS_HERE };

// Links that follow each other, with their grains.
struct batch {
    uint64_t serial;
    enum batch_stage stage;
    uint32_t heights[SYNC_BATCH_LINKS];
    struct item bodies[SYNC_BATCH_LINKS]; // id: the link's
    size_t links_count;
    size_t links_now;   // the first ones, whose grains fit one request; the rest comes after
    struct item *items; // shares, by id
    size_t items_count;
    size_t missing_count;
    struct buffer bytes;
    unsigned requests; // in flight
    struct place_set asked;
    struct mono_time asked_at;
    struct place_set tried;  // did not have all, or were too late
    struct place_set failed; // sent what is invalid
    unsigned failures;
    struct suspect suspects[FAILURES_MAX];
    size_t suspects_count;
    unsigned rounds; // how often nobody was left to ask
    struct mono_time round_at;
    size_t link;  // to be fed next
    size_t grain; // of it
    bool is_fed;
    struct mono_time fed_at;
};

struct fetching {
    struct chain_proof *proof; // NULL: nothing is fetched
    struct chain_tip tip;
    struct u256 last_work; // of its last SYNC_BEHIND_LINKS links
    uint32_t peer;         // who proved it
    uint32_t next_height;  // that is in no batch yet
    uint32_t fetched_height;
    struct batch *batches[BATCHES_MAX]; // by height
    size_t count;
    uint32_t share_size; // averages of what came
    uint32_t body_size;
};

// ---- Lacks

struct lack {
    struct hash256 id;
    uint32_t source;
    uint32_t asked; // the peer; 0: nobody now
    bool is_listed; // by the share-chain, when it was asked last
    struct mono_time retry_at;
    int64_t retry_ms;
    unsigned attempts;
};

struct lack_list {
    struct lack lacks[LACKS_MAX]; // by id
    size_t count;
};

// ---- Loose grains

struct loose {
    uint32_t peer;       // whose turn it is; 0: nobody's
    uint32_t request;    // that it has not answered; 0: none
    struct hash256 *ids; // what it has and we do not
    size_t count;
    size_t next;  // the first that was not asked for, or is asked for now
    size_t asked; // so many from there
    struct mono_time next_at;
};

struct sync {
    const struct env *env;
    const struct network_chain *chain;
    struct sync_events events;
    struct sync_peer peers[SYNC_PEERS_MAX];
    size_t peers_count;
    struct chain_tip own;
    enum sync_phase phase;
    bool is_compared;
    bool was_done; // since there are peers
    struct mono_time compare_until;
    struct proving proving;
    struct refused_tip refused[REFUSED_MAX];
    size_t refused_next;
    struct fetching fetching;
    struct lack_list lacks[CHAIN_LACKS_COUNT];
    struct loose loose;
    struct mono_time done_since; // the phase is SYNC_DONE
    bool is_catching_up;         // what becomes valid now is known to others
    bool lacks_are_stale;
    struct mono_time lacks_refresh_at;
    struct mono_time deadline;
    uint32_t last_request;
    uint64_t last_batch;
    struct sync_stats stats;
    struct hash256 ids[PEER_GET_IDS_MAX]; // of the request that is written
};

static inline bool place_set_has(const struct place_set *set, size_t place)
{
    return (set->words[place / 64] >> (place % 64) & 1) != 0;
}

static inline void place_set_add(struct place_set *set, size_t place)
{
    set->words[place / 64] |= UINT64_C(1) << (place % 64);
}

static inline void place_set_remove(struct place_set *set, size_t place)
{
    set->words[place / 64] &= ~(UINT64_C(1) << (place % 64));
}

static inline struct mono_time mono_after(struct now now, int64_t ms)
{
    return (struct mono_time){now.mono.ms + ms};
}

// sync.c
struct sync_peer *sync_find_peer(struct sync *sync, uint32_t number);
size_t sync_place(const struct sync *sync, const struct sync_peer *peer);
void sync_blame(struct sync *sync, uint32_t peer, enum sync_fault fault, struct now now);

// sync_request.c: what peers were asked for.
// False if the peer's link takes nothing now.
bool sync_request_send(struct sync *sync, struct sync_peer *peer, const struct request_spec *spec,
                       struct now now);
size_t sync_request_count(const struct sync_peer *peer, enum purpose first, enum purpose last);
bool sync_request_can(const struct sync_peer *peer, struct now now);
// Whether it left a request without any answer lately.
bool sync_request_is_silent(const struct sync_peer *peer, struct now now);
// The request that an answer is for, taken off the peer's list; false if there is none.
bool sync_request_take(struct sync *sync, struct sync_peer *peer,
                       const struct peer_message *message, struct now now, struct request *taken);
// The next request of the peer that timed out, taken off its list.
bool sync_request_next_overdue(struct sync *sync, struct sync_peer *peer, struct now now,
                               struct request *taken);
struct mono_time sync_request_deadline(const struct sync *sync);

// sync_prove.c: following the skeletons of the best claim.
void sync_prove_step(struct sync *sync, struct now now);
void sync_prove_links(struct sync *sync, const struct peer_message *message, struct now now);
void sync_prove_headers(struct sync *sync, const struct peer_message *message, struct now now);
// No answer; the peer is there (has timed out) or not.
void sync_prove_give_up(struct sync *sync, struct now now);
void sync_prove_clear(struct sync *sync);
bool sync_prove_has_candidate(const struct sync *sync, struct now now);
void sync_prove_refuse_tip(struct sync *sync, const struct hash256 *id, struct mono_time until);
struct mono_time sync_prove_deadline(const struct sync *sync, struct now now);

// sync_batch.c: one batch, plain data.
struct batch *sync_batch_new(uint64_t serial);
void sync_batch_free(struct batch *batch);
size_t sync_batch_memory(const struct batch *batch);
// The ids of what is missing, at most PEER_GET_IDS_MAX.
size_t sync_batch_missing(const struct batch *batch, struct hash256 *ids);
// False if the message holds what was not asked for or is no body. *added counts what was new.
bool sync_batch_add_bodies(struct batch *batch, const struct peer_message *message, uint32_t peer,
                           size_t *added);
bool sync_batch_add_shares(struct batch *batch, const struct peer_message *message, uint32_t peer,
                           size_t *added);
// All bodies are here: lists the shares that are not. False if out of memory.
bool sync_batch_list_shares(struct batch *batch, const struct network_chain *chain);
struct item *sync_batch_find(const struct batch *batch, const struct hash256 *id);
// Remembers the body of a link.
void sync_batch_suspect(struct batch *batch, size_t link);
// Whether the body that a suspect sent is another one than the link's, which is valid now.
bool sync_batch_is_guilty(const struct batch *batch, const struct suspect *suspect);
// The first link whose body names a share that is missing; false if none does.
bool sync_batch_find_missing(const struct batch *batch, size_t *link);
// The ids of a body; false if it is none.
bool sync_body_read(const uint8_t *bytes, size_t size, const uint8_t **ids, size_t *count);
// Forgets what came; links that became valid leave.
void sync_batch_reset(struct batch *batch, const struct network_chain *chain);

// sync_fetch.c: which batches there are, and who is asked for them.
void sync_fetch_begin(struct sync *sync, struct now now);
void sync_fetch_step(struct sync *sync, struct now now);
void sync_fetch_answer(struct sync *sync, struct sync_peer *peer, const struct request *request,
                       const struct peer_message *message, struct now now);
void sync_fetch_overdue(struct sync *sync, const struct sync_peer *peer,
                        const struct request *request);
void sync_fetch_forget_peer(struct sync *sync, const struct sync_peer *peer);
void sync_fetch_clear(struct sync *sync);
// A peer sent what is invalid: all of the batch comes again, from others.
void sync_fetch_batch_failed(struct sync *sync, struct batch *batch, uint32_t peer, struct now now);
// The same where it only seems that the body of a link is not the true one.
void sync_fetch_suspect_body(struct sync *sync, struct batch *batch, size_t link, struct now now);
// The first batch has done its part.
void sync_fetch_batch_done(struct sync *sync, struct now now);
bool sync_fetch_is_behind(const struct sync *sync);
struct mono_time sync_fetch_deadline(const struct sync *sync, struct now now);

// sync_feed.c: gives the first batch to the share-chain, a little at a time.
void sync_feed_step(struct sync *sync, struct now now);
// The chain is in the middle of a batch: much of what it lacks is about to come.
bool sync_feed_is_busy(const struct sync *sync);

// sync_lack.c
void sync_lack_step(struct sync *sync, struct now now);
void sync_lack_answer(struct sync *sync, const struct sync_peer *peer,
                      const struct request *request, const struct peer_message *message,
                      struct now now);
// Whom nobody answers for: its time is over, or it left.
void sync_lack_give_up(struct sync *sync, uint32_t peer, enum chain_lack kind, struct now now);
// Whether the share-chain lacked it when it was asked last.
bool sync_lack_has(const struct sync *sync, enum chain_lack kind, const struct hash256 *id);
// Asks the share-chain what it lacks, now or at a next step.
void sync_lack_update(struct sync *sync, struct now now);
void sync_lack_refresh(struct sync *sync);
struct mono_time sync_lack_deadline(const struct sync *sync, struct now now);
// Of a FOR_LACKING_ request.
enum chain_lack sync_lack_kind(enum purpose purpose);

// sync_loose.c: grains that were told while we were not there.
void sync_loose_begin(struct sync *sync, struct now now); // we are there again
void sync_loose_step(struct sync *sync, struct now now);
void sync_loose_answer(struct sync *sync, const struct request *request,
                       const struct peer_message *message, struct now now);
// It left, or left a request without an answer.
void sync_loose_give_up(struct sync *sync, uint32_t peer);
struct mono_time sync_loose_deadline(const struct sync *sync, struct now now);

#endif
