// The event loop of a program: time, timers, signals and wake-ups from other threads. One thread
// runs it and owns everything that is bound to it; only net_wake_send may be called from elsewhere.
// node/net is the only folder that knows libuv. A callback never comes from inside a call made by
// its receiver: always from a later turn.
#ifndef SHOAL_NODE_NET_LOOP_H
#define SHOAL_NODE_NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/env.h"
#include "node/base/log.h"
#include "node/base/time.h"

struct net_loop;

// NULL if the system has no resources for it. Makes the process ignore SIGPIPE.
struct net_loop *net_loop_new(void);
// Runs until net_loop_stop, or until nothing is left that could ever happen.
void net_loop_run(struct net_loop *loop);
// Makes net_loop_run return after the current turn; from the loop's thread.
void net_loop_stop(struct net_loop *loop);
// Whoever made something on the loop has freed or closed it before; callbacks that this still owes
// (closed connections, cancelled work) come from inside this call.
void net_loop_free(struct net_loop *loop);
// Both clocks, read once per turn.
struct now net_loop_now(struct net_loop *loop);

// A monotonic clock in nanoseconds, read now; for durations. Its zero is not that of mono_time.
uint64_t net_clock_ns(void);
// How long the loop has slept since it began, in nanoseconds: what is left of the time it worked.
uint64_t net_loop_idle_ns(const struct net_loop *loop);

// Called at the end of each turn, before the loop sleeps: the place to ask engines for their next
// deadline and to start timers. At most one callback per loop; NULL takes it away.
typedef void net_turn_ended(void *context, struct now now);
void net_loop_each_turn(struct net_loop *loop, net_turn_ended *turn_ended, void *context);

// A one-shot timer.
struct net_timer;
typedef void net_timer_fired(void *context, struct now now);
// NULL if out of memory.
struct net_timer *net_timer_new(struct net_loop *loop, net_timer_fired *fired, void *context);
// Fires once at the deadline, in the next turn if it has passed; a timer that runs is moved.
// MONO_NEVER stops it.
void net_timer_start(struct net_timer *timer, struct mono_time deadline);
void net_timer_stop(struct net_timer *timer);
void net_timer_free(struct net_timer *timer); // also from inside its own callback

enum net_signal {
    NET_SIGNAL_INTERRUPT, // SIGINT: Ctrl-C
    NET_SIGNAL_TERMINATE, // SIGTERM
    NET_SIGNAL_HANGUP,    // SIGHUP: reload
};
typedef void net_signal_caught(void *context, enum net_signal which);
// From now on the three signals come here instead of ending the process. Once per loop; false if it
// failed.
bool net_loop_catch_signals(struct net_loop *loop, net_signal_caught *caught, void *context);

// A bell that any thread may ring. Rings that come close together are one call of `woken`.
struct net_wake;
typedef void net_wake_woken(void *context);
struct net_wake *net_wake_new(struct net_loop *loop, net_wake_woken *woken, void *context);
void net_wake_send(struct net_wake *wake); // any thread, never blocks
void net_wake_free(struct net_wake *wake); // when no other thread can ring any more

// How many files and sockets the process may have open, after raising the soft limit to the hard
// one.
size_t net_open_files_max(void);

// The system's randomness (libsodium) and the given log; false if the system has no randomness.
bool net_env_init(struct env *env, struct log *log);
// The wall clock for log_new; context is not used.
log_clock net_wall_clock;

#endif
