// The loop: timers, wake-ups from threads, signals, clocks, randomness.
#include "node/net/loop.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

struct trace {
    struct net_loop *loop;
    struct net_timer *timers[3];
    char text[32];
    int turns;
};

static void note(struct trace *trace, char letter)
{
    size_t size = strlen(trace->text);
    assert_true(size + 1 < sizeof(trace->text));
    trace->text[size] = letter;
}

static void fire_a(void *context, struct now now)
{
    (void)now;
    note(context, 'a');
}

static void fire_b(void *context, struct now now)
{
    (void)now;
    note(context, 'b');
}

static void fire_last(void *context, struct now now)
{
    struct trace *trace = context;
    (void)now;
    note(trace, '.');
    net_loop_stop(trace->loop);
}

static struct mono_time after(struct net_loop *loop, int64_t ms)
{
    return (struct mono_time){net_loop_now(loop).mono.ms + ms};
}

static void timers_fire_in_the_order_of_their_deadlines(void **state)
{
    (void)state;
    struct trace trace = {.loop = net_loop_new()};
    trace.timers[0] = net_timer_new(trace.loop, fire_a, &trace);
    trace.timers[1] = net_timer_new(trace.loop, fire_b, &trace);
    trace.timers[2] = net_timer_new(trace.loop, fire_last, &trace);
    net_timer_start(trace.timers[2], after(trace.loop, 30));
    net_timer_start(trace.timers[0], after(trace.loop, 20));
    net_timer_start(trace.timers[1], after(trace.loop, 1));
    net_loop_run(trace.loop);
    assert_string_equal(trace.text, "ba.");
    for (size_t i = 0; i < 3; i++) {
        net_timer_free(trace.timers[i]);
    }
    net_loop_free(trace.loop);
}

static void deadline_at_the_beginning_of_time_is_due_at_once(void **state)
{
    (void)state;
    struct trace trace = {.loop = net_loop_new()};
    trace.timers[0] = net_timer_new(trace.loop, fire_a, &trace);
    trace.timers[2] = net_timer_new(trace.loop, fire_last, &trace);
    net_timer_start(trace.timers[0], (struct mono_time){INT64_MIN});
    net_timer_start(trace.timers[2], after(trace.loop, 20));
    net_loop_run(trace.loop);
    assert_string_equal(trace.text, "a.");
    net_timer_free(trace.timers[0]);
    net_timer_free(trace.timers[2]);
    net_loop_free(trace.loop);
}

static void timer_that_is_moved_fires_once_and_a_stopped_one_never(void **state)
{
    (void)state;
    struct trace trace = {.loop = net_loop_new()};
    trace.timers[0] = net_timer_new(trace.loop, fire_a, &trace);
    trace.timers[1] = net_timer_new(trace.loop, fire_b, &trace);
    trace.timers[2] = net_timer_new(trace.loop, fire_last, &trace);
    net_timer_start(trace.timers[0], after(trace.loop, 0));
    net_timer_start(trace.timers[0], after(trace.loop, 5));
    net_timer_start(trace.timers[1], after(trace.loop, 2));
    net_timer_start(trace.timers[1], MONO_NEVER);
    net_timer_start(trace.timers[2], after(trace.loop, 20));
    net_loop_run(trace.loop);
    assert_string_equal(trace.text, "a.");
    for (size_t i = 0; i < 3; i++) {
        net_timer_free(trace.timers[i]);
    }
    net_loop_free(trace.loop);
}

static void fire_and_free(void *context, struct now now)
{
    struct trace *trace = context;
    (void)now;
    net_timer_free(trace->timers[0]);
    note(trace, 'f');
}

static void timer_may_be_freed_by_its_own_callback(void **state)
{
    (void)state;
    struct trace trace = {.loop = net_loop_new()};
    trace.timers[0] = net_timer_new(trace.loop, fire_and_free, &trace);
    net_timer_start(trace.timers[0], (struct mono_time){0}); // long past
    net_loop_run(trace.loop);                                // ends: nothing is left
    assert_string_equal(trace.text, "f");
    net_loop_free(trace.loop);
}

static void count_turn(void *context, struct now now)
{
    struct trace *trace = context;
    (void)now;
    trace->turns++;
}

static void end_of_turn_is_called_before_the_loop_sleeps(void **state)
{
    (void)state;
    struct trace trace = {.loop = net_loop_new()};
    struct net_timer *timer = net_timer_new(trace.loop, fire_last, &trace);
    net_loop_each_turn(trace.loop, count_turn, &trace);
    net_timer_start(timer, after(trace.loop, 10));
    net_loop_run(trace.loop);
    assert_true(trace.turns >= 1 && trace.turns < 20);
    net_timer_free(timer);
    net_loop_free(trace.loop);
}

