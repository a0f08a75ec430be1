// What the files of the world share: world.c, datagrams.c, pipe.c.
#ifndef SHOAL_TESTS_SIM_WORLD_STATE_H
#define SHOAL_TESTS_SIM_WORLD_STATE_H

#include "tests/sim/world.h"

struct packet {
    struct endpoint from; // as the receiver sees it
    uint32_t from_host;
    uint32_t to;
    uint32_t size;
    uint8_t data[];
};

// When the host's up-link has sent so many bytes; INT64_MAX if more than `queue_us` wait in it.
int64_t uplink_send(struct host *host, size_t size, int64_t queue_us);
// One way, with a little jitter.
int64_t path_us(struct world *world, const struct host *from, const struct host *to);
// Takes a delivery into the trace.
void world_trace(struct world *world, const struct event *event, const uint8_t *data, size_t size);

// Events of datagrams and of pipes. They free what they hold.
void datagram_arrives(struct world *world, const struct event *event);
void datagram_drop(const struct event *event);
void pipe_event(struct world *world, const struct event *event);
void pipe_drop(const struct event *event);
// The host is gone: its ends of streams are.
void pipes_stop(struct host *host, bool is_silent);

#endif
