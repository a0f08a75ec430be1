// The attacker of network_world.h. What it sends is there at once.
#include <assert.h>
#include <string.h>
#include "dht/peer_message.h"
#include "tests/support/network_world.h"

static void on_opened(void *context, const struct node_record *record, struct now now)
{
    struct net_attacker *attacker = context;
    (void)record;
    (void)now;
    attacker->is_open = true;
}

static void on_received(void *context, uint8_t type, const uint8_t *data, size_t size,
                        struct now now)
{
    struct net_attacker *attacker = context;
    (void)data;
    (void)size;
    (void)now;
    attacker->messages[type]++;
}

static bool on_admits(void *context, const struct link_announcement *announcement)
{
    (void)context;
    (void)announcement;
    return true;
}

static void on_closed(void *context, enum link_close reason, struct now now)
{
    (void)context;
    (void)reason;
    (void)now;
}

void net_attacker_write(struct net_attacker *attacker, const void *data, size_t size)
{
    if (attacker->stream != 0 && size > 0)
        network_received(attacker->victim->network, attacker->stream, data, size,
                         attacker->world->now);
}

// Until neither side has more to say.
static void flush(struct net_attacker *attacker)
{
    while (link_has_output(attacker->link) && attacker->stream != 0) {
        struct buffer out;
        buffer_init(&out, 16u << 20);
        link_pull(attacker->link, &out, 1u << 16, attacker->world->now);
        net_attacker_write(attacker, out.data, out.size);
        buffer_clear(&out);
    }
}

static void make_link(struct net_attacker *attacker)
{
    static const struct link_events events = {on_opened, on_received, on_admits, on_closed};
    struct net_world *world = attacker->world;
    struct node_record record;
    uint8_t bytes[RECORD_SIZE_MAX];
    struct buffer out;
    record_init(&record, &attacker->identity, &attacker->membership,
                (uint64_t)wall_seconds(world->now.wall), world->now.wall);
    record_sign(&record, &attacker->identity);
    buffer_init_fixed(&out, bytes, sizeof bytes);
    record_encode(&record, &out);
    const struct link_config config = {.env = &world->env,
                                       .membership = &attacker->membership,
                                       .identity = &attacker->identity,
                                       .peer = &attacker->victim->identity.transport_key,
                                       .record = bytes,
                                       .record_size = out.size,
                                       .queue_bytes_max = 32u << 20,
                                       .events = &events,
                                       .context = attacker};
    attacker->link = link_new(&config, world->now);
    assert(attacker->link != NULL);
}

struct net_attacker *net_attack(struct net_node *victim, const struct membership *membership,
                                const struct endpoint *from)
{
    struct net_world *world = victim->world;
    struct net_attacker *attacker = calloc(1, sizeof *attacker);
    assert(attacker != NULL && world->attackers_count < NET_NODES_MAX);
    size_t index = world->attackers_count++;
    world->attackers[index] = attacker;
    attacker->world = world;
    attacker->victim = victim;
    attacker->membership = membership != NULL ? *membership : world->membership;
    attacker->reads = true;
    uint8_t ipv4[4] = {30, (uint8_t)index, 1, 1};
    attacker->endpoint =
        from != NULL ? *from : (struct endpoint){address_ipv4(ipv4), (uint16_t)(50000 + index)};
    identity_begin(&attacker->identity, &world->env);
    bool is_found = identity_search(&attacker->identity, IDENTITY_PUZZLE_BITS_TEST, 1u << 16);
    assert(is_found);
    make_link(attacker);
    attacker->stream = network_accepted(victim->network, &attacker->endpoint, world->now);
    flush(attacker);
    return attacker;
}

void net_attacker_send(struct net_attacker *attacker, uint8_t type, const void *data, size_t size)
{
    bool is_queued = link_send(attacker->link, LINK_LANE_URGENT, type, data, size);
    assert(is_queued || attacker->is_closed);
    flush(attacker);
}

void net_attacker_say(struct net_attacker *attacker, const struct peer_message *message)
{
    struct buffer out;
    buffer_init(&out, 16u << 20);
    peer_message_encode(message, &out);
    net_attacker_send(attacker, (uint8_t)message->type, out.data, out.size);
    buffer_clear(&out);
}

void net_attacker_hello(struct net_attacker *attacker, const struct chain_tip *tip)
{
    struct peer_message hello = {.type = PEER_HELLO, .version = PEER_VERSION};
    hello.tip = tip != NULL ? *tip : attacker->victim->chain.tip;
    net_attacker_say(attacker, &hello);
}

void net_attacker_leave(struct net_attacker *attacker)
{
    uint32_t stream = attacker->stream;
    attacker->stream = 0;
    if (stream != 0)
        network_closed(attacker->victim->network, stream, attacker->world->now);
}
