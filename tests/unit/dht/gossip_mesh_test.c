// Many engines of gossip in a mesh, under a virtual clock: who gets what, when, and how often.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/dht/gossip_fixture.h"
#include "tests/unit/sharechain/seeded.h"

#define NODES_MAX  256
#define LINKS_MAX  64 // of a node
#define SHARES_MAX 512
#define EVENTS_MAX 262144

// What a node does wrong.
enum malice {
    HONEST,
    BLACK_HOLE,    // takes everything and says nothing
    LIAR,          // announces what it hears of, and never delivers
    TURNED_SILENT, // honest until mesh.silence_ms, then a black hole
};

struct mesh;

struct node {
    struct mesh *mesh;
    unsigned index;
    double x, y;
    enum malice malice;
    struct seeded seeded;
    struct env env;
    struct toy_chain chain;
    struct gossip *gossip;
    unsigned links[LINKS_MAX]; // indices of other nodes; their peer numbers are these plus one
    size_t links_count;
    size_t faults;
    int64_t arrived[SHARES_MAX]; // -1: not yet
};

struct event {
    int64_t ms;
    uint64_t sequence;
    unsigned from;
    unsigned to;
    enum peer_message_type type;
    struct shared_bytes *bytes;
};

struct mesh {
    struct seeded seeded;
    struct node nodes[NODES_MAX];
    unsigned nodes_count;
    struct event *events; // a heap
    size_t events_count;
    uint64_t sequence;
    int64_t ms;
    int64_t silence_ms;
    struct hash256 ids[SHARES_MAX];
    int64_t started[SHARES_MAX];
    size_t shares_count;
    uint64_t trace; // of all that was sent
};

// ---- Events

static bool is_earlier(const struct event *a, const struct event *b)
{
    return a->ms != b->ms ? a->ms < b->ms : a->sequence < b->sequence;
}

static void swap(struct event *a, struct event *b)
{
    struct event kept = *a;
    *a = *b;
    *b = kept;
}

static void add_event(struct mesh *mesh, const struct event *event)
{
    assert_true(mesh->events_count < EVENTS_MAX);
    size_t i = mesh->events_count++;
    mesh->events[i] = *event;
    for (; i > 0 && is_earlier(&mesh->events[i], &mesh->events[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&mesh->events[i], &mesh->events[(i - 1) / 2]);
}

static struct event take_event(struct mesh *mesh)
{
    struct event first = mesh->events[0];
    mesh->events[0] = mesh->events[--mesh->events_count];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < mesh->events_count; child++)
            least = is_earlier(&mesh->events[child], &mesh->events[least]) ? child : least;
        if (least == i)
            return first;
        swap(&mesh->events[i], &mesh->events[least]);
        i = least;
    }
}

// ---- Nodes

static bool is_silent(const struct node *node)
{
    return node->malice == BLACK_HOLE ||
           (node->malice == TURNED_SILENT && node->mesh->ms >= node->mesh->silence_ms);
}

// One way: 3 to 150 ms by distance, 63 in the mean, and 2 for judging.
static int64_t latency_ms(const struct node *a, const struct node *b)
{
    double dx = a->x - b->x;
    double dy = a->y - b->y;
    double squared = dx * dx + dy * dy; // up to 2
    double root = 1;
    for (int i = 0; i < 20; i++) // without libm
        root = (root + squared / root) / 2;
    return 5 + (int64_t)(root * 110);
}

static bool post(void *context, uint32_t peer, enum link_lane lane, enum peer_message_type type,
                 struct shared_bytes *bytes)
{
    struct node *node = context;
    struct mesh *mesh = node->mesh;
    (void)lane;
    const struct node *other = &mesh->nodes[peer - 1];
    mesh->trace = (mesh->trace ^ (uint64_t)mesh->ms ^ (uint64_t)type << 32 ^
                   (uint64_t)node->index << 40 ^ (uint64_t)peer << 50) *
                  UINT64_C(0x100000001b3);
    if (is_silent(node) && type != PEER_CHOKE && type != PEER_UNCHOKE)
        return true;
    if (node->malice == LIAR && (type == PEER_SHARE || type == PEER_LINK))
        return true;
    struct event event = {mesh->ms + latency_ms(node, other),
                          mesh->sequence++,
                          node->index,
                          other->index,
                          type,
                          shared_bytes_hold(bytes)};
    add_event(mesh, &event);
    return true;
}

