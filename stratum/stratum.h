// Stratum V1 for miners, as an engine without I/O: bytes in, bytes out, time passed in. It knows
// sessions, jobs, difficulty and shares; it does not know the share-chain: what a job commits to,
// and what a share is worth, are asked and told through events. Refuses to feed a device work that
// its firmware would spoil. The dialect is that of real miners; the coinbase is laid out as
// protocol section 3 has it.
//
// Every function may be called from inside an event (a share that becomes a link may set new work
// at once), except stratum_free. Pointers given to events and visitors are borrowed for the call.
#ifndef SHOAL_STRATUM_STRATUM_H
#define SHOAL_STRATUM_STRATUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/env.h"
#include "node/base/hash.h"
#include "node/base/team.h"
#include "node/base/time.h"
#include "node/base/u256.h"
#include "node/bitcoin/chain_params.h"
#include "node/bitcoin/coinbase.h"
#include "node/bitcoin/header.h"
#include "node/bitcoin/merkle.h"
#include "node/bitcoin/script.h"

struct stratum;

// What one submit came to, in the order in which the reasons are looked for. The number that the
// miner sees is in the comment. stratum_verdict_text gives the label of a metric
// ("low_difficulty").
enum stratum_verdict {
    STRATUM_ACCEPTED,
    STRATUM_NOT_SUBSCRIBED,  // 25
    STRATUM_MALFORMED,       // 20: too few parameters, no hex, a wrong length
    STRATUM_JOB_UNKNOWN,     // 21
    STRATUM_STALE,           // 21: the job is of an earlier block
    STRATUM_TIME_INVALID,    // 20: ntime outside min_time .. now + 7200 s
    STRATUM_VERSION_INVALID, // 20: version bits outside the negotiated mask
    STRATUM_DUPLICATE,       // 22
    STRATUM_BUSY,            // 20: too many shares at once, try again
    STRATUM_LOW_DIFFICULTY,  // 23
    STRATUM_UNAUTHORIZED,    // 24
    STRATUM_VERDICTS_COUNT
};
const char *stratum_verdict_text(enum stratum_verdict verdict);

enum stratum_refusal {
    STRATUM_CONNECTED,
    STRATUM_REFUSED_PAUSED,  // there is no work to serve: the miner shall fail over
    STRATUM_REFUSED_FULL,    // sessions_max
    STRATUM_REFUSED_ADDRESS, // sessions_per_address_max
    STRATUM_REFUSED_RATE,    // connections come too fast
    STRATUM_REFUSED_BANNED,
    STRATUM_REFUSED_MEMORY,
    STRATUM_REFUSALS_COUNT
};
const char *stratum_refusal_text(enum stratum_refusal refusal);

enum stratum_close {
    STRATUM_CLOSE_DISCONNECTED, // the miner went by itself
    STRATUM_CLOSE_PAUSED,
    STRATUM_CLOSE_DRAINED,
    STRATUM_CLOSE_NO_FIRST_LINE,  // 10 s
    STRATUM_CLOSE_NOT_AUTHORIZED, // 15 s, or the back-off after a refused user name is over
    STRATUM_CLOSE_DEVICE_REFUSED, // its firmware does not take this pool's coinbase
    STRATUM_CLOSE_IDLE,
    STRATUM_CLOSE_SLOW_READER,
    STRATUM_CLOSE_LINE_TOO_LONG,
    STRATUM_CLOSE_JUNK,
    STRATUM_CLOSE_NOT_STRATUM, // TLS or HTTP
    STRATUM_CLOSE_FLOOD,
    STRATUM_CLOSE_INVALID_SHARES, // none but invalid shares for 180 s
    STRATUM_CLOSE_NO_JOB,         // the owner had no commitment for this miner
    STRATUM_CLOSE_MEMORY,
    STRATUM_CLOSE_RESUMED,  // the miner goes on over a new connection
    STRATUM_CLOSE_OPERATOR, // stratum_disconnect
    STRATUM_CLOSES_COUNT
};
const char *stratum_close_text(enum stratum_close reason);

// Whence a miner comes. IPv4-mapped IPv6 addresses count as IPv4.
struct stratum_peer {
    uint8_t family;    // 4 or 6
    uint8_t bytes[16]; // 4 or 16 of them, network order
    char text[64];     // for people, with the port: "192.0.2.1:40312"
};

