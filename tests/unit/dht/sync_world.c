#include "tests/unit/dht/sync_world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 4000000

struct now world_now(const struct world *world)
{
    struct now now = {.mono = {world->ms}, .wall = {1700000000000 + world->ms}};
    return now;
}

struct world *world_new(size_t count)
{
    struct world *world = calloc(1, sizeof *world);
    assert(world != NULL && count <= WORLD_NODES_MAX);
    world->count = count;
    world->ms = WORLD_START_MS;
    for (size_t i = 0; i < count; i++) {
        struct world_node *node = &world->nodes[i];
        node->world = world;
        node->number = i;
        node->latency_ms = 20 + (int64_t)i;
        node->answers_left = -1;
        toy_init(&node->toy, 100 + i);
        node->served = toy_table(&node->toy);
    }
    return world;
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        sync_free(world->nodes[i].sync);
        assert(world->nodes[i].toy.proofs == 0);
        toy_clear(&world->nodes[i].toy);
    }
    while (world->messages != NULL) {
        struct world_message *next = world->messages->next;
        free(world->messages);
        world->messages = next;
    }
    free(world);
}

// ---- Messages

static void post(struct world *world, size_t from, size_t to, uint8_t type,
                 const struct buffer *bytes)
{
    struct world_node *node = &world->nodes[from];
    struct world_message *message = malloc(sizeof *message + bytes->size);
    assert(message != NULL);
    int64_t start = node->busy_until_ms > world->ms ? node->busy_until_ms : world->ms;
    if (node->bytes_ms > 0)
        node->busy_until_ms = start + (int64_t)(bytes->size / node->bytes_ms);
    *message = (struct world_message){
        .at_ms = (node->bytes_ms > 0 ? node->busy_until_ms : world->ms) + node->latency_ms,
        .from = from,
        .to = to,
        .type = type,
        .size = bytes->size,
    };
    if (bytes->size > 0)
        memcpy(message->bytes, bytes->data, bytes->size);
    struct world_message **at = &world->messages;
    while (*at != NULL && (*at)->at_ms <= message->at_ms)
        at = &(*at)->next;
    message->next = *at;
    *at = message;
}

void world_send(struct world *world, size_t from, size_t to, const struct peer_message *message)
{
    struct buffer out;
    buffer_init(&out, LINK_MESSAGE_MAX);
    peer_message_encode(message, &out);
    assert(!out.failed);
    post(world, from, to, (uint8_t)message->type, &out);
    buffer_clear(&out);
}

static bool on_send(void *context, uint32_t peer, enum link_lane lane, enum peer_message_type type,
                    struct shared_bytes *bytes)
{
    struct world_node *node = context;
    size_t to = peer - 1;
    struct buffer view;
    assert(to < node->world->count && node->is_linked[to] && lane == LINK_LANE_SHARE);
    if (node->is_full)
        return false;
    buffer_init_fixed(&view, (uint8_t *)(uintptr_t)shared_bytes_data(bytes),
                      shared_bytes_size(bytes));
    view.size = shared_bytes_size(bytes);
    node->requests[type - PEER_HELLO]++;
    node->requests_of[to]++;
    post(node->world, node->number, to, (uint8_t)type, &view);
    return true;
}

static void on_fault(void *context, uint32_t peer, enum sync_fault fault, struct now now)
{
    struct world_node *node = context;
    (void)now;
    node->faults[fault]++;
    node->faults_of[peer - 1]++;
    node->last_fault = fault;
}

static void on_phase(void *context, enum sync_phase phase, struct now now)
{
    struct world_node *node = context;
    assert(phase != node->phase);
    node->phase = phase;
    node->phase_changes++;
    node->was_fetching = node->was_fetching || phase == SYNC_FETCHING;
    if (phase == SYNC_DONE)
        node->done_ms = now.mono.ms;
}

void world_add_sync(struct world *world, size_t number)
{
    struct world_node *node = &world->nodes[number];
    struct sync_config config = {
        .chain = &node->served,
        .events = {.context = node, .send = on_send, .fault = on_fault, .phase_changed = on_phase},
    };
    node->sync = sync_new(&node->toy.env, &config);
    assert(node->sync != NULL);
}

static void greet(struct world *world, size_t from, size_t to)
{
    struct peer_message hello = {
        .type = PEER_HELLO, .version = PEER_VERSION, .tip = world->nodes[from].claim};
    world_send(world, from, to, &hello);
}

