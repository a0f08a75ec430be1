// The DHT's side of the network: who is found through it goes into the book of peers.
#include <string.h>
#include "dht/network_state.h"

#define DISCOVER_FIRST_MS 5000    // between the first rounds, then doubling
#define DISCOVER_ALONE_MS 15000   // at most, without a peer
#define DISCOVER_MS       180000  // while there is room for more
#define DISCOVER_FULL_MS  1800000 // else, to keep the book fresh
#define ASKED_CONTACTS    4       // nodes of a look-up whose records are asked for
#define REPUBLISH_MS      120000  // within so long after the topic moved, not all nodes at once

static void on_send(void *context, const struct endpoint *to, const uint8_t *data, size_t size)
{
    const struct network *network = context;
    network->events.send_datagram(network->events.context, to, data, size);
}

static void on_joined(void *context, struct now now)
{
    struct network *network = context;
    network->has_joined = true;
    network->discovery = (struct discovery){.at = now.mono, .wait_ms = DISCOVER_FIRST_MS};
}

// Where the number of another search goes, or NULL.
static uint64_t *free_place(struct network *network)
{
    for (size_t i = 0; i < DISCOVERIES_MAX; i++) {
        if (network->discovery.searches[i] == 0)
            return &network->discovery.searches[i];
    }
    return NULL;
}

static void find_records(struct network *network, const struct hash256 *key, unsigned paths,
                         struct now now)
{
    uint64_t *place = free_place(network);
    if (place != NULL)
        *place = dht_find_records(network->dht, key, paths, now);
}

static void discover(struct network *network, struct now now)
{
    struct hash256 key;
    for (unsigned i = 0; i < DHT_TOPIC_KEYS && network->has_topic; i++) {
        dht_topic_key(network->dht, i, &key);
        find_records(network, &key, DHT_PATHS_CAREFUL, now);
    }
    // Whom the look-up meets for the first time, shows its record; of some others it is asked for.
    uint64_t *place = free_place(network);
    env_random_bytes(&network->env, key.bytes, sizeof key.bytes);
    if (place != NULL)
        *place = dht_find_nodes(network->dht, &key, DHT_PATHS_ROUTINE, now);
}

static bool is_ours(struct network *network, uint64_t search)
{
    for (size_t i = 0; i < DISCOVERIES_MAX; i++) {
        if (search == 0 || network->discovery.searches[i] != search)
            continue;
        network->discovery.searches[i] = 0;
        return true;
    }
    return false;
}

static void on_searched(void *context, const struct dht_found *found, struct now now)
{
    struct network *network = context;
    if (!is_ours(network, found->search))
        return;
    for (size_t i = 0; i < found->records_count; i++)
        network_heard_record(network, &found->records[i], now);
    for (size_t i = 0; i < ASKED_CONTACTS && found->kind == DHT_SEARCH_NODES; i++) {
        if (i < found->contacts_count)
            find_records(network, &found->contacts[i].id.hash, DHT_PATHS_ROUTINE, now);
    }
}

static void on_met(void *context, const struct node_record *record, const uint8_t *bytes,
                   size_t size, struct now now)
{
    network_heard(context, record, bytes, size, now);
}

static void on_address_told(void *context, const struct endpoint *teller,
                            const struct endpoint *own)
{
    network_vote(context, teller, own);
}

// "DIALBACK dials only the address that asked": the DHT sees to that, and that they are few.
static void on_dial_asked(void *context, uint64_t ticket, const struct endpoint *to, struct now now)
{
    struct network *network = context;
    bool is_usable = network->config.is_crowded || address_is_public(&to->address);
    struct stream *stream =
        is_usable ? network_stream_new(network, STREAM_DIAL_BACK, to, now) : NULL;
    if (stream == NULL) {
        dht_dialled(network->dht, ticket, false, now);
        return;
    }
    stream->ticket = ticket;
    network->events.connect(network->events.context, stream->number, to);
}

static void on_dialled_back(void *context, bool is_reachable, struct now now)
{
    network_dialled_back(context, is_reachable, now);
}

bool network_make_dht(struct network *network, struct now now)
{
    static const struct dht_events events = {.send = on_send,
                                             .joined = on_joined,
                                             .searched = on_searched,
                                             .address_told = on_address_told,
                                             .dial_asked = on_dial_asked,
                                             .dialled_back = on_dialled_back,
                                             .met = on_met};
    const struct network_config *config = &network->config;
    const struct dht_config dht = {.identity = config->identity,
                                   .membership = config->membership,
                                   .events = &events,
                                   .context = network,
                                   .has_ipv4 = config->has_ipv4,
                                   .has_ipv6 = config->has_ipv6,
                                   .is_crowded = config->is_crowded,
                                   .records_max = config->records_max};
    network->dht = dht_new(&network->env, &dht, now);
    if (network->dht == NULL)
        return false;
    network->discovery.at = MONO_NEVER;
    if (config->is_entry_point)
        dht_set_entry_point(network->dht, true, now);
    network_fix_configured(network, now);
    return true;
}

void network_take_topic(struct network *network, const struct hash256 *block)
{
    bool is_first = !network->has_topic;
    dht_set_block(network->dht, block);
    network->has_topic = true;
    network->publish_at = network->now.mono;
    if (is_first && network->has_joined)
        network->discovery.at = network->now.mono;
    if (!is_first)
        network->publish_at.ms += (int64_t)env_random_below(&network->env, REPUBLISH_MS);
}

static int64_t longest_wait_ms(const struct network *network)
{
    size_t outbound_max = network->config.outbound_max;
    if (!network_has_peer(network))
        return DISCOVER_ALONE_MS;
    if (peers_count(network->peers, PEER_OUTBOUND) <
            (outbound_max == 0 ? PEERS_OUTBOUND : outbound_max) ||
        peers_book_count(network->peers) < PEERS_TRIED)
        return DISCOVER_MS;
    return DISCOVER_FULL_MS;
}

void network_discover_soon(struct network *network, struct now now)
{
    struct discovery *discovery = &network->discovery;
    discovery->wait_ms = DISCOVER_FIRST_MS;
    if (network->has_joined && discovery->at.ms > now.mono.ms + DISCOVER_FIRST_MS)
        discovery->at.ms = now.mono.ms + DISCOVER_FIRST_MS;
}

static void discover_again(struct discovery *discovery, int64_t longest_ms, struct now now)
{
    if (discovery->wait_ms > longest_ms)
        discovery->wait_ms = longest_ms;
    discovery->at.ms = now.mono.ms + discovery->wait_ms;
    discovery->wait_ms *= 2;
}

void network_dht_tick(struct network *network, struct now now)
{
    if (network->publish_at.ms <= now.mono.ms) {
        // Signs and publishes anew, under the new keys.
        network->publish_at = MONO_NEVER;
        if (network->config.is_entry_point)
            dht_set_entry_point(network->dht, true, now);
    }
    if (network->discovery.at.ms > now.mono.ms)
        return;
    discover(network, now);
    discover_again(&network->discovery, longest_wait_ms(network), now);
}

struct mono_time network_dht_deadline(const struct network *network)
{
    return mono_min(network->publish_at, network->discovery.at);
}
