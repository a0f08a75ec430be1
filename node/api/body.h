// The members of a JSON object as parameters: the body of a request to the API, or a line to the
// control socket. Checked against rows as parameters of a query are (parameter.h); members that no
// row names are refused.
#ifndef SHOAL_NODE_API_BODY_H
#define SHOAL_NODE_API_BODY_H

#include "node/api/parameter.h"
#include "node/api/problem.h"

struct api_member {
    struct api_parameter row;
    bool is_required;
};

// Fills values[i] for row i; those not given get their defaults. `command` is the name of a member
// that is left to the caller, or NULL. False (400) with the problem. `count` is at most
// API_PARAMETERS_MAX.
struct api_body {
    const struct api_member *members;
    size_t count;
    const char *command;
};
bool api_body_read(const struct api_body *body, struct json_value object, struct api_value *values,
                   struct api_problem *problem);

#endif
