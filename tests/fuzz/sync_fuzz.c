// Bytes as what peers of a syncing node do: greet with claims that may be lies, answer what was
// asked rightly, partly, altered, late or never, send what nobody asked for, come and go. However
// that went, memory stays bounded, and once honest peers are there the node reaches their chain.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "dht/serve.h"
#include "dht/sync.h"
#include "tests/unit/dht/sync_toy.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PEERS        6
#define ASKED_MAX    64
#define EVENTS_MAX   400
#define HONEST       1000 // the number of the peer that ends the trial
#define END_MS       3000000
#define MEMORY_EXTRA (4u << 20)

struct world {
    struct toy_chain good;  // heaviest
    struct toy_chain other; // lighter, of other links
};

// A request of the node that was not answered yet.
struct asked {
    uint32_t peer;
    uint8_t type;
    struct buffer bytes;
};

struct trial {
    struct sync *sync;
    struct toy_chain own;
    struct network_chain table;
    int64_t ms;
    uint32_t peers[PEERS]; // 0: not there
    uint32_t last_peer;
    bool is_full;
    struct asked asked[ASKED_MAX];
    size_t asked_count;
};

static struct world *the_world(void)
{
    static struct world world;
    return &world;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    struct world *world = the_world();
    struct toy_growth common = {.links = 12, .grains = 2, .work = 10, .lost_every = 5};
    toy_init(&world->good, 1);
    toy_init(&world->other, 2);
    toy_grow(&world->good, &common);
    toy_copy(&world->good, &world->other);
    common.salt = 1;
    common.has_stale_headers = true;
    common.links = 30;
    toy_grow(&world->good, &common);
    common.salt = 2;
    common.work = 8;
    toy_grow(&world->other, &common);
    return 0;
}

static struct now now_of(const struct trial *trial)
{
    struct now now = {.mono = {trial->ms}, .wall = {1700000000000 + trial->ms}};
    return now;
}

// ---- The node's events

static bool on_send(void *context, uint32_t peer, enum link_lane lane, enum peer_message_type type,
                    struct shared_bytes *bytes)
{
    struct trial *trial = context;
    (void)lane;
    if (trial->is_full || trial->asked_count == ASKED_MAX)
        return false;
    struct asked *asked = &trial->asked[trial->asked_count++];
    asked->peer = peer;
    asked->type = (uint8_t)type;
    buffer_init(&asked->bytes, shared_bytes_size(bytes));
    write_bytes(&asked->bytes, shared_bytes_data(bytes), shared_bytes_size(bytes));
    return true;
}

static void on_fault(void *context, uint32_t peer, enum sync_fault fault, struct now now)
{
    (void)context;
    (void)now;
    assert(peer != HONEST && fault <= SYNC_FAULT_NO_ANSWER);
}

static void on_phase(void *context, enum sync_phase phase, struct now now)
{
    const struct trial *trial = context;
    (void)now;
    assert(phase == sync_phase(trial->sync));
}

// ---- What peers do

static void receive(struct trial *trial, uint32_t peer, const struct peer_message *message)
{
    struct sync_stats stats;
    sync_receive(trial->sync, peer, message, now_of(trial));
    sync_stats(trial->sync, &stats);
    assert(stats.memory < SYNC_AHEAD_BYTES_MAX + MEMORY_EXTRA);
    assert(trial->own.proofs <= 2);
}

static void greet(struct trial *trial, uint32_t peer, const struct toy_chain *toy, uint8_t lie)
{
    struct peer_message hello = {.type = PEER_HELLO, .version = PEER_VERSION, .tip = toy_tip(toy)};
    if (lie % 4 == 1)
        hello.tip.work = u256_from_u64(1u << 30);
    if (lie % 4 == 2)
        hello.tip.height = UINT32_MAX - lie;
    if (lie % 4 == 3)
        hello.tip.id.bytes[0] ^= lie;
    receive(trial, peer, &hello);
}

static struct asked take_asked(struct trial *trial, size_t at)
{
    struct asked asked = trial->asked[at];
    trial->asked_count--;
    memmove(&trial->asked[at], &trial->asked[at + 1],
            (trial->asked_count - at) * sizeof trial->asked[0]);
    return asked;
}

// Answers from what a chain has. An altered answer may be no message any more.
static void answer(struct trial *trial, size_t at, struct toy_chain *toy, uint8_t change)
{
    struct asked asked = take_asked(trial, at);
    struct network_chain table = toy_table(toy);
    struct serve_bucket bucket;
    struct peer_message message;
    enum peer_message_type type;
    struct buffer out;
    bool is_right = peer_message_decode(asked.type, asked.bytes.data, asked.bytes.size, &message);
    assert(is_right);
    buffer_init(&out, LINK_MESSAGE_MAX);
    serve_bucket_init(&bucket, now_of(trial));
    bool is_request = serve_answer(&table, &message, &bucket, &type, &out);
    assert(is_request && !out.failed && out.size > 0);
    if (change != 0)
        out.data[(size_t)change * 977 % out.size] ^= change;
    if (peer_message_decode((uint8_t)type, out.data, out.size, &message))
        receive(trial, asked.peer, &message);
    buffer_clear(&out);
    buffer_clear(&asked.bytes);
}

