#include "node/show.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "node/show_parts.h"
#include "node/text_table.h"
#include "node/units.h"

// ---- status

static void show_chain(struct json_value document, struct show_out *out)
{
    struct json_value pool = json_get(document, "pool"), tip = json_get(document, "tip");
    struct json_value counts = json_get(document, "counts");
    int64_t now = show_get_number(document, "now");
    char uptime[UNITS_TEXT_SIZE];
    units_duration(show_get_number(document, "uptime_s"), uptime);
    show_line(out, "shoal", "%s, running for %s", show_get_text(document, "version").value, uptime);
    show_line(out, "pool", "%s on %s (%s), hashrate %s", show_get_text(pool, "name").value,
              show_get_text(pool, "chain").value, show_get_text(pool, "algorithm").value,
              show_get_hashrate(document, "pool_hashrate").value);
    show_line(out, "pool id", "%s", show_get_text(pool, "id").value);
    show_line(out, "share-chain",
              "link %" PRId64 ", %s, %" PRId64 " grains in it; on block %" PRId64,
              show_get_number(tip, "height"), show_get_ago(tip, "time", now).value,
              show_get_number(tip, "grains"), show_get_number(tip, "block_height"));
    show_line(out, "kept",
              "%" PRId64 " links, %" PRId64 " shares (%" PRId64 " to be included), %" PRId64
              " headers, %" PRId64 " waiting (%" PRId64 " bytes)",
              show_get_number(counts, "links"), show_get_number(counts, "shares"),
              show_get_number(counts, "shares_loose"), show_get_number(counts, "headers"),
              show_get_number(counts, "waiting"), show_get_number(counts, "waiting_bytes"));
}

static void show_work(struct json_value document, struct show_out *out)
{
    struct json_value job = json_get(document, "job"), found = json_get(document, "found");
    struct json_value stratum = json_get(document, "stratum");
    if (json_is_object(job)) {
        show_line(out, "job", "block %" PRId64 ", %s coins, %" PRId64 " grains to include",
                  show_get_number(job, "height"), show_get_coins(job, "value_sats").value,
                  show_get_number(job, "grains"));
        show_line(out, "", "%s", show_get_text(job, "explanation").value);
    } else {
        show_line(out, "job", "none");
    }
    if (show_get_bool(stratum, "is_paused"))
        show_problem_of(out, "miners", "not served: ", stratum, "pause_reason");
    show_line(out, "miners", "%" PRId64 " connected, %" PRId64 " mining, %s (10 min %s)",
              show_get_number(stratum, "sessions"), show_get_number(stratum, "sessions_authorized"),
              show_get_hashrate(stratum, "hashrate_1m").value,
              show_get_hashrate(stratum, "hashrate_10m").value);
    show_line(out, "found",
              "%" PRId64 " shares and %" PRId64 " links since the start, %" PRId64 " blocks ever",
              show_get_number(found, "shares"), show_get_number(found, "links"),
              show_get_number(found, "blocks"));
}

// What the node wants to be looked after, above all else.
static void show_banner(struct json_value document, struct show_out *out)
{
    struct json_value banner = json_get(document, "banner");
    struct show_text level = show_get_text(banner, "level");
    show_problem_of(out, level.value, "", banner, "text");
    show_problem_of(out, "", "", banner, "advice");
}

static void show_status(struct json_value document, struct show_out *out)
{
    struct json_value daemons = json_get(document, "daemons");
    struct json_value store = json_get(document, "store");
    show_banner(document, out);
    show_chain(document, out);
    show_work(document, out);
    struct json_value network = json_get(document, "network");
    if (json_is_object(network)) {
        show_line(out, "nodes", "%" PRId64 " connected (%" PRId64 " inbound); %s",
                  show_get_number(network, "peers"), show_get_number(network, "inbound"),
                  show_get_text(network, "sync").value);
        show_problem_of(out, "", "", network, "problem");
    }
    struct show_text active = show_get_text(daemons, "active");
    show_line(out, "daemons", "%" PRId64 " of %" PRId64 " ready; %s%s",
              show_get_number(daemons, "ready"), show_get_number(daemons, "configured"),
              active.value[0] != '\0' ? "using " : "none in use", active.value);
    show_line(out, "disk", "%s, %" PRId64 " bytes wait for it",
              show_get_text(store, "health").value, show_get_number(store, "pending_bytes"));
    show_problem_of(out, "", "", store, "problem");
}

// ---- miners

static int64_t count_rejected(struct json_value shares)
{
    int64_t rejected = 0;
    for (struct json_value v = json_first(shares); json_exists(v); v = json_next(v)) {
        int64_t count = 0;
        json_to_i64(v, &count);
        rejected += count;
    }
    return rejected - show_get_number(shares, "accepted");
}

