// Who has to be looked at when: a binary heap of deadlines, one per session. Setting a deadline
// costs O(log n), finding the next one nothing.
#ifndef SHOAL_STRATUM_SCHEDULE_H
#define SHOAL_STRATUM_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/time.h"

// Part of the thing that is scheduled; zeroed before schedule_add.
struct schedule_node {
    struct mono_time at;
    uint32_t index;
};

struct schedule {
    struct schedule_node **nodes;
    uint32_t count;
    uint32_t capacity;
};

// False if out of memory. The node must stay where it is until schedule_remove.
bool schedule_add(struct schedule *schedule, struct schedule_node *node, struct mono_time at);
void schedule_set(struct schedule *schedule, struct schedule_node *node, struct mono_time at);
void schedule_remove(struct schedule *schedule, struct schedule_node *node);
// The earliest node, NULL if there is none.
struct schedule_node *schedule_first(const struct schedule *schedule);
void schedule_clear(struct schedule *schedule);

#endif
