// Work on other threads: it runs elsewhere, its end comes to the loop, cancelling leaves nothing
// behind.
#include "node/net/worker.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct work {
    pthread_t ran_on;
    int value;
    int *done_count;
    int *cancelled_count;
    pthread_mutex_t *gate; // NULL: does not wait
};

static void run(void *request)
{
    struct work *work = request;
    if (work->gate != NULL) {
        pthread_mutex_lock(work->gate);
        pthread_mutex_unlock(work->gate);
    }
    work->ran_on = pthread_self();
    work->value = work->value * 2;
}

static void done(void *request, bool was_run)
{
    struct work *work = request;
    if (was_run) {
        (*work->done_count)++;
    } else {
        (*work->cancelled_count)++;
    }
}

static void work_runs_on_another_thread_and_ends_on_the_loop(void **state)
{
    (void)state;
    int done_count = 0;
    struct net_loop *loop = net_loop_new();
    struct net_worker *worker = net_worker_new(loop, 4);
    struct work work = {.value = 21, .done_count = &done_count};
    assert_true(net_worker_submit(worker, run, done, &work));
    assert_int_equal(net_worker_pending(worker), 1);
    net_loop_run(loop);
    assert_int_equal(work.value, 42);
    assert_int_equal(done_count, 1);
    assert_false(pthread_equal(work.ran_on, pthread_self()));
    assert_int_equal(net_worker_pending(worker), 0);
    net_worker_free(worker);
    net_loop_free(loop);
}

static void full_queue_refuses_without_calling_back(void **state)
{
    (void)state;
    int done_count = 0;
    struct net_loop *loop = net_loop_new();
    struct net_worker *worker = net_worker_new(loop, 2);
    struct work works[3];
    for (size_t i = 0; i < 3; i++) {
        works[i] = (struct work){.value = 1, .done_count = &done_count};
        assert_int_equal(net_worker_submit(worker, run, done, &works[i]), i < 2);
    }
    net_loop_run(loop);
    assert_int_equal(done_count, 2);
    assert_int_equal(works[2].value, 1);
    net_worker_free(worker);
    net_loop_free(loop);
}

static void freed_worker_cancels_what_waits_and_lets_the_running_end(void **state)
{
    (void)state;
    enum { COUNT = 80 }; // more than there can be threads
    int done_count = 0;
    int cancelled_count = 0;
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    struct net_loop *loop = net_loop_new();
    struct net_worker *worker = net_worker_new(loop, COUNT);
    struct work works[COUNT];
    pthread_mutex_lock(&gate);
    for (size_t i = 0; i < COUNT; i++) {
        works[i] = (struct work){.value = 1,
                                 .done_count = &done_count,
                                 .cancelled_count = &cancelled_count,
                                 .gate = &gate};
        assert_true(net_worker_submit(worker, run, done, &works[i]));
    }
    net_worker_free(worker);
    pthread_mutex_unlock(&gate);
    net_loop_free(loop);
    assert_int_equal(done_count + cancelled_count, COUNT);
    assert_true(cancelled_count >= COUNT - 64);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(works[i].value == 1 || works[i].value == 2);
        done_count -= works[i].value - 1;
    }
    assert_int_equal(done_count, 0);
}

static void freeing_done(void *request, bool was_run)
{
    (void)was_run;
    struct net_worker **worker = request;
    net_worker_free(*worker);
    *worker = NULL;
}

static void run_nothing(void *request)
{
    (void)request;
}

// What is read after it was freed is found by the address sanitizer.
static void last_request_may_free_its_worker(void **state)
{
    (void)state;
    struct net_loop *loop = net_loop_new();
    struct net_worker *worker = net_worker_new(loop, 1);
    assert_true(net_worker_submit(worker, run_nothing, freeing_done, &worker));
    net_loop_run(loop);
    assert_null(worker);
    net_loop_free(loop);
}

int main(void)
{
    net_worker_set_threads(3);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_runs_on_another_thread_and_ends_on_the_loop),
        cmocka_unit_test(full_queue_refuses_without_calling_back),
        cmocka_unit_test(freed_worker_cancels_what_waits_and_lets_the_running_end),
        cmocka_unit_test(last_request_may_free_its_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
