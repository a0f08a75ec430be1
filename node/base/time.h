// Two clocks that cannot be mixed up. Engines get both as parameters, read once per loop turn;
// nothing below node/net reads a clock itself.
#ifndef SHOAL_NODE_BASE_TIME_H
#define SHOAL_NODE_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

// Milliseconds since an arbitrary start; never goes back. For time-outs and rates.
struct mono_time {
    int64_t ms;
};

// Milliseconds since 1970-01-01 UTC; may jump. For consensus times and for people.
struct wall_time {
    int64_t ms;
};

struct now {
    struct mono_time mono;
    struct wall_time wall;
};

// Seconds since 1970 as consensus uses them.
static inline int64_t wall_seconds(struct wall_time time)
{
    return time.ms / 1000;
}

// A deadline that never comes.
#define MONO_NEVER ((struct mono_time){.ms = INT64_MAX})

static inline bool mono_is_due(struct mono_time deadline, struct now now)
{
    return deadline.ms <= now.mono.ms;
}

static inline struct mono_time mono_min(struct mono_time a, struct mono_time b)
{
    return a.ms < b.ms ? a : b;
}

#endif