static void blame(void *context, uint32_t peer, enum gossip_fault fault, struct now now)
{
    struct node *node = context;
    (void)peer;
    (void)fault;
    (void)now;
    node->faults++;
}

static void note_delivery(void *context, uint32_t peer, const struct hash256 *id, struct now now)
{
    struct node *node = context;
    (void)peer;
    for (size_t i = 0; i < node->mesh->shares_count; i++) {
        if (hash_equal(&node->mesh->ids[i], id)) {
            assert_int_equal(node->arrived[i], -1);
            node->arrived[i] = now.mono.ms;
        }
    }
}

static void note_block(void *context, const struct hash256 *id, const uint8_t *block, size_t size)
{
    (void)context;
    (void)id;
    (void)block;
    (void)size;
}

static struct mesh *mesh_new(unsigned nodes_count, uint64_t seed)
{
    struct mesh *mesh = calloc(1, sizeof *mesh);
    assert_non_null(mesh);
    mesh->events = calloc(EVENTS_MAX, sizeof *mesh->events);
    assert_non_null(mesh->events);
    mesh->seeded.state = seed;
    mesh->nodes_count = nodes_count;
    mesh->ms = 1000;
    for (unsigned i = 0; i < nodes_count; i++) {
        struct node *node = &mesh->nodes[i];
        node->mesh = mesh;
        node->index = i;
        node->x = (double)seeded_below(&mesh->seeded, 1000) / 1000;
        node->y = (double)seeded_below(&mesh->seeded, 1000) / 1000;
        node->seeded.state = seed + 1000 + i;
        node->env = seeded_env(&node->seeded);
        toy_chain_init(&node->chain, &node->env);
        struct gossip_config config = {.chain = &node->chain.table,
                                       .events = {node, post, blame, note_delivery, note_block},
                                       .seen_max = 1024};
        node->gossip = gossip_new(&node->env, &config);
        assert_non_null(node->gossip);
        memset(node->arrived, -1, sizeof node->arrived);
    }
    return mesh;
}

static void mesh_free(struct mesh *mesh)
{
    for (size_t i = 0; i < mesh->events_count; i++)
        shared_bytes_release(mesh->events[i].bytes);
    for (unsigned i = 0; i < mesh->nodes_count; i++) {
        gossip_free(mesh->nodes[i].gossip);
        toy_chain_clear(&mesh->nodes[i].chain);
        seeded_env_clear(&mesh->nodes[i].env);
    }
    free(mesh->events);
    free(mesh);
}

static bool are_linked(const struct node *a, const struct node *b)
{
    for (size_t i = 0; i < a->links_count; i++) {
        if (a->links[i] == b->index)
            return true;
    }
    return false;
}

static void join(struct mesh *mesh, struct node *a, struct node *b)
{
    if (a == b || are_linked(a, b) || a->links_count == LINKS_MAX || b->links_count == LINKS_MAX)
        return;
    uint32_t ms = (uint32_t)(2 * latency_ms(a, b));
    a->links[a->links_count++] = b->index;
    b->links[b->links_count++] = a->index;
    assert_true(gossip_peer_opened(a->gossip, b->index + 1, toy_now(mesh->ms)));
    assert_true(gossip_peer_opened(b->gossip, a->index + 1, toy_now(mesh->ms)));
    gossip_peer_round_trip(a->gossip, b->index + 1, ms);
    gossip_peer_round_trip(b->gossip, a->index + 1, ms);
}

// Puts the other among the nearest, the nearest first.
static void keep_near(const struct node *node, struct node *near[3], struct node *other)
{
    for (unsigned n = 0; n < 3 && other != node && other != NULL; n++) {
        if (near[n] == other)
            return;
        if (near[n] != NULL && latency_ms(node, other) >= latency_ms(node, near[n]))
            continue;
        struct node *farther = near[n];
        near[n] = other;
        other = farther;
    }
}

// Each dials the 3 nearest of 24 and 3 others: 12 links a node in the mean.
static void join_as_peers_do(struct mesh *mesh)
{
    for (unsigned i = 0; i < mesh->nodes_count; i++) {
        struct node *node = &mesh->nodes[i];
        struct node *near[3] = {NULL, NULL, NULL};
        for (unsigned k = 0; k < 24; k++)
            keep_near(node, near, &mesh->nodes[seeded_below(&mesh->seeded, mesh->nodes_count)]);
        for (unsigned n = 0; n < 3; n++) {
            if (near[n] != NULL)
                join(mesh, node, near[n]);
            join(mesh, node, &mesh->nodes[seeded_below(&mesh->seeded, mesh->nodes_count)]);
        }
    }
}

