#include "node/web_passwords.h"
#include <stdlib.h>
#include <string.h>
#include "node/net/worker.h"

struct waiting {
    struct web_passwords *passwords; // NULL once it is freed
    struct password_job *job;
    web_password_done *done;
    void *context;
};

struct web_passwords {
    struct net_worker *worker;
    struct waiting *queue[WEB_PASSWORDS_MAX]; // the first one is under way
    size_t count;
};

struct web_passwords *web_passwords_new(struct net_loop *loop)
{
    struct web_passwords *passwords = calloc(1, sizeof(*passwords));
    if (passwords == NULL)
        return NULL;
    passwords->worker = net_worker_new(loop, 1);
    if (passwords->worker != NULL)
        return passwords;
    free(passwords);
    return NULL;
}

static void run(void *request)
{
    struct waiting *waiting = request;
    password_job_run(waiting->job);
}

static void tell(struct waiting *waiting, bool was_run)
{
    waiting->done(waiting->context, was_run);
    free(waiting);
}

static void begin_first(struct web_passwords *passwords);

static void on_done(void *request, bool was_run)
{
    struct waiting *waiting = request;
    struct web_passwords *passwords = waiting->passwords;
    if (passwords == NULL) {
        tell(waiting, false);
        return;
    }
    passwords->count--;
    memmove(&passwords->queue[0], &passwords->queue[1],
            passwords->count * sizeof(passwords->queue[0]));
    begin_first(passwords);
    tell(waiting, was_run);
}

// The worker takes one, which has just ended.
static void begin_first(struct web_passwords *passwords)
{
    while (passwords->count > 0 &&
           !net_worker_submit(passwords->worker, run, on_done, passwords->queue[0])) {
        struct waiting *waiting = passwords->queue[0];
        passwords->count--;
        memmove(&passwords->queue[0], &passwords->queue[1],
                passwords->count * sizeof(passwords->queue[0]));
        tell(waiting, false);
    }
}

bool web_passwords_add(struct web_passwords *passwords, struct password_job *job,
                       web_password_done *done, void *context)
{
    if (passwords->count == WEB_PASSWORDS_MAX)
        return false;
    struct waiting *waiting = malloc(sizeof(*waiting));
    if (waiting == NULL)
        return false;
    *waiting = (struct waiting){passwords, job, done, context};
    bool is_first = passwords->count == 0;
    if (is_first && !net_worker_submit(passwords->worker, run, on_done, waiting)) {
        free(waiting);
        return false;
    }
    passwords->queue[passwords->count] = waiting;
    passwords->count++;
    return true;
}

void web_passwords_free(struct web_passwords *passwords)
{
    if (passwords == NULL)
        return;
    for (size_t i = 0; i < passwords->count; i++)
        passwords->queue[i]->passwords = NULL;
    for (size_t i = 1; i < passwords->count; i++)
        tell(passwords->queue[i], false);
    net_worker_free(passwords->worker);
    free(passwords);
}