static void become_peer(struct world *world, size_t of, size_t number)
{
    struct world_node *node = &world->nodes[of];
    node->is_linked[number] = true;
    if (node->sync == NULL)
        return;
    bool is_taken = sync_peer_opened(node->sync, (uint32_t)number + 1, world_now(world));
    assert(is_taken);
}

void world_link(struct world *world, size_t a, size_t b)
{
    size_t ends[2] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        struct world_node *node = &world->nodes[ends[i]];
        if (u256_is_zero(&node->claim.work))
            node->claim = toy_tip(&node->toy);
        become_peer(world, ends[i], ends[1 - i]);
        greet(world, ends[i], ends[1 - i]);
    }
}

void world_unlink(struct world *world, size_t a, size_t b)
{
    size_t ends[2] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        struct world_node *node = &world->nodes[ends[i]];
        node->is_linked[ends[1 - i]] = false;
        if (node->sync != NULL)
            sync_peer_closed(node->sync, (uint32_t)ends[1 - i] + 1, world_now(world));
    }
}

void world_hello(struct world *world, size_t number)
{
    for (size_t i = 0; i < world->count; i++) {
        if (world->nodes[number].is_linked[i])
            greet(world, number, i);
    }
}

void world_tell(struct world *world, size_t number)
{
    world->nodes[number].claim = toy_tip(&world->nodes[number].toy);
    world_hello(world, number);
}

// ---- Time

static void answer(struct world *world, struct world_node *node, size_t asker,
                   const struct peer_message *request)
{
    struct serve_bucket bucket;
    enum peer_message_type type;
    struct buffer out;
    if (node->answers_left == 0)
        return;
    node->answers_left -= node->answers_left > 0;
    serve_bucket_init(&bucket, world_now(world));
    buffer_init(&out, LINK_MESSAGE_MAX);
    bool is_request = serve_answer(&node->served, request, &bucket, &type, &out);
    assert(is_request && !out.failed);
    post(world, node->number, asker, (uint8_t)type, &out);
    buffer_clear(&out);
}

static void note(struct world_node *node)
{
    struct sync_stats stats;
    sync_stats(node->sync, &stats);
    if (stats.memory > node->memory_max)
        node->memory_max = stats.memory;
}

static void deliver(struct world *world, const struct world_message *bytes)
{
    struct world_node *node = &world->nodes[bytes->to];
    struct peer_message message;
    if (!node->is_linked[bytes->from])
        return;
    bool is_right = peer_message_decode(bytes->type, bytes->bytes, bytes->size, &message);
    assert(is_right);
    if (peer_message_answer(message.type) != PEER_TYPES_END) {
        answer(world, node, bytes->from, &message);
        return;
    }
    if (node->sync == NULL)
        return;
    sync_receive(node->sync, (uint32_t)bytes->from + 1, &message, world_now(world));
    note(node);
}

static int64_t next_ms(const struct world *world)
{
    int64_t next = world->messages == NULL ? INT64_MAX : world->messages->at_ms;
    for (size_t i = 0; i < world->count; i++) {
        if (world->nodes[i].sync == NULL)
            continue;
        int64_t deadline = sync_next_deadline(world->nodes[i].sync).ms;
        next = deadline < next ? deadline : next;
    }
    return next;
}

static void tick_all(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        struct world_node *node = &world->nodes[i];
        if (node->sync == NULL || sync_next_deadline(node->sync).ms > world->ms)
            continue;
        sync_tick(node->sync, world_now(world));
        note(node);
    }
}

// False if nothing happens until then.
static bool step(struct world *world, int64_t until_ms)
{
    int64_t next = next_ms(world);
    if (next > until_ms)
        return false;
    assert(++world->steps < STEPS_MAX);
    if (next > world->ms)
        world->ms = next;
    if (world->messages != NULL && world->messages->at_ms <= world->ms) {
        struct world_message *message = world->messages;
        world->messages = message->next;
        deliver(world, message);
        free(message);
    }
    tick_all(world);
    return true;
}

void world_run(struct world *world, int64_t ms)
{
    int64_t until = world->ms + ms;
    while (step(world, until))
        ;
    world->ms = until;
}

bool world_run_until(struct world *world, size_t number, enum sync_phase phase, int64_t ms)
{
    int64_t until = world->ms + ms;
    while (sync_phase(world->nodes[number].sync) != phase) {
        if (!step(world, until))
            return false;
    }
    return true;
}

bool world_same_tip(const struct world *world, size_t a, size_t b)
{
    struct chain_tip left = toy_tip(&world->nodes[a].toy);
    struct chain_tip right = toy_tip(&world->nodes[b].toy);
    return hash_equal(&left.id, &right.id);
}
