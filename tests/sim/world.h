// A network of hosts under a virtual clock, for engines that take bytes and time and give bytes:
// regions, up-links with queues, loss, reorder and duplicates of datagrams, streams as ordered
// pipes, NAT, partitions, crashes, clocks that are wrong. All follows from one seed; every delivery
// goes into a trace hash. The world knows nothing of what the bytes mean.
#ifndef SHOAL_TESTS_SIM_WORLD_H
#define SHOAL_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "dht/endpoint.h"
#include "node/base/env.h"
#include "node/base/time.h"
#include "tests/sim/events.h"
#include "tests/sim/geography.h"
#include "tests/sim/random.h"

#define WORLD_PORT        8400
#define WORLD_START_SECS  1700000000
#define WORLD_MONO_MS     1000 // what the monotonic clock says at the start
#define WORLD_SYN_WAIT_US 6000000

struct world;
struct host;
struct pipe;

// Who may reach a host from outside. A cone lets datagrams in once the host has sent any; the
// port-restricted one only from where it has sent to; behind a symmetric one every peer sees
// another port, too. Streams are taken by NAT_NONE alone.
enum nat { NAT_NONE, NAT_FULL_CONE, NAT_PORT_RESTRICTED, NAT_SYMMETRIC };

// How the world drives what runs on a host; NULL for what it never gets. Streams have numbers that
// the engine gives.
struct engine {
    void (*datagram)(void *context, const struct endpoint *from, const uint8_t *data, size_t size,
                     struct now now);
    uint32_t (*accepted)(void *context, const struct endpoint *from, struct now now); // 0: refused
    void (*connected)(void *context, uint32_t stream, struct now now);
    void (*received)(void *context, uint32_t stream, const uint8_t *data, size_t size,
                     struct now now);
    void (*drained)(void *context, uint32_t stream, struct now now);
    void (*closed)(void *context, uint32_t stream, struct now now);
    void (*tick)(void *context, struct now now);
    struct mono_time (*next_deadline)(const void *context);
};

struct host_stream {
    uint32_t number;
    uint8_t side;
    struct pipe *pipe;
};

// Where a host behind a NAT has sent datagrams to lately.
struct nat_entry {
    struct endpoint to;
    int64_t sent_us;
};

struct host {
    struct world *world;
    uint32_t index;
    struct endpoint endpoint; // what others see of it
    struct place place;
    enum nat nat;
    unsigned partition;     // hosts of different ones cannot hear each other
    int64_t clock_error_ms; // of the wall clock
    unsigned life;          // changes with each start
    bool is_up;
    const struct engine *engine;
    void *context;
    struct random random;
    struct env env;
    int64_t tick_us;   // of the tick that is in the heap; INT64_MAX: none
    int64_t uplink_us; // when the up-link is free again
    int64_t busy_us;   // until when its processor is busy
    struct host_stream *streams;
    size_t streams_count;
    size_t streams_capacity;
    struct nat_entry *nat_entries;
    int64_t nat_sent_us; // the last datagram to anybody
    uint64_t datagrams_sent;
    uint64_t bytes_sent;
    uint64_t bytes_received;
};

struct world_options {
    uint64_t seed;
    unsigned loss_permille; // of datagrams, and of the segments of streams
    unsigned reorder_permille;
    unsigned duplicate_permille;
    int64_t uplink_bits; // a second; 0: 20 Mbit/s
    FILE *trace;         // a line for each delivery, or NULL
};

struct world {
    struct world_options options;
    struct random random;
    struct events events;
    int64_t now_us;
    struct host **hosts;
    size_t hosts_count;
    size_t hosts_capacity;
    uint32_t *by_address; // a hash table of host indexes + 1
    size_t by_address_size;
    struct log *log;
    uint64_t trace;   // of all deliveries so far
    uint64_t handled; // events that did something
    uint64_t delivered;
    uint64_t dropped_queue; // datagrams that found the up-link's queue full
    uint64_t dropped_loss;
    uint64_t dropped_nat;
};

struct world *world_new(const struct world_options *options);
void world_free(struct world *world);

struct host_options {
    enum nat nat;
    struct address address; // of no family: one in a /16 of its own
    uint16_t port;          // 0: WORLD_PORT
    int64_t clock_error_ms;
};
struct host *world_add_host(struct world *world, const struct host_options *options);
// NULL if nobody is there.
struct host *world_find(const struct world *world, const struct endpoint *endpoint);

struct now world_now(const struct host *host);
// Runs all that happens until then.
void world_run_until(struct world *world, int64_t at_us);
void world_run_ms(struct world *world, int64_t ms);
// The same until the condition holds, asked every 10 ms; whether it came to hold in time.
bool world_run_while(struct world *world, int64_t ms, bool (*is_waiting)(void *context),
                     void *context);
// Calls once, at that time; for a host: not if it is down or was restarted by then.
void world_at(struct world *world, int64_t at_us, void (*run)(void *context), void *context);
void host_at(struct host *host, int64_t at_us, void (*run)(void *context), void *context);

// An engine begins to run; context is borrowed until host_stop.
void host_start(struct host *host, const struct engine *engine, void *context);
enum host_stop { HOST_CRASHES, HOST_VANISHES }; // its peers' streams end, or are never answered
void host_stop(struct host *host, enum host_stop how);
// To be called after calls into the engine from outside the world: asks for its next deadline.
void host_wake(struct host *host);
// The processor is busy for so long; when it is done with this.
int64_t host_work(struct host *host, int64_t us);

// What engines do.
void host_send(struct host *host, const struct endpoint *to, const uint8_t *data, size_t size);
void host_connect(struct host *host, uint32_t stream, const struct endpoint *to);
// Bytes that wait for the stream's window then.
size_t host_write(struct host *host, uint32_t stream, const uint8_t *data, size_t size);
void host_close(struct host *host, uint32_t stream, bool is_graceful);

#endif
