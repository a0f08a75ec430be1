#include "node/operate.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/access_action.h"
#include "node/operate_parts.h"
#include "node/state.h"

#define BAN_MIN_S    60
#define BAN_MAX_S    31536000
#define BAN_S        86400
#define LINE_TOKENS  64
#define WHAT_SIZE    1024
#define SESSIONS_MAX UINT64_MAX

#define MEMBERS(array) .members = (array), .members_count = sizeof(array) / sizeof((array)[0])

static const struct api_member ban_members[] = {
    [BAN_ADDRESS] = {{"address", API_NAME, 1, 63, 0, NULL,
                      "The IP address of a node, without port."},
                     true},
    [BAN_SECONDS] = {{"seconds", API_NUMBER, BAN_MIN_S, BAN_MAX_S, BAN_S, NULL,
                      "For how long; a day where nothing is said."},
                     false},
    [BAN_REASON] = {{"reason", API_NAME, 1, 128, 0, NULL, "Why, for the audit log."}, false},
};

static const struct api_member unban_members[] = {
    {{"address", API_NAME, 1, 63, 0, NULL, "The IP address that was banned."}, true},
};

static const struct api_member disconnect_members[] = {
    {{"session", API_NUMBER, 1, SESSIONS_MAX, 0, NULL,
      "The number of the miner's connection, as the document miners shows it."},
     true},
};

static const struct api_member level_members[] = {
    {{"level", API_WORD, 0, 0, 0, "error warn info debug", "How much is logged."}, true},
};

static const struct operate_action actions[] = {
    {.name = "config/reload",
     .path = "config/reload",
     .meaning = "Read the configuration again; what needs a restart is named.",
     .check = operate_reload_check,
     .apply = operate_reload},
    {.name = "peers/ban",
     .path = "peers/ban",
     .meaning = "Ban a node's address until a time or a restart; its links end.",
     MEMBERS(ban_members),
     .check = operate_ban_check,
     .apply = operate_ban},
    {.name = "peers/unban",
     .path = "peers/unban",
     .meaning = "Take away all bans of an address.",
     MEMBERS(unban_members),
     .check = operate_unban_check,
     .apply = operate_unban},
    {.name = "miners/disconnect",
     .path = "miners/{session}/disconnect",
     .meaning = "Close the connection of one miner; it may come back.",
     MEMBERS(disconnect_members),
     .check = operate_disconnect_check,
     .apply = operate_disconnect},
    {.name = "log-level",
     .path = "log-level",
     .meaning = "Log more or less, until the next reload or restart.",
     MEMBERS(level_members),
     .apply = operate_log_level},
    {.name = "drain",
     .path = "drain",
     .meaning = "Send all miners away and take no new ones; the node stays in the pool.",
     .check = operate_drain_check,
     .apply = operate_drain},
    {.name = "undrain",
     .path = "undrain",
     .meaning = "Take miners again.",
     .check = operate_undrain_check,
     .apply = operate_undrain},
};

const struct operate_action *operate_get(size_t i)
{
    return i < sizeof(actions) / sizeof(actions[0]) ? &actions[i] : NULL;
}

const struct operate_action *operate_find(const char *name)
{
    const struct operate_action *action;
    for (size_t i = 0; (action = operate_get(i)) != NULL; i++) {
        if (strcmp(action->name, name) == 0)
            return action;
    }
    return NULL;
}

// ---- Running one

bool operate_read(struct operation *operation, struct json_value body, const char *command)
{
    struct api_body known = {operation->action->members, operation->action->members_count, command};
    return api_body_read(&known, body, operation->values, &operation->problem);
}

// "address=192.0.2.1 seconds=3600": what was given.
static void write_what(const struct operation *operation, char what[WHAT_SIZE])
{
    struct buffer out;
    buffer_init_fixed(&out, what, WHAT_SIZE);
    for (size_t i = 0; i < operation->action->members_count; i++) {
        if (operation->values[i].is_given)
            write_format(&out, "%s%s=%s", out.size > 0 ? " " : "",
                         operation->action->members[i].row.name, operation->values[i].text);
    }
    what[out.size < WHAT_SIZE ? out.size : WHAT_SIZE - 1] = '\0';
}

static bool write_audit(struct operation *operation, const char *result,
                        struct api_problem *problem)
{
    struct node *node = operation->node;
    char what[WHAT_SIZE];
    write_what(operation, what);
    struct audit_entry entry = {&operation->who, operation->action->name, what, result};
    log_event(node->log, LOG_INFO, "operate", "an operator acts",
              LOG_TEXT("action", operation->action->name), LOG_TEXT("who", operation->who.name),
              LOG_TEXT("from", operation->who.address), LOG_TEXT("what", what),
              LOG_TEXT("result", result));
    return audit_write(access_audit(node->access), &entry, true, net_loop_now(node->loop), problem);
}

static bool check(struct operation *operation)
{
    if (operation->action->check == NULL || operation->action->check(operation))
        return true;
    struct api_problem second;
    char result[API_PROBLEM_SIZE + 16];
    snprintf(result, sizeof(result), "refused: %s", operation->problem.detail);
    // Nothing was done that would need its line.
    (void)write_audit(operation, result, &second);
    return false;
}

bool operate_run(struct operation *operation, struct buffer *out)
{
    bool is_done = check(operation) && write_audit(operation, "done", &operation->problem);
    if (is_done) {
        struct json_writer writer;
        json_writer_init(&writer, out);
        json_begin_object(&writer, NULL);
        json_write_text(&writer, "document", operation->action->name);
        json_write_i64(&writer, "now", wall_seconds(net_loop_now(operation->node->loop).wall));
        operation->action->apply(operation, &writer);
        json_end_object(&writer);
    }
    free(operation->prepared);
    operation->prepared = NULL;
    return is_done;
}

// ---- The control socket

static bool answer_action(struct node *node, const char *name, struct json_value line,
                          struct buffer *out)
{
    struct operation operation = {
        .node = node, .action = operate_find(name), .who = access_local()};
    if (operation.action == NULL)
        return false;
    if (!operate_read(&operation, line, "command") || !operate_run(&operation, out))
        access_action_error(&operation.problem, out);
    return true;
}

bool operate_answer(struct node *node, const char *line, size_t size, struct buffer *out)
{
    char name[64];
    bool is_ours = false;
    struct json *json = json_parse(line, size, LINE_TOKENS);
    struct json_value root = json == NULL ? (struct json_value){0} : json_root(json);
    if (node->access != NULL && json_to_text(json_get(root, "command"), name, sizeof(name)))
        is_ours = answer_action(node, name, root, out) ||
                  access_action_answer(node->access, root, net_loop_now(node->loop), out);
    json_free(json);
    return is_ours;
}

void operate_hangup(struct node *node)
{
    struct operation operation = {
        .node = node, .action = operate_find("config/reload"), .who = access_local()};
    snprintf(operation.who.address, sizeof(operation.who.address), "SIGHUP");
    struct buffer out;
    buffer_init(&out, 65536);
    if (!operate_run(&operation, &out))
        log_event(node->log, LOG_ERROR, "config", "not reloaded",
                  LOG_TEXT("reason", operation.problem.detail));
    buffer_clear(&out);
}
