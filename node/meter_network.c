// Peers, gossip, sync and the DHT.
#include <math.h>
#include "node/meter_state.h"
#include "node/swarm.h"

static const char *const directions[] = {"inbound", "outbound", NULL};
static const char *const ways[] = {"received", "sent", NULL};
static const char *const results[] = {"accepted", "refused", "dialled", "dial_failed", NULL};
static const char *const copies[] = {"first", "duplicate", NULL};
static const char *const wants[] = {"sent", "hedged", "unanswered", NULL};
static const char *const families[] = {"ipv4", "ipv6", NULL};
static const char *const requests[] = {"sent", "lost", "answered", "refused", NULL};
static const char *const datagrams[] = {"received", "sent", "dropped", NULL};

enum {
    PEERS,
    HALF_OPEN,
    BOOK,
    BANS,
    CONNECTIONS,
    BYTES,
    MESSAGES_RECEIVED,
    MESSAGES_SENT,
    TYPE_RECEIVED,
    TYPE_SENT,
    SHARES,
    INVALID,
    TOLD,
    WANTS,
    WANTS_OPEN,
    BLOCKS,
    PHASE,
    SYNCED,
    TARGET,
    FETCHED,
    FETCHED_BYTES,
    SYNC_REQUESTS,
    SYNC_TIMEOUTS,
    LACKING,
    DHT_NODES,
    DHT_RECORDS,
    DHT_REQUESTS,
    DATAGRAMS,
    REACHABLE,
    MEMORY,
    COUNT
};

