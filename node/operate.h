// What an operator may do to the running node: one table of actions, done the same way whether they
// come by the API, over the control socket, or (config/reload) by SIGHUP. An action is checked,
// written to the audit log, and then done; without its line it is not done.
#ifndef SHOAL_NODE_OPERATE_H
#define SHOAL_NODE_OPERATE_H

#include "node/api/access.h"
#include "node/api/body.h"
#include "node/node.h"

struct operation;

struct operate_action {
    const char *name; // over the control socket and in the audit log: "peers/ban"
    const char *path; // of the API; differs in what stands in braces
    const char *meaning;
    const struct api_member *members; // of the body
    size_t members_count;
    // Whether it can be done now; false with the operation's problem. NULL: always.
    bool (*check)(struct operation *operation);
    // Does it, and writes members of the answer.
    void (*apply)(struct operation *operation, struct json_writer *answer);
};

struct operation {
    struct node *node;
    const struct operate_action *action;
    struct api_identity who;
    struct api_value values[API_PARAMETERS_MAX]; // in the order of the action's members
    struct api_problem problem;
    void *prepared; // what check leaves to apply; freed by operate_run
};

// Action i, NULL past the end.
const struct operate_action *operate_get(size_t i);
const struct operate_action *operate_find(const char *name);

// Reads the members of `body` into the values. `command` as in api_body.
bool operate_read(struct operation *operation, struct json_value body, const char *command);
// Does it: out gets {"document": name, "now": ..., ...}. False with the problem.
bool operate_run(struct operation *operation, struct buffer *out);

// A line of the control socket: false if its command is no action and none of the commands about
// accounts (access_action.h). Otherwise `out` gets the answer, or {"error": "a sentence"}.
bool operate_answer(struct node *node, const char *line, size_t size, struct buffer *out);

// SIGHUP: config/reload, told to the log.
void operate_hangup(struct node *node);

// Why no miners are taken, NULL if they are. Static text.
const char *operate_refuses_work(const struct node *node);

#endif
