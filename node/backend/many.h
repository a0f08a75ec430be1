// Many small calls to one daemon: as one JSON-RPC batch, or, where the daemon does not take
// batches, as single calls of which a few are on their way at a time. Replies come one by one, in
// any order, then the end.
#ifndef SHOAL_NODE_BACKEND_MANY_H
#define SHOAL_NODE_BACKEND_MANY_H

#include "node/backend/daemon.h"

#define MANY_LANES     4
#define MANY_CALLS_MAX 256

struct many;

// One HTTP request on its way, with the body that it borrows.
struct many_lane {
    struct many *many;
    struct daemon_call call;
    struct buffer body;
    size_t index; // of the single call
};

struct many_spec {
    struct daemon_link *link;
    bool *has_batch; // of the daemon; set to false when it turns out so
    size_t count;    // at most MANY_CALLS_MAX
    int64_t timeout_ms;
    // Writes call i, with i as its id.
    void (*write)(void *context, size_t i, struct json_writer *writer);
    // The reply to call i; it may be an error reply. Returning false ends it all with `ended`.
    bool (*take)(void *context, size_t i, const struct rpc_reply *reply);
    // Once, after the last reply (error NULL) or at the first failure; `many` is free again.
    void (*ended)(void *context, const char *error);
    void *context;
};

struct many {
    struct many_spec spec;
    struct many_lane lanes[MANY_LANES];
    size_t next;  // single call to send next
    size_t taken; // replies so far
    bool is_seen[MANY_CALLS_MAX];
    bool is_running;
};

void many_init(struct many *many);
// `many` must not be running. False with a sentence if nothing could be started: then nothing is
// called.
bool many_start(struct many *many, const struct many_spec *spec, char error[DAEMON_ERROR_SIZE]);
void many_cancel(struct many *many); // without `ended`
void many_clear(struct many *many);  // cancels and frees

#endif
