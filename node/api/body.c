#include "node/api/body.h"
#include <stdio.h>
#include <string.h>

static const struct api_member *find(const struct api_body *body, const char *name, size_t size)
{
    for (size_t i = 0; i < body->count; i++) {
        const char *own = body->members[i].row.name;
        if (strlen(own) == size && memcmp(own, name, size) == 0)
            return &body->members[i];
    }
    return NULL;
}

static bool refuse_unknown(const struct api_body *body, struct api_problem *problem)
{
    char names[256] = "none";
    size_t size = 0;
    for (size_t i = 0; i < body->count && size < sizeof(names); i++)
        size += (size_t)snprintf(names + size, sizeof(names) - size, "%s%s", i == 0 ? "" : ", ",
                                 body->members[i].row.name);
    return api_problem_set(problem, 400, NULL, "There is a member that is not known; possible: %s.",
                           names);
}

static bool read_member(const struct api_member *member, struct json_value given,
                        struct api_value *value, struct api_problem *problem)
{
    char text[API_TEXT_SIZE], detail[API_DETAIL_SIZE];
    const char *name = member->row.name, *raw = text;
    size_t size;
    if (value->is_given)
        return api_problem_set(problem, 400, name, "\"%s\" is given twice.", name);
    if (json_is_text(given)) {
        if (!json_to_text(given, text, sizeof(text)))
            return api_problem_set(problem, 400, name, "\"%s\" is longer than %d bytes.", name,
                                   API_TEXT_SIZE - 1);
        size = strlen(text);
    } else if (json_is_number(given) && member->row.kind == API_NUMBER) {
        json_raw(given, &raw, &size);
    } else {
        return api_problem_set(problem, 400, name, "\"%s\" must be a %s.", name,
                               member->row.kind == API_NUMBER ? "number" : "text");
    }
    return api_parameter_read(&member->row, raw, size, value, detail) ||
           api_problem_set(problem, 400, name, "%s.", detail);
}

bool api_body_read(const struct api_body *body, struct json_value object, struct api_value *values,
                   struct api_problem *problem)
{
    for (size_t i = 0; i < body->count; i++)
        api_parameter_default(&body->members[i].row, &values[i]);
    for (struct json_value v = json_first(object); json_exists(v); v = json_next(v)) {
        const char *name;
        size_t size;
        json_name(v, &name, &size);
        const struct api_member *member = find(body, name, size);
        if (member != NULL) {
            if (!read_member(member, v, &values[member - body->members], problem))
                return false;
            continue;
        }
        if (body->command == NULL || strlen(body->command) != size ||
            memcmp(body->command, name, size) != 0)
            return refuse_unknown(body, problem);
    }
    for (size_t i = 0; i < body->count; i++) {
        const char *name = body->members[i].row.name;
        if (body->members[i].is_required && !values[i].is_given)
            return api_problem_set(problem, 400, name, "\"%s\" is missing: %s", name,
                                   body->members[i].row.meaning);
    }
    return true;
}
