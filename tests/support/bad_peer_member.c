// A member of the pool, or who takes himself for one: a true handshake with an identity of its own,
// a HELLO, then what its way demands, until the link ends; then another identity.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "dht/link.h"
#include "dht/peer_message.h"
#include "node/base/log.h"
#include "testnet/common/clock.h"
#include "tests/support/bad_peer.h"

#define QUEUE_MAX      (1u << 20)
#define PIECE          (256u << 10)
#define READ_SIZE      65536
#define AGAIN_MS       20 // after a refusal
#define PUZZLE_TRIES   (1u << 16)
#define DEAF_REQUESTS  12 // fewer than a node takes at once from one peer
#define SHARE_NONCE_AT 77 // in a share: its version, then the nonce at the header's end
#define TYPE_UNKNOWN   200

struct member {
    struct bad_peer *peer;
    struct identity identity;
    struct link *link;
    int fd;
    struct buffer out; // to be sent
    bool is_gone;
    bool is_welcome; // a frame came
    int64_t since_ns;
    uint64_t told;  // messages on this link
    uint64_t turns; // of kinds
};

// ---- What it says

static bool tell(struct member *member, uint8_t type, const void *data, size_t size)
{
    if (!link_send(member->link, LINK_LANE_URGENT, type, data, size))
        return false;
    member->told++;
    member->peer->tally.messages++;
    return true;
}

static bool say(struct member *member, const struct peer_message *message)
{
    struct buffer out;
    buffer_init(&out, 1u << 20);
    peer_message_encode(message, &out);
    bool is_told = tell(member, (uint8_t)message->type, out.data, out.size);
    buffer_clear(&out);
    return is_told;
}

// An id that a share of the best kind could have; or one that none has.
static struct hash256 make_id(const struct member *member, bool is_plausible)
{
    struct hash256 id;
    env_random_bytes(member->peer->env, id.bytes, sizeof id.bytes);
    memset(id.bytes + 24, is_plausible ? 0 : 0xff, 8);
    return id;
}

// One small message, each time of another kind.
static bool say_small(struct member *member)
{
    static const enum peer_message_type types[] = {PEER_HAVE, PEER_WANT, PEER_CHOKE, PEER_UNCHOKE};
    const struct hash256 id = make_id(member, true);
    size_t turn = member->turns++ % 5;
    if (turn == 4)
        return tell(member, TYPE_UNKNOWN, id.bytes, 8);
    struct peer_message message = {.type = types[turn]};
    if (turn < 2)
        message.ids = (struct peer_bytes){id.bytes, sizeof id.bytes};
    return say(member, &message);
}

static bool say_junk(struct member *member)
{
    const struct hash256 id = make_id(member, false);
    const struct peer_message message = {.type = PEER_HAVE, .ids = {id.bytes, sizeof id.bytes}};
    return say(member, &message);
}

static bool ask_much(struct member *member)
{
    const struct hash256 nowhere = {{0}};
    const struct peer_message message = {.type = PEER_GET_LINKS,
                                         .request = (uint32_t)member->told,
                                         .max = CHAIN_SKELETONS_MAX,
                                         .ids = {nowhere.bytes, sizeof nowhere.bytes}};
    return member->told < DEAF_REQUESTS && say(member, &message);
}

// What it may send by now.
static bool is_due(const struct member *member)
{
    double elapsed_s = (double)(clock_mono_ns() - member->since_ns) / 1e9;
    return (double)member->told < elapsed_s * (double)member->peer->rate;
}

static void misbehave(struct member *member)
{
    switch (member->peer->way) {
    case BAD_FLOOD:
        while (is_due(member) && say_small(member))
            continue;
        return;
    case BAD_JUNK:
        while (is_due(member) && say_junk(member))
            continue;
        return;
    case BAD_DEAF:
        while (ask_much(member))
            continue;
        return;
    case BAD_GREET:
    case BAD_FORGE: // answers what it hears
    case BAD_GARBAGE:
    case BAD_DRIP:
    case BAD_WAYS_COUNT:
        return;
    }
}

// ---- What it hears

// The same share with another nonce: its work is gone.
static void forge(struct member *member, const struct peer_message *heard)
{
    uint8_t share[CHAIN_SHARE_MAX];
    if (heard->share.size > sizeof share || heard->share.size < SHARE_NONCE_AT + 4)
        return;
    memcpy(share, heard->share.data, heard->share.size);
    share[SHARE_NONCE_AT]++;
    const struct peer_message forged = {.type = PEER_SHARE, .share = {share, heard->share.size}};
    say(member, &forged);
}

