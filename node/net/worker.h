// Slow work (scrypt, parsing large replies) on other threads: a request is run there and its end is
// told on the loop. The request owns its data while it runs; nothing else may touch it.
#ifndef SHOAL_NODE_NET_WORKER_H
#define SHOAL_NODE_NET_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include "node/net/loop.h"

struct net_worker;

// On another thread: no state of the loop may be touched.
typedef void net_work_run(void *request);
// On the loop's thread, exactly once per accepted request. was_run is false if it was cancelled
// before it began.
typedef void net_work_done(void *request, bool was_run);

// The number of threads of the whole process (default 4, at most 64); before any loop is made.
void net_worker_set_threads(unsigned threads);
// At most requests_max wait or run at a time. NULL if out of memory.
struct net_worker *net_worker_new(struct net_loop *loop, size_t requests_max);
// False if the queue is full: then nothing is called. Requests begin in order.
bool net_worker_submit(struct net_worker *worker, net_work_run *run, net_work_done *done,
                       void *request);
size_t net_worker_pending(const struct net_worker *worker); // waiting or running
// Cancels what has not begun; a `done` may call it, too. It still comes for every request, at the
// latest from inside net_loop_free.
void net_worker_free(struct net_worker *worker);

#endif
