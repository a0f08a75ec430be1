// What a request says, held against what its route takes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "node/api/parameter.h"
#include "node/api/route.h"
#include "node/base/hex.h"

#define BODY_TOKENS_MAX 128
#define DETAIL_SIZE     384

static bool percent_decode(const char *text, size_t size, bool is_query, char out[API_TEXT_SIZE])
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < size ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < size ? hex_digit(text[i + 2]) : -1;
            // A zero byte would end the text before its end.
            if (high < 0 || low < 0 || high + low == 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && is_query) {
            c = ' ';
        }
        if (count + 1 == API_TEXT_SIZE)
            return false;
        out[count] = c;
        count++;
    }
    out[count] = '\0';
    return true;
}

// ---- Parameters

static bool read_value(const struct api_parameter *parameter, const char *text,
                       struct api_value *value, struct api_reply *reply)
{
    char detail[API_DETAIL_SIZE];
    if (api_parameter_read(parameter, text, strlen(text), value, detail))
        return true;
    api_fail(reply, 400, parameter->name, detail);
    return false;
}

static bool fail_escapes(const struct api_parameter *parameter, struct api_reply *reply)
{
    char detail[DETAIL_SIZE];
    snprintf(detail, sizeof(detail),
             "The value of \"%s\" is too long, or wrongly percent-encoded: %%00 is not allowed.",
             parameter->name);
    api_fail(reply, 400, parameter->name, detail);
    return false;
}

// A name that is not ours is repeated only as far as it is plain text.
static bool fail_unknown(const struct api_route *route, const char *name, struct api_reply *reply)
{
    char detail[DETAIL_SIZE];
    int count = 0;
    for (size_t i = 0; i < route->parameters_count && count >= 0; i++) {
        size_t at = (size_t)count;
        if (at >= sizeof(detail))
            break;
        count += snprintf(detail + at, sizeof(detail) - at, "%s\"%s\"",
                          i == 0 ? "This parameter is not known here; there are: " : ", ",
                          route->parameters[i].name);
    }
    if (route->parameters_count == 0)
        snprintf(detail, sizeof(detail), "No parameter is known here.");
    api_fail(reply, 400, name, detail);
    return false;
}

// ---- The path and the query

static bool has_path_parameter(const struct api_route *route)
{
    return strchr(route->path, '{') != NULL;
}

static bool read_path(struct api_call *call, struct api_reply *reply)
{
    char text[API_TEXT_SIZE];
    const struct api_parameter *parameter = call->route->parameters;
    if (!has_path_parameter(call->route))
        return true;
    if (!percent_decode(call->name, strlen(call->name), false, text))
        return fail_escapes(parameter, reply);
    return read_value(parameter, text, &call->values[0], reply);
}

static bool read_pair(struct api_call *call, const char *pair, size_t size, struct api_reply *reply)
{
    const struct api_route *route = call->route;
    const char *equals = memchr(pair, '=', size);
    size_t name_size = equals == NULL ? size : (size_t)(equals - pair);
    size_t value_size = equals == NULL ? 0 : size - name_size - 1;
    char name[API_TEXT_SIZE], text[API_TEXT_SIZE];
    if (!percent_decode(pair, name_size, true, name))
        return fail_unknown(route, "?", reply);
    size_t in_path = has_path_parameter(route) ? 1 : 0;
    const struct api_parameter *parameter =
        api_parameter_find(route->parameters + in_path, route->parameters_count - in_path, name);
    if (parameter == NULL)
        return fail_unknown(route, name, reply);
    struct api_value *value = &call->values[parameter - route->parameters];
    if (value->is_given) {
        api_fail(reply, 400, parameter->name, "This parameter is given more than once.");
        return false;
    }
    if (!percent_decode(pair + size - value_size, value_size, true, text))
        return fail_escapes(parameter, reply);
    return read_value(parameter, text, value, reply);
}

static bool read_query(const char *query, struct api_call *call, struct api_reply *reply)
{
    while (*query != '\0') {
        size_t size = strcspn(query, "&");
        if (size > 0 && !read_pair(call, query, size, reply))
            return false;
        query += size;
        query += *query == '&' ? 1 : 0;
    }
    return true;
}

// ---- The body

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    size_t size = sizeof(json) - 1;
    return strncasecmp(content_type, json, size) == 0 &&
           (content_type[size] == '\0' || content_type[size] == ';' || content_type[size] == ' ');
}

static bool read_body(const struct api_request *request, struct api_call *call,
                      struct api_reply *reply)
{
    if (!call->route->has_body) {
        if (request->body_size == 0)
            return true;
        api_fail(reply, 400, NULL, "This request takes no body.");
        return false;
    }
    // Also what keeps forms of other sites out: they cannot send this type without being asked.
    if (!is_json(request->content_type)) {
        api_fail(reply, 415, NULL,
                 "The body must be a JSON object, sent with \"Content-Type: application/json\".");
        return false;
    }
    call->document = json_parse(request->body, request->body_size, BODY_TOKENS_MAX);
    if (call->document != NULL)
        call->body = json_root(call->document);
    if (json_is_object(call->body))
        return true;
    api_fail(reply, 400, NULL, "The body is not a JSON object, or has too many members.");
    return false;
}

bool api_call_read(const struct api_request *request, struct api_call *call,
                   struct api_reply *reply)
{
    for (size_t i = 0; i < call->route->parameters_count; i++)
        api_parameter_default(&call->route->parameters[i], &call->values[i]);
    return read_path(call, reply) && read_query(request->query, call, reply) &&
           read_body(request, call, reply);
}

void api_call_clear(struct api_call *call)
{
    json_free(call->document);
    call->document = NULL;
    call->body = (struct json_value){0};
}
