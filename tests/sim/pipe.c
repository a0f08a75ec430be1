// Streams: ordered pipes that open in a round trip, start slowly (ten segments, doubling each round
// trip, again after a pause), and show losses as delay. A partition holds them up; they live on if
// it ends before somebody gives them up.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "tests/sim/world_state.h"

#define SEGMENT         1448
#define SEGMENT_HEADERS 52 // of IP and TCP
#define CHUNK_MAX       (10 * SEGMENT)
#define WINDOW_MIN      (10 * SEGMENT)
#define WINDOW_MAX      (512u << 10)
#define ACKS_MAX        64
#define IDLE_US         1000000 // a longer pause, and the window is small again
#define RESEND_LEAST_US 200000
#define CUT_RETRY_US    1000000

struct chunk {
    struct chunk *next;
    size_t size;
    uint8_t data[];
};

struct queue {
    struct chunk *first;
    struct chunk **end;
};

struct ack {
    int64_t at_us;
    size_t size;
};

// One direction.
struct way {
    struct queue unsent;
    struct queue travelling;
    size_t unsent_size;
    size_t in_flight;
    size_t window;
    int64_t arrival_us; // of the last byte sent
    int64_t sent_us;
    struct ack acks[ACKS_MAX];
    unsigned acks_first;
    unsigned acks_count;
    bool is_waiting; // an EVENT_WINDOW is on its way
    bool was_full;   // drained is to be told
    bool is_ending;  // a FIN follows the last byte
    bool has_ended;
};

struct pipe {
    unsigned references; // events and open ends
    struct host *hosts[2];
    uint32_t streams[2];
    bool is_open[2];
    bool is_up;         // the opening was answered
    struct way ways[2]; // from the side of that index
};

static void queue_add(struct queue *queue, struct chunk *chunk)
{
    chunk->next = NULL;
    *queue->end = chunk;
    queue->end = &chunk->next;
}

static struct chunk *queue_take(struct queue *queue)
{
    struct chunk *chunk = queue->first;
    if (chunk == NULL)
        return NULL;
    queue->first = chunk->next;
    if (queue->first == NULL)
        queue->end = &queue->first;
    return chunk;
}

static void queue_clear(struct queue *queue)
{
    struct chunk *chunk;
    while ((chunk = queue_take(queue)) != NULL)
        free(chunk);
}

static void release(struct pipe *pipe)
{
    assert(pipe->references > 0);
    if (--pipe->references > 0)
        return;
    for (unsigned side = 0; side < 2; side++) {
        queue_clear(&pipe->ways[side].unsent);
        queue_clear(&pipe->ways[side].travelling);
    }
    free(pipe);
}

// `side`: whose end it concerns.
static void push(struct pipe *pipe, enum event_kind kind, unsigned side, int64_t at_us)
{
    const struct host *host = pipe->hosts[side];
    pipe->references++;
    events_push(&host->world->events, (struct event){.at_us = at_us,
                                                     .what = pipe,
                                                     .host = host->index,
                                                     .kind = (uint8_t)kind,
                                                     .side = (uint8_t)side});
}

// ---- Ends

static struct host_stream *find(const struct host *host, uint32_t number)
{
    for (size_t i = 0; i < host->streams_count; i++) {
        if (host->streams[i].number == number)
            return &host->streams[i];
    }
    return NULL;
}

static void open_end(struct pipe *pipe, unsigned side, uint32_t number)
{
    struct host *host = pipe->hosts[side];
    assert(find(host, number) == NULL);
    if (host->streams_count == host->streams_capacity) {
        host->streams_capacity = host->streams_capacity == 0 ? 8 : 2 * host->streams_capacity;
        host->streams = realloc(host->streams, host->streams_capacity * sizeof host->streams[0]);
        if (host->streams == NULL)
            abort();
    }
    host->streams[host->streams_count++] = (struct host_stream){number, (uint8_t)side, pipe};
    pipe->streams[side] = number;
    pipe->is_open[side] = true;
    pipe->references++;
}

static void close_end(struct pipe *pipe, unsigned side)
{
    struct host *host = pipe->hosts[side];
    if (!pipe->is_open[side])
        return;
    struct host_stream *stream = find(host, pipe->streams[side]);
    assert(stream != NULL);
    *stream = host->streams[--host->streams_count];
    pipe->is_open[side] = false;
    release(pipe);
}

// ---- Sending

static void drop_acks(struct way *way, int64_t now_us)
{
    while (way->acks_count > 0 && way->acks[way->acks_first].at_us <= now_us) {
        way->in_flight -= way->acks[way->acks_first].size;
        way->acks_first = (way->acks_first + 1) % ACKS_MAX;
        way->acks_count--;
    }
}