static void answer(struct member *member, const struct peer_message *heard)
{
    if (heard->type == PEER_HAVE) {
        const struct peer_message want = {.type = PEER_WANT, .ids = heard->ids};
        say(member, &want);
    } else if (heard->type == PEER_SHARE || heard->type == PEER_LINK) {
        forge(member, heard);
    }
}

static void on_opened(void *context, const struct node_record *record, struct now now)
{
    (void)context;
    (void)record;
    (void)now;
}

static void on_received(void *context, uint8_t type, const uint8_t *data, size_t size,
                        struct now now)
{
    struct member *member = context;
    struct peer_message heard;
    (void)now;
    if (!member->is_welcome) {
        member->is_welcome = true;
        member->since_ns = clock_mono_ns();
        member->peer->tally.handshakes++;
    }
    if (!peer_message_decode(type, data, size, &heard))
        return;
    if (heard.type == PEER_BYE)
        member->peer->tally.bans += heard.bye == PEER_BYE_BANNED;
    else if (member->peer->way == BAD_FORGE)
        answer(member, &heard);
}

static bool on_admits(void *context, const struct link_announcement *announcement)
{
    (void)context;
    (void)announcement;
    return true;
}

static void on_closed(void *context, enum link_close reason, struct now now)
{
    struct member *member = context;
    (void)reason;
    (void)now;
    member->is_gone = true;
}

static const struct link_events events = {on_opened, on_received, on_admits, on_closed};

// ---- A link

static void make_link(struct member *member, struct now now)
{
    const struct bad_peer *peer = member->peer;
    struct node_record record;
    uint8_t bytes[RECORD_SIZE_MAX];
    struct buffer out;
    identity_begin(&member->identity, peer->env);
    while (!identity_search(&member->identity, peer->membership.puzzle_bits, PUZZLE_TRIES))
        continue;
    record_init(&record, &member->identity, &peer->membership, (uint64_t)wall_seconds(now.wall),
                now.wall);
    record_sign(&record, &member->identity);
    buffer_init_fixed(&out, bytes, sizeof bytes);
    record_encode(&record, &out);
    const struct link_config config = {.env = peer->env,
                                       .membership = &peer->membership,
                                       .identity = &member->identity,
                                       .peer = &peer->key,
                                       .record = bytes,
                                       .record_size = out.size,
                                       .queue_bytes_max = QUEUE_MAX,
                                       .events = &events,
                                       .context = member};
    member->link = link_new(&config, now);
    member->is_gone = member->link == NULL;
}

static void hear(struct member *member, uint8_t *bytes)
{
    // Who is deaf reads until the link is there.
    if (member->peer->way == BAD_DEAF && member->is_welcome)
        return;
    long got = bad_peer_receive(member->peer, member->fd, bytes, READ_SIZE);
    if (got > 0)
        link_receive(member->link, bytes, (size_t)got, clock_now());
    member->is_gone = member->is_gone || got < 0;
}

static void flush(struct member *member)
{
    if (member->out.size < PIECE)
        link_pull(member->link, &member->out, PIECE, clock_now());
    if (member->out.size == 0)
        return;
    long sent = bad_peer_send(member->peer, member->fd, member->out.data, member->out.size);
    if (sent > 0)
        buffer_consume(&member->out, (size_t)sent);
    member->is_gone = member->is_gone || sent < 0;
}

static void live(struct member *member)
{
    static const struct peer_message hello = {.type = PEER_HELLO, .version = PEER_VERSION};
    uint8_t *bytes = malloc(READ_SIZE);
    say(member, &hello);
    while (bytes != NULL && !member->is_gone && bad_peer_goes_on(member->peer)) {
        flush(member);
        hear(member, bytes);
        if (member->is_welcome && !member->is_gone)
            misbehave(member);
        if (link_next_deadline(member->link).ms <= clock_now().mono.ms)
            link_tick(member->link, clock_now());
        bad_peer_wait(member->fd, member->out.size > 0, 1);
    }
    free(bytes);
}

void bad_peer_member(struct bad_peer *peer)
{
    while (bad_peer_goes_on(peer)) {
        uint64_t received = peer->tally.bytes_received;
        struct member member = {.peer = peer, .fd = bad_peer_dial(peer)};
        if (member.fd >= 0) {
            buffer_init(&member.out, 4u << 20);
            make_link(&member, clock_now());
            live(&member);
            link_free(member.link);
            buffer_clear(&member.out);
            close(member.fd);
        }
        bool is_refused = received == peer->tally.bytes_received;
        peer->tally.refused += is_refused && member.fd >= 0;
        identity_clear(&member.identity);
        if (is_refused)
            bad_peer_wait(-1, false, AGAIN_MS);
    }
}