static const struct metric_spec specs[COUNT] = {
    [PEERS] = {METRIC_GAUGE, "shoal_peers", "Nodes of the pool that we have a link with.",
               "direction", directions, NULL, 0},
    [HALF_OPEN] = {METRIC_GAUGE, "shoal_peers_half_open", "Strangers in the middle of a handshake.",
                   NULL, NULL, NULL, 0},
    [BOOK] = {METRIC_GAUGE, "shoal_peers_known", "Nodes of which we know where they are.", NULL,
              NULL, NULL, 0},
    [BANS] = {METRIC_GAUGE, "shoal_banned_peers", "Nodes that are banned now.", NULL, NULL, NULL,
              0},
    [CONNECTIONS] = {METRIC_COUNTER, "shoal_peer_connections_total",
                     "Connections with nodes: taken, refused, opened by us, and in vain.", "result",
                     results, NULL, 0},
    [BYTES] = {METRIC_COUNTER, "shoal_peer_bytes_total",
               "Bytes of all links, with handshakes and frames.", "direction", ways, NULL, 0},
    [MESSAGES_RECEIVED] = {METRIC_COUNTER, "shoal_peer_messages_received_total",
                           "Messages of peers by type.", "type", meter_label_types, NULL, 0},
    [MESSAGES_SENT] = {METRIC_COUNTER, "shoal_peer_messages_sent_total",
                       "Messages to peers by type.", "type", meter_label_types, NULL, 0},
    [TYPE_RECEIVED] = {METRIC_COUNTER, "shoal_peer_message_received_bytes_total",
                       "Size of the messages of peers by type.", "type", meter_label_types, NULL,
                       0},
    [TYPE_SENT] = {METRIC_COUNTER, "shoal_peer_message_sent_bytes_total",
                   "Size of the messages to peers by type.", "type", meter_label_types, NULL, 0},
    [SHARES] = {METRIC_COUNTER, "shoal_gossip_shares_total",
                "Copies of shares that peers sent: the first of each, and those after it.", "copy",
                copies, NULL, 0},
    [INVALID] = {METRIC_COUNTER, "shoal_gossip_invalid_total",
                 "Copies of shares that broke the rules.", NULL, NULL, NULL, 0},
    [TOLD] = {METRIC_COUNTER, "shoal_gossip_told_total", "Shares that we told to others.", NULL,
              NULL, NULL, 0},
    [WANTS] = {METRIC_COUNTER, "shoal_gossip_wants_total",
               "Shares that we asked for: sent, asked again of another peer, never answered.",
               "result", wants, NULL, 0},
    [WANTS_OPEN] = {METRIC_GAUGE, "shoal_gossip_wants_open", "Shares asked for and not here yet.",
                    NULL, NULL, NULL, 0},
    [BLOCKS] = {METRIC_COUNTER, "shoal_peer_blocks_total",
                "Blocks of other nodes that were given to our daemons.", NULL, NULL, NULL, 0},
    [PHASE] = {METRIC_GAUGE, "shoal_sync_phase", "1 at the phase that sync is in.", "phase",
               meter_label_phases, NULL, 0},
    [SYNCED] = {METRIC_GAUGE, "shoal_synced",
                "1 if work may be made as far as other nodes are concerned.", NULL, NULL, NULL, 0},
    [TARGET] = {METRIC_GAUGE, "shoal_sync_target_height",
                "Height of the chain that is being caught up with; 0: none.", NULL, NULL, NULL, 0},
    [FETCHED] = {METRIC_GAUGE, "shoal_sync_fetched_height",
                 "How far it is here; 0 while there is none.", NULL, NULL, NULL, 0},
    [FETCHED_BYTES] = {METRIC_COUNTER, "shoal_sync_fetched_bytes_total",
                       "What was fetched to catch up.", NULL, NULL, NULL, 0},
    [SYNC_REQUESTS] = {METRIC_COUNTER, "shoal_sync_requests_total",
                       "Requests to peers to catch up.", NULL, NULL, NULL, 0},
    [SYNC_TIMEOUTS] = {METRIC_COUNTER, "shoal_sync_timeouts_total",
                       "Those that were not answered in time.", NULL, NULL, NULL, 0},
    [LACKING] = {METRIC_GAUGE, "shoal_sync_lacking_objects",
                 "Objects asked for on behalf of those that wait.", NULL, NULL, NULL, 0},
    [DHT_NODES] = {METRIC_GAUGE, "shoal_dht_nodes", "Nodes in the DHT's tables.", "family",
                   families, NULL, 0},
    [DHT_RECORDS] = {METRIC_GAUGE, "shoal_dht_records", "Records kept for others.", NULL, NULL,
                     NULL, 0},
    [DHT_REQUESTS] = {METRIC_COUNTER, "shoal_dht_requests_total",
                      "Requests in the DHT: ours, those without an answer, those of others that "
                      "we answered and that we refused.",
                      "result", requests, NULL, 0},
    [DATAGRAMS] = {METRIC_COUNTER, "shoal_datagrams_total", "Datagrams of the DHT.", "result",
                   datagrams, NULL, 0},
    [REACHABLE] = {METRIC_GAUGE, "shoal_reachable", "1 if others can open connections to us.", NULL,
                   NULL, NULL, 0},
    [MEMORY] = {METRIC_GAUGE, "shoal_network_memory_bytes",
                "Memory of links, queues, gossip and sync.", NULL, NULL, NULL, 0},
};

static void read_peers(struct metric *const *metrics, const struct network_stats *stats)
{
    metric_set(metrics[PEERS], 0, (double)stats->inbound);
    metric_set(metrics[PEERS], 1, (double)stats->outbound);
    metric_set(metrics[HALF_OPEN], 0, (double)stats->half_open);
    metric_set(metrics[BOOK], 0, (double)stats->book);
    metric_set(metrics[BANS], 0, (double)stats->bans);
    metric_set(metrics[CONNECTIONS], 0, (double)stats->accepted);
    metric_set(metrics[CONNECTIONS], 1, (double)stats->refused);
    metric_set(metrics[CONNECTIONS], 2, (double)stats->dialled);
    metric_set(metrics[CONNECTIONS], 3, (double)stats->dial_failures);
    metric_set(metrics[BYTES], 0, (double)stats->bytes_received);
    metric_set(metrics[BYTES], 1, (double)stats->bytes_sent);
    for (unsigned i = 0; i < NETWORK_TYPES_COUNT; i++) {
        const struct network_traffic *traffic = &stats->traffic[i];
        metric_set(metrics[MESSAGES_RECEIVED], i, (double)traffic->messages_received);
        metric_set(metrics[MESSAGES_SENT], i, (double)traffic->messages_sent);
        metric_set(metrics[TYPE_RECEIVED], i, (double)traffic->bytes_received);
        metric_set(metrics[TYPE_SENT], i, (double)traffic->bytes_sent);
    }
    metric_set(metrics[REACHABLE], 0, stats->is_reachable ? 1 : 0);
    metric_set(metrics[MEMORY], 0, (double)stats->memory);
}