static void send_chunk(struct pipe *pipe, unsigned side, struct chunk *chunk)
{
    struct way *way = &pipe->ways[side];
    struct host *from = pipe->hosts[side];
    struct world *world = from->world;
    size_t segments = (chunk->size + SEGMENT - 1) / SEGMENT;
    size_t size = chunk->size + segments * SEGMENT_HEADERS;
    int64_t sent_us = uplink_send(from, size, INT64_MAX);
    int64_t path = path_us(world, from, pipe->hosts[!side]);
    int64_t at_us = sent_us + path;
    way->window += chunk->size;
    for (size_t i = 0; i < segments; i++) {
        if (!random_chance(&world->random, world->options.loss_permille))
            continue;
        at_us += 2 * path > RESEND_LEAST_US ? 2 * path : RESEND_LEAST_US;
        way->window /= 2;
        break;
    }
    way->window = way->window > WINDOW_MAX ? WINDOW_MAX : way->window;
    way->window = way->window < WINDOW_MIN ? WINDOW_MIN : way->window;
    way->arrival_us = at_us > way->arrival_us ? at_us : way->arrival_us;
    unsigned last = (way->acks_first + way->acks_count++) % ACKS_MAX;
    way->acks[last] = (struct ack){way->arrival_us + path, chunk->size};
    way->in_flight += chunk->size;
    way->sent_us = world->now_us;
    from->bytes_sent += size;
    queue_add(&way->travelling, chunk);
    push(pipe, EVENT_CHUNK, !side, way->arrival_us);
}

static void end_way(struct pipe *pipe, unsigned side)
{
    struct way *way = &pipe->ways[side];
    const struct world *world = pipe->hosts[side]->world;
    if (way->has_ended)
        return;
    way->has_ended = true;
    int64_t at_us =
        world->now_us + geography_delay_us(&pipe->hosts[0]->place, &pipe->hosts[1]->place);
    push(pipe, EVENT_FIN, !side, at_us > way->arrival_us ? at_us : way->arrival_us);
}

static void pump(struct pipe *pipe, unsigned side)
{
    struct way *way = &pipe->ways[side];
    int64_t now_us = pipe->hosts[side]->world->now_us;
    drop_acks(way, now_us);
    if (way->in_flight == 0 && now_us - way->sent_us > IDLE_US)
        way->window = WINDOW_MIN;
    while (pipe->is_up && way->unsent.first != NULL && way->in_flight < way->window &&
           way->acks_count < ACKS_MAX) {
        struct chunk *chunk = queue_take(&way->unsent);
        way->unsent_size -= chunk->size;
        send_chunk(pipe, side, chunk);
    }
    if (way->unsent.first == NULL && way->is_ending)
        end_way(pipe, side);
    if (way->unsent.first == NULL || way->is_waiting || !pipe->is_up)
        return;
    way->is_waiting = true;
    push(pipe, EVENT_WINDOW, side, way->acks[way->acks_first].at_us);
}

size_t host_write(struct host *host, uint32_t stream, const uint8_t *data, size_t size)
{
    const struct host_stream *end = find(host, stream);
    assert(end != NULL);
    struct pipe *pipe = end->pipe;
    unsigned side = end->side;
    struct way *way = &pipe->ways[side];
    for (size_t at = 0; at < size; at += CHUNK_MAX) {
        size_t part = size - at < CHUNK_MAX ? size - at : CHUNK_MAX;
        struct chunk *chunk = malloc(sizeof *chunk + part);
        if (chunk == NULL)
            abort();
        chunk->size = part;
        memcpy(chunk->data, data + at, part);
        way->unsent_size += part;
        queue_add(&way->unsent, chunk);
    }
    pump(pipe, side);
    way->was_full = way->was_full || way->unsent_size > 0;
    return way->unsent_size;
}

void host_connect(struct host *host, uint32_t stream, const struct endpoint *to)
{
    struct world *world = host->world;
    struct host *target = world_find(world, to);
    struct pipe *pipe = calloc(1, sizeof *pipe);
    if (pipe == NULL)
        abort();
    pipe->hosts[0] = host;
    pipe->hosts[1] = target == NULL ? host : target;
    for (unsigned side = 0; side < 2; side++) {
        struct way *way = &pipe->ways[side];
        way->unsent.end = &way->unsent.first;
        way->travelling.end = &way->travelling.first;
        way->window = WINDOW_MIN;
    }
    open_end(pipe, 0, stream);
    bool is_reachable = target != NULL && target->nat == NAT_NONE && target != host;
    if (is_reachable)
        push(pipe, EVENT_SYN, 1, world->now_us + path_us(world, host, target));
    else
        push(pipe, EVENT_FIN, 0, world->now_us + WORLD_SYN_WAIT_US);
}