// ---- Running

// A liar repeats at once what honest nodes announce to it.
static void lie(struct node *node, uint32_t from, const struct event *event)
{
    if (node->malice != LIAR || event->type != PEER_HAVE ||
        node->mesh->nodes[event->from].malice != HONEST)
        return;
    for (size_t i = 0; i < node->links_count; i++) {
        if (node->links[i] + 1 != from)
            post(node, node->links[i] + 1, LINK_LANE_SHARE, PEER_HAVE, event->bytes);
    }
}

static void deliver(struct mesh *mesh, const struct event *event)
{
    struct node *node = &mesh->nodes[event->to];
    struct peer_message message;
    assert_true(peer_message_decode((uint8_t)event->type, shared_bytes_data(event->bytes),
                                    shared_bytes_size(event->bytes), &message));
    gossip_receive(node->gossip, event->from + 1, &message, toy_now(mesh->ms));
    toy_tell(&node->chain, node->gossip, false, toy_now(mesh->ms));
    lie(node, event->from + 1, event);
}

static int64_t next_deadline(const struct mesh *mesh)
{
    int64_t ms = INT64_MAX;
    for (unsigned i = 0; i < mesh->nodes_count; i++) {
        int64_t due = gossip_next_deadline(mesh->nodes[i].gossip).ms;
        ms = due < ms ? due : ms;
    }
    return ms;
}

static void tick_all(struct mesh *mesh)
{
    for (unsigned i = 0; i < mesh->nodes_count; i++)
        gossip_tick(mesh->nodes[i].gossip, toy_now(mesh->ms));
}

static void run_until(struct mesh *mesh, int64_t ms)
{
    for (;;) {
        int64_t due = next_deadline(mesh);
        int64_t next = mesh->events_count > 0 ? mesh->events[0].ms : INT64_MAX;
        if (due > ms && next > ms)
            break;
        mesh->ms = due < next ? due : next;
        mesh->ms = mesh->ms < 0 ? 0 : mesh->ms;
        // All of one millisecond, then what is due.
        while (mesh->events_count > 0 && mesh->events[0].ms <= mesh->ms) {
            struct event event = take_event(mesh);
            deliver(mesh, &event);
            shared_bytes_release(event.bytes);
        }
        tick_all(mesh);
    }
    mesh->ms = ms;
}

static void mine(struct mesh *mesh, struct node *node)
{
    uint8_t bytes[TOY_SIZE];
    assert_true(mesh->shares_count < SHARES_MAX);
    size_t i = mesh->shares_count++;
    mesh->ids[i] = toy_make(bytes, TOY_VALID, false, i);
    mesh->started[i] = mesh->ms;
    node->arrived[i] = mesh->ms;
    node->chain.told = toy_keep(&node->chain, bytes, NULL, 0);
    toy_tell(&node->chain, node->gossip, true, toy_now(mesh->ms));
}

// Honest nodes mine, one share each 300 ms.
static void mine_many(struct mesh *mesh, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct node *node;
        do {
            node = &mesh->nodes[seeded_below(&mesh->seeded, mesh->nodes_count)];
        } while (node->malice != HONEST);
        mine(mesh, node);
        run_until(mesh, mesh->ms + 300);
    }
    run_until(mesh, mesh->ms + 20000);
}

// ---- Figures

struct figures {
    double coverage; // of honest nodes and shares
    double copies;   // for each delivery
    int64_t p50_ms, p99_ms, max_ms;
    uint64_t wants, hedged, unanswered, faults;
};