// Addresses that are never banned, only dropped; loopback always belongs to them.
struct stratum_network {
    uint8_t family;
    uint8_t bytes[16];
    uint8_t prefix_bits;
};

// One template for all miners. Everything is copied, prefix included. `owner` comes back in
// job_commitment and share_found; work_released is the last word about it.
struct stratum_work {
    struct hash256 prev;
    int64_t height; // of the block; the coinbase's locktime is height - 1
    uint32_t version;
    uint32_t bits;
    uint32_t time; // the header time to begin with; it grows with the clock on refreshed jobs
    uint32_t min_time;
    struct merkle_branch branch;
    struct u256 network_target;
    bool is_clean;         // a new block: everything before it is stale
    const uint8_t *prefix; // the coinbase up to and including "SHL1", never 0 bytes
    size_t prefix_size;
    void *owner;
};

// For whom a job is made.
struct stratum_job_request {
    void *owner; // of the work
    uint64_t session;
    const struct script *payout;
    const struct team *team; // that it mines for
    double hashrate;         // hashes a second, as well as it is known; never 0
};

// What a job commits to: the answer to job_commitment, and again part of every share of that job.
struct stratum_commitment {
    struct hash256 share_info_hash;
    struct u256 grain_target; // the job's own target is never harder than this
    struct u256 link_target;
    uint8_t grain_shift;
    uint32_t time_max; // latest header time (share_info.time + 7200)
    uint64_t tag;      // the owner's own: whatever finds the share_info again
};

// A hash that meets the grain target, or the network's.
struct stratum_share {
    uint64_t session; // 0 if it is gone already (slow algorithms)
    const char *user; // name under which it was submitted; "" if the session is gone
    void *owner;      // of the work
    const struct script *payout;
    const struct stratum_commitment *commitment;
    bool has_own_prefix; // the coinbase has the prefix of this miner, not the work's
    const uint8_t *prefix;
    size_t prefix_size;
    uint8_t header[HEADER_SIZE];
    uint8_t extranonce[COINBASE_EXTRANONCE_SIZE];
    struct hash256 hash; // the proof of work
    bool is_block;
    bool is_link;
    bool is_grain;
    // STRATUM_ACCEPTED, or what is otherwise wrong with a block that is worth a try nevertheless
    // (only blocks are told in spite of a verdict).
    enum stratum_verdict verdict;
};

// A submit that was judged, for statistics and metrics.
struct stratum_judgement {
    uint64_t session;
    const char *worker;          // the part behind the address; "" if none
    const struct script *payout; // NULL if nobody is authorized, or the session is gone
    enum stratum_verdict verdict;
    double difficulty;      // of the job, 0 if there is none
    double hash_difficulty; // what the hash came to; 0 if nothing was hashed
    bool is_grain;
    bool is_block;
};

// A device that was turned away, or let in by the operator's word, because of its coinbase ceiling.
struct stratum_refused_device {
    struct wall_time time;
    char address[64];
    char user[128];        // "" if it did not say
    char user_agent[96];   // characters outside printable ASCII are '?'
    const char *kind;      // "Antminer (stock)"
    uint32_t coinbase_max; // bytes its firmware takes; 0 if found out by its spoiled shares
    char reason[256];      // the sentence that the device was shown
};

struct stratum_session_view;