void host_close(struct host *host, uint32_t stream, bool is_graceful)
{
    const struct host_stream *end = find(host, stream);
    if (end == NULL)
        return;
    struct pipe *pipe = end->pipe;
    unsigned side = end->side;
    struct way *way = &pipe->ways[side];
    pipe->references++;
    if (!is_graceful) {
        queue_clear(&way->unsent);
        way->unsent_size = 0;
    }
    way->is_ending = true;
    close_end(pipe, side);
    if (pipe->is_up)
        pump(pipe, side);
    release(pipe);
}

void pipes_stop(struct host *host, bool is_silent)
{
    while (host->streams_count > 0) {
        struct pipe *pipe = host->streams[0].pipe;
        unsigned side = host->streams[0].side;
        pipe->references++;
        queue_clear(&pipe->ways[side].unsent);
        pipe->ways[side].unsent_size = 0;
        close_end(pipe, side);
        if (!is_silent && pipe->is_up)
            end_way(pipe, side);
        release(pipe);
    }
}

// ---- Arriving

static void arrive_syn(struct pipe *pipe)
{
    struct host *host = pipe->hosts[1];
    struct host *from = pipe->hosts[0];
    struct world *world = host->world;
    if (!host->is_up || host->partition != from->partition || host->engine->accepted == NULL) {
        push(pipe, EVENT_FIN, 0, world->now_us + WORLD_SYN_WAIT_US);
        return;
    }
    // Who called is seen with a port of its system's choice.
    struct endpoint seen = {from->endpoint.address, (uint16_t)(32768 + pipe->streams[0] % 28000)};
    uint32_t number = host->engine->accepted(host->context, &seen, world_now(host));
    int64_t back_us = world->now_us + path_us(world, host, from);
    pipe->is_up = number != 0;
    if (number != 0)
        open_end(pipe, 1, number);
    push(pipe, number != 0 ? EVENT_CONNECTED : EVENT_FIN, 0, back_us);
    host_wake(host);
}

static void arrive_connected(struct pipe *pipe)
{
    struct host *host = pipe->hosts[0];
    if (!pipe->is_open[0]) {
        end_way(pipe, 0); // given up meanwhile
        return;
    }
    host->engine->connected(host->context, pipe->streams[0], world_now(host));
    host_wake(host);
}

static void arrive_chunk(struct pipe *pipe, const struct event *event)
{
    struct host *host = pipe->hosts[event->side];
    struct way *way = &pipe->ways[!event->side];
    struct chunk *chunk = queue_take(&way->travelling);
    assert(chunk != NULL);
    if (pipe->is_open[event->side]) {
        world_trace(host->world, event, chunk->data, chunk->size);
        host->bytes_received += chunk->size;
        host->engine->received(host->context, pipe->streams[event->side], chunk->data, chunk->size,
                               world_now(host));
        host_wake(host);
    } else if (host->is_up) {
        end_way(pipe, event->side); // nobody is there any more: a reset
    }
    free(chunk);
}

static void arrive_window(struct pipe *pipe, unsigned side)
{
    struct way *way = &pipe->ways[side];
    struct host *host = pipe->hosts[side];
    way->is_waiting = false;
    pump(pipe, side);
    if (!pipe->is_open[side] || way->unsent_size > 0 || !way->was_full)
        return;
    way->was_full = false;
    if (host->engine->drained != NULL)
        host->engine->drained(host->context, pipe->streams[side], world_now(host));
    host_wake(host);
}

static void arrive_fin(struct pipe *pipe, unsigned side)
{
    struct host *host = pipe->hosts[side];
    if (!pipe->is_open[side])
        return;
    uint32_t number = pipe->streams[side];
    close_end(pipe, side);
    host->engine->closed(host->context, number, world_now(host));
    host_wake(host);
}

void pipe_event(struct world *world, const struct event *event)
{
    struct pipe *pipe = event->what;
    enum event_kind kind = (enum event_kind)event->kind;
    bool is_cut = pipe->hosts[0]->partition != pipe->hosts[1]->partition;
    if (is_cut && (kind == EVENT_CHUNK || (kind == EVENT_FIN && pipe->is_up))) {
        push(pipe, kind, event->side, world->now_us + CUT_RETRY_US);
        release(pipe);
        return;
    }
    if (kind == EVENT_SYN)
        arrive_syn(pipe);
    else if (kind == EVENT_CONNECTED)
        arrive_connected(pipe);
    else if (kind == EVENT_CHUNK)
        arrive_chunk(pipe, event);
    else if (kind == EVENT_WINDOW)
        arrive_window(pipe, event->side);
    else if (kind == EVENT_FIN)
        arrive_fin(pipe, event->side);
    release(pipe);
}

void pipe_drop(const struct event *event)
{
    release(event->what);
}
