#include "node/backend/template_job.h"
#include <stdio.h>
#include <stdlib.h>
#include "node/limits.h"

struct template_job *template_job_new(struct buffer *body)
{
    struct template_job *job = calloc(1, sizeof(*job));
    if (job != NULL) {
        job->body = *body;
        buffer_init(body, LIMIT_RPC_REPLY_SIZE);
    }
    return job;
}

void template_job_free(struct template_job *job)
{
    block_template_release(job->block_template);
    buffer_clear(&job->body);
    free(job);
}

static void run(void *request)
{
    struct template_job *job = request;
    const char *text = (const char *)job->body.data;
    struct json *json = json_parse(text, job->body.size, LIMIT_RPC_TOKENS);
    job->is_reply = json != NULL && rpc_read_reply(json_root(json), &job->reply);
    if (job->is_reply && !job->reply.is_error) {
        job->result = block_template_parse(job->params, job->reply.result, &job->needs,
                                           &job->block_template, &job->field);
    }
    json_free(json);
    buffer_clear(&job->body);
}

static void done(void *request, bool was_run)
{
    struct template_job *job = request;
    job->was_run = was_run;
    job->done(job);
}

bool template_job_start(struct template_job *job, struct net_worker *worker)
{
    return net_worker_submit(worker, run, done, job);
}

void template_job_describe(const struct template_job *job, const struct daemon_link *link,
                           char error[DAEMON_ERROR_SIZE])
{
    if (!job->is_reply || job->reply.is_error) {
        daemon_describe_reply(link, job->status, "getblocktemplate",
                              job->is_reply ? &job->reply : NULL, error);
        return;
    }
    snprintf(error, DAEMON_ERROR_SIZE,
             "the template of %s cannot be used: %s (%s): is it an up-to-date %s on %s?",
             link->shown, template_result_text(job->result), job->field != NULL ? job->field : "-",
             job->params->daemon_name, job->params->name);
}
