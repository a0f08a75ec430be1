// The documents "peers", "dht" and "chain": who this node is connected to, how nodes find each
// other, and how far the share-chain has caught up with theirs.
#include <stdio.h>
#include "node/report_parts.h"
#include "node/swarm.h"

// ---- What they share

// NULL: unknown, or not to be shown.
static void write_endpoint(struct json_writer *writer, const char *name,
                           const struct endpoint *endpoint)
{
    char text[ENDPOINT_TEXT_SIZE];
    if (endpoint == NULL || endpoint->address.family == ADDRESS_NONE) {
        json_write_null(writer, name);
        return;
    }
    endpoint_to_text(endpoint, text);
    json_write_text(writer, name, text);
}

// False for a node without a swarm, or whose engine has not begun: *stats are zeros then.
static bool get_stats(struct node *node, struct swarm_view *view, struct network_stats *stats)
{
    *view = (struct swarm_view){.network = NULL};
    *stats = (struct network_stats){.inbound = 0};
    if (node->swarm == NULL)
        return false;
    swarm_view(node->swarm, view);
    if (view->network != NULL)
        network_stats(view->network, stats);
    return view->network != NULL;
}

static const char *phase_text(const struct swarm_view *view, const struct network_stats *stats)
{
    return view->network == NULL ? "not begun" : sync_phase_text(stats->sync.phase);
}

void report_write_network(struct node *node, struct json_writer *writer)
{
    struct swarm_view view;
    struct network_stats stats;
    get_stats(node, &view, &stats);
    if (node->swarm == NULL) {
        json_write_null(writer, "network");
        return;
    }
    const char *refusal = swarm_refuses_work(node->swarm);
    json_begin_object(writer, "network");
    json_write_u64(writer, "peers", stats.inbound + stats.outbound);
    json_write_u64(writer, "inbound", stats.inbound);
    json_write_text(writer, "sync", phase_text(&view, &stats));
    json_write_bool(writer, "may_mint", refusal == NULL);
    json_write_bool(writer, "is_alone", view.is_alone);
    json_write_text(writer, "problem",
                    refusal == NULL && view.is_alone
                        ? "no other node has been connected for two minutes: what this one mines "
                          "is credited if it meets the others again within six blocks"
                        : refusal);
    json_end_object(writer);
}

// ---- peers

static void write_traffic(const struct network_peer_view *peer, struct json_writer *writer)
{
    json_write_u64(writer, "bytes_received", peer->link.bytes_received);
    json_write_u64(writer, "bytes_sent", peer->link.bytes_sent);
    json_write_u64(writer, "queued_bytes", peer->link.queued_bytes);
    json_write_u64(writer, "delivered", peer->gossip.first_deliveries);
    json_write_u64(writer, "duplicates", peer->gossip.duplicates);
    json_write_u64(writer, "wants_broken", peer->gossip.wants_broken);
    json_write_u64(writer, "delay_ms", peer->gossip.delay_ms);
    json_write_bool(writer, "we_choke", peer->gossip.we_choke);
    json_write_bool(writer, "is_choking_us", peer->gossip.is_choking_us);
    json_write_bool(writer, "is_ignored", peer->gossip.is_ignored);
}

static void write_tip(const struct chain_tip *tip, const struct u256 *own_work,
                      struct json_writer *writer)
{
    double own = u256_to_double(own_work);
    json_write_u64(writer, "height", tip->height);
    report_write_id(writer, "tip", &tip->id);
    report_write_u256(writer, "work", &tip->work);
    // As it says: 1 is as much as ours.
    json_write_double(writer, "work_part", own > 0 ? u256_to_double(&tip->work) / own : 0);
}

static void write_peer(struct node *node, const struct network_peer_view *view, bool is_private,
                       const struct u256 *own_work, struct json_writer *writer)
{
    struct now now = net_loop_now(node->loop);
    const struct peers_view *peer = &view->peer;
    int64_t age_ms = now.mono.ms - peer->since.ms;
    json_begin_object(writer, NULL);
    json_write_u64(writer, "number", peer->link.peer);
    json_write_text(writer, "way", peer->link.way == PEER_INBOUND ? "inbound" : "outbound");
    json_write_text(writer, "place", peer_place_text(peer->place));
    write_endpoint(writer, "address", is_private ? &peer->link.endpoint : NULL);
    report_write_id(writer, "node_id", &peer->link.id.hash);
    json_write_bool(writer, "is_open", view->is_open);
    json_write_i64(writer, "since", wall_seconds(now.wall) - age_ms / 1000);
    json_write_u64(writer, "round_trip_ms", peer->round_trip_ms);
    json_write_u64(writer, "score", peer->score);
    json_write_bool(writer, "has_work", peer->has_work);
    write_tip(&view->tip, own_work, writer);
    write_traffic(view, writer);
    json_end_object(writer);
}

