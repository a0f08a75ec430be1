// Datagrams on their way, and the NATs that let them in or not.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "tests/sim/world_state.h"

#define HEADERS_SIZE    28     // of IP and UDP
#define QUEUE_US        100000 // what waits for longer than that is dropped
#define REORDER_US      30000
#define NAT_ENTRIES     1024
#define NAT_LIFETIME_US 60000000
#define NAT_PORT_MIN    20000
#define NAT_PORTS       40000

static uint64_t mix(const struct endpoint *endpoint)
{
    uint64_t value = endpoint->port;
    for (unsigned i = 0; i < 4; i++)
        value = value << 8 | endpoint->address.bytes[i];
    return value * 0x9e3779b97f4a7c15u;
}

// The port that a symmetric NAT shows to this peer.
static uint16_t port_for(const struct host *host, const struct endpoint *peer)
{
    return (uint16_t)(NAT_PORT_MIN + ((mix(peer) + host->index) >> 20) % NAT_PORTS);
}

static struct nat_entry *entry_of(const struct host *host, const struct endpoint *peer)
{
    return &host->nat_entries[(mix(peer) >> 40) % NAT_ENTRIES];
}

static void note_sent(struct host *host, const struct endpoint *to)
{
    host->nat_sent_us = host->world->now_us;
    if (host->nat_entries == NULL)
        host->nat_entries = calloc(NAT_ENTRIES, sizeof host->nat_entries[0]);
    if (host->nat_entries == NULL)
        abort();
    *entry_of(host, to) = (struct nat_entry){*to, host->world->now_us};
}

static bool lets_in(const struct host *host, const struct endpoint *from, uint16_t port)
{
    int64_t oldest_us = host->world->now_us - NAT_LIFETIME_US;
    if (host->nat == NAT_NONE)
        return port == host->endpoint.port;
    if (host->nat_entries == NULL)
        return false;
    if (host->nat == NAT_FULL_CONE)
        return port == host->endpoint.port && host->nat_sent_us >= oldest_us;
    const struct nat_entry *entry = entry_of(host, from);
    bool was_asked = endpoint_equal(&entry->to, from) && entry->sent_us >= oldest_us;
    bool is_symmetric = host->nat == NAT_SYMMETRIC;
    return was_asked && port == (is_symmetric ? port_for(host, from) : host->endpoint.port);
}

static void launch(struct host *host, struct packet *packet, int64_t at_us, uint16_t port)
{
    struct event event = {
        .at_us = at_us, .what = packet, .host = packet->to, .kind = EVENT_DATAGRAM};
    // Only a NAT gives a port another meaning; where there is none, the host was found by it.
    if (host->world->hosts[packet->to]->nat != NAT_NONE &&
        !lets_in(host->world->hosts[packet->to], &packet->from, port)) {
        host->world->dropped_nat++;
        free(packet);
        return;
    }
    events_push(&host->world->events, event);
}

void host_send(struct host *host, const struct endpoint *to, const uint8_t *data, size_t size)
{
    struct world *world = host->world;
    struct host *target = world_find(world, to);
    struct endpoint from = host->endpoint;
    assert(host->is_up);
    host->datagrams_sent++;
    host->bytes_sent += size + HEADERS_SIZE;
    if (host->nat != NAT_NONE)
        note_sent(host, to);
    if (host->nat == NAT_SYMMETRIC)
        from.port = port_for(host, to);
    int64_t sent_us = uplink_send(host, size + HEADERS_SIZE, QUEUE_US);
    if (sent_us == INT64_MAX) {
        world->dropped_queue++;
        return;
    }
    if (target == NULL || random_chance(&world->random, world->options.loss_permille)) {
        world->dropped_loss++;
        return;
    }
    unsigned copies = 1 + random_chance(&world->random, world->options.duplicate_permille);
    while (copies-- > 0) {
        int64_t at_us = sent_us + path_us(world, host, target);
        if (random_chance(&world->random, world->options.reorder_permille))
            at_us += (int64_t)random_below(&world->random, REORDER_US);
        struct packet *packet = malloc(sizeof *packet + size);
        if (packet == NULL)
            abort();
        packet->from = from;
        packet->from_host = host->index;
        packet->to = target->index;
        packet->size = (uint32_t)size;
        memcpy(packet->data, data, size);
        launch(host, packet, at_us, to->port);
    }
}

void datagram_arrives(struct world *world, const struct event *event)
{
    struct packet *packet = event->what;
    struct host *host = world->hosts[event->host];
    bool is_cut = world->hosts[packet->from_host]->partition != host->partition;
    if (host->is_up && !is_cut && host->engine->datagram != NULL) {
        world_trace(world, event, packet->data, packet->size);
        host->bytes_received += packet->size + HEADERS_SIZE;
        host->engine->datagram(host->context, &packet->from, packet->data, packet->size,
                               world_now(host));
        host_wake(host);
    }
    free(packet);
}

void datagram_drop(const struct event *event)
{
    free(event->what);
}