struct bell {
    struct net_loop *loop;
    struct net_wake *wake;
    int rung;
};

static void *ring_from_thread(void *context)
{
    struct bell *bell = context;
    for (int i = 0; i < 100; i++) {
        net_wake_send(bell->wake);
    }
    return NULL;
}

static void on_bell(void *context)
{
    struct bell *bell = context;
    bell->rung++;
    net_loop_stop(bell->loop);
}

static void sleep_is_no_work(void **state)
{
    (void)state;
    struct trace trace = {.loop = net_loop_new()};
    trace.timers[2] = net_timer_new(trace.loop, fire_last, &trace);
    uint64_t begin_ns = net_clock_ns();
    assert_int_equal(net_loop_idle_ns(trace.loop), 0);
    net_timer_start(trace.timers[2], after(trace.loop, 50));
    net_loop_run(trace.loop);
    uint64_t idle_ns = net_loop_idle_ns(trace.loop);
    assert_in_range(idle_ns, 40000000, net_clock_ns() - begin_ns);
    net_timer_free(trace.timers[2]);
    net_loop_free(trace.loop);
}

static void another_thread_wakes_the_loop(void **state)
{
    (void)state;
    struct bell bell = {.loop = net_loop_new()};
    pthread_t thread;
    bell.wake = net_wake_new(bell.loop, on_bell, &bell);
    assert_int_equal(pthread_create(&thread, NULL, ring_from_thread, &bell), 0);
    net_loop_run(bell.loop);
    pthread_join(thread, NULL);
    assert_true(bell.rung >= 1 && bell.rung <= 100);
    net_wake_free(bell.wake);
    net_loop_free(bell.loop);
}

struct caught {
    struct net_loop *loop;
    enum net_signal signals[3];
    size_t count;
};

static void on_signal(void *context, enum net_signal which)
{
    struct caught *caught = context;
    static const int next[3] = {SIGTERM, SIGHUP, 0};
    caught->signals[caught->count] = which;
    int number = next[caught->count++];
    if (number == 0) {
        net_loop_stop(caught->loop);
        return;
    }
    raise(number);
}

static void raise_first(void *context, struct now now)
{
    (void)context;
    (void)now;
    raise(SIGINT);
}

static void signals_come_as_calls_on_the_loop(void **state)
{
    (void)state;
    struct caught caught = {.loop = net_loop_new()};
    struct net_timer *timer = net_timer_new(caught.loop, raise_first, NULL);
    struct net_timer *keep = net_timer_new(caught.loop, fire_last, NULL);
    net_timer_start(keep, after(caught.loop, 60000));
    assert_true(net_loop_catch_signals(caught.loop, on_signal, &caught));
    net_timer_start(timer, after(caught.loop, 0));
    net_loop_run(caught.loop);
    assert_int_equal(caught.count, 3);
    assert_int_equal(caught.signals[0], NET_SIGNAL_INTERRUPT);
    assert_int_equal(caught.signals[1], NET_SIGNAL_TERMINATE);
    assert_int_equal(caught.signals[2], NET_SIGNAL_HANGUP);
    net_timer_free(timer);
    net_timer_free(keep);
    net_loop_free(caught.loop);
}

static void system_randomness_differs_from_call_to_call(void **state)
{
    (void)state;
    struct env env;
    struct log *log = log_new_silent();
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};
    assert_true(net_env_init(&env, log));
    env_random_bytes(&env, a, sizeof(a));
    env_random_bytes(&env, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_ptr_equal(env.log, log);
    log_free(log);
}

static void wall_clock_is_after_2020_and_now_agrees_with_it(void **state)
{
    (void)state;
    struct net_loop *loop = net_loop_new();
    int64_t wall_ms = net_wall_clock(NULL).ms;
    int64_t now_ms = net_loop_now(loop).wall.ms;
    assert_true(wall_ms > 1577836800000);
    assert_true(now_ms - wall_ms < 1000 && wall_ms - now_ms < 1000);
    net_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_the_order_of_their_deadlines),
        cmocka_unit_test(deadline_at_the_beginning_of_time_is_due_at_once),
        cmocka_unit_test(timer_that_is_moved_fires_once_and_a_stopped_one_never),
        cmocka_unit_test(timer_may_be_freed_by_its_own_callback),
        cmocka_unit_test(end_of_turn_is_called_before_the_loop_sleeps),
        cmocka_unit_test(sleep_is_no_work),
        cmocka_unit_test(another_thread_wakes_the_loop),
        cmocka_unit_test(signals_come_as_calls_on_the_loop),
        cmocka_unit_test(system_randomness_differs_from_call_to_call),
        cmocka_unit_test(wall_clock_is_after_2020_and_now_agrees_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
