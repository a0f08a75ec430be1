#include "tests/sim/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "node/base/u256.h"
#include "tests/sim/world_state.h"

#define UPLINK_BITS   20000000
#define WIDE_COUNT    20480 // /16s that hosts are spread over: 20.0 to 99.255
#define JITTER_PARTS  32    // up to this part of a path's delay
#define POLL_US       10000
#define WORLD_STREAMS 1u // the world's own stream of random numbers; hosts begin at 2

struct timer {
    void (*run)(void *context);
    void *context;
    struct host *host; // NULL: the world's
    unsigned life;
};

static void *or_abort(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

struct world *world_new(const struct world_options *options)
{
    struct world *world = or_abort(calloc(1, sizeof *world));
    world->options = *options;
    if (world->options.uplink_bits == 0)
        world->options.uplink_bits = UPLINK_BITS;
    random_init(&world->random, options->seed, WORLD_STREAMS);
    world->log = log_new_silent();
    world->by_address_size = 1024;
    world->by_address = or_abort(calloc(world->by_address_size, sizeof world->by_address[0]));
    return world;
}

static void drop(const struct event *event)
{
    switch ((enum event_kind)event->kind) {
    case EVENT_TICK:
        return;
    case EVENT_DATAGRAM:
        datagram_drop(event);
        return;
    case EVENT_SYN:
    case EVENT_CONNECTED:
    case EVENT_CHUNK:
    case EVENT_WINDOW:
    case EVENT_FIN:
        pipe_drop(event);
        return;
    case EVENT_TIMER:
        free(event->what);
        return;
    }
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < world->hosts_count; i++) {
        if (world->hosts[i]->is_up)
            host_stop(world->hosts[i], HOST_VANISHES);
    }
    for (size_t i = 0; i < world->events.count; i++)
        drop(&world->events.heap[i]);
    events_clear(&world->events);
    for (size_t i = 0; i < world->hosts_count; i++) {
        free(world->hosts[i]->streams);
        free(world->hosts[i]->nat_entries);
        free(world->hosts[i]);
    }
    free(world->hosts);
    free(world->by_address);
    log_free(world->log);
    free(world);
}

// ---- Hosts

static size_t slot_of(const struct world *world, const struct endpoint *endpoint)
{
    uint64_t value = endpoint->port;
    for (unsigned i = 0; i < 4; i++)
        value = value << 8 | endpoint->address.bytes[i];
    return (size_t)((value * 0x9e3779b97f4a7c15u) >> 24) % world->by_address_size;
}

static void index_host(struct world *world, const struct host *host)
{
    size_t slot = slot_of(world, &host->endpoint);
    while (world->by_address[slot] != 0)
        slot = (slot + 1) % world->by_address_size;
    world->by_address[slot] = host->index + 1;
}

static void grow(struct world *world)
{
    if (world->hosts_count == world->hosts_capacity) {
        world->hosts_capacity = world->hosts_capacity == 0 ? 64 : 2 * world->hosts_capacity;
        world->hosts =
            or_abort(realloc(world->hosts, world->hosts_capacity * sizeof world->hosts[0]));
    }
    assert(world->by_address_size > 0);
    if (3 * world->hosts_count < world->by_address_size)
        return;
    free(world->by_address);
    world->by_address_size *= 4;
    world->by_address = or_abort(calloc(world->by_address_size, sizeof world->by_address[0]));
    for (size_t i = 0; i < world->hosts_count; i++)
        index_host(world, world->hosts[i]);
}

static bool is_at(const struct host *host, const struct endpoint *endpoint)
{
    // Other ports of a NAT's address belong to the host behind it.
    bool is_any_port = host->nat == NAT_SYMMETRIC;
    return address_equal(&host->endpoint.address, &endpoint->address) &&
           (is_any_port || host->endpoint.port == endpoint->port);
}

