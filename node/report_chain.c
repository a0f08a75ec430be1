// The documents "payouts", "credits" and "loose": what the share-chain says is owed, everything
// that is needed to compute it again, and what waits to be credited.
#include <stdlib.h>
#include "node/report_parts.h"

// Credits enter payouts this many blocks late (protocol section 8).
#define EPOCH_BLOCKS 6
// Payees written out, the largest first; the rest is summed up.
#define PAYEES_SHOWN_MAX 2000
// A page of credits ends with the link that reaches one of these.
#define PAGE_LINKS_MAX   500
#define PAGE_CREDITS_MAX 5000
#define LOOSE_SHOWN_MAX  50000

// ---- The weights of a window

struct payee {
    struct script script;
    struct u256 weight;
};

struct payees {
    struct payee *items;
    size_t count, capacity;
    bool has_failed; // out of memory: some are missing
};

static void add_payee(void *context, const struct script *script, const struct u256 *weight)
{
    struct payees *payees = context;
    if (payees->count == payees->capacity) {
        size_t capacity = payees->capacity == 0 ? 256 : payees->capacity * 2;
        struct payee *grown = realloc(payees->items, capacity * sizeof(*grown));
        if (grown == NULL) {
            payees->has_failed = true;
            return;
        }
        payees->items = grown;
        payees->capacity = capacity;
    }
    payees->items[payees->count] = (struct payee){*script, *weight};
    payees->count++;
}

// Heaviest first, then by script, as the split orders them.
static int compare_payees(const void *a, const void *b)
{
    const struct payee *left = a, *right = b;
    int order = u256_compare(&right->weight, &left->weight);
    return order != 0 ? order : script_compare(&left->script, &right->script);
}

static void write_payees(const struct node *node, const struct window_view *window,
                         uint64_t value_sats, struct json_writer *writer)
{
    struct payees payees = {0};
    sharechain_window_weights(node->sharechain, &window->epoch, add_payee, &payees);
    if (payees.count > 0)
        qsort(payees.items, payees.count, sizeof(payees.items[0]), compare_payees);
    double sum = u256_to_double(&window->sum);
    json_write_u64(writer, "payees_count", payees.count);
    json_write_bool(writer, "is_complete", !payees.has_failed && payees.count <= PAYEES_SHOWN_MAX);
    json_begin_array(writer, "payees");
    for (size_t i = 0; i < payees.count && i < PAYEES_SHOWN_MAX; i++) {
        double part = sum > 0 ? u256_to_double(&payees.items[i].weight) / sum : 0;
        json_begin_object(writer, NULL);
        report_write_payee(writer, node, &payees.items[i].script);
        report_write_u256(writer, "weight", &payees.items[i].weight);
        json_write_double(writer, "part", part);
        report_write_sats(writer, "expected_sats", (uint64_t)(part * (double)value_sats));
        json_end_object(writer);
    }
    json_end_array(writer);
    free(payees.items);
}

// The window of a link taken as E; of link 0 it is empty.
static void write_window(const struct node *node, const struct hash256 *id, const char *name,
                         uint64_t value_sats, struct json_writer *writer)
{
    struct window_view window = {.epoch = *id};
    sharechain_window(node->sharechain, id, &window);
    json_begin_object(writer, name);
    json_write_u64(writer, "link_height", window.epoch_height);
    report_write_id(writer, "link", &window.epoch);
    json_write_u64(writer, "links", window.links_count);
    report_write_u256(writer, "sum", &window.sum);
    write_payees(node, &window, value_sats, writer);
    json_end_object(writer);
}

// ---- Payouts

static const char *explain_branch(const struct mint *mint)
{
    if (mint->is_detached)
        return "the pool slept for more than five blocks: a block pays only the miner who finds "
               "it, until the pool's next link";
    if (mint->is_solo)
        return "no credits are six blocks deep yet: a block pays only the miner who finds it";
    switch (payout_plan_branch(mint->plan)) {
    case PAYOUT_EMPTY:
        return "the window is empty: a block pays only the miner who finds it";
    case PAYOUT_ALL_EXACT:
        return "everybody in the window is paid exactly his part";
    case PAYOUT_SAMPLED:
        return "the largest are paid exactly; the rest draw for the places that are left, each "
               "with a chance as large as his part, and winners get equal amounts";
    case PAYOUT_REST_HIT:
        return "the largest are paid exactly; the rest is worth less than one smallest payout, and "
               "this time one of them drew it";
    case PAYOUT_REST_MISS:
        return "the largest share everything; the rest is worth less than one smallest payout, and "
               "this time nobody drew it";
    case PAYOUT_ONE_WINNER:
        return "nobody's part reaches the smallest payout: one winner, drawn by weight, takes all";
    }
    return "";
}

