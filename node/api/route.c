#include "node/api/route.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/net/http_status.h"

struct api_router {
    const struct api_route **routes;
    size_t count;
};

void api_fail(struct api_reply *reply, int status, const char *parameter, const char *detail)
{
    reply->status = status;
    reply->content_type = "application/problem+json";
    buffer_reset(reply->body);
    http_problem_write(status, parameter, detail, reply->body);
}

// ---- The table

struct api_router *api_router_new(void)
{
    return calloc(1, sizeof(struct api_router));
}

void api_router_free(struct api_router *router)
{
    if (router == NULL)
        return;
    free(router->routes);
    free(router);
}

static bool has_name(const struct api_route *route)
{
    return strchr(route->path, '{') != NULL;
}

bool api_router_add(struct api_router *router, const struct api_route *routes, size_t count)
{
    const struct api_route **grown =
        realloc(router->routes, (router->count + count) * sizeof(const struct api_route *));
    if (grown == NULL)
        return count == 0;
    router->routes = grown;
    for (size_t i = 0; i < count; i++) {
        assert(routes[i].answer != NULL && routes[i].parameters_count <= API_PARAMETERS_MAX);
        assert(!has_name(&routes[i]) || routes[i].parameters_count > 0);
        router->routes[router->count] = &routes[i];
        router->count++;
    }
    return true;
}

const struct api_route *api_router_get(const struct api_router *router, size_t i)
{
    return i < router->count ? router->routes[i] : NULL;
}

// ---- Finding a route

// Whether a path is of this form; what stands for the {name} is left in *name.
static bool path_matches(const char *form, const char *path, const char **name, size_t *name_size)
{
    const char *brace = strchr(form, '{');
    if (brace == NULL)
        return strcmp(form, path) == 0;
    size_t before = (size_t)(brace - form);
    if (strncmp(form, path, before) != 0)
        return false;
    *name = path + before;
    *name_size = strcspn(*name, "/");
    return *name_size > 0 && strcmp(strchr(brace, '}') + 1, *name + *name_size) == 0;
}

static void write_allowed(const bool allowed[API_DELETE + 1], char out[40])
{
    static const char *const names[] = {
        [API_GET] = "GET, HEAD", [API_POST] = "POST", [API_PUT] = "PUT", [API_DELETE] = "DELETE"};
    out[0] = '\0';
    for (size_t i = 0; i <= API_DELETE; i++) {
        if (allowed[i])
            snprintf(out + strlen(out), 40 - strlen(out), "%s%s", out[0] == '\0' ? "" : ", ",
                     names[i]);
    }
}

bool api_router_find(const struct api_router *router, const struct api_request *request,
                     struct api_call *call, struct api_reply *reply)
{
    bool allowed[API_DELETE + 1] = {false};
    bool is_exact = false, is_there = false;
    for (size_t i = 0; i < router->count && !is_exact; i++) {
        const struct api_route *route = router->routes[i];
        const char *name = "";
        size_t name_size = 0;
        if (!path_matches(route->path, request->path, &name, &name_size) ||
            name_size >= sizeof(call->name))
            continue;
        is_there = true;
        allowed[route->method] = true;
        if (route->method != request->method)
            continue;
        call->route = route;
        memcpy(call->name, name, name_size);
        call->name[name_size] = '\0';
        is_exact = !has_name(route);
    }
    if (call->route != NULL)
        return true;
    if (!is_there) {
        api_fail(reply, 404, NULL,
                 "There is nothing at this path; " API_PREFIX "openapi.json lists what there is.");
        return false;
    }
    write_allowed(allowed, reply->allow);
    char detail[128];
    snprintf(detail, sizeof(detail), "What is at this path takes %s.", reply->allow);
    api_fail(reply, 405, NULL, detail);
    return false;
}

bool api_call_permitted(const struct api_call *call, enum api_role role_min,
                        struct api_reply *reply)
{
    enum api_role wanted = call->route->role;
    if (!call->route->is_open && wanted < role_min)
        wanted = role_min;
    if (call->identity.role >= wanted)
        return true;
    char detail[192];
    bool is_nobody = call->identity.role == API_PUBLIC;
    snprintf(detail, sizeof(detail),
             is_nobody ? "This wants the role %s: sign in, or send \"Authorization: Bearer\" with "
                         "a token of that role."
                       : "This wants the role %s, which this account or token does not have.",
             api_role_text(wanted));
    api_fail(reply, is_nobody ? 401 : 403, NULL, detail);
    return false;
}
