#include "node/api/problem.h"
#include <stdarg.h>
#include <stdio.h>

bool api_problem_set(struct api_problem *problem, int status, const char *parameter,
                     const char *format, ...)
{
    problem->status = status;
    problem->parameter = parameter;
    problem->retry_after_s = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(problem->detail, sizeof(problem->detail), format, args);
    va_end(args);
    return false;
}