static void write_bans(struct node *node, struct network *network, struct json_writer *writer)
{
    struct now now = net_loop_now(node->loop);
    struct endpoint banned = {.port = 0};
    struct mono_time until;
    size_t cursor = 0;
    while (peers_next_ban(network_peers(network), &cursor, &banned.address, &until)) {
        json_begin_object(writer, NULL);
        write_endpoint(writer, "address", &banned);
        json_write_i64(writer, "until", wall_seconds(now.wall) + (until.ms - now.mono.ms) / 1000);
        json_end_object(writer);
    }
}

void report_peers(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct swarm_view view;
    struct network_stats stats;
    struct link_view tip;
    bool has_begun = get_stats(node, &view, &stats);
    sharechain_tip(node->sharechain, &tip);
    json_write_u64(writer, "inbound", stats.inbound);
    json_write_u64(writer, "outbound", stats.outbound);
    json_write_u64(writer, "half_open", stats.half_open);
    json_write_u64(writer, "book", stats.book);
    json_write_u64(writer, "accepted", stats.accepted);
    json_write_u64(writer, "refused", stats.refused);
    json_write_u64(writer, "dialled", stats.dialled);
    json_write_u64(writer, "dial_failures", stats.dial_failures);
    json_write_u64(writer, "bytes_received", stats.bytes_received);
    json_write_u64(writer, "bytes_sent", stats.bytes_sent);
    json_write_u64(writer, "memory", stats.memory);
    json_begin_array(writer, "peers");
    struct network_peer_view peer;
    uint32_t cursor = 0;
    while (has_begun && network_next_peer(view.network, &cursor, &peer))
        write_peer(node, &peer, report_is_private(call), &tip.work, writer);
    json_end_array(writer);
    json_begin_array(writer, "bans");
    if (has_begun && report_is_private(call))
        write_bans(node, view.network, writer);
    json_end_array(writer);
}

// ---- dht

static void write_own(struct node *node, const struct swarm_view *view,
                      const struct network_stats *stats, struct json_writer *writer)
{
    char seed[SWARM_SEED_TEXT_SIZE];
    json_begin_object(writer, "own");
    if (node->swarm != NULL) {
        swarm_seed_text(node->swarm, seed);
        report_write_id(writer, "node_id", &view->identity->id.hash);
        json_write_hex(writer, "dht_key", view->identity->dht_key.bytes, 32);
        json_write_text(writer, "seed", view->listen_port == 0 ? NULL : seed);
    }
    json_write_u64(writer, "port", view->listen_port);
    write_endpoint(writer, "ipv4", &stats->own_ipv4);
    write_endpoint(writer, "ipv6", &stats->own_ipv6);
    json_write_bool(writer, "is_reachable", stats->is_reachable);
    json_write_text(writer, "router", view->mapping[0] == '\0' ? NULL : view->mapping);
    json_write_bool(writer, "is_entry_point", node->config->peer_entry);
    json_end_object(writer);
}

static void write_requests(const struct network_stats *stats, const struct swarm_view *view,
                           struct json_writer *writer)
{
    json_begin_object(writer, "requests");
    json_write_u64(writer, "sent", stats->dht.requests_sent);
    json_write_u64(writer, "lost", stats->dht.requests_lost);
    json_write_u64(writer, "answered", stats->dht.requests_answered);
    json_write_u64(writer, "refused_rate", stats->dht.refused_rate);
    json_write_u64(writer, "refused_puzzle", stats->dht.refused_puzzle);
    json_write_u64(writer, "refused_sealing", stats->dht.refused_sealing);
    json_write_u64(writer, "refused_record", stats->dht.refused_record);
    json_write_u64(writer, "retries_told", stats->dht.retries_told);
    json_end_object(writer);
    json_begin_object(writer, "datagrams");
    json_write_u64(writer, "received", view->datagrams.received);
    json_write_u64(writer, "sent", view->datagrams.sent);
    json_write_u64(writer, "failures", view->datagrams.failures);
    json_end_object(writer);
}

