// Passwords that wait to be checked or hashed, one after another on a worker thread: each takes 50
// to 100 ms and 64 MiB, and must neither stop the loop nor take all threads from the miners' work.
#ifndef SHOAL_NODE_WEB_PASSWORDS_H
#define SHOAL_NODE_WEB_PASSWORDS_H

#include <stdbool.h>
#include "node/api/password.h"
#include "node/net/loop.h"

#define WEB_PASSWORDS_MAX 4 // that wait or are under way

struct web_passwords;

// Called exactly once for each job that was taken, on the loop; was_run is false if the queue was
// freed before.
typedef void web_password_done(void *context, bool was_run);

// NULL if out of memory.
struct web_passwords *web_passwords_new(struct net_loop *loop);
// What waits is told at once, what is under way when it ends: at the latest in net_loop_free.
void web_passwords_free(struct web_passwords *passwords); // NULL is fine
// The job belongs to the caller, who leaves it alone until it is done. False if there are
// WEB_PASSWORDS_MAX already.
bool web_passwords_add(struct web_passwords *passwords, struct password_job *job,
                       web_password_done *done, void *context);

#endif
