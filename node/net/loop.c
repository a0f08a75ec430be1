#include "node/net/internal.h"
#include <assert.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/resource.h>

struct net_timer {
    uv_timer_t handle;
    struct net_loop *loop;
    net_timer_fired *fired;
    void *context;
};

struct net_wake {
    uv_async_t handle;
    net_wake_woken *woken;
    void *context;
};

static struct wall_time read_wall_clock(void)
{
    uv_timeval64_t time = {0};
    uv_gettimeofday(&time);
    return (struct wall_time){.ms = time.tv_sec * 1000 + time.tv_usec / 1000};
}

struct wall_time net_wall_clock(void *context)
{
    (void)context;
    return read_wall_clock();
}

// libuv reads the monotonic clock when a turn begins; the wall clock is read when that has moved.
struct now net_loop_now(struct net_loop *loop)
{
    int64_t mono_ms = (int64_t)uv_now(&loop->uv);
    if (loop->now.mono.ms != mono_ms) {
        loop->now.mono.ms = mono_ms;
        loop->now.wall = read_wall_clock();
    }
    return loop->now;
}

uint64_t net_clock_ns(void)
{
    return uv_hrtime();
}

uint64_t net_loop_idle_ns(const struct net_loop *loop)
{
    return uv_metrics_idle_time((uv_loop_t *)(uintptr_t)&loop->uv);
}

struct net_loop *net_loop_new(void)
{
    struct net_loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL) {
        return NULL;
    }
    if (uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return NULL;
    }
    uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME);
    signal(SIGPIPE, SIG_IGN); // a peer that goes away is an error of write, not our end
    loop->now.mono.ms = -1;
    uv_prepare_init(&loop->uv, &loop->turn_end);
    uv_unref((uv_handle_t *)&loop->turn_end);
    return loop;
}

void net_loop_run(struct net_loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void net_loop_stop(struct net_loop *loop)
{
    uv_stop(&loop->uv);
}

void net_loop_free(struct net_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    uv_close((uv_handle_t *)&loop->turn_end, NULL);
    for (size_t i = 0; loop->has_signals && i < 3; i++) {
        uv_close((uv_handle_t *)&loop->signals.handles[i], NULL);
    }
    struct net_connection *next = NULL;
    for (struct net_connection *at = loop->connections; at != NULL; at = next) {
        next = at->next;
        net_connection_fail(at, "the node stops");
    }
    // Ends when every handle is closed and every request has been called back.
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0) {
    }
    int result = uv_loop_close(&loop->uv);
    assert(result == 0 && "something on the loop was not freed before it");
    (void)result;
    free(loop);
}

static void on_turn_end(uv_prepare_t *handle)
{
    struct net_loop *loop = handle->data;
    loop->turn_ended(loop->turn_context, net_loop_now(loop));
}

void net_loop_each_turn(struct net_loop *loop, net_turn_ended *turn_ended, void *context)
{
    loop->turn_ended = turn_ended;
    loop->turn_context = context;
    loop->turn_end.data = loop;
    if (turn_ended == NULL) {
        uv_prepare_stop(&loop->turn_end);
        return;
    }
    uv_prepare_start(&loop->turn_end, on_turn_end);
}

size_t net_open_files_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 1024;
    }
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            limit = raised;
        }
    }
    return (size_t)limit.rlim_cur;
}

// Timers.

struct net_timer *net_timer_new(struct net_loop *loop, net_timer_fired *fired, void *context)
{
    struct net_timer *timer = calloc(1, sizeof(*timer));
    if (timer == NULL) {
        return NULL;
    }
    uv_timer_init(&loop->uv, &timer->handle);
    timer->handle.data = timer;
    timer->loop = loop;
    timer->fired = fired;
    timer->context = context;
    return timer;
}

static void on_timer(uv_timer_t *handle)
{
    struct net_timer *timer = handle->data;
    timer->fired(timer->context, net_loop_now(timer->loop));
}

void net_timer_start(struct net_timer *timer, struct mono_time deadline)
{
    if (deadline.ms == MONO_NEVER.ms) {
        uv_timer_stop(&timer->handle);
        return;
    }
    // Not the difference alone: of a deadline at the beginning of time it would overflow.
    int64_t now_ms = (int64_t)uv_now(&timer->loop->uv);
    uint64_t left_ms = deadline.ms > now_ms ? (uint64_t)(deadline.ms - now_ms) : 0;
    uv_timer_start(&timer->handle, on_timer, left_ms, 0);
}

void net_timer_stop(struct net_timer *timer)
{
    uv_timer_stop(&timer->handle);
}

static void free_timer(uv_handle_t *handle)
{
    free(handle->data);
}

void net_timer_free(struct net_timer *timer)
{
    if (timer != NULL) {
        uv_close((uv_handle_t *)&timer->handle, free_timer);
    }
}

// Signals.

static void on_signal(uv_signal_t *handle, int number)
{
    struct net_loop *loop = handle->data;
    enum net_signal which = number == SIGINT    ? NET_SIGNAL_INTERRUPT
                            : number == SIGTERM ? NET_SIGNAL_TERMINATE
                                                : NET_SIGNAL_HANGUP;
    loop->signals.caught(loop->signals.context, which);
}

bool net_loop_catch_signals(struct net_loop *loop, net_signal_caught *caught, void *context)
{
    static const int numbers[3] = {SIGINT, SIGTERM, SIGHUP};
    assert(!loop->has_signals);
    loop->signals.caught = caught;
    loop->signals.context = context;
    loop->has_signals = true;
    bool is_ok = true;
    for (size_t i = 0; i < 3; i++) {
        uv_signal_t *handle = &loop->signals.handles[i];
        uv_signal_init(&loop->uv, handle);
        handle->data = loop;
        is_ok = uv_signal_start(handle, on_signal, numbers[i]) == 0 && is_ok;
        uv_unref((uv_handle_t *)handle);
    }
    return is_ok;
}

// Wake-ups.

static void on_wake(uv_async_t *handle)
{
    struct net_wake *wake = handle->data;
    wake->woken(wake->context);
}

struct net_wake *net_wake_new(struct net_loop *loop, net_wake_woken *woken, void *context)
{
    struct net_wake *wake = calloc(1, sizeof(*wake));
    if (wake == NULL) {
        return NULL;
    }
    if (uv_async_init(&loop->uv, &wake->handle, on_wake) != 0) {
        free(wake);
        return NULL;
    }
    wake->handle.data = wake;
    wake->woken = woken;
    wake->context = context;
    return wake;
}

void net_wake_send(struct net_wake *wake)
{
    uv_async_send(&wake->handle);
}

static void free_wake(uv_handle_t *handle)
{
    free(handle->data);
}

void net_wake_free(struct net_wake *wake)
{
    if (wake != NULL) {
        uv_close((uv_handle_t *)&wake->handle, free_wake);
    }
}

// Environment.

static void system_random(void *context, void *out, size_t size)
{
    (void)context;
    randombytes_buf(out, size);
}

bool net_env_init(struct env *env, struct log *log)
{
    if (sodium_init() < 0) {
        return false;
    }
    *env = (struct env){.random = system_random, .log = log};
    return true;
}