static void show_refused(struct json_value document, struct show_out *out)
{
    struct json_value refused = json_get(document, "refused");
    struct text_table *table = text_table_new("refused device|user|~from|when|why");
    int64_t now = show_get_number(document, "now");
    for (struct json_value v = json_first(refused); table != NULL && json_exists(v);
         v = json_next(v)) {
        text_table_add(table, show_get_text(v, "device").value);
        text_table_add(table, show_get_text(v, "user").value);
        text_table_add(table, show_get_text(v, "peer").value);
        text_table_add(table, show_get_ago(v, "at", now).value);
        text_table_add(table, show_get_text(v, "reason").value);
    }
    if (json_size(refused) > 0)
        write_text(out->text, "\n");
    show_table(out, table, NULL);
}

struct text_table *show_miners_table(struct json_value document)
{
    struct text_table *table = text_table_new("user|~from|~device|~>difficulty|>1 min|>10 min|"
                                              ">accepted|>rejected|~>blocks|last share|~>session");
    int64_t now = show_get_number(document, "now");
    struct json_value miners = json_get(document, "miners");
    for (struct json_value v = json_first(miners); table != NULL && json_exists(v);
         v = json_next(v)) {
        struct json_value shares = json_get(v, "shares");
        char difficulty[UNITS_TEXT_SIZE];
        units_count(show_get_double(v, "difficulty"), difficulty);
        text_table_add(table, show_get_text(v, "user").value);
        text_table_add(table, show_get_text(v, "peer").value);
        text_table_add(table, show_get_text(v, "device").value);
        text_table_add(table, difficulty);
        text_table_set_key(table, show_get_double(v, "difficulty"));
        show_add_hashrate(table, v, "hashrate_1m");
        show_add_hashrate(table, v, "hashrate_10m");
        show_add_number(table, show_get_number(shares, "accepted"));
        show_add_number(table, count_rejected(shares));
        show_add_number(table, show_get_number(v, "blocks"));
        show_add_ago(table, v, "share_at", now);
        show_add_number(table, show_get_number(v, "session"));
    }
    return table;
}

static void show_miners(struct json_value document, struct show_out *out)
{
    show_table(out, show_miners_table(document), "No miner is connected.\n");
    show_refused(document, out);
}

// ---- blocks

static struct show_text block_state(struct json_value block)
{
    struct show_text fate = show_get_text(block, "fate"), place = show_get_text(block, "place"),
                     state;
    struct show_text reason = show_get_text(block, "reason");
    int64_t confirmations = show_get_number(block, "confirmations");
    if (strcmp(place.value, "in_chain") == 0)
        snprintf(state.value, sizeof(state.value), "%" PRId64 " confirmation%s", confirmations,
                 confirmations == 1 ? "" : "s");
    else if (place.value[0] != '\0')
        snprintf(state.value, sizeof(state.value), "%.100s", place.value);
    else if (fate.value[0] != '\0')
        snprintf(state.value, sizeof(state.value), "%.100s%s%.100s", fate.value,
                 reason.value[0] != '\0' ? ": " : "", reason.value);
    else
        snprintf(state.value, sizeof(state.value), "no daemon has answered yet");
    return state;
}

struct text_table *show_blocks_table(struct json_value document)
{
    struct text_table *table = text_table_new(">height|found|>coins|state|~>luck|~by|hash");
    int64_t now = show_get_number(document, "now");
    struct json_value blocks = json_get(document, "blocks");
    for (struct json_value v = json_first(blocks); table != NULL && json_exists(v);
         v = json_next(v)) {
        show_add_number(table, show_get_number(v, "height"));
        show_add_ago(table, v, "found_at", now);
        show_add_coins(table, v, "value_sats");
        text_table_add(table, block_state(v).value);
        if (json_is_present(json_get(v, "luck")))
            text_table_add_format(table, "%.0f %%", 100 * show_get_double(v, "luck"));
        else
            text_table_add(table, "-");
        text_table_set_key(table, show_get_double(v, "luck"));
        text_table_add(table, show_get_text(v, "user").value);
        text_table_add(table, show_get_text(v, "id").value);
    }
    return table;
}

static void show_blocks(struct json_value document, struct show_out *out)
{
    // A hash is there to be copied: rows may be wider than the terminal.
    struct show_out whole = {out->text, 0, out->has_colours};
    show_table(&whole, show_blocks_table(document), "No block was found yet.\n");
}

// ---- block and payouts

