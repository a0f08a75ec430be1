#include "tests/support/dht_world.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include "dht/datagram.h"
#include "dht/sealing.h"

#define NODE_PORT  8400
#define START_SECS 1700000000

struct datagram_in_flight {
    int64_t arrives_ms;
    uint64_t number; // ties: first sent, first there
    size_t from;
    size_t to;
    size_t size;
    uint8_t data[DATAGRAM_SIZE_MAX];
};

struct dht_world *world_new(uint64_t seed)
{
    struct dht_world *world = calloc(1, sizeof *world);
    assert(world != NULL);
    world->seeded.state = seed;
    world->env = seeded_env(&world->seeded);
    world->membership.puzzle_bits = IDENTITY_PUZZLE_BITS_TEST;
    world->membership.pool_id = seeded_hash(&world->seeded);
    world->now = (struct now){{1000}, {(int64_t)START_SECS * 1000}};
    return world;
}

void world_free(struct dht_world *world)
{
    for (size_t i = 0; i < world->nodes_count; i++)
        dht_free(world->nodes[i].dht);
    free(world->flights);
    seeded_env_clear(&world->env);
    free(world);
}

// Every node in a /16 of its own: 20.0.1.1, 20.1.1.1, ...
static struct endpoint endpoint_of(size_t index)
{
    uint8_t ipv4[4] = {(uint8_t)(20 + index / 200), (uint8_t)(index % 200), 1, 1};
    return (struct endpoint){address_ipv4(ipv4), NODE_PORT};
}

// WORLD_NODES_MAX if nobody has this address.
static size_t index_of(const struct dht_world *world, const struct endpoint *endpoint)
{
    const uint8_t *bytes = endpoint->address.bytes;
    size_t index = ((size_t)bytes[0] - 20) * 200 + bytes[1];
    if (bytes[0] < 20 || bytes[1] >= 200 || index >= world->nodes_count ||
        !endpoint_equal(endpoint, &world->nodes[index].endpoint))
        return WORLD_NODES_MAX;
    return index;
}

static bool is_before(const struct datagram_in_flight *a, const struct datagram_in_flight *b)
{
    return a->arrives_ms < b->arrives_ms ||
           (a->arrives_ms == b->arrives_ms && a->number < b->number);
}

static void swap(struct datagram_in_flight *a, struct datagram_in_flight *b)
{
    struct datagram_in_flight other = *a;
    *a = *b;
    *b = other;
}

static void push(struct dht_world *world, const struct datagram_in_flight *flight)
{
    if (world->flights_count == world->flights_capacity) {
        world->flights_capacity = world->flights_capacity == 0 ? 64 : 2 * world->flights_capacity;
        world->flights =
            realloc(world->flights, world->flights_capacity * sizeof world->flights[0]);
        assert(world->flights != NULL);
    }
    size_t at = world->flights_count++;
    world->flights[at] = *flight;
    for (; at > 0 && is_before(&world->flights[at], &world->flights[(at - 1) / 2]);
         at = (at - 1) / 2)
        swap(&world->flights[at], &world->flights[(at - 1) / 2]);
}

static struct datagram_in_flight pop(struct dht_world *world)
{
    struct datagram_in_flight first = world->flights[0];
    size_t count = --world->flights_count;
    size_t at = 0;
    world->flights[0] = world->flights[count];
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            least = is_before(&world->flights[child], &world->flights[least]) ? child : least;
        if (least == at)
            return first;
        swap(&world->flights[at], &world->flights[least]);
        at = least;
    }
}

// 10..110 ms, the same in both directions.
static int64_t latency(size_t a, size_t b)
{
    struct seeded seeded = {a < b ? a * 1000 + b : b * 1000 + a};
    return 10 + (int64_t)seeded_below(&seeded, 100);
}

static void send_datagram(void *context, const struct endpoint *to, const uint8_t *data,
                          size_t size)
{
    struct world_node *node = context;
    struct dht_world *world = node->world;
    size_t index = index_of(world, to);
    node->sent++;
    node->sent_bytes += size;
    assert(size <= DATAGRAM_SIZE_MAX);
    if (index == WORLD_NODES_MAX) {
        memcpy(world->stray, data, size);
        world->stray_size = size;
        world->stray_count++;
        return;
    }
    node->asked[index / 8] |= (uint8_t)(1u << (index % 8));
    if (seeded_below(&world->seeded, 100) < world->loss_percent)
        return;
    struct datagram_in_flight flight = {.arrives_ms =
                                            world->now.mono.ms + latency(node->index, index),
                                        .number = world->flights_made++,
                                        .from = node->index,
                                        .to = index,
                                        .size = size};
    memcpy(flight.data, data, size);
    push(world, &flight);
}

