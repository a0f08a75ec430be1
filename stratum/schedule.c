#include "stratum/schedule.h"

#include <assert.h>
#include <stdlib.h>

static void put(struct schedule *schedule, uint32_t index, struct schedule_node *node)
{
    schedule->nodes[index] = node;
    node->index = index;
}

static void sift_up(struct schedule *schedule, struct schedule_node *node)
{
    uint32_t index = node->index;
    while (index > 0) {
        uint32_t parent = (index - 1) / 2;
        if (schedule->nodes[parent]->at.ms <= node->at.ms) {
            break;
        }
        put(schedule, index, schedule->nodes[parent]);
        index = parent;
    }
    put(schedule, index, node);
}

static void sift_down(struct schedule *schedule, struct schedule_node *node)
{
    uint32_t index = node->index;
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= schedule->count) {
            break;
        }
        if (child + 1 < schedule->count &&
            schedule->nodes[child + 1]->at.ms < schedule->nodes[child]->at.ms) {
            child++;
        }
        if (node->at.ms <= schedule->nodes[child]->at.ms) {
            break;
        }
        put(schedule, index, schedule->nodes[child]);
        index = child;
    }
    put(schedule, index, node);
}

bool schedule_add(struct schedule *schedule, struct schedule_node *node, struct mono_time at)
{
    if (schedule->count == schedule->capacity) {
        uint32_t capacity = schedule->capacity == 0 ? 16 : schedule->capacity * 2;
        struct schedule_node **nodes =
            realloc(schedule->nodes, capacity * sizeof(struct schedule_node *));
        if (nodes == NULL) {
            return false;
        }
        schedule->nodes = nodes;
        schedule->capacity = capacity;
    }
    node->at = at;
    put(schedule, schedule->count++, node);
    sift_up(schedule, node);
    return true;
}

void schedule_set(struct schedule *schedule, struct schedule_node *node, struct mono_time at)
{
    bool is_earlier = at.ms < node->at.ms;
    assert(schedule->nodes[node->index] == node);
    node->at = at;
    if (is_earlier) {
        sift_up(schedule, node);
    } else {
        sift_down(schedule, node);
    }
}

void schedule_remove(struct schedule *schedule, struct schedule_node *node)
{
    uint32_t index = node->index;
    assert(index < schedule->count && schedule->nodes[index] == node);
    struct schedule_node *last = schedule->nodes[--schedule->count];
    if (last == node) {
        return;
    }
    put(schedule, index, last);
    sift_up(schedule, last);
    sift_down(schedule, last);
}

struct schedule_node *schedule_first(const struct schedule *schedule)
{
    return schedule->count > 0 ? schedule->nodes[0] : NULL;
}

void schedule_clear(struct schedule *schedule)
{
    free(schedule->nodes);
    *schedule = (struct schedule){.nodes = NULL};
}
