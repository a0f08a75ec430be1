// Private to this folder: what a session and the engine consist of, and the functions the parts of
// the engine call of each other. Every public function of stratum.h runs between engine_enter and
// engine_leave; what is closed in between stays in memory until the outermost one leaves, so no
// event can pull a session from under our feet.
#ifndef SHOAL_STRATUM_ENGINE_H
#define SHOAL_STRATUM_ENGINE_H

#include "node/limits.h"
#include "stratum/ban.h"
#include "stratum/job.h"
#include "stratum/line.h"
#include "stratum/miner_kind.h"
#include "stratum/rate.h"
#include "stratum/schedule.h"
#include "stratum/stratum.h"
#include "stratum/user_name.h"
#include "stratum/vardiff.h"

#define HOUSEKEEPING_MS         10000
#define SESSION_RESUME_KEY_SIZE 8
#define SESSION_NAME_SIZE       (2 * (4 + SESSION_RESUME_KEY_SIZE) + 1) // hex text with its zero
#define SESSION_USER_AGENT_MAX  96
#define SESSION_SLOT_BITS       24 // of an id; above it a serial number that never comes again

// What the miner asked about its difficulty, by password, user name, suggestion or BIP 310; 0 =
// nothing.
struct difficulty_wishes {
    double fixed;
    double start;
    double min;
    double suggested;
};

struct session {
    struct schedule_node node; // first: the schedule hands it back
    struct stratum *engine;
    uint64_t id;
    struct stratum_peer peer;
    struct session *next_closed;

    // Where the conversation stands.
    bool has_line; // a first valid one
    bool is_subscribed;
    bool is_authorized;
    bool is_mining; // both, with a difficulty chosen: gets jobs
    bool is_closed;
    bool is_resumed;
    bool is_device_overridden;
    bool is_job_due;   // a job waits for the transport to become empty
    bool is_job_clean; // and it, or one it replaces, is for a new block
    uint8_t reject_tier;
    uint8_t junk_lines;
    uint8_t spoiled_shares; // in a row since the start, before any good one
    enum stratum_close close_reason;

    uint8_t extranonce1[4];
    uint8_t resume_key[SESSION_RESUME_KEY_SIZE];
    uint32_t version_mask; // negotiated, 0 if not
    const struct miner_kind *kind;
    char user_agent[SESSION_USER_AGENT_MAX];
    struct user_name **users; // the first one is the session's
    size_t users_count;
    struct script payout;
    struct team team; // of the first user

    struct job *jobs[LIMIT_SESSION_JOBS]; // newest first
    size_t jobs_count;
    struct difficulty_wishes wishes;
    double difficulty_sent;
    struct vardiff vardiff;

    // Deadlines and since-whens; MONO_NEVER where nothing is going on.
    struct now connected;
    struct mono_time line_at;
    struct mono_time authorize_by;
    struct mono_time job_at;
    struct mono_time blocked_since;
    struct mono_time partial_since;
    struct mono_time rejects_since;
    struct mono_time rate_told_at;
    struct wall_time share_at;
    struct mono_time parked_until;

    char *partial; // an unfinished line
    size_t partial_size;
    size_t queued; // bytes in the transport
    uint32_t answers_held;
    uint32_t hashes_pending;
    double line_tokens;
    struct mono_time line_tokens_at;

    struct rate rate;
    uint64_t shares[STRATUM_VERDICTS_COUNT];
    uint64_t grains;
    uint64_t blocks;
    double work_accepted;
};

struct answers;
struct hashing;
struct refused_ring;

struct stratum {
    const struct env *env;
    struct stratum_events events;
    struct stratum_config config;
    const struct pow_algorithm *algorithm;
    double hashes_per_difficulty;
    uint64_t duplicates_seed;

    // The running call.
    struct now now;
    unsigned depth;
    struct buffer out; // bytes for out_session, sent when another one's turn comes or the call ends
    struct buffer out_spare;
    struct session *out_session;
    struct buffer nowhere; // what is written for a closed session
    struct session *closed;

    struct session **slots; // by the low bits of the id, NULL where free
    size_t slots_count;
    size_t slots_used;
    size_t slots_cursor; // where to look for a free one
    uint64_t next_serial;
    uint32_t next_extranonce;
    uint32_t next_job;
    struct schedule schedule;
    struct session **parked; // oldest first
    size_t parked_count;