static void note_joined(void *context, struct now now)
{
    struct world_node *node = context;
    node->joined_ms = now.mono.ms;
}

static void note_searched(void *context, const struct dht_found *found, struct now now)
{
    struct world_node *node = context;
    node->search = found->search;
    node->contacts_count = found->contacts_count;
    node->records_count = found->records_count;
    node->kept = found->kept;
    node->searched_ms = now.mono.ms;
    memcpy(node->contacts, found->contacts, found->contacts_count * sizeof node->contacts[0]);
    memcpy(node->records, found->records, found->records_count * sizeof node->records[0]);
}

static void note_told(void *context, const struct endpoint *teller, const struct endpoint *own)
{
    struct world_node *node = context;
    (void)teller;
    node->told = *own;
}

static void note_dial(void *context, uint64_t ticket, const struct endpoint *to, struct now now)
{
    struct world_node *node = context;
    (void)now;
    node->dial_ticket = ticket;
    node->dial_to = *to;
}

static void note_dialled(void *context, bool is_reachable, struct now now)
{
    struct world_node *node = context;
    (void)now;
    node->is_dialled_back = true;
    node->was_reachable = is_reachable;
}

static void make_engine(struct world_node *node)
{
    static const struct dht_events events = {send_datagram, note_joined,  note_searched, note_told,
                                             note_dial,     note_dialled, NULL};
    struct dht_world *world = node->world;
    struct dht_config config = {.identity = &node->identity,
                                .membership = &world->membership,
                                .events = &events,
                                .context = node,
                                .has_ipv4 = true,
                                .records_max = world->records_max};
    node->dht = dht_new(&world->env, &config, world->now);
    assert(node->dht != NULL);
    dht_set_endpoint(node->dht, &node->endpoint, world->now);
}

static struct world_node *add(struct dht_world *world)
{
    assert(world->nodes_count < WORLD_NODES_MAX);
    struct world_node *node = &world->nodes[world->nodes_count];
    node->world = world;
    node->index = world->nodes_count++;
    node->endpoint = endpoint_of(node->index);
    node->deadline_ms = INT64_MAX;
    identity_begin(&node->identity, &world->env);
    bool is_found = identity_search(&node->identity, IDENTITY_PUZZLE_BITS_TEST, 1u << 16);
    assert(is_found);
    return node;
}

struct world_node *world_add_idle(struct dht_world *world)
{
    struct world_node *node = add(world);
    make_engine(node);
    return node;
}

struct world_node *world_add(struct dht_world *world)
{
    struct world_node *node = world_add_idle(world);
    if (node->index != 0)
        dht_add_seed(node->dht, &world->nodes[0].endpoint, &world->nodes[0].identity.dht_key);
    dht_start(node->dht, world->now);
    node->deadline_ms = world->now.mono.ms;
    return node;
}

void world_restart(struct world_node *node)
{
    dht_free(node->dht);
    node->joined_ms = 0;
    node->sent = 0;
    node->deadline_ms = INT64_MAX;
    make_engine(node);
}

struct world_node *world_add_liar(struct dht_world *world)
{
    struct world_node *node = add(world);
    node->is_liar = true;
    world->liars[world->liars_count++] = node->index;
    return node;
}

void world_kill(struct world_node *node)
{
    dht_free(node->dht);
    node->dht = NULL;
    node->deadline_ms = INT64_MAX;
}

// A liar proves who it is as everybody does, keeps nothing, and names other liars.
static void lie(struct world_node *node, const struct world_node *asker,
                const struct datagram_head *head, const struct datagram_in_flight *flight)
{
    struct dht_world *world = node->world;
    uint8_t bytes[DATAGRAM_SIZE_MAX];
    uint8_t record_bytes[RECORD_SIZE_MAX];
    size_t size;
    struct pair_key key;
    struct node_record record;
    struct buffer out;
    if (!pair_key_derive(&node->identity, &world->membership, &head->dht_key, &key) ||
        !datagram_open(flight->data, flight->size, &key, bytes, &size))
        return;
    struct dht_answer answer = {.token = 1};
    record_init(&record, &node->identity, &world->membership, 1, world->now.wall);
    record_sign(&record, &node->identity);
    buffer_init_fixed(&out, record_bytes, sizeof record_bytes);
    if (node->robs == NULL)
        record_encode(&record, &out);
    else
        dht_own_record(node->robs->dht, &out, world->now);
    answer.record = (struct message_bytes){record_bytes, out.size};
    for (size_t i = 0; i < MESSAGE_NODES_MAX; i++) {
        size_t liar = world->liars[seeded_below(&world->seeded, world->liars_count)];
        const struct world_node *named = &world->nodes[liar];
        struct contact contact = {named->identity.id, named->identity.dht_key, named->endpoint};
        answer.nodes[answer.nodes_count++] = hint_of(&contact);
    }
    struct datagram_head answer_head = {.kind = DATAGRAM_ANSWER, .transaction = head->transaction};
    struct datagram_sealing sealing = {&key, &world->env, 0};
    uint8_t message[MESSAGE_SIZE_MAX];
    struct buffer encoded;
    buffer_init_fixed(&encoded, message, sizeof message);
    dht_answer_encode(&answer, flight->size - DATAGRAM_ANSWER_OVERHEAD, &encoded);
    buffer_init_fixed(&out, bytes, sizeof bytes);
    if (datagram_seal(&answer_head, &sealing, encoded.data, encoded.size, &out))
        send_datagram(node, &asker->endpoint, out.data, out.size);
}

