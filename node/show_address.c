// The documents "addresses", "address", "luck", "template" and "standings" as text for terminals.
#include <inttypes.h>
#include <stdio.h>
#include "node/show_parts.h"
#include "node/units.h"

static void add_count(struct text_table *table, struct json_value object, const char *name)
{
    char text[UNITS_TEXT_SIZE];
    double count = show_get_double(object, name);
    units_count(count, text);
    text_table_add(table, count > 0 ? text : "-");
    text_table_set_key(table, count);
}

// ---- addresses

void show_addresses(struct json_value document, struct show_out *out)
{
    struct text_table *table = text_table_new(
        "address|>workers|~>connections|>10 min|~>1 h|>24 h|~>accepted|~>best|last share");
    int64_t now = show_get_number(document, "now");
    struct json_value addresses = json_get(document, "addresses");
    for (struct json_value v = json_first(addresses); table != NULL && json_exists(v);
         v = json_next(v)) {
        text_table_add(table, show_get_payee(v).value);
        show_add_number(table, show_get_number(v, "workers_count"));
        show_add_number(table, show_get_number(v, "connections"));
        show_add_hashrate(table, v, "hashrate_10m");
        show_add_hashrate(table, v, "hashrate_1h");
        show_add_hashrate(table, v, "hashrate_24h");
        show_add_number(table, show_get_number(json_get(v, "shares"), "accepted"));
        add_count(table, v, "best_difficulty");
        show_add_ago(table, v, "last_share_at", now);
    }
    show_table(out, table, "No address has mined here yet.\n");
}

// ---- address

static void show_owed(struct json_value document, struct show_out *out)
{
    struct json_value pending = json_get(document, "pending"),
                      window = json_get(document, "window");
    show_line(out, "next block", "%s coins expected",
              show_get_coins(document, "expected_sats").value);
    show_line(out, "", "%s", show_get_text(document, "explanation").value);
    show_line(out, "credited", "%s of what the next block pays by; %s of what is to come",
              show_get_part(window, "part").value, show_get_part(pending, "part").value);
}

static void show_workers(struct json_value document, struct show_out *out)
{
    struct text_table *table =
        text_table_new("worker|~device|~team|state|>10 min|>24 h|>accepted|~>best|last share");
    int64_t now = show_get_number(document, "now");
    struct json_value workers = json_get(document, "workers");
    for (struct json_value v = json_first(workers); table != NULL && json_exists(v);
         v = json_next(v)) {
        text_table_add(table, show_get_text(v, "name").value);
        text_table_add(table, show_get_text(v, "device").value);
        text_table_add(table, show_get_text(v, "team").value);
        text_table_add(table, show_get_bool(v, "is_online") ? "online" : "away");
        show_add_hashrate(table, v, "hashrate_10m");
        show_add_hashrate(table, v, "hashrate_24h");
        show_add_number(table, show_get_number(json_get(v, "shares"), "accepted"));
        add_count(table, v, "best_difficulty");
        show_add_ago(table, v, "last_share_at", now);
    }
    write_text(out->text, "\n");
    show_table(out, table, "This node has no worker of this address.\n");
}

static void show_paid(struct json_value document, struct show_out *out)
{
    struct text_table *table = text_table_new("paid in block|>coins|found|state");
    int64_t now = show_get_number(document, "now");
    struct json_value paid = json_get(document, "paid");
    for (struct json_value v = json_first(paid); table != NULL && json_exists(v);
         v = json_next(v)) {
        show_add_number(table, show_get_number(v, "height"));
        show_add_coins(table, v, "amount_sats");
        show_add_ago(table, v, "found_at", now);
        text_table_add(table, show_get_text(v, "place").value);
    }
    write_text(out->text, "\n");
    show_table(out, table, "No block of this node has paid this address yet.\n");
}

