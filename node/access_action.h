// What can be asked about accounts, tokens and the audit log: one table for the API, the control
// socket and, while no node runs, the commands themselves. What needs a password to be checked or
// hashed is elsewhere for the API (web_access.c); over the control socket, which only the owner of
// the machine can reach, hashes come ready.
#ifndef SHOAL_NODE_ACCESS_ACTION_H
#define SHOAL_NODE_ACCESS_ACTION_H

#include "node/api/access.h"
#include "node/api/body.h"

struct access_call {
    struct access *access;
    struct access_change change;                 // who asks, when, and what was wrong
    struct api_value values[API_PARAMETERS_MAX]; // in the order of the action's members
};

struct access_action {
    const char *name; // over the control socket; the member "document" of the answer
    enum api_method method;
    const char *path;   // of the API; NULL: not there. Its parameters come first in the members
    enum api_role role; // of who may try; the rest is checked by access
    const char *meaning;
    const struct api_member *members;
    size_t members_count;
    bool has_secret; // in its answer
    // Writes members of the answer; or false with the change's problem.
    bool (*run)(struct access_call *call, struct json_writer *answer);
};

// Action i, NULL past the end.
const struct access_action *access_action_get(size_t i);

// Appends the answer; false with the problem, and then `out` is empty.
bool access_action_run(const struct access_action *action, struct access_call *call,
                       struct buffer *out);
// The same for {"command": name, ...} from the owner of the machine: `out` gets the answer or
// {"error": "a sentence"}. False if the command is none of these.
bool access_action_answer(struct access *access, struct json_value line, struct now now,
                          struct buffer *out);
// {"error": "a sentence"} in place of what is there.
void access_action_error(const struct api_problem *problem, struct buffer *out);

#endif