static struct text_table *payees_table(struct json_value payees, const char *headings,
                                       const char *amount)
{
    struct text_table *table = text_table_new(headings);
    for (struct json_value v = json_first(payees); table != NULL && json_exists(v);
         v = json_next(v)) {
        text_table_add(table, show_get_payee(v).value);
        show_add_coins(table, v, amount);
        text_table_add(table, show_get_part(v, "part").value);
        text_table_set_key(table, show_get_double(v, "part"));
    }
    return table;
}

struct text_table *show_outputs_table(struct json_value block)
{
    return payees_table(json_get(block, "outputs"), "payee|>coins|>part", "amount_sats");
}

static void show_window(struct json_value window, const char *what, struct show_out *out)
{
    write_format(out->text,
                 "\n%s (links: %" PRId64 ", up to link %" PRId64 "; payees: %" PRId64 "):\n", what,
                 show_get_number(window, "links"), show_get_number(window, "link_height"),
                 show_get_number(window, "payees_count"));
    show_table(
        out,
        payees_table(json_get(window, "payees"), "payee|>expected coins|>part", "expected_sats"),
        "nobody yet\n");
}

static void show_payouts(struct json_value document, struct show_out *out)
{
    struct json_value block = json_get(document, "next_block");
    if (json_is_object(block)) {
        write_format(out->text, "The next block, %" PRId64 ", of %s coins: %s.\n",
                     show_get_number(block, "height"), show_get_coins(block, "value_sats").value,
                     show_get_text(block, "explanation").value);
        show_table(out, show_outputs_table(block), NULL);
        show_window(json_get(block, "window"), "Credits that this block pays by", out);
    } else {
        write_text(out->text, "No block is being worked on.\n");
    }
    show_window(json_get(document, "upcoming"), "Credits that blocks pay by in about six blocks",
                out);
}

static void show_block(struct json_value document, struct show_out *out)
{
    struct json_value found = json_get(document, "found"), epoch = json_get(found, "epoch");
    if (json_is_object(found)) {
        show_line(out, "block", "%" PRId64 ", %s coins, %s", show_get_number(found, "height"),
                  show_get_coins(found, "value_sats").value, block_state(found).value);
        show_line(out, "found by", "%s", show_get_text(found, "user").value);
    }
    if (show_get_number(epoch, "links") > 0)
        show_line(out, "paid by", "the credits of %" PRId64 " links up to link %" PRId64,
                  show_get_number(epoch, "links"), show_get_number(epoch, "height"));
    else if (json_is_object(epoch))
        show_line(out, "paid by", "no credits, as none are six blocks deep: the finder takes all");
    if (json_is_array(json_get(document, "outputs")))
        show_table(out, show_outputs_table(document), NULL);
    else
        write_text(out->text, "This share-chain holds no share with this hash.\n");
}

// ---- daemons

static void show_daemons(struct json_value document, struct show_out *out)
{
    struct text_table *table = text_table_new("daemon|state|>height|>latency|~>failures|problem");
    struct json_value daemons = json_get(document, "daemons");
    for (struct json_value v = json_first(daemons); table != NULL && json_exists(v);
         v = json_next(v)) {
        int64_t latency = show_get_number(v, "latency_ms");
        text_table_add(table, show_get_text(v, "url").value);
        text_table_add_format(table, "%s%s", show_get_text(v, "state").value,
                              show_get_bool(v, "is_active") ? ", in use" : "");
        if (show_get_number(v, "height") < 0)
            text_table_add(table, "-");
        else
            show_add_number(table, show_get_number(v, "height"));
        if (latency < 0)
            text_table_add(table, "-");
        else
            text_table_add_format(table, "%" PRId64 " ms", latency);
        show_add_number(table, show_get_number(v, "failures"));
        text_table_add(table, show_get_text(v, "error").value);
    }
    show_table(out, table, "No daemon is configured.\n");
}

bool show_document(const char *name, struct json_value document, struct show_out *out)
{
    static const struct {
        const char *name;
        void (*show)(struct json_value document, struct show_out *out);
    } shows[] = {
        {"status", show_status},
        {"miners", show_miners},
        {"addresses", show_addresses},
        {"address", show_address},
        {"blocks", show_blocks},
        {"block", show_block},
        {"payouts", show_payouts},
        {"luck", show_luck},
        {"template", show_template},
        {"standings", show_standings},
        {"daemons", show_daemons},
        {"peers", show_peers},
        {"dht", show_dht},
        {"chain", show_chain_document},
    };
    for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
        if (strcmp(name, shows[i].name) != 0)
            continue;
        shows[i].show(document, out);
        return true;
    }
    return false;
}
