// Also the document "routes": what the API takes, so that its description can be held against it by
// machine.
#include "node/web_openapi.h"
#include <string.h>
#include "node/report_parts.h"
#include "node/web/web.h"
#include "node/web_server.h"

static const char *method_text(enum api_method method)
{
    switch (method) {
    case API_GET:
        return "get";
    case API_POST:
        return "post";
    case API_PUT:
        return "put";
    case API_DELETE:
        return "delete";
    case API_OTHER:
        break;
    }
    return "other";
}

static const char *kind_text(enum api_kind kind)
{
    switch (kind) {
    case API_NUMBER:
        return "number";
    case API_HASH:
        return "hash";
    case API_WORD:
        return "word";
    case API_NAME:
        return "name";
    }
    return "";
}

static void write_parameter(struct json_writer *writer, const struct api_parameter *parameter)
{
    json_begin_object(writer, NULL);
    json_write_text(writer, "name", parameter->name);
    json_write_text(writer, "kind", kind_text(parameter->kind));
    json_write_u64(writer, "min", parameter->min);
    json_write_u64(writer, "max", parameter->max);
    json_write_u64(writer, "number", parameter->number);
    json_write_text(writer, "words", parameter->kind == API_WORD ? parameter->words : NULL);
    json_end_object(writer);
}

static void write_route(struct json_writer *writer, const struct api_route *route)
{
    json_begin_object(writer, NULL);
    json_write_text(writer, "method", method_text(route->method));
    json_write_text(writer, "path", route->path);
    json_write_text(writer, "role", api_role_text(route->role));
    json_write_bool(writer, "has_body", route->has_body);
    json_begin_array(writer, "parameters");
    for (size_t i = 0; i < route->parameters_count; i++)
        write_parameter(writer, &route->parameters[i]);
    json_end_array(writer);
    json_end_object(writer);
}

void report_routes(struct node *node, struct report_call *call, struct json_writer *writer)
{
    const struct api_route *route;
    (void)call;
    json_begin_array(writer, "routes");
    for (size_t i = 0;
         node->web_server != NULL && (route = web_server_route(node->web_server, i)) != NULL; i++)
        write_route(writer, route);
    json_end_array(writer);
}

static void answer_openapi(void *context, const struct api_call *call, struct api_reply *reply)
{
    const struct web_file *file;
    (void)context;
    (void)call;
    for (size_t i = 0; (file = web_file_get(i)) != NULL; i++) {
        if (strcmp(file->path, API_PREFIX "openapi.json") == 0)
            write_bytes(reply->body, file->data, file->size);
    }
}

const struct api_route *web_openapi_route(void)
{
    static const struct api_route route = {
        .method = API_GET,
        .path = "openapi.json",
        .summary = "This description.",
        .answer = answer_openapi,
    };
    return &route;
}
