// What the network shows of itself.
#include <string.h>
#include "dht/network_state.h"

// Synced is who has caught up with everybody once and follows since: the chain of one who is far
// behind grows by work that a chain has proven. To lose all peers is no reason to stop; `alone`
// says it.
bool network_is_synced(const struct network *network)
{
    return (network->config.is_found || network->was_synced) && !sync_is_far_behind(network->sync);
}

static void view_stream(const struct network *network, const struct stream *stream,
                        struct network_peer_view *view)
{
    *view = (struct network_peer_view){.tip = stream->tip};
    view->is_open = stream->phase == STREAM_OPEN;
    if (!peers_view(network->peers, stream->number, &view->peer)) {
        view->peer.link.peer = stream->number;
        view->peer.link.way = stream->kind == STREAM_OUTBOUND ? PEER_OUTBOUND : PEER_INBOUND;
        view->peer.link.endpoint = stream->endpoint;
        view->peer.link.key = stream->dial.key;
        view->peer.place = stream->dial.place;
        view->peer.since = stream->since;
    }
    gossip_peer(network->gossip, stream->number, &view->gossip);
    if (stream->link != NULL)
        link_stats(stream->link, &view->link);
}

bool network_next_peer(const struct network *network, uint32_t *cursor,
                       struct network_peer_view *view)
{
    for (size_t i = 0; i < network->streams_count; i++) {
        const struct stream *stream = network->streams[i];
        if (stream->number <= *cursor || stream->kind == STREAM_DIAL_BACK)
            continue;
        *cursor = stream->number;
        view_stream(network, stream, view);
        return true;
    }
    return false;
}

static size_t count_bans(const struct network *network)
{
    struct address address;
    struct mono_time until;
    size_t count = 0;
    for (size_t cursor = 0; peers_next_ban(network->peers, &cursor, &address, &until);)
        count += until.ms > network->now.mono.ms;
    return count;
}

static void add_streams(const struct network *network, struct network_stats *stats)
{
    for (size_t i = 0; i < network->streams_count; i++) {
        const struct stream *stream = network->streams[i];
        struct link_stats link;
        stats->memory += sizeof *stream + stream->answer_size + stream->requests_bytes +
                         stream->requests_count * sizeof(struct request);
        if (stream->link == NULL)
            continue;
        link_stats(stream->link, &link);
        stats->memory += link.memory;
        stats->bytes_received += link.bytes_received;
        stats->bytes_sent += link.bytes_sent;
    }
}

void network_stats(const struct network *network, struct network_stats *stats)
{
    *stats = (struct network_stats){
        .inbound = peers_count(network->peers, PEER_INBOUND),
        .outbound = peers_count(network->peers, PEER_OUTBOUND),
        .half_open = half_open_count(network->half_open),
        .book = peers_book_count(network->peers),
        .bans = count_bans(network),
        .accepted = network->accepted,
        .refused = network->refused,
        .dialled = network->dialled,
        .dial_failures = network->dial_failures,
        .bytes_received = network->bytes_received,
        .bytes_sent = network->bytes_sent,
        .own_ipv4 = network->addresses[0].current,
        .own_ipv6 = network->addresses[1].current,
    };
    memcpy(stats->traffic, network->traffic, sizeof stats->traffic);
    dht_stats(network->dht, &stats->dht);
    gossip_stats(network->gossip, &stats->gossip);
    sync_stats(network->sync, &stats->sync);
    add_streams(network, stats);
    stats->is_reachable = stats->own_ipv4.address.family != ADDRESS_NONE ||
                          stats->own_ipv6.address.family != ADDRESS_NONE;
    stats->memory += network->outbox.bytes + stats->gossip.memory + stats->sync.memory;
}

const struct dht *network_dht(const struct network *network)
{
    return network->dht;
}

struct peers *network_peers(struct network *network)
{
    return network->peers;
}