struct host *world_find(const struct world *world, const struct endpoint *endpoint)
{
    struct endpoint own_port = {endpoint->address, WORLD_PORT};
    const struct endpoint *tries[] = {endpoint, &own_port};
    for (unsigned i = 0; i < 2 && endpoint->address.family == ADDRESS_IPV4; i++) {
        size_t slot = slot_of(world, tries[i]);
        for (; world->by_address[slot] != 0; slot = (slot + 1) % world->by_address_size) {
            struct host *host = world->hosts[world->by_address[slot] - 1];
            if (is_at(host, endpoint))
                return host;
        }
    }
    return NULL;
}

static struct address address_of(size_t index)
{
    size_t wide = index % WIDE_COUNT;
    uint8_t bytes[4] = {(uint8_t)(20 + wide / 256), (uint8_t)(wide % 256),
                        (uint8_t)(1 + index / WIDE_COUNT), 1};
    return address_ipv4(bytes);
}

struct host *world_add_host(struct world *world, const struct host_options *options)
{
    struct host *host = or_abort(calloc(1, sizeof *host));
    bool has_address = options->address.family != ADDRESS_NONE;
    host->world = world;
    host->index = (uint32_t)world->hosts_count;
    host->endpoint.address = has_address ? options->address : address_of(host->index);
    host->endpoint.port = options->port == 0 ? WORLD_PORT : options->port;
    host->nat = options->nat;
    host->clock_error_ms = options->clock_error_ms;
    host->tick_us = INT64_MAX;
    random_init(&host->random, world->options.seed, WORLD_STREAMS + 1 + host->index);
    host->place = geography_place(&host->random);
    host->env = (struct env){random_fill, &host->random, world->log};
    grow(world);
    world->hosts[world->hosts_count++] = host;
    index_host(world, host);
    return host;
}

struct now world_now(const struct host *host)
{
    int64_t ms = host->world->now_us / 1000;
    int64_t wall_ms = (int64_t)WORLD_START_SECS * 1000 + ms + host->clock_error_ms;
    return (struct now){{WORLD_MONO_MS + ms}, {wall_ms}};
}

void host_start(struct host *host, const struct engine *engine, void *context)
{
    assert(!host->is_up);
    host->life++;
    host->is_up = true;
    host->engine = engine;
    host->context = context;
    host->busy_us = host->world->now_us;
    host_wake(host);
}

void host_stop(struct host *host, enum host_stop how)
{
    assert(host->is_up);
    pipes_stop(host, how == HOST_VANISHES);
    host->is_up = false;
    host->context = NULL;
    host->tick_us = INT64_MAX;
    host->life++;
}

void host_wake(struct host *host)
{
    struct world *world = host->world;
    if (!host->is_up)
        return;
    struct mono_time deadline = host->engine->next_deadline(host->context);
    if (deadline.ms == MONO_NEVER.ms)
        return;
    // What is overdue may be so by any time.
    bool is_due = deadline.ms <= world_now(host).mono.ms;
    int64_t at_us = is_due ? world->now_us : (deadline.ms - WORLD_MONO_MS) * 1000;
    if (at_us >= host->tick_us)
        return;
    host->tick_us = at_us;
    events_push(&world->events,
                (struct event){.at_us = at_us, .host = host->index, .kind = EVENT_TICK});
}

int64_t host_work(struct host *host, int64_t us)
{
    if (host->busy_us < host->world->now_us)
        host->busy_us = host->world->now_us;
    host->busy_us += us;
    return host->busy_us;
}

// ---- Time

void world_at(struct world *world, int64_t at_us, void (*run)(void *context), void *context)
{
    struct timer *timer = or_abort(malloc(sizeof *timer));
    *timer = (struct timer){run, context, NULL, 0};
    events_push(&world->events, (struct event){.at_us = at_us, .what = timer, .kind = EVENT_TIMER});
}

void host_at(struct host *host, int64_t at_us, void (*run)(void *context), void *context)
{
    struct timer *timer = or_abort(malloc(sizeof *timer));
    *timer = (struct timer){run, context, host, host->life};
    events_push(
        &host->world->events,
        (struct event){.at_us = at_us, .what = timer, .host = host->index, .kind = EVENT_TIMER});
}