void show_address(struct json_value document, struct show_out *out)
{
    char best[UNITS_TEXT_SIZE];
    units_count(show_get_double(document, "best_difficulty"), best);
    show_line(out, "address", "%s", show_get_payee(document).value);
    show_line(out, "mines", "%s (10 min), %s (24 h); %" PRId64 " workers, %" PRId64 " connections",
              show_get_hashrate(document, "hashrate_10m").value,
              show_get_hashrate(document, "hashrate_24h").value,
              show_get_number(document, "workers_count"), show_get_number(document, "connections"));
    show_line(out, "best share", "difficulty %s", best);
    show_owed(document, out);
    show_workers(document, out);
    show_paid(document, out);
}

// ---- luck, template, standings

void show_luck(struct json_value document, struct show_out *out)
{
    struct text_table *table =
        text_table_new("over|>blocks of the pool|>expected|>luck|>found here");
    struct json_value spans = json_get(document, "spans");
    for (struct json_value v = json_first(spans); table != NULL && json_exists(v);
         v = json_next(v)) {
        double expected = show_get_double(v, "expected");
        text_table_add(table, show_get_text(v, "name").value);
        show_add_number(table, show_get_number(v, "found"));
        text_table_add_format(table, "%.2f", expected);
        if (expected > 0)
            text_table_add_format(table, "%.0f %%", 100 * show_get_double(v, "luck"));
        else
            text_table_add(table, "-");
        show_add_number(table, show_get_number(v, "found_here"));
    }
    show_table(out, table, "Nothing is known yet.\n");
}

void show_template(struct json_value document, struct show_out *out)
{
    struct json_value template = json_get(document, "template");
    struct json_value coinbase = json_get(template, "coinbase");
    struct text_table *table = text_table_new("device|>connections|>largest coinbase");
    if (!json_is_object(template)) {
        write_text(out->text, "No block is being worked on.\n");
        text_table_free(table);
        return;
    }
    show_line(out, "block", "%" PRId64 ", on %s", show_get_number(template, "height"),
              show_get_text(template, "prev").value);
    show_line(out, "pays", "%s coins, %s of them fees",
              show_get_coins(template, "value_sats").value,
              show_get_coins(template, "fees_sats").value);
    show_line(out, "holds",
              "%" PRId64 " transactions (%" PRId64 " left out), weight %" PRId64 ", %" PRId64
              " signature operations",
              show_get_number(template, "transactions"),
              show_get_number(template, "transactions_dropped"),
              show_get_number(template, "weight"), show_get_number(template, "sigops"));
    show_line(out, "made", "%" PRId64 " ms ago, for link %" PRId64 " with %" PRId64 " grains",
              show_get_number(template, "age_ms"), show_get_number(template, "link_height"),
              show_get_number(template, "grains"));
    show_line(out, "coinbase", "%" PRId64 " bytes, %" PRId64 " outputs",
              show_get_number(coinbase, "size"), show_get_number(coinbase, "outputs"));
    struct json_value devices = json_get(coinbase, "devices");
    for (struct json_value v = json_first(devices); table != NULL && json_exists(v);
         v = json_next(v)) {
        int64_t most = show_get_number(v, "coinbase_max");
        text_table_add(table, show_get_text(v, "device").value);
        show_add_number(table, show_get_number(v, "connections"));
        if (most > 0)
            text_table_add_format(table, "%" PRId64 " bytes", most);
        else
            text_table_add(table, "no limit");
    }
    write_text(out->text, "\n");
    show_table(out, table, "No miner is connected.\n");
}

void show_standings(struct json_value document, struct show_out *out)
{
    struct text_table *table =
        text_table_new(">place|address|~team|>hashrate|>part|>blocks|>best share|>days in a row");
    struct json_value standings = json_get(document, "standings");
    for (struct json_value v = json_first(standings); table != NULL && json_exists(v);
         v = json_next(v)) {
        show_add_number(table, show_get_number(v, "place"));
        text_table_add(table, show_get_payee(v).value);
        text_table_add(table, show_get_text(v, "team").value);
        show_add_hashrate(table, v, "hashrate");
        text_table_add(table, show_get_part(v, "part").value);
        show_add_number(table, show_get_number(v, "blocks"));
        add_count(table, v, "best_difficulty");
        show_add_number(table, show_get_number(v, "streak_days"));
    }
    show_table(out, table, "The share-chain has credited nobody yet.\n");
}