static void forget_asked_of(struct trial *trial, uint32_t peer)
{
    for (size_t i = trial->asked_count; i-- > 0;) {
        if (trial->asked[i].peer != peer)
            continue;
        struct asked asked = take_asked(trial, i);
        buffer_clear(&asked.bytes);
    }
}

static void come_or_go(struct trial *trial, size_t place)
{
    uint32_t *peer = &trial->peers[place];
    if (*peer == 0) {
        *peer = ++trial->last_peer;
        bool is_taken = sync_peer_opened(trial->sync, *peer, now_of(trial));
        assert(is_taken);
        return;
    }
    sync_peer_closed(trial->sync, *peer, now_of(trial));
    trial->table.forget_source(&trial->own, *peer);
    forget_asked_of(trial, *peer);
    *peer = 0;
}

static void send_junk(struct trial *trial, uint32_t peer, const uint8_t *data, size_t size)
{
    struct peer_message message;
    if (size > 0 && peer_message_decode(data[0], data + 1, size - 1, &message))
        receive(trial, peer, &message);
}

static void give_orphan(struct trial *trial, uint32_t peer, uint8_t which)
{
    const struct toy_share *link =
        toy_link_at(&the_world()->good, 1 + which % (uint32_t)the_world()->good.best_count);
    struct chain_arrival arrival = {.source = peer, .share = link->bytes, .share_size = link->size};
    trial->table.add_share(&trial->own, &arrival, now_of(trial));
    sync_poke(trial->sync, now_of(trial));
}

static void pass_time(struct trial *trial, int64_t ms)
{
    trial->ms += ms;
    if (sync_next_deadline(trial->sync).ms <= trial->ms)
        sync_tick(trial->sync, now_of(trial));
}

static void perform(struct trial *trial, uint8_t operation, uint8_t value)
{
    struct world *world = the_world();
    size_t place = value % PEERS;
    uint32_t peer = trial->peers[place];
    struct toy_chain *toy = operation & 0x80 ? &world->other : &world->good;
    switch (operation % 8) {
    case 0:
        come_or_go(trial, place);
        return;
    case 1:
        if (peer != 0)
            greet(trial, peer, toy, value / PEERS);
        return;
    case 2:
    case 3:
        if (trial->asked_count > 0)
            answer(trial, value % trial->asked_count, toy, 0);
        return;
    case 4:
        if (trial->asked_count > 0)
            answer(trial, value % trial->asked_count, toy, (uint8_t)(value | 1));
        return;
    case 5:
        pass_time(trial, (int64_t)value * value);
        return;
    case 6:
        if (peer != 0)
            give_orphan(trial, peer, value);
        return;
    case 7:
        trial->is_full = value % 8 == 0;
        return;
    }
}

// ---- The end: one honest peer

static void expect_convergence(struct trial *trial)
{
    struct world *world = the_world();
    struct chain_tip good = toy_tip(&world->good);
    trial->is_full = false;
    for (size_t i = 0; i < PEERS; i++) {
        if (trial->peers[i] != 0)
            come_or_go(trial, i);
    }
    assert(sync_phase(trial->sync) == SYNC_ALONE && trial->own.proofs == 0);
    bool is_taken = sync_peer_opened(trial->sync, HONEST, now_of(trial));
    assert(is_taken);
    greet(trial, HONEST, &world->good, 0);
    int64_t until = trial->ms + END_MS;
    struct chain_tip own = toy_tip(&trial->own);
    while (u256_compare(&own.work, &good.work) < 0) {
        assert(trial->ms < until);
        if (trial->asked_count > 0)
            answer(trial, 0, &world->good, 0);
        int64_t wait = sync_next_deadline(trial->sync).ms - trial->ms;
        pass_time(trial, wait < 0 ? 0 : wait > 1000 ? 1000 : wait);
        own = toy_tip(&trial->own);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trial trial = {.ms = 1000};
    toy_init(&trial.own, 3);
    trial.table = toy_table(&trial.own);
    struct sync_config config = {
        .chain = &trial.table,
        .events = {
            .context = &trial, .send = on_send, .fault = on_fault, .phase_changed = on_phase}};
    trial.sync = sync_new(&trial.own.env, &config);
    assert(trial.sync != NULL);
    for (size_t i = 0; i < EVENTS_MAX && size >= 2; i++, data += 2, size -= 2) {
        size_t place = data[1] % PEERS;
        if (data[0] == 0xff && trial.peers[place] != 0) {
            send_junk(&trial, trial.peers[place], data + 2, size - 2);
            break;
        }
        perform(&trial, data[0], data[1]);
    }
    expect_convergence(&trial);
    while (trial.asked_count > 0) {
        struct asked asked = take_asked(&trial, 0);
        buffer_clear(&asked.bytes);
    }
    sync_free(trial.sync);
    assert(trial.own.proofs == 0);
    toy_clear(&trial.own);
    return 0;
}
