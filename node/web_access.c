#include "node/web_access.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/access_action.h"
#include "node/operate.h"
#include "node/state.h"
#include "node/web_login.h"

#define ROUTES_MAX     48
#define PARAMETERS_MAX 64

// One row of a table as a route: of one of the two tables.
struct web_row {
    struct web_access *access;
    const struct access_action *action;
    const struct operate_action *operation;
    const struct api_member *members;
    size_t members_count;
};

struct web_access {
    struct node *node;
    struct web_login *login;
    struct api_route routes[ROUTES_MAX];
    struct web_row rows[ROUTES_MAX];
    size_t routes_count;
    struct api_parameter parameters[PARAMETERS_MAX];
    size_t parameters_count;
};

void web_access_problem(struct api_reply *reply, const struct api_problem *problem)
{
    buffer_reset(reply->body);
    api_fail(reply, problem->status, problem->parameter, problem->detail);
    reply->retry_after_s = problem->retry_after_s;
}

// ---- Answers

// A path has one parameter at most: the first member.
static size_t members_in_path(const struct api_route *route)
{
    return strchr(route->path, '{') != NULL ? 1 : 0;
}

// From the path, the query and the body into the order of the members.
static bool read_values(const struct web_row *row, const struct api_call *call,
                        struct api_value *values, struct api_problem *problem)
{
    size_t ready = call->route->parameters_count;
    for (size_t i = 0; i < ready; i++)
        values[i] = call->values[i];
    struct api_body body = {row->members + ready, row->members_count - ready, NULL};
    return api_body_read(&body, call->body, values + ready, problem);
}

static void answer_action(void *context, const struct api_call *call, struct api_reply *reply)
{
    const struct web_row *row = context;
    struct access_call asked = {
        .access = row->access->node->access,
        .change = {.who = &call->identity, .now = call->now},
    };
    reply->is_kept_back = true;
    if (!read_values(row, call, asked.values, &asked.change.problem) ||
        !access_action_run(row->action, &asked, reply->body))
        web_access_problem(reply, &asked.change.problem);
    sodium_memzero(asked.values, sizeof(asked.values));
}

static void answer_operation(void *context, const struct api_call *call, struct api_reply *reply)
{
    const struct web_row *row = context;
    struct operation operation = {
        .node = row->access->node, .action = row->operation, .who = call->identity};
    reply->is_kept_back = true;
    if (!read_values(row, call, operation.values, &operation.problem) ||
        !operate_run(&operation, reply->body))
        web_access_problem(reply, &operation.problem);
}

// ---- Routes

// What is not in the path of a change is in its body; of a question all is in path and query.
static void add_route(struct web_access *access, const struct web_row *row,
                      const struct api_route *like)
{
    struct api_route *route = &access->routes[access->routes_count];
    struct web_row *own = &access->rows[access->routes_count];
    size_t count = like->method == API_GET ? row->members_count : members_in_path(like);
    if (access->routes_count == ROUTES_MAX || access->parameters_count + count > PARAMETERS_MAX)
        abort(); // the tables have grown: so must these
    *own = *row;
    *route = *like;
    own->access = access;
    route->context = own;
    route->parameters = &access->parameters[access->parameters_count];
    route->parameters_count = count;
    route->has_body = row->members_count > count;
    for (size_t i = 0; i < count; i++)
        access->parameters[access->parameters_count + i] = row->members[i].row;
    access->parameters_count += count;
    access->routes_count++;
}

static void add_actions(struct web_access *access)
{
    const struct access_action *action;
    for (size_t i = 0; (action = access_action_get(i)) != NULL; i++) {
        struct web_row row = {
            .action = action, .members = action->members, .members_count = action->members_count};
        struct api_route route = {.method = action->method,
                                  .path = action->path,
                                  .role = action->role,
                                  .summary = action->meaning,
                                  .answer = answer_action};
        if (action->path != NULL)
            add_route(access, &row, &route);
    }
}

static void add_operations(struct web_access *access)
{
    const struct operate_action *operation;
    for (size_t i = 0; (operation = operate_get(i)) != NULL; i++) {
        struct web_row row = {.operation = operation,
                              .members = operation->members,
                              .members_count = operation->members_count};
        struct api_route route = {.method = API_POST,
                                  .path = operation->path,
                                  .role = API_OPERATOR,
                                  .summary = operation->meaning,
                                  .answer = answer_operation};
        add_route(access, &row, &route);
    }
}

struct web_access *web_access_new(struct node *node, struct web_server *web, char *error)
{
    struct web_access *access = calloc(1, sizeof(*access));
    snprintf(error, NODE_ERROR_SIZE, "out of memory");
    if (access == NULL)
        return NULL;
    access->node = node;
    add_actions(access);
    add_operations(access);
    access->login = web_login_new(node, web);
    if (access->login == NULL || !web_server_add(web, access->routes, access->routes_count)) {
        web_access_free(access);
        return NULL;
    }
    return access;
}

void web_access_free(struct web_access *access)
{
    if (access == NULL)
        return;
    web_login_free(access->login);
    free(access);
}