// All are called with the context first; none may be NULL.
struct stratum_events {
    void *context;
    // Sends bytes to the miner; returns how many bytes (of this and earlier calls) the transport
    // still queues.
    size_t (*send)(void *context, uint64_t session, const void *bytes, size_t size);
    // The engine is done with the session and forgets the id. The transport sends what is queued,
    // for at most a second, and closes. stratum_disconnected need not follow.
    void (*close)(void *context, uint64_t session, enum stratum_close reason);
    // Fills the commitment of a job. What it writes to own_prefix, if anything, replaces the work's
    // prefix for this miner (a pool without a window pays the miner's own script; at most
    // STRATUM_OWN_PREFIX_MAX bytes). False if there can be no job for this miner now: it is
    // disconnected.
    bool (*job_commitment)(void *context, const struct stratum_job_request *request,
                           struct stratum_commitment *commitment, struct buffer *own_prefix);
    // Called before the miner is answered, for a block before anything else. Returns the sequence
    // number under which the share becomes durable, never smaller than the one before; 0 if the
    // answer need not wait.
    uint64_t (*share_found)(void *context, const struct stratum_share *share);
    void (*share_judged)(void *context, const struct stratum_judgement *judgement);
    // A submit came; what is returned, the owner's own, is given back when its answer is in what
    // `send` gets next. A session that closes before takes its answers along.
    uint64_t (*submit_arrived)(void *context);
    void (*submit_answered)(void *context, uint64_t mark);
    // Slow algorithms only: hash the header and call stratum_hashed with the token.
    void (*hash_wanted)(void *context, uint64_t token, const uint8_t header[HEADER_SIZE]);
    // No job refers to the work any more and it is not the current one.
    void (*work_released)(void *context, void *owner);
    void (*session_authorized)(void *context, const struct stratum_session_view *session);
    void (*session_closed)(void *context, const struct stratum_session_view *session,
                           enum stratum_close reason);
    void (*device_refused)(void *context, const struct stratum_refused_device *device);
    // The last known hashes a second of a worker ("address.worker"), 0 if unknown.
    double (*worker_rate_find)(void *context, const char *user);
    // A better knowledge of it: about every ten minutes and when a session ends.
    void (*worker_rate_changed)(void *context, const char *user, double hashrate);
};

#define STRATUM_OWN_PREFIX_MAX 512

// Zero in none of these means "no limit" unless it says so. Arrays and texts are borrowed for the
// engine's life.
struct stratum_config {
    const struct chain_params *chain;
    const char *pool_name;    // in messages to miners
    size_t coinbase_size_max; // bytes, of the largest coinbase this pool's jobs may have (all K
                              // outputs)
    uint32_t version_mask;    // offered for version rolling: 1fffe000, or 1fffffe0 (BIP 323)
    uint32_t sessions_max;
    uint32_t sessions_per_address_max; // an IPv4 address or an IPv6 /64; not for trusted networks
    double connections_per_second;     // token bucket over all connections
    uint32_t connections_burst;
    double lines_per_second; // token bucket of a session; 0 for none
    uint32_t lines_burst;
    double difficulty_start; // where neither worker, device nor miner says better
    double difficulty_min;
    double difficulty_fixed;      // 0 for vardiff
    double shares_per_minute;     // wanted of a session
    double shares_per_second_max; // of the whole node
    int64_t first_line_ms;
    int64_t authorize_ms;
    int64_t idle_ms; // without any line
    int64_t refresh_ms;
    int64_t blocked_ms;     // a reader may be slow this long
    int64_t answer_hold_ms; // a share's answer waits at most this long for durability
    int64_t resume_ms;      // a lost session may be taken up again this long
    int64_t ban_ms;
    uint32_t hashes_pending_max; // slow algorithms, all sessions together
    const struct stratum_network *networks_trusted;
    size_t networks_trusted_count;
    // Beginnings of user agents that are served whatever their coinbase ceiling; "*" for all.
    const char *const *devices_trusted;
    size_t devices_trusted_count;
};

struct stratum_config stratum_config_default(const struct chain_params *chain,
                                             size_t coinbase_size_max);

// NULL if out of memory. Begins paused: connections are refused until there is work. env is
// borrowed.
struct stratum *stratum_new(const struct env *env, const struct stratum_events *events,
                            const struct stratum_config *config);
// Closes nothing on the wire; releases works and parked sessions.
void stratum_free(struct stratum *stratum);

// A connection was accepted. Unless STRATUM_CONNECTED comes back the transport closes it at once
// and *session is not set. Ids are never 0 and are not used again.
enum stratum_refusal stratum_connected(struct stratum *stratum, const struct stratum_peer *peer,
                                       struct now now, uint64_t *session);
// Any cut of the byte stream. An id that is gone is ignored, here and below.
void stratum_receive(struct stratum *stratum, uint64_t id, const void *bytes, size_t size,
                     struct now now);
// The transport's queue of this session became empty.
void stratum_drained(struct stratum *stratum, uint64_t id, struct now now);
// The connection ended, or failed.
void stratum_disconnected(struct stratum *stratum, uint64_t id, struct now now);
void stratum_tick(struct stratum *stratum, struct now now);
// When stratum_tick has something to do next; MONO_NEVER if nothing.
struct mono_time stratum_next_deadline(const struct stratum *stratum);