static void read_gossip(struct metric *const *metrics, const struct gossip_stats *stats)
{
    metric_set(metrics[SHARES], 0, (double)stats->shares_first);
    metric_set(metrics[SHARES], 1, (double)(stats->shares_received - stats->shares_first));
    metric_set(metrics[INVALID], 0, (double)stats->invalid);
    metric_set(metrics[TOLD], 0, (double)stats->shares_told);
    metric_set(metrics[WANTS], 0, (double)stats->wants_sent);
    metric_set(metrics[WANTS], 1, (double)stats->wants_hedged);
    metric_set(metrics[WANTS], 2, (double)stats->wants_unanswered);
    metric_set(metrics[WANTS_OPEN], 0, (double)stats->wants_in_flight);
}

static void read_sync(struct metric *const *metrics, const struct sync_stats *stats)
{
    meter_set_one_of(metrics[PHASE], stats->phase, METER_PHASES_COUNT);
    metric_set(metrics[TARGET], 0, stats->target_height);
    metric_set(metrics[FETCHED], 0, stats->fetched_height);
    metric_set(metrics[FETCHED_BYTES], 0, (double)stats->bytes_fetched);
    metric_set(metrics[SYNC_REQUESTS], 0, (double)stats->requests);
    metric_set(metrics[SYNC_TIMEOUTS], 0, (double)stats->time_outs);
    metric_set(metrics[LACKING], 0, (double)stats->lacking);
}

static void read_dht(struct metric *const *metrics, const struct dht_stats *stats,
                     const struct net_udp_stats *udp)
{
    uint64_t refused = stats->refused_rate + stats->refused_puzzle + stats->refused_sealing +
                       stats->refused_record;
    metric_set(metrics[DHT_NODES], 0, (double)stats->nodes_ipv4);
    metric_set(metrics[DHT_NODES], 1, (double)stats->nodes_ipv6);
    metric_set(metrics[DHT_RECORDS], 0, (double)stats->records);
    metric_set(metrics[DHT_REQUESTS], 0, (double)stats->requests_sent);
    metric_set(metrics[DHT_REQUESTS], 1, (double)stats->requests_lost);
    metric_set(metrics[DHT_REQUESTS], 2, (double)stats->requests_answered);
    metric_set(metrics[DHT_REQUESTS], 3, (double)refused);
    metric_set(metrics[DATAGRAMS], 0, (double)udp->received);
    metric_set(metrics[DATAGRAMS], 1, (double)udp->sent);
    metric_set(metrics[DATAGRAMS], 2, (double)udp->failures);
}

// Before the network has begun all is zero.
static void read_network(struct meter *meter, struct metric *const *metrics)
{
    struct swarm *swarm = meter->node->swarm;
    struct swarm_view view = {.network = NULL};
    struct network_stats stats = {.inbound = 0};
    if (swarm != NULL)
        swarm_view(swarm, &view);
    if (view.network != NULL)
        network_stats(view.network, &stats);
    read_peers(metrics, &stats);
    read_gossip(metrics, &stats.gossip);
    read_sync(metrics, &stats.sync);
    read_dht(metrics, &stats.dht, &view.datagrams);
    metric_set(metrics[BLOCKS], 0, (double)view.blocks_arrived);
    metric_set(metrics[SYNCED], 0, swarm != NULL && swarm_refuses_work(swarm) == NULL ? 1 : 0);
}

const struct meter_part meter_network = {specs, COUNT, read_network};
