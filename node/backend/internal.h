// The backend's inside, shared by its files. Answers only record facts and set deadlines;
// backend_tick, called in the next turn after each, decides what to do. What only the active daemon
// does (templates, polls, headers, watching) lives in the backend and is cancelled when another
// daemon becomes active.
#ifndef SHOAL_NODE_BACKEND_INTERNAL_H
#define SHOAL_NODE_BACKEND_INTERNAL_H

#include "node/backend/backend.h"
#include "node/backend/daemon.h"
#include "node/backend/many.h"
#include "node/base/log.h"
#include "node/net/worker.h"

#define NO_DAEMON SIZE_MAX

// A small call with its own body.
struct call_slot {
    struct daemon_call call;
    struct buffer body;
    struct mono_time sent_at;
};

struct coin_daemon {
    struct backend *backend;
    size_t index;
    struct daemon_link link;
    enum daemon_state state;
    char error[DAEMON_ERROR_SIZE]; // what is wrong now
    char said[DAEMON_ERROR_SIZE];  // what the log was told last
    bool is_template_fault;        // only a good template clears the error
    struct call_slot probe;
    struct mono_time probe_at;
    int64_t backoff_ms;
    uint64_t failures_count;
    struct mono_time good_since;   // since its last failure was overcome
    bool is_syncing;               // says so itself
    bool is_behind;                // another daemon has known a better tip for long
    struct mono_time behind_since; // MONO_NEVER if it is not behind at all
    int64_t height;
    struct hash256 tip;
    char chainwork[65]; // hex, empty if the daemon does not tell
    int64_t latency_ms;
    struct mono_time answered_at; // MONO_NEVER if never
    bool has_batch;
    bool has_longpoll;
};

struct template_job; // a reply that is being parsed on another thread

// The template in use and the ways to a fresh one.
struct work_state {
    struct block_template *current; // NULL: no safe work
    size_t daemon;                  // whose it is
    struct mono_time asked_at;      // when it was asked for
    struct mono_time confirmed_at;  // when its prev was last known to be the tip
    struct call_slot get;
    struct call_slot longpoll;
    struct call_slot poll;
    struct template_job *jobs;    // all that run
    struct template_job *get_job; // of the last getblocktemplate, NULL if none runs
    bool wants_template;
    struct mono_time wanted_at;
    struct mono_time refresh_at;
    struct mono_time poll_at;
    struct mono_time longpoll_at;
    // Of the active daemon's session.
    uint64_t session;
    uint64_t answers_count;
    uint64_t applied; // number of the answer whose template was applied last
    bool has_session_prev;
    struct hash256 session_prev;     // prev of its last template
    struct mono_time mismatch_since; // its own tip is another than its templates'
    char longpoll_id[256];
    struct hash256 longpoll_prev;    // session_prev when the long-poll was sent
    unsigned longpoll_useless_count; // in a row
};

#define HEADERS_BACK_MAX  8
#define HEADERS_ASKED_MAX 64
#define HEADERS_CHUNK_MAX 200

enum headers_phase {
    HEADERS_IDLE,
    HEADERS_BACK,   // from the tip down, one by one: the usual short gap
    HEADERS_HEIGHT, // of the tip
    HEADERS_SEARCH, // for the last header that we share
    HEADERS_HASHES, // of a chunk
    HEADERS_FETCH,  // that chunk
};

struct headers_state {
    bool is_wanted;
    struct hash256 tip;
    enum headers_phase phase;
    struct many many;
    struct mono_time retry_at;
    int64_t backoff_ms;
    unsigned restarts_count;
    char said[DAEMON_ERROR_SIZE];
    uint64_t generation; // of the wish: events may bring another
    bool is_refused;     // an error reply or a wrong one came
    struct hash256 cursor;
    uint8_t back[HEADERS_BACK_MAX][HEADER_SIZE];
    size_t back_count;
    int64_t tip_height;
    int64_t low;  // height of a header that is known
    int64_t high; // height of one that is not
    struct hash256 low_id;
    bool is_first_search;
    size_t asked_count;
    struct hash256 ids[HEADERS_CHUNK_MAX];
    uint8_t chunk[HEADERS_CHUNK_MAX * HEADER_SIZE];
};

#define WATCHED_MAX 256

struct watched_block {
    struct hash256 hash;
    int64_t height; // -1 until known
    bool has_place;
    enum block_place place;
    unsigned unknown_count; // times in a row that the daemon did not know it
};

struct watch_state {
    struct watched_block blocks[WATCHED_MAX];
    size_t count;
    bool is_wanted;
    struct many many;
    int64_t tip_height; // while asking
};

struct submission;

struct backend {
    struct net_loop *loop;
    const struct env *env;
    struct backend_config
        config; // with defaults filled in; its texts are not used after backend_new
    struct backend_events events;
    struct http_client *http;
    struct net_worker *worker;
    struct net_timer *timer;
    struct coin_daemon daemons[LIMIT_DAEMONS];
    size_t active; // NO_DAEMON if none works
    struct mono_time started_at;
    struct work_state work;
    struct headers_state headers;
    struct watch_state watch;
    struct submission *submissions;
    bool is_woken; // backend_tick comes in the next turn
};

// backend.c
void backend_wake(struct backend *backend);         // has backend_tick called in the next turn
void backend_leave_active(struct backend *backend); // its work is cancelled; another is chosen next
struct mono_time mono_after(struct mono_time from, int64_t ms);
// Takes a deadline into account unless it has passed: then an answer is waited for, not time.
void deadline_add(struct mono_time *next, struct mono_time deadline, struct now now);
// The time between tries, doubled up to the cap; what is returned is up to a half shorter, so that
// nodes do not try in step.
int64_t backend_back_off(struct backend *backend, int64_t *backoff_ms);
void call_slot_init(struct call_slot *slot);
void call_slot_clear(struct call_slot *slot);
// Starts a writer on the slot's empty body; then call_slot_send.
void call_slot_begin(struct call_slot *slot, struct json_writer *writer, const char *method);
bool call_slot_send(struct call_slot *slot, struct coin_daemon *daemon,
                    const struct daemon_call_spec *spec, char error[DAEMON_ERROR_SIZE]);

// probe.c
void probe_tick(struct coin_daemon *daemon, struct now now);
void probe_cancel(struct coin_daemon *daemon);
// The daemon cannot be used until a later probe succeeds; said once per change.
void coin_daemon_fail(struct coin_daemon *daemon, enum daemon_state state, const char *error,
                      bool is_template_fault);
void coin_daemon_took_template(struct coin_daemon *daemon); // it gave a good one

// work.c
void work_want_template(struct backend *backend); // as soon as can be
void work_begin_session(struct backend *backend);
void work_end_session(struct backend *backend);
void work_tick(struct backend *backend, struct now now);
void work_add_deadlines(const struct backend *backend, struct mono_time *next, struct now now);
void work_clear(struct backend *backend);

// headers.c
void headers_tick(struct backend *backend, struct now now);
void headers_interrupt(struct backend *backend); // starts anew with the next daemon

// watch.c
void watch_add(struct backend *backend, const struct hash256 *hash);
void watch_tick(struct backend *backend, struct now now);

// submit.c
void submit_tick(struct backend *backend, struct now now);
void submit_add_deadlines(const struct backend *backend, struct mono_time *next, struct now now);
void submit_clear(struct backend *backend);
size_t submit_pending_count(const struct backend *backend);

#endif
