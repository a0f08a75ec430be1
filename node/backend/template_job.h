// Parsing a getblocktemplate reply on another thread: megabytes of JSON and transactions would hold
// up the miners.
#ifndef SHOAL_NODE_BACKEND_TEMPLATE_JOB_H
#define SHOAL_NODE_BACKEND_TEMPLATE_JOB_H

#include "node/backend/daemon.h"
#include "node/net/worker.h"

struct template_job {
    struct template_job *next;              // for the owner's list
    void (*done)(struct template_job *job); // on the loop; must end with template_job_free
    void *owner;                            // NULL once it has gone
    // What the owner wants to remember of the call.
    uint64_t session;
    uint64_t number;
    struct mono_time asked_at;
    bool is_longpoll;
    bool is_quick; // answered at once
    int status;    // of HTTP
    // Inside.
    struct buffer body;
    const struct chain_params *params;
    struct coinbase_needs needs;
    // What came of it.
    bool was_run;
    bool is_reply;               // else it was no JSON-RPC
    struct rpc_reply reply;      // its result is not valid any more
    enum template_result result; // unless the reply is an error
    const char *field;
    struct block_template *block_template; // if the result is TEMPLATE_OK; the owner may take it
};

// A job that has taken over the body's memory. NULL if out of memory.
struct template_job *template_job_new(struct buffer *body);
bool template_job_start(struct template_job *job, struct net_worker *worker);
void template_job_free(struct template_job *job);
// What is wrong with what came, in a sentence.
void template_job_describe(const struct template_job *job, const struct daemon_link *link,
                           char error[DAEMON_ERROR_SIZE]);

#endif
