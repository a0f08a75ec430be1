// Any sequence of peers that come and go, messages, own shares and time. What must hold: nothing is
// wanted twice of one peer, no share is sent to who sent it, memory stays bounded, and once all
// peers are gone nothing is left to do.
#include <assert.h>
#include <string.h>
#include "tests/unit/dht/gossip_fixture.h"
#include "tests/unit/sharechain/seeded.h"

#define PEERS          12
#define SHARES         48
#define OPERATIONS_MAX 4000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct trial {
    struct seeded seeded;
    struct env env;
    struct toy_chain chain;
    struct gossip *gossip;
    int64_t ms;
    uint32_t numbers[PEERS]; // 0: closed
    uint32_t number_next;
    bool is_full;
    bool is_quiet;
    bool has_sent[PEERS][2 * SHARES]; // a valid copy, by the peer to us
    bool was_sent[PEERS][2 * SHARES]; // by us to the peer
};

static unsigned place_of(const struct trial *trial, uint32_t number)
{
    unsigned place = 0;
    while (place < PEERS && trial->numbers[place] != number)
        place++;
    assert(place < PEERS); // it is not gone
    return place;
}

// The 8 bytes after the letter of the header number the shares.
static uint64_t number_of(const struct peer_bytes *share)
{
    uint64_t number;
    assert(share->size == TOY_SIZE);
    memcpy(&number, share->data + 2, sizeof number);
    assert(number < SHARES);
    return number + (share->data[1] == 'L' ? SHARES : 0);
}

static bool take(void *context, uint32_t peer, enum link_lane lane, enum peer_message_type type,
                 struct shared_bytes *bytes)
{
    struct trial *trial = context;
    struct peer_message message;
    unsigned place = place_of(trial, peer);
    bool is_decoded = peer_message_decode((uint8_t)type, shared_bytes_data(bytes),
                                          shared_bytes_size(bytes), &message);
    assert(is_decoded && lane < LINK_LANES_COUNT);
    if (trial->is_full)
        return false;
    if (type == PEER_SHARE || type == PEER_LINK) {
        uint64_t number = number_of(&message.share);
        assert(!trial->has_sent[place][number] && !trial->was_sent[place][number]);
        trial->was_sent[place][number] = true;
    }
    return true;
}

static void blame(void *context, uint32_t peer, enum gossip_fault fault, struct now now)
{
    (void)fault;
    (void)now;
    place_of(context, peer);
}

static void note_delivery(void *context, uint32_t peer, const struct hash256 *id, struct now now)
{
    const struct trial *trial = context;
    (void)now;
    place_of(trial, peer);
    assert(toy_has_share(trial->chain.table.context, id));
}

static void note_block(void *context, const struct hash256 *id, const uint8_t *block, size_t size)
{
    const struct trial *trial = context;
    assert(toy_is_block(trial->chain.table.context, id, block, size));
}

static uint8_t next_byte(const uint8_t **data, size_t *size)
{
    if (*size == 0)
        return 0;
    (*size)--;
    return *(*data)++;
}

static struct now now_of(const struct trial *trial)
{
    return toy_now(trial->ms);
}

static void open_or_close(struct trial *trial, unsigned place)
{
    if (trial->numbers[place] != 0) {
        uint32_t number = trial->numbers[place];
        trial->numbers[place] = 0; // from here on nothing may be sent to it
        gossip_peer_closed(trial->gossip, number, now_of(trial));
        return;
    }
    memset(trial->has_sent[place], 0, sizeof trial->has_sent[place]);
    memset(trial->was_sent[place], 0, sizeof trial->was_sent[place]);
    trial->numbers[place] = trial->number_next++;
    bool is_open = gossip_peer_opened(trial->gossip, trial->numbers[place], now_of(trial));
    assert(is_open);
}

// A share, link or block with any verdict, sometimes cut short.
static void send_share(struct trial *trial, unsigned place, uint8_t choice, uint8_t number)
{
    static const enum peer_message_type types[] = {PEER_SHARE, PEER_SHARE, PEER_LINK, PEER_BLOCK};
    uint8_t bytes[TOY_SIZE];
    uint8_t body[96] = {0};
    bool is_link = (choice & 4) != 0;
    uint64_t index = number % SHARES;
    enum toy_byte verdict = choice < 160 ? TOY_VALID : (enum toy_byte)(choice % 5);
    struct hash256 id = toy_make(bytes, verdict, is_link, index);
    memcpy(body, bytes + 1, 80);
    body[80] = (choice & 8) != 0 ? 'B' : 'x';
    struct peer_message message = {.type = types[choice % 4],
                                   .share = {bytes, choice == 255 ? number % TOY_SIZE : TOY_SIZE},
                                   .body = {body, sizeof body}};
    if (message.type == PEER_SHARE)
        message.body = (struct peer_bytes){0};
    struct gossip_stats before, after;
    gossip_stats(trial->gossip, &before);
    gossip_receive(trial->gossip, trial->numbers[place], &message, now_of(trial));
    gossip_stats(trial->gossip, &after);
    // What was taken in, and is here and valid, is not sent back.
    if (after.shares_received > before.shares_received && verdict == TOY_VALID &&
        toy_has_share(&trial->chain, &id))
        trial->has_sent[place][index + (is_link ? SHARES : 0)] = true;
}

