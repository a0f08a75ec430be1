// The documents "peers", "dht" and "chain" as text for terminals.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "node/show_parts.h"
#include "node/text_table.h"
#include "node/units.h"

#define ID_SHOWN 12 // hex digits of a node id

// ---- peers

static struct show_text get_bytes(struct json_value object, const char *name)
{
    struct show_text text;
    char count[UNITS_TEXT_SIZE];
    units_count(show_get_double(object, name), count);
    snprintf(text.value, sizeof(text.value), "%s", count);
    return text;
}

static void add_peer(struct text_table *table, struct json_value peer, int64_t now)
{
    struct show_text way = show_get_text(peer, "way"), place = show_get_text(peer, "place");
    bool is_inbound = strcmp(way.value, "inbound") == 0;
    text_table_add(table, show_get_text(peer, "address").value);
    text_table_add_format(table, "%s%s%s", way.value, is_inbound ? "" : ", ",
                          is_inbound ? "" : place.value);
    text_table_add_format(table, "%.*s", ID_SHOWN, show_get_text(peer, "node_id").value);
    text_table_add_format(table, "%" PRId64 " ms", show_get_number(peer, "round_trip_ms"));
    text_table_set_key(table, show_get_double(peer, "round_trip_ms"));
    show_add_number(table, show_get_number(peer, "height"));
    text_table_add_format(table, "%.2f %%", 100 * show_get_double(peer, "work_part"));
    text_table_set_key(table, show_get_double(peer, "work_part"));
    show_add_number(table, show_get_number(peer, "delivered"));
    show_add_number(table, show_get_number(peer, "score"));
    text_table_add(table, get_bytes(peer, "bytes_received").value);
    text_table_set_key(table, show_get_double(peer, "bytes_received"));
    text_table_add(table, get_bytes(peer, "bytes_sent").value);
    text_table_set_key(table, show_get_double(peer, "bytes_sent"));
    show_add_ago(table, peer, "since", now);
}

static void show_bans(struct json_value document, struct show_out *out)
{
    struct json_value bans = json_get(document, "bans");
    struct text_table *table = text_table_new("banned|until");
    int64_t now = show_get_number(document, "now");
    for (struct json_value v = json_first(bans); table != NULL && json_exists(v);
         v = json_next(v)) {
        text_table_add(table, show_get_text(v, "address").value);
        show_add_ago(table, v, "until", now);
    }
    if (json_size(bans) > 0)
        write_text(out->text, "\n");
    show_table(out, table, NULL);
}

struct text_table *show_peers_table(struct json_value document)
{
    struct text_table *table =
        text_table_new("address|way|~node|>round trip|>height|~>work|>delivered|>score|~>bytes in|"
                       "~>bytes out|~since");
    int64_t now = show_get_number(document, "now");
    struct json_value peers = json_get(document, "peers");
    for (struct json_value v = json_first(peers); table != NULL && json_exists(v);
         v = json_next(v)) {
        if (show_get_bool(v, "is_open"))
            add_peer(table, v, now);
    }
    return table;
}

void show_peers(struct json_value document, struct show_out *out)
{
    show_table(out, show_peers_table(document),
               "No node is connected. \"shoal dht\" on another node of the pool shows a line to "
               "give here as --seed.\n");
    write_text(out->text, "\n");
    show_line(out, "connected", "%" PRId64 " inbound, %" PRId64 " outbound, %" PRId64 " half open",
              show_get_number(document, "inbound"), show_get_number(document, "outbound"),
              show_get_number(document, "half_open"));
    show_line(out, "ever",
              "%" PRId64 " accepted, %" PRId64 " refused, %" PRId64 " called (%" PRId64
              " in vain); %s bytes in, %s bytes out",
              show_get_number(document, "accepted"), show_get_number(document, "refused"),
              show_get_number(document, "dialled"), show_get_number(document, "dial_failures"),
              get_bytes(document, "bytes_received").value, get_bytes(document, "bytes_sent").value);
    show_bans(document, out);
}

// ---- dht

static void show_own(struct json_value document, struct show_out *out)
{
    struct json_value own = json_get(document, "own");
    struct show_text ipv4 = show_get_text(own, "ipv4"), ipv6 = show_get_text(own, "ipv6");
    struct show_text seed = show_get_text(own, "seed"), router = show_get_text(own, "router");
    bool has_address = ipv4.value[0] != '\0' || ipv6.value[0] != '\0';
    show_line(out, "this node", "%s", show_get_text(own, "node_id").value);
    show_line(out, "address", "%s%s%s%s", has_address ? ipv4.value : "not known yet",
              ipv4.value[0] != '\0' && ipv6.value[0] != '\0' ? ", " : "", ipv6.value,
              !has_address                         ? ""
              : show_get_bool(own, "is_reachable") ? ", reached from outside"
                                                   : ", not reached from outside");
    if (router.value[0] != '\0')
        show_line(out, "router", "%s", router.value);
    if (seed.value[0] != '\0')
        show_line(out, "as a seed", "--seed %s", seed.value);
    else
        show_line(out, "as a seed", "it takes no connections (peer-listen is empty)");
}

