// Why something was not done: for the API a problem (RFC 9457), for the control socket an error.
#ifndef SHOAL_NODE_API_PROBLEM_H
#define SHOAL_NODE_API_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#define API_PROBLEM_SIZE 512

struct api_problem {
    int status;            // of HTTP: 400, 403, 404, 409, 429, 503; 0 while nothing is wrong
    const char *parameter; // that was wrong, or NULL; static text
    int64_t retry_after_s; // of 429
    char detail[API_PROBLEM_SIZE]; // a sentence: what, where, what would be right
};

// Fills it and returns false: the last line of whoever gives up.
bool api_problem_set(struct api_problem *problem, int status, const char *parameter,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
