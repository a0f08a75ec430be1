// What is going to happen, by time: a heap of four children to each node, ties in the order in
// which they were pushed, so that a run follows from its seed alone.
#ifndef SHOAL_TESTS_SIM_EVENTS_H
#define SHOAL_TESTS_SIM_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
    EVENT_TICK,      // of a host's engine
    EVENT_DATAGRAM,  // arrives; what: struct packet
    EVENT_SYN,       // a stream's opening arrives; what: struct pipe, as are the next
    EVENT_CONNECTED, // and its answer
    EVENT_CHUNK,     // the next bytes of a stream arrive
    EVENT_WINDOW,    // a stream may send more
    EVENT_FIN,       // the end of a stream arrives
    EVENT_TIMER,     // what: struct timer
};

struct event {
    int64_t at_us;
    uint64_t number;
    void *what;
    uint32_t host; // whom it concerns
    uint8_t kind;  // enum event_kind
    uint8_t side;  // of a pipe
};

struct events {
    struct event *heap;
    size_t count;
    size_t capacity;
    uint64_t pushed;
};

// Numbers the event; aborts if out of memory.
void events_push(struct events *events, struct event event);
// The next, or NULL.
const struct event *events_first(const struct events *events);
// Takes the first; there must be one.
struct event events_pop(struct events *events);
void events_clear(struct events *events);

#endif