void show_dht(struct json_value document, struct show_out *out)
{
    struct json_value requests = json_get(document, "requests");
    struct json_value datagrams = json_get(document, "datagrams");
    show_line(out, "network", "%s%s",
              !show_get_bool(document, "has_begun")  ? "not begun"
              : show_get_bool(document, "is_joined") ? "joined"
                                                     : "joining",
              show_get_bool(document, "is_private") ? ", private" : "");
    show_line(out, "knows",
              "%" PRId64 " nodes by IPv4, %" PRId64 " by IPv6; %" PRId64
              " to have links with; %" PRId64 " seeds",
              show_get_number(document, "nodes_ipv4"), show_get_number(document, "nodes_ipv6"),
              show_get_number(document, "book"), show_get_number(document, "seeds"));
    show_line(out, "keeps", "%" PRId64 " records for others", show_get_number(document, "records"));
    show_own(document, out);
    show_line(out, "requests", "%" PRId64 " sent, %" PRId64 " lost, %" PRId64 " of others answered",
              show_get_number(requests, "sent"), show_get_number(requests, "lost"),
              show_get_number(requests, "answered"));
    show_line(
        out, "refused",
        "%" PRId64 " over the rate, %" PRId64 " puzzle, %" PRId64 " sealing, %" PRId64 " record",
        show_get_number(requests, "refused_rate"), show_get_number(requests, "refused_puzzle"),
        show_get_number(requests, "refused_sealing"), show_get_number(requests, "refused_record"));
    show_line(out, "datagrams", "%" PRId64 " received, %" PRId64 " sent, %" PRId64 " dropped",
              show_get_number(datagrams, "received"), show_get_number(datagrams, "sent"),
              show_get_number(datagrams, "failures"));
}

// ---- chain

static void show_sync(struct json_value document, struct show_out *out)
{
    struct json_value sync = json_get(document, "sync");
    struct show_text problem = show_get_text(document, "problem");
    int64_t target = show_get_number(sync, "target_height");
    show_line(out, "sync", "%s%s%s", show_get_text(sync, "phase").value,
              problem.value[0] != '\0' ? ": " : "", problem.value);
    if (target > 0)
        show_line(out, "", "proven to link %" PRId64 ", fetched to link %" PRId64 " of %" PRId64,
                  show_get_number(sync, "proven_height"), show_get_number(sync, "fetched_height"),
                  target);
    show_line(out, "fetched",
              "%" PRId64 " links, %" PRId64 " shares, %s bytes; %" PRId64 " requests, %" PRId64
              " without an answer",
              show_get_number(sync, "links_fetched"), show_get_number(sync, "shares_fetched"),
              get_bytes(sync, "bytes_fetched").value, show_get_number(sync, "requests"),
              show_get_number(sync, "time_outs"));
}

void show_chain_document(struct json_value document, struct show_out *out)
{
    struct json_value tip = json_get(document, "tip"), gossip = json_get(document, "gossip");
    int64_t now = show_get_number(document, "now");
    show_line(out, "tip", "link %" PRId64 ", %s, on block %" PRId64, show_get_number(tip, "height"),
              show_get_ago(tip, "time", now).value, show_get_number(tip, "block_height"));
    show_line(out, "", "%s", show_get_text(tip, "id").value);
    show_line(out, "links", "%" PRId64 ", %" PRId64 " of them aside of the best chain",
              show_get_number(document, "links"), show_get_number(document, "links_aside"));
    show_line(out, "shares", "%" PRId64 ", %" PRId64 " of them to be included",
              show_get_number(document, "shares"), show_get_number(document, "loose"));
    show_line(out, "headers", "%" PRId64, show_get_number(document, "headers"));
    show_line(out, "waiting",
              "%" PRId64 " objects (%" PRId64 " bytes) for others, %" PRId64
              " for the clock; %" PRId64 " others are asked for",
              show_get_number(document, "waiting"), show_get_number(document, "waiting_bytes"),
              show_get_number(document, "held"),
              show_get_number(json_get(document, "sync"), "lacking"));
    show_line(out, "refused", "%" PRId64 " shares too far from the tip, %" PRId64 " deep forks",
              show_get_number(document, "ignored"),
              show_get_number(document, "deep_forks_refused"));
    show_sync(document, out);
    show_line(out, "gossip",
              "%" PRId64 " shares came (%" PRId64 " first here), %" PRId64 " told, %" PRId64
              " invalid, %" PRId64 " blocks for the daemons",
              show_get_number(gossip, "received"), show_get_number(gossip, "first"),
              show_get_number(gossip, "told"), show_get_number(gossip, "invalid"),
              show_get_number(gossip, "blocks"));
}