void report_write_outputs(struct json_writer *writer, const char *name, const struct node *node,
                          const struct coinbase_output *outputs, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += outputs[i].amount;
    json_begin_array(writer, name);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(writer, NULL);
        report_write_payee(writer, node, &outputs[i].script);
        report_write_sats(writer, "amount_sats", outputs[i].amount);
        json_write_double(writer, "part", sum == 0 ? 0 : (double)outputs[i].amount / (double)sum);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_outputs(const struct node *node, const struct mint *mint,
                          struct json_writer *writer)
{
    struct coinbase_output *outputs =
        mint->is_solo ? NULL : calloc(COINBASE_OUTPUTS_MAX, sizeof(*outputs));
    size_t count = outputs == NULL ? 0 : mint_outputs(mint, NULL, outputs);
    report_write_outputs(writer, "outputs", node, outputs, count);
    free(outputs);
}

// The last link with height(tip) <= height(prev) - 6.
struct hash256 report_epoch(const struct node *node, const struct mint *mint)
{
    struct link_view link;
    bool is_found = sharechain_link(node->sharechain, &mint->info.anchor, &link);
    while (is_found && link.height > 0 && link.tip_height > mint->height - 1 - EPOCH_BLOCKS) {
        struct hash256 anchor = link.anchor;
        is_found = sharechain_link(node->sharechain, &anchor, &link);
    }
    return is_found ? link.id : node->pool->id;
}

void report_payouts(struct node *node, struct report_call *call, struct json_writer *writer)
{
    (void)call;
    const struct mint *mint = node->mint;
    uint64_t value_sats = mint == NULL ? 0 : mint->coinbase_value;
    if (mint == NULL) {
        json_write_null(writer, "next_block");
    } else {
        struct hash256 epoch = report_epoch(node, mint);
        json_begin_object(writer, "next_block");
        json_write_i64(writer, "height", mint->height);
        report_write_sats(writer, "value_sats", mint->coinbase_value);
        json_write_bool(writer, "is_solo", mint->is_solo);
        json_write_text(writer, "explanation", explain_branch(mint));
        write_outputs(node, mint, writer);
        write_window(node, &epoch, "window", value_sats, writer);
        json_end_object(writer);
    }
    struct link_view tip;
    sharechain_tip(node->sharechain, &tip);
    write_window(node, &tip.id, "upcoming", value_sats, writer);
}

// ---- Credits

static void write_pool_keys(const struct node *node, struct json_writer *writer)
{
    struct pool_key_info key;
    json_begin_object(writer, "pool");
    for (size_t i = 0; pool_key_row(i, &key); i++) {
        char value[2 * HEADER_SIZE + 1];
        if (pool_get(node->pool, key.name, value, sizeof(value)))
            json_write_text(writer, key.name, value);
    }
    report_write_id(writer, "pool_id", &node->pool->id);
    json_end_object(writer);
}

struct credits_page {
    struct json_writer *writer;
    size_t credits;
};

static void write_credit(void *context, const struct script *script, const struct u256 *weight)
{
    struct credits_page *page = context;
    json_begin_array(page->writer, NULL);
    json_write_hex(page->writer, NULL, script->bytes, script->size);
    report_write_u256(page->writer, NULL, weight);
    json_end_array(page->writer);
    page->credits++;
}

static void write_share(struct json_writer *writer, const struct share_view *share)
{
    json_begin_array(writer, NULL);
    report_write_id(writer, NULL, &share->id);
    json_write_hex(writer, NULL, share->payout_script.bytes, share->payout_script.size);
    report_write_u256(writer, NULL, &share->weight);
    json_end_array(writer);
}

// A grain that a link includes, as [id, script, weight].
static void write_included(void *context, const struct share_view *view)
{
    struct credits_page *page = context;
    write_share(page->writer, view);
    page->credits++;
}

static void write_bits(struct json_writer *writer, const char *name, uint32_t bits)
{
    uint8_t bytes[4] = {(uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8),
                        (uint8_t)bits};
    json_write_hex(writer, name, bytes, sizeof(bytes));
}

static void write_link(const struct node *node, const struct link_view *link,
                       struct credits_page *page)
{
    struct json_writer *writer = page->writer;
    struct header_chain *headers = sharechain_headers(node->sharechain);
    const struct header_node *tip = header_chain_find(headers, &link->tip);
    json_begin_object(writer, NULL);
    json_write_u64(writer, "height", link->height);
    report_write_id(writer, "id", &link->id);
    report_write_id(writer, "anchor", &link->anchor);
    json_write_u64(writer, "time", link->time);
    report_write_block_id(writer, "tip", &link->tip);
    json_write_i64(writer, "tip_height", link->tip_height);
    if (tip != NULL) // b of section 8
        write_bits(writer, "tip_bits", header_chain_plain_bits(headers, tip));
    write_bits(writer, "link_bits", link->link_bits);
    report_write_u256(writer, "work", &link->work);
    report_write_u256(writer, "weight", &link->weight);
    json_write_bool(writer, "is_detached", link->is_detached);
    json_write_hex(writer, "script", link->payout_script.bytes, link->payout_script.size);
    json_write_u64(writer, "grains", link->grains_count);
    json_begin_array(writer, "included");
    sharechain_each_included(node->sharechain, &link->id, write_included, page);
    json_end_array(writer);
    json_begin_array(writer, "credits");
    sharechain_link_credits(node->sharechain, &link->id, write_credit, page);
    json_end_array(writer);
    json_end_object(writer);
}

static bool find_on_best(const struct node *node, const struct hash256 *id, struct link_view *link)
{
    struct link_view wanted, there;
    if (!sharechain_link(node->sharechain, id, &wanted) ||
        !sharechain_link_at(node->sharechain, wanted.height, &there) || !hash_equal(&there.id, id))
        return false;
    *link = wanted;
    return true;
}

void report_credits(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct link_view tip, link;
    struct hash256 wanted;
    sharechain_tip(node->sharechain, &tip);
    if (report_hash(call, "tip", false, &wanted) && !find_on_best(node, &wanted, &tip)) {
        report_fail(call, 409, "tip", "\"tip\" is not on the best chain (any more): begin again");
        return;
    }
    write_pool_keys(node, writer);
    json_begin_object(writer, "tip");
    json_write_u64(writer, "height", tip.height);
    report_write_id(writer, "id", &tip.id);
    json_end_object(writer);
    json_begin_array(writer, "links");
    struct credits_page page = {.writer = writer};
    uint64_t from = report_number(call, "from");
    uint64_t height = from == 0 ? 1 : from;
    for (size_t count = 0; height <= tip.height && count < PAGE_LINKS_MAX &&
                           page.credits < PAGE_CREDITS_MAX && !writer->out->failed;
         height++, count++) {
        if (!sharechain_link_at(node->sharechain, (uint32_t)height, &link))
            break;
        write_link(node, &link, &page);
    }
    json_end_array(writer);
    report_write_next(writer, height <= tip.height, height);
}

// ---- Loose grains

struct loose_list {
    struct json_writer *writer;
    size_t count;
};

static void write_loose(void *context, const struct share_view *share)
{
    struct loose_list *list = context;
    if (list->count < LOOSE_SHOWN_MAX)
        write_share(list->writer, share);
    list->count++;
}

void report_loose(struct node *node, struct report_call *call, struct json_writer *writer)
{
    (void)call;
    struct loose_list list = {.writer = writer};
    json_begin_array(writer, "shares");
    sharechain_each_loose(node->sharechain, write_loose, &list);
    json_end_array(writer);
    json_write_u64(writer, "count", list.count);
    json_write_bool(writer, "is_complete", list.count <= LOOSE_SHOWN_MAX);
}
