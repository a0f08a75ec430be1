#include "node/net/worker.h"
#include "node/net/internal.h"
#include <stdio.h>
#include <stdlib.h>

struct job {
    uv_work_t work;
    struct net_worker *worker;
    struct job *previous;
    struct job *next;
    net_work_run *run;
    net_work_done *done;
    void *request;
};

struct net_worker {
    struct net_loop *loop;
    struct job *jobs;
    size_t jobs_count;
    size_t jobs_max;
    bool is_freed;   // by its owner; goes with its last job
    bool is_telling; // a `done` runs: it may free the worker, too
};

void net_worker_set_threads(unsigned threads)
{
    char text[8];
    snprintf(text, sizeof(text), "%u", threads < 1 ? 1 : threads > 64 ? 64 : threads);
    uv_os_setenv("UV_THREADPOOL_SIZE", text);
}

struct net_worker *net_worker_new(struct net_loop *loop, size_t requests_max)
{
    struct net_worker *worker = calloc(1, sizeof(*worker));
    if (worker != NULL) {
        worker->loop = loop;
        worker->jobs_max = requests_max;
    }
    return worker;
}

static void run_job(uv_work_t *work)
{
    struct job *job = work->data;
    job->run(job->request);
}

static void on_job_done(uv_work_t *work, int status)
{
    struct job *job = work->data;
    struct net_worker *worker = job->worker;
    if (job->next != NULL) {
        job->next->previous = job->previous;
    }
    if (job->previous != NULL) {
        job->previous->next = job->next;
    } else {
        worker->jobs = job->next;
    }
    worker->jobs_count--;
    worker->is_telling = true;
    job->done(job->request, status == 0);
    worker->is_telling = false;
    free(job);
    if (worker->is_freed && worker->jobs_count == 0) {
        free(worker);
    }
}

bool net_worker_submit(struct net_worker *worker, net_work_run *run, net_work_done *done,
                       void *request)
{
    if (worker->jobs_count >= worker->jobs_max) {
        return false;
    }
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return false;
    }
    job->work.data = job;
    job->worker = worker;
    job->run = run;
    job->done = done;
    job->request = request;
    if (uv_queue_work(&worker->loop->uv, &job->work, run_job, on_job_done) != 0) {
        free(job);
        return false;
    }
    job->next = worker->jobs;
    if (worker->jobs != NULL) {
        worker->jobs->previous = job;
    }
    worker->jobs = job;
    worker->jobs_count++;
    return true;
}

size_t net_worker_pending(const struct net_worker *worker)
{
    return worker->jobs_count;
}

void net_worker_free(struct net_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    if (worker->jobs_count == 0 && !worker->is_telling) {
        free(worker);
        return;
    }
    worker->is_freed = true;
    for (struct job *job = worker->jobs; job != NULL; job = job->next) {
        uv_cancel((uv_req_t *)&job->work); // fails if it runs already: then it ends in its own time
    }
}