    struct work *work; // current, NULL before the first
    uint64_t era;      // counts new blocks: jobs of an earlier era are stale
    struct mono_time era_begun;
    size_t send_max; // bytes a transport may queue
    const char *pause_reason;
    bool is_draining;
    double connection_tokens;
    struct mono_time connection_tokens_at;
    struct mono_time housekeeping_at;

    struct answers *answers;
    struct hashing *hashing;
    struct refused_ring *refused;
    struct ban_table *bans;
    struct rate rate;
    struct stratum_totals totals; // counters only; the rest is filled in when asked
};

// engine.c
void engine_enter(struct stratum *stratum, struct now now);
void engine_leave(struct stratum *stratum);
struct session *engine_session(const struct stratum *stratum, uint64_t id); // NULL if gone
// All live sessions, those with the highest hashrate first, in an array the caller frees; NULL if
// out of memory or none.
struct session **engine_sessions_by_rate(const struct stratum *stratum, size_t *count);
// Everybody; with client.reconnect before, if they are drained.
void engine_close_all(struct stratum *stratum, enum stratum_close reason);
void engine_release_work(struct stratum *stratum, struct work *work);
void engine_release_job(struct stratum *stratum, struct job *job);
// Every ten seconds: what nobody waits for.
void engine_housekeeping(struct stratum *stratum);

// session.c
struct session *session_open(struct stratum *stratum, const struct stratum_peer *peer);
void session_free(struct session *session);
// Says goodbye by event; the memory lives until engine_leave.
void session_close(struct session *session, enum stratum_close reason);
// The buffer to write the session's next bytes to, whole lines only.
struct buffer *session_out(struct session *session);
void session_flush(struct stratum *stratum);
void session_drained(struct session *session);
// What is due at this session's deadline; sets the next one.
void session_tick(struct session *session);
// To be called when a deadline may have come nearer.
void session_reschedule(struct session *session);
void session_name(const struct session *session, char out[SESSION_NAME_SIZE]);
// Adds the offence and closes the session with the reason if that made it a ban.
void session_offend(struct session *session, enum ban_offence offence, enum stratum_close reason);
double session_hashrate(const struct session *session);

// resume.c
bool resume_is_possible(const struct session *session);
void resume_park(struct session *session);
// Takes over what a lost session of this name (24 hex digits) left behind.
bool resume_adopt(struct session *session, const struct line_value *name);
void resume_expire(struct stratum *stratum, bool is_all);

// assign.c
// A job for the session, now or as soon as its transport has sent what it queues.
void assign_job(struct session *session, bool is_clean);
// Both subscribed and authorized: choose a difficulty and send the first job.
void assign_begin(struct session *session);
// Asks vardiff and sends a job if it wants another difficulty.
void assign_adjust(struct session *session);
// The miner suggested another difficulty than before.
void assign_suggested(struct session *session, double difficulty);
void assign_drop_stale(struct session *session);
void assign_rebalance(struct stratum *stratum);

// receive.c
void receive_bytes(struct session *session, const char *bytes, size_t size);

// methods.c: one function per method of the dialect.
typedef void method_handler(struct session *session, const struct line *line);
method_handler *method_find(const struct line_value *name);

// configure.c, authorize.c, submit.c
method_handler method_configure;
method_handler method_authorize;
method_handler method_submit;

// device.c
// False, and the session will be closed, if its firmware cannot take this pool's coinbase. If line
// is not NULL it is the authorize line to be answered with the reason.
bool device_check(struct session *session, const struct line *line);
// Every share so far was garbage: the coinbase does not arrive whole.
void device_refuse_spoiler(struct session *session);
struct refused_ring *refused_ring_new(void);
void refused_ring_each(const struct refused_ring *ring, stratum_refused_visitor *visitor,
                       void *context);

// report.c
void report_session(const struct session *session, struct now now,
                    struct stratum_session_view *view);
void report_worker_rate(struct session *session);

// answers.c: answers that wait until their share is durable.
struct answers *answers_new(void);
void answers_free(struct answers *answers);
// The mark is that of submit_arrived.
void answers_hold(struct session *session, const struct line_value *id, uint64_t sequence,
                  uint64_t mark);
// Answers `true` at once.
void answers_give(struct session *session, const struct line_value *id, uint64_t mark);
// An answer was written; tells so, unless nobody gets it any more.
void answers_given(const struct session *session, uint64_t mark);
// Answers everything up to this sequence number and everything that has waited long enough.
void answers_release(struct stratum *stratum, uint64_t sequence);
struct mono_time answers_deadline(const struct stratum *stratum);
size_t answers_count(const struct stratum *stratum);

#endif