// New work for everybody, the largest miner first; ends a pause. False if out of memory: the old
// work stays, and work_released is called for the new owner.
bool stratum_set_work(struct stratum *stratum, const struct stratum_work *work, struct now now);
// Closes all sessions, so that miners fail over, and refuses new ones until stratum_set_work.
// `reason` (static text) is for the log and the totals.
void stratum_pause(struct stratum *stratum, const char *reason, struct now now);
// A graceful end: client.reconnect to everybody, then as stratum_pause, but for good.
void stratum_drain(struct stratum *stratum, struct now now);
// For a while: client.reconnect to everybody, then as stratum_pause.
void stratum_send_away(struct stratum *stratum, const char *reason, struct now now);
// Closes one session, as the operator wants it; false if there is none. It may come back.
bool stratum_disconnect(struct stratum *stratum, uint64_t id, struct now now);

// What may be changed while the engine runs; counts for sessions that begin from now on.
struct stratum_limits {
    uint32_t sessions_max;
    uint32_t sessions_per_address_max;
    double difficulty_start;
    double difficulty_min;
    double shares_per_minute;
};
void stratum_set_limits(struct stratum *stratum, const struct stratum_limits *limits);
// Every share with a sequence number up to this one is durable: their answers go out.
void stratum_release(struct stratum *stratum, uint64_t sequence, struct now now);
// The answer to hash_wanted; an unknown token is ignored.
void stratum_hashed(struct stratum *stratum, uint64_t token, const struct hash256 *hash,
                    struct now now);

// One session as people and the API see it; texts are borrowed for the call.
struct stratum_session_view {
    uint64_t session;
    const char *address;         // with port
    const char *user_agent;      // "" if it gave none
    const char *kind;            // "bitaxe", "unknown"
    const char *user;            // "address.worker" of the first authorized user, "" before
    const char *worker;          // the part behind the address, "" if none
    const char *team;            // "" if none
    const struct script *payout; // NULL before it is authorized
    size_t users_count;
    bool is_subscribed;
    bool is_authorized;
    bool is_device_overridden; // its coinbase ceiling is below the pool's; the operator lets it in
    bool is_resumed;
    uint32_t coinbase_max; // bytes, 0 if unknown or unlimited
    uint32_t version_mask; // negotiated, 0 if not
    double difficulty;     // last sent, 0 before
    double hashrate_1m;    // hashes a second
    double hashrate_10m;
    double hashrate_1h;
    double hashrate_estimate; // what difficulty goes by
    uint64_t shares[STRATUM_VERDICTS_COUNT];
    uint64_t grains;
    uint64_t blocks;
    double work_accepted; // hashes
    struct wall_time connected_at;
    struct wall_time share_at; // the last accepted one; 0 if none
    size_t bytes_queued;
    uint32_t jobs_count;
};

typedef void stratum_session_visitor(void *context, const struct stratum_session_view *session);
// Every session, in no useful order. The visitor must not call the engine.
void stratum_each_session(const struct stratum *stratum, struct now now,
                          stratum_session_visitor *visitor, void *context);

typedef void stratum_refused_visitor(void *context, const struct stratum_refused_device *device);
// The last devices turned away (up to 32 different ones), newest first.
void stratum_each_refused(const struct stratum *stratum, stratum_refused_visitor *visitor,
                          void *context);

struct stratum_totals {
    uint32_t sessions;
    uint32_t sessions_authorized;
    uint32_t sessions_parked; // may be taken up again
    uint32_t works;           // still referred to
    uint32_t answers_held;
    uint32_t hashes_pending;
    uint32_t bans;
    bool is_paused;
    const char *pause_reason; // NULL unless paused
    double hashrate_1m;
    double hashrate_10m;
    double hashrate_1h;
    uint64_t shares[STRATUM_VERDICTS_COUNT];
    uint64_t grains;
    uint64_t blocks;
    uint64_t connections;                      // accepted since the start
    uint64_t refused;                          // connections not accepted
    uint64_t refusals[STRATUM_REFUSALS_COUNT]; // the same by reason
    uint64_t closes[STRATUM_CLOSES_COUNT];
    uint64_t jobs_sent;
    uint64_t jobs_replaced;   // by a newer one before a slow reader could take them
    uint64_t answers_unsaved; // went out before the share was durable
    uint64_t lines;
    uint64_t lines_junk;
};
void stratum_totals(const struct stratum *stratum, struct now now, struct stratum_totals *totals);

#endif