static void run_timer(struct world *world, const struct event *event)
{
    struct timer timer = *(struct timer *)event->what;
    free(event->what);
    if (timer.host != NULL && timer.host->life != timer.life)
        return;
    world->handled++;
    timer.run(timer.context);
    if (timer.host != NULL)
        host_wake(timer.host);
}

// A host has one tick in the heap that counts; the deadline may have moved back since.
static void run_tick(struct world *world, const struct event *event)
{
    struct host *host = world->hosts[event->host];
    if (!host->is_up || event->at_us != host->tick_us)
        return;
    host->tick_us = INT64_MAX;
    struct mono_time deadline = host->engine->next_deadline(host->context);
    struct now now = world_now(host);
    if (deadline.ms <= now.mono.ms) {
        world->handled++;
        host->engine->tick(host->context, now);
    }
    host_wake(host);
}

static void run_event(struct world *world, const struct event *event)
{
    switch ((enum event_kind)event->kind) {
    case EVENT_TICK:
        run_tick(world, event);
        return;
    case EVENT_DATAGRAM:
        world->handled++;
        datagram_arrives(world, event);
        return;
    case EVENT_SYN:
    case EVENT_CONNECTED:
    case EVENT_CHUNK:
    case EVENT_WINDOW:
    case EVENT_FIN:
        world->handled++;
        pipe_event(world, event);
        return;
    case EVENT_TIMER:
        run_timer(world, event);
        return;
    }
}

void world_run_until(struct world *world, int64_t at_us)
{
    const struct event *next;
    while ((next = events_first(&world->events)) != NULL && next->at_us <= at_us) {
        struct event event = events_pop(&world->events);
        world->now_us = event.at_us;
        run_event(world, &event);
    }
    if (at_us > world->now_us)
        world->now_us = at_us;
}

void world_run_ms(struct world *world, int64_t ms)
{
    world_run_until(world, world->now_us + 1000 * ms);
}

bool world_run_while(struct world *world, int64_t ms, bool (*is_waiting)(void *context),
                     void *context)
{
    int64_t end_us = world->now_us + 1000 * ms;
    while (is_waiting(context)) {
        if (world->now_us >= end_us)
            return false;
        world_run_until(world, world->now_us + POLL_US);
    }
    return true;
}

// ---- Paths

int64_t uplink_send(struct host *host, size_t size, int64_t queue_us)
{
    struct world *world = host->world;
    int64_t start_us = host->uplink_us > world->now_us ? host->uplink_us : world->now_us;
    if (start_us - world->now_us > queue_us)
        return INT64_MAX;
    host->uplink_us = start_us + (int64_t)size * 8000000 / world->options.uplink_bits;
    return host->uplink_us;
}

int64_t path_us(struct world *world, const struct host *from, const struct host *to)
{
    int64_t us = geography_delay_us(&from->place, &to->place);
    return us + (int64_t)random_below(&world->random, (uint64_t)(us / JITTER_PARTS) + 1);
}

// ---- Trace

static uint64_t fold(uint64_t hash, uint64_t value)
{
    u128 product = (u128)(hash ^ value) * 0x9fb21c651e98df25u;
    return (uint64_t)product ^ (uint64_t)(product >> 64) ^ 0xd6e8feb86659fd93u;
}

void world_trace(struct world *world, const struct event *event, const uint8_t *data, size_t size)
{
    uint64_t content = size;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, data + i, size - i < 8 ? size - i : 8);
        content = fold(content, word + i);
    }
    world->delivered++;
    world->trace = fold(world->trace, (uint64_t)event->at_us);
    world->trace = fold(world->trace, (uint64_t)event->host << 8 | event->kind);
    world->trace = fold(world->trace, content);
    if (world->options.trace != NULL)
        fprintf(world->options.trace, "%lld %u %u %zu %016llx\n", (long long)event->at_us,
                event->host, event->kind, size, (unsigned long long)content);
}