static int compare_ms(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// Of the shares from `first` on, but copies, wants and faults of all.
static struct figures measure(const struct mesh *mesh, size_t first)
{
    struct figures figures = {0};
    int64_t *delays = calloc((size_t)mesh->nodes_count * mesh->shares_count, sizeof *delays);
    assert_non_null(delays);
    size_t wanted = 0;
    size_t count = 0;
    uint64_t received = 0;
    uint64_t firsts = 0;
    for (unsigned i = 0; i < mesh->nodes_count; i++) {
        const struct node *node = &mesh->nodes[i];
        struct gossip_stats stats;
        if (node->malice != HONEST)
            continue;
        gossip_stats(node->gossip, &stats);
        received += stats.shares_received;
        firsts += stats.shares_first;
        figures.wants += stats.wants_sent;
        figures.hedged += stats.wants_hedged;
        figures.unanswered += stats.wants_unanswered;
        figures.faults += node->faults;
        for (size_t k = first; k < mesh->shares_count; k++) {
            wanted++;
            if (node->arrived[k] >= 0)
                delays[count++] = node->arrived[k] - mesh->started[k];
        }
    }
    qsort(delays, count, sizeof *delays, compare_ms);
    figures.coverage = (double)count / (double)wanted;
    figures.copies = (double)received / (double)firsts;
    figures.p50_ms = delays[count / 2];
    figures.p99_ms = delays[count * 99 / 100];
    figures.max_ms = delays[count - 1];
    free(delays);
    print_message("coverage %.5f, %.2f copies, p50 %ld p99 %ld max %ld ms, %lu wants, %lu hedged, "
                  "%lu unanswered\n",
                  figures.coverage, figures.copies, (long)figures.p50_ms, (long)figures.p99_ms,
                  (long)figures.max_ms, (unsigned long)figures.wants, (unsigned long)figures.hedged,
                  (unsigned long)figures.unanswered);
    return figures;
}

static void make_malicious(struct mesh *mesh, enum malice malice, unsigned percent)
{
    for (unsigned i = 0; i < mesh->nodes_count * percent / 100; i++) {
        struct node *node;
        do {
            node = &mesh->nodes[seeded_below(&mesh->seeded, mesh->nodes_count)];
        } while (node->malice != HONEST);
        node->malice = malice;
    }
}

static void all_get_each_share_in_few_copies(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_new(100, 1);
    join_as_peers_do(mesh);
    mine_many(mesh, 200);
    struct figures figures = measure(mesh, 32);
    assert_true(figures.coverage == 1);
    assert_true(figures.copies <= 4.5);
    assert_true(figures.p99_ms <= 300);
    assert_int_equal(figures.faults, 0);
    mesh_free(mesh);
}

static void same_seed_gives_the_same_messages(void **state)
{
    (void)state;
    uint64_t traces[2];
    for (size_t i = 0; i < 2; i++) {
        struct mesh *mesh = mesh_new(30, 4);
        join_as_peers_do(mesh);
        mine_many(mesh, 60);
        traces[i] = mesh->trace;
        mesh_free(mesh);
    }
    assert_true(traces[0] == traces[1]);
}

static void black_holes_do_not_stop_shares(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_new(200, 2);
    make_malicious(mesh, BLACK_HOLE, 40);
    join_as_peers_do(mesh);
    mine_many(mesh, 100);
    struct figures figures = measure(mesh, 0);
    assert_true(figures.coverage >= 0.9995);
    assert_true(figures.p99_ms <= 600);
    mesh_free(mesh);
}

static void liars_do_not_stop_shares(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_new(100, 3);
    make_malicious(mesh, LIAR, 30);
    join_as_peers_do(mesh);
    mine_many(mesh, 100);
    struct figures figures = measure(mesh, 0);
    assert_true(figures.coverage >= 0.9995);
    assert_true(figures.unanswered > 0);
    assert_true(figures.p99_ms <= 1000);
    mesh_free(mesh);
}

static void fast_peers_that_fall_silent_are_replaced(void **state)
{
    (void)state;
    struct mesh *mesh = mesh_new(100, 5);
    make_malicious(mesh, TURNED_SILENT, 30);
    mesh->silence_ms = 1000 + 60 * 300;
    join_as_peers_do(mesh);
    mine_many(mesh, 160);
    struct figures figures = measure(mesh, 60);
    assert_true(figures.coverage >= 0.9995);
    assert_true(figures.p99_ms <= 600);
    figures = measure(mesh, 100); // ranked anew
    assert_true(figures.p99_ms <= 400);
    mesh_free(mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_get_each_share_in_few_copies),
        cmocka_unit_test(same_seed_gives_the_same_messages),
        cmocka_unit_test(black_holes_do_not_stop_shares),
        cmocka_unit_test(liars_do_not_stop_shares),
        cmocka_unit_test(fast_peers_that_fall_silent_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