static void send_ids(struct trial *trial, unsigned place, uint8_t choice, uint8_t number)
{
    uint8_t ids[PEER_IDS_MAX * 32];
    uint8_t bytes[TOY_SIZE];
    size_t count = 1 + (choice >> 2) % (choice > 250 ? PEER_IDS_MAX : 4);
    for (size_t i = 0; i < count; i++) {
        struct hash256 id = toy_make(bytes, TOY_VALID, (choice & 2) != 0, (number + i) % SHARES);
        if (choice > 250)
            id = seeded_hash(&trial->seeded);
        memcpy(ids + 32 * i, id.bytes, 32);
    }
    struct peer_message message = {.type = (choice & 1) != 0 ? PEER_HAVE : PEER_WANT,
                                   .ids = {ids, 32 * count}};
    gossip_receive(trial->gossip, trial->numbers[place], &message, now_of(trial));
}

static void mine(struct trial *trial, uint8_t choice, uint8_t number)
{
    static const uint8_t block[100] = {0};
    uint8_t bytes[TOY_SIZE];
    bool is_link = (choice & 4) != 0;
    struct hash256 id = toy_make(bytes, TOY_VALID, is_link, number % SHARES);
    // It becomes valid once only, and what does while we are quiet is not known to gossip.
    if (toy_has_share(&trial->chain, &id) || (trial->is_quiet && choice % 3 != 0))
        return;
    trial->chain.told = toy_keep(&trial->chain, bytes, is_link ? block : NULL, 3);
    if (choice % 16 == 0) {
        const struct toy_share *share = trial->chain.told;
        struct gossip_share told = {
            .id = share->id, .bytes = bytes, .size = TOY_SIZE, .is_own = true};
        gossip_tell_block(trial->gossip, &told, block, sizeof block, now_of(trial));
    }
    toy_tell(&trial->chain, trial->gossip, choice % 3 == 0, now_of(trial));
}

static void pass_time(struct trial *trial, uint8_t choice, uint8_t number)
{
    trial->ms += choice > 240 ? number * INT64_C(10000) : number;
    gossip_tick(trial->gossip, now_of(trial));
    assert(gossip_next_deadline(trial->gossip).ms > trial->ms);
}

static void perform(struct trial *trial, uint8_t operation, uint8_t choice, uint8_t number)
{
    unsigned place = operation / 16u % PEERS;
    bool is_open = trial->numbers[place] != 0;
    struct peer_message choke = {.type = (choice & 1) != 0 ? PEER_CHOKE : PEER_UNCHOKE};
    switch (operation % 16) {
    case 0:
        open_or_close(trial, place);
        return;
    case 1:
        mine(trial, choice, number);
        return;
    case 2:
        trial->is_full = (choice & 1) != 0;
        return;
    case 3:
        trial->is_quiet = (choice & 7) == 7;
        gossip_set_quiet(trial->gossip, trial->is_quiet);
        return;
    case 4:
    case 5:
        pass_time(trial, choice, number);
        return;
    case 6:
        if (is_open)
            gossip_receive(trial->gossip, trial->numbers[place], &choke, now_of(trial));
        return;
    case 7:
        gossip_peer_round_trip(trial->gossip, trial->numbers[place], choice * 4u);
        return;
    default:
        if (is_open && operation % 16 < 12)
            send_share(trial, place, choice, number);
        else if (is_open)
            send_ids(trial, place, choice, number);
        return;
    }
}

static void check_bounds(const struct trial *trial)
{
    struct gossip_stats stats;
    gossip_stats(trial->gossip, &stats);
    assert(stats.memory < (size_t)1 << 20);
    assert(stats.wants_in_flight <= (size_t)PEERS * GOSSIP_WANTS_PEER_MAX);
    assert(stats.shares_first <= stats.shares_received);
    assert(stats.wants_hedged <= stats.wants_sent);
}

static void end(struct trial *trial)
{
    trial->is_full = false;
    for (unsigned place = 0; place < PEERS; place++) {
        if (trial->numbers[place] != 0)
            open_or_close(trial, place);
    }
    for (unsigned i = 0; i < 3; i++) {
        trial->ms += GOSSIP_IGNORE_MS;
        gossip_tick(trial->gossip, now_of(trial));
    }
    struct gossip_stats stats;
    gossip_stats(trial->gossip, &stats);
    assert(stats.wants_in_flight == 0);
    assert(gossip_next_deadline(trial->gossip).ms == INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trial trial = {.seeded = {1}, .ms = 1, .number_next = 1};
    trial.env = seeded_env(&trial.seeded);
    toy_chain_init(&trial.chain, &trial.env);
    struct gossip_config config = {.chain = &trial.chain.table,
                                   .events = {&trial, take, blame, note_delivery, note_block},
                                   .seen_max = 1024};
    trial.gossip = gossip_new(&trial.env, &config);
    assert(trial.gossip != NULL);
    for (unsigned i = 0; i < PEERS / 2; i++)
        open_or_close(&trial, i);
    for (size_t i = 0; size > 0 && i < OPERATIONS_MAX; i++) {
        uint8_t operation = next_byte(&data, &size);
        uint8_t choice = next_byte(&data, &size);
        uint8_t number = next_byte(&data, &size);
        perform(&trial, operation, choice, number);
        toy_tell(&trial.chain, trial.gossip, false, now_of(&trial));
        if (operation % 2 == 0)
            gossip_tick(trial.gossip, now_of(&trial));
    }
    check_bounds(&trial);
    end(&trial);
    gossip_free(trial.gossip);
    toy_chain_clear(&trial.chain);
    seeded_env_clear(&trial.env);
    return 0;
}