void report_dht(struct node *node, struct report_call *call, struct json_writer *writer)
{
    (void)call;
    struct swarm_view view;
    struct network_stats stats;
    bool has_begun = get_stats(node, &view, &stats);
    json_write_bool(writer, "has_begun", has_begun);
    json_write_bool(writer, "is_joined", stats.dht.is_joined);
    json_write_bool(writer, "is_private", view.is_private);
    json_write_bool(writer, "is_found", view.is_found);
    json_write_u64(writer, "seeds", node->config->seed.count);
    json_write_u64(writer, "nodes_ipv4", stats.dht.nodes_ipv4);
    json_write_u64(writer, "nodes_ipv6", stats.dht.nodes_ipv6);
    json_write_u64(writer, "book", stats.book);
    json_write_u64(writer, "searches", stats.dht.searches);
    json_write_u64(writer, "queries", stats.dht.queries);
    json_write_u64(writer, "records", stats.dht.records);
    write_own(node, &view, &stats, writer);
    write_requests(&stats, &view, writer);
}

// ---- chain

static void write_sync(const struct swarm_view *view, const struct network_stats *stats,
                       struct json_writer *writer)
{
    const struct sync_stats *sync = &stats->sync;
    json_begin_object(writer, "sync");
    json_write_text(writer, "phase", phase_text(view, stats));
    json_write_u64(writer, "target_height", sync->target_height);
    json_write_u64(writer, "proven_height", sync->proven_height);
    json_write_u64(writer, "fetched_height", sync->fetched_height);
    json_write_u64(writer, "links_fetched", sync->links_fetched);
    json_write_u64(writer, "shares_fetched", sync->shares_fetched);
    json_write_u64(writer, "bytes_fetched", sync->bytes_fetched);
    json_write_u64(writer, "requests", sync->requests);
    json_write_u64(writer, "time_outs", sync->time_outs);
    json_write_u64(writer, "lacking", sync->lacking);
    json_end_object(writer);
}

static void write_gossip(const struct swarm_view *view, const struct network_stats *stats,
                         struct json_writer *writer)
{
    const struct gossip_stats *gossip = &stats->gossip;
    json_begin_object(writer, "gossip");
    json_write_u64(writer, "received", gossip->shares_received);
    json_write_u64(writer, "first", gossip->shares_first);
    json_write_u64(writer, "told", gossip->shares_told);
    json_write_u64(writer, "announced", gossip->ids_announced);
    json_write_u64(writer, "wants_sent", gossip->wants_sent);
    json_write_u64(writer, "wants_hedged", gossip->wants_hedged);
    json_write_u64(writer, "wants_unanswered", gossip->wants_unanswered);
    json_write_u64(writer, "invalid", gossip->invalid);
    json_write_u64(writer, "ignored", gossip->ignored);
    json_write_u64(writer, "blocks", view->blocks_arrived);
    json_end_object(writer);
}

static void write_policy(const struct swarm_view *view, struct json_writer *writer)
{
    struct chain_port_stats port = {.held = 0};
    if (view->port != NULL)
        chain_port_stats(view->port, &port);
    json_write_u64(writer, "held", port.held);
    json_write_u64(writer, "held_bytes", port.held_bytes);
    json_write_u64(writer, "ignored", port.ignored);
    json_write_u64(writer, "deep_forks_refused", port.deep_forks_refused);
}

void report_chain(struct node *node, struct report_call *call, struct json_writer *writer)
{
    (void)call;
    struct swarm_view view;
    struct network_stats stats;
    struct link_view tip;
    struct sharechain_counts counts;
    get_stats(node, &view, &stats);
    sharechain_tip(node->sharechain, &tip);
    sharechain_counts(node->sharechain, &counts);
    json_begin_object(writer, "tip");
    json_write_u64(writer, "height", tip.height);
    report_write_id(writer, "id", &tip.id);
    json_write_u64(writer, "time", tip.time);
    report_write_u256(writer, "work", &tip.work);
    json_write_i64(writer, "block_height", tip.tip_height);
    report_write_block_id(writer, "block", &tip.tip);
    json_end_object(writer);
    json_write_u64(writer, "links", counts.links);
    // Links that are on no way to the tip.
    json_write_u64(writer, "links_aside",
                   counts.links > tip.height ? counts.links - tip.height : 0);
    json_write_u64(writer, "shares", counts.shares);
    json_write_u64(writer, "loose", counts.loose);
    json_write_u64(writer, "headers", counts.headers);
    json_write_u64(writer, "waiting", counts.waiting);
    json_write_u64(writer, "waiting_bytes", counts.waiting_bytes);
    write_policy(&view, writer);
    const char *refusal = swarm_refuses_work(node->swarm);
    json_write_bool(writer, "may_mint", refusal == NULL);
    json_write_text(writer, "problem", refusal);
    write_sync(&view, &stats, writer);
    write_gossip(&view, &stats, writer);
}