static void deliver(struct dht_world *world, const struct datagram_in_flight *flight)
{
    struct world_node *node = &world->nodes[flight->to];
    const struct world_node *from = &world->nodes[flight->from];
    struct datagram_head head;
    uint8_t hash[32];
    bool was_asked = (node->asked[from->index / 8] >> (from->index % 8)) & 1;
    crypto_generichash_state trace;
    crypto_generichash_init(&trace, NULL, 0, sizeof hash);
    crypto_generichash_update(&trace, (const uint8_t *)&world->trace, sizeof world->trace);
    crypto_generichash_update(&trace, (const uint8_t *)&flight->arrives_ms, 8);
    crypto_generichash_update(&trace, flight->data, flight->size);
    crypto_generichash_final(&trace, hash, sizeof hash);
    memcpy(&world->trace, hash, sizeof world->trace);
    node->received++;
    if (node->is_deaf && !was_asked)
        return;
    if (node->is_liar && datagram_head_decode(flight->data, flight->size, &head) &&
        head.kind == DATAGRAM_REQUEST)
        lie(node, from, &head, flight);
    if (node->dht == NULL)
        return;
    dht_receive(node->dht, &from->endpoint, flight->data, flight->size, world->now);
    node->deadline_ms = dht_next_deadline(node->dht).ms;
}

// The node whose deadline comes first, or NULL.
static struct world_node *next_node(struct dht_world *world)
{
    struct world_node *next = NULL;
    for (size_t i = 0; i < world->nodes_count; i++) {
        struct world_node *node = &world->nodes[i];
        if (node->dht != NULL && (next == NULL || node->deadline_ms < next->deadline_ms))
            next = node;
    }
    return next;
}

static void advance(struct dht_world *world, int64_t ms)
{
    if (ms <= world->now.mono.ms)
        return;
    world->now.wall.ms += ms - world->now.mono.ms;
    world->now.mono.ms = ms;
}

// One thing that happens before `end_ms`; false if nothing does.
static bool step(struct dht_world *world, int64_t end_ms)
{
    struct world_node *node = next_node(world);
    int64_t tick_ms = node == NULL ? INT64_MAX : node->deadline_ms;
    int64_t flight_ms = world->flights_count == 0 ? INT64_MAX : world->flights[0].arrives_ms;
    if (tick_ms > end_ms && flight_ms > end_ms)
        return false;
    if (flight_ms <= tick_ms) {
        struct datagram_in_flight flight = pop(world);
        advance(world, flight.arrives_ms);
        deliver(world, &flight);
        return true;
    }
    advance(world, tick_ms);
    dht_tick(node->dht, world->now);
    node->deadline_ms = dht_next_deadline(node->dht).ms;
    return true;
}

void world_run(struct dht_world *world, int64_t ms)
{
    int64_t end_ms = world->now.mono.ms + ms;
    while (step(world, end_ms)) {
    }
    advance(world, end_ms);
}

void world_fill(struct dht_world *world, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        world_add(world);
        world_run(world, 100);
    }
    world_run(world, 20000);
}

void world_inject(struct world_node *node, const struct endpoint *from, const void *data,
                  size_t size)
{
    dht_receive(node->dht, from, data, size, node->world->now);
    node->deadline_ms = dht_next_deadline(node->dht).ms;
}

bool world_wait(struct world_node *node, uint64_t search)
{
    struct dht_world *world = node->world;
    int64_t end_ms = world->now.mono.ms + 60000;
    node->deadline_ms = dht_next_deadline(node->dht).ms;
    while (node->search != search && step(world, end_ms)) {
    }
    return node->search == search;
}

const struct world_node *world_nearest(const struct dht_world *world, const struct hash256 *key)
{
    const struct world_node *nearest = NULL;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < world->nodes_count; i++) {
        const struct world_node *node = &world->nodes[i];
        uint64_t distance = id_distance(id_start_of(&node->identity.id.hash), id_start_of(key));
        if (node->dht == NULL || distance >= least)
            continue;
        least = distance;
        nearest = node;
    }
    return nearest;
}
