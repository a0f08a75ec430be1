#include "tests/sim/events.h"

#include <assert.h>
#include <stdlib.h>

#define CHILDREN 4

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_us < b->at_us || (a->at_us == b->at_us && a->number < b->number);
}

void events_push(struct events *events, struct event event)
{
    if (events->count == events->capacity) {
        events->capacity = events->capacity == 0 ? 4096 : 2 * events->capacity;
        events->heap = realloc(events->heap, events->capacity * sizeof events->heap[0]);
        if (events->heap == NULL)
            abort();
    }
    event.number = events->pushed++;
    size_t at = events->count++;
    while (at > 0 && is_before(&event, &events->heap[(at - 1) / CHILDREN])) {
        events->heap[at] = events->heap[(at - 1) / CHILDREN];
        at = (at - 1) / CHILDREN;
    }
    events->heap[at] = event;
}

const struct event *events_first(const struct events *events)
{
    return events->count == 0 ? NULL : &events->heap[0];
}

struct event events_pop(struct events *events)
{
    assert(events->count > 0);
    struct event first = events->heap[0];
    struct event last = events->heap[--events->count];
    size_t at = 0;
    for (;;) {
        size_t child = CHILDREN * at + 1;
        size_t end = child + CHILDREN < events->count ? child + CHILDREN : events->count;
        size_t least = child;
        for (; child < end; child++) {
            if (is_before(&events->heap[child], &events->heap[least]))
                least = child;
        }
        if (least >= end || !is_before(&events->heap[least], &last))
            break;
        events->heap[at] = events->heap[least];
        at = least;
    }
    if (events->count > 0)
        events->heap[at] = last;
    return first;
}

void events_clear(struct events *events)
{
    free(events->heap);
    *events = (struct events){0};
}
