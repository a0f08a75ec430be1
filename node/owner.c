#include "node/owner.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "node/access_action.h"
#include "node/net/loop.h"
#include "node/report.h"

#define TOKENS_MAX 65536

struct owner {
    struct ask *ask; // NULL: no node runs
    struct net_loop *loop;
    struct env env;
    struct log *log;
    struct access *access;
    struct buffer answer; // without a node; holds secrets now and then
};

static bool open_files(struct owner *owner, const char *data, char error[ASK_ERROR_SIZE])
{
    struct stat status;
    if (stat(data, &status) != 0 || !S_ISDIR(status.st_mode)) {
        snprintf(error, ASK_ERROR_SIZE,
                 "no node runs, and there is no data directory \"%.300s\"; give --data DIR", data);
        return false;
    }
    snprintf(error, ASK_ERROR_SIZE, "out of memory");
    owner->loop = net_loop_new();
    owner->log = log_new_silent();
    if (owner->loop == NULL || owner->log == NULL || !net_env_init(&owner->env, owner->log))
        return false;
    owner->access = access_open(data, &owner->env, error);
    return owner->access != NULL;
}

struct owner *owner_open(const char *data, bool needs_node, char error[ASK_ERROR_SIZE])
{
    struct owner *owner = calloc(1, sizeof(*owner));
    if (owner == NULL) {
        snprintf(error, ASK_ERROR_SIZE, "out of memory");
        return NULL;
    }
    buffer_init(&owner->answer, REPORT_SIZE_MAX);
    owner->ask = ask_open(data, error);
    if (owner->ask != NULL || (!needs_node && open_files(owner, data, error)))
        return owner;
    owner_close(owner);
    return NULL;
}

static void wipe(struct buffer *buffer)
{
    if (buffer->data != NULL)
        sodium_memzero(buffer->data, buffer->size);
    buffer_reset(buffer);
}

void owner_close(struct owner *owner)
{
    if (owner == NULL)
        return;
    ask_close(owner->ask);
    access_close(owner->access);
    log_free(owner->log);
    net_loop_free(owner->loop);
    wipe(&owner->answer);
    buffer_clear(&owner->answer);
    free(owner);
}

static struct json *ask_files(struct owner *owner, const struct buffer *line,
                              char error[ASK_ERROR_SIZE])
{
    struct json *asked = json_parse((const char *)line->data, line->size, TOKENS_MAX);
    wipe(&owner->answer);
    bool is_known =
        asked != NULL && access_action_answer(owner->access, json_root(asked),
                                              net_loop_now(owner->loop), &owner->answer);
    json_free(asked);
    if (is_known)
        return ask_read_answer((const char *)owner->answer.data, owner->answer.size, error);
    snprintf(error, ASK_ERROR_SIZE, "this needs a running node");
    return NULL;
}

struct json *owner_ask(struct owner *owner, const struct buffer *line, char error[ASK_ERROR_SIZE])
{
    return owner->ask != NULL ? ask_line(owner->ask, line, error) : ask_files(owner, line, error);
}
