// The documents "blocks", "block", "payouts/history" and "luck": blocks that were found, what they
// paid, and the work that they took.
#include "node/pow/target.h"
#include "node/report_parts.h"

#define DAY_S 86400
// Until then its coins cannot be spent.
#define MATURE_CONFIRMATIONS 100

// How many blocks stand on it and with it on the chain that is worked on, by our own headers; 0 if
// it is not on it.
static int64_t count_confirmations(const struct node *node, const struct hash256 *id,
                                   int64_t height)
{
    struct header_chain *headers = sharechain_headers(node->sharechain);
    const struct header_node *tip =
        node->mint != NULL ? header_chain_find(headers, &node->mint->prev) : NULL;
    if (tip == NULL)
        tip = header_chain_best(headers);
    if (height > tip->height || height < header_chain_anchor(headers)->height)
        return 0;
    const struct header_node *there = header_node_ancestor(tip, height);
    return hash_equal(&there->id, id) ? tip->height - height + 1 : 0;
}

static const char *place_text(const struct found_block *block, int64_t confirmations)
{
    if (block->place == BLOCK_PLACE_MATURE)
        return "mature";
    if (confirmations > 0)
        return "in_chain";
    // Zero also means that the daemons have said nothing yet.
    return block->place == BLOCK_PLACE_ORPHANED ? "orphaned" : NULL;
}

// The link whose window the block's coinbase pays; unknown if the block's share is not here.
static void write_epoch(const struct node *node, const struct hash256 *id,
                        struct json_writer *writer)
{
    struct window_view window;
    if (!sharechain_share_window(node->sharechain, id, &window)) {
        json_write_null(writer, "epoch");
        return;
    }
    json_begin_object(writer, "epoch");
    json_write_u64(writer, "height", window.epoch_height);
    report_write_id(writer, "id", &window.epoch);
    json_write_u64(writer, "links", window.links_count);
    report_write_u256(writer, "sum", &window.sum);
    json_end_object(writer);
}

void report_write_luck(struct json_writer *writer, const struct paid_block *block)
{
    if (block == NULL || block->work_done <= 0)
        json_write_null(writer, "luck");
    else
        json_write_double(writer, "luck", block->work_expected / block->work_done);
}

static void write_block(const struct node *node, const struct found_block *block, const char *name,
                        struct json_writer *writer)
{
    int64_t confirmations = count_confirmations(node, &block->id, block->height);
    json_begin_object(writer, name);
    json_write_u64(writer, "number", block->number);
    report_write_block_id(writer, "id", &block->id);
    json_write_i64(writer, "height", block->height);
    report_write_sats(writer, "value_sats", block->coinbase_value);
    json_write_i64(writer, "found_at", block->found_at);
    json_write_text(writer, "user", block->user);
    report_write_payee(writer, node, &block->payout_script);
    json_write_bool(writer, "is_link", block->is_link);
    json_write_text(writer, "fate", block->has_fate ? block_fate_text(block->fate) : NULL);
    json_write_text(writer, "reason", block->reason[0] == '\0' ? NULL : block->reason);
    json_write_text(writer, "place", place_text(block, confirmations));
    json_write_i64(writer, "confirmations", confirmations);
    report_write_luck(writer, payout_book_find(node->payout_book, &block->id));
    write_epoch(node, &block->id, writer);
    json_end_object(writer);
}

void report_block(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct hash256 id = {{0}};
    report_hash(call, "id", true, &id);
    report_write_block_id(writer, "id", &id);
    const struct found_block *block = blocks_find(node, &id);
    const struct paid_block *paid = payout_book_find(node->payout_book, &id);
    struct share_view share;
    if (block == NULL && paid == NULL && !sharechain_share(node->sharechain, &id, &share)) {
        report_fail(call, 404, "id",
                    "no block with this hash is known as one of the pool's: \"blocks\" and "
                    "\"payouts/history\" show hashes of those that are");
        return;
    }
    if (block != NULL)
        write_block(node, block, "found", writer);
    else
        json_write_null(writer, "found");
    report_write_share_outputs(node, &id, writer);
}

const char *report_block_place(const struct node *node, const struct found_block *block)
{
    return place_text(block, count_confirmations(node, &block->id, block->height));
}

void report_blocks(struct node *node, struct report_call *call, struct json_writer *writer)
{
    uint64_t from = report_number(call, "from"), limit = report_number(call, "limit");
    size_t end = node->blocks_count; // behind the first of the page
    while (from != 0 && end > 0 && node->blocks[end - 1].number > from)
        end--;
    size_t count = end < limit ? end : (size_t)limit;
    json_write_u64(writer, "total", node->blocks_count);
    json_begin_array(writer, "blocks");
    for (size_t i = 0; i < count; i++)
        write_block(node, &node->blocks[end - 1 - i], NULL, writer);
    json_end_array(writer);
    report_write_next(writer, end > count, end > count ? node->blocks[end - count - 1].number : 0);
}

// ---- What past blocks paid

const char *report_paid_place(struct node *node, const struct paid_block *paid,
                              int64_t *confirmations)
{
    const struct found_block *found = blocks_find(node, &paid->id);
    *confirmations = count_confirmations(node, &paid->id, paid->height);
    if (*confirmations > 0 || found == NULL)
        return *confirmations > MATURE_CONFIRMATIONS ? "mature"
               : *confirmations > 0                  ? "in_chain"
                                                     : "orphaned";
    return place_text(found, *confirmations);
}

static void write_paid(struct node *node, const struct paid_block *paid, struct json_writer *writer)
{
    int64_t confirmations;
    const char *place = report_paid_place(node, paid, &confirmations);
    json_begin_object(writer, NULL);
    report_write_block_id(writer, "id", &paid->id);
    json_write_i64(writer, "height", paid->height);
    json_write_u64(writer, "found_at", paid->time);
    report_write_payee(writer, node, &paid->payout_script);
    json_write_u64(writer, "link_height", paid->link_height);
    json_write_bool(writer, "is_link", paid->is_link);
    json_write_bool(writer, "is_found_here", blocks_find(node, &paid->id) != NULL);
    json_write_text(writer, "place", place);
    json_write_i64(writer, "confirmations", confirmations);
    report_write_luck(writer, paid);
    if (paid->outputs_count == 0) {
        json_write_null(writer, "value_sats");
        json_write_null(writer, "outputs");
    } else {
        report_write_sats(writer, "value_sats", paid->value_sats);
        report_write_outputs(writer, "outputs", node, paid->outputs, paid->outputs_count);
    }
    json_end_object(writer);
}

void report_payouts_history(struct node *node, struct report_call *call, struct json_writer *writer)
{
    const struct payout_book *book = node->payout_book;
    uint64_t from = report_number(call, "from"), limit = report_number(call, "limit");
    size_t end = payout_book_count(book);
    json_write_u64(writer, "total", end);
    while (from != 0 && end > 0 && payout_book_get(book, end - 1)->height > (int64_t)from)
        end--;
    size_t count = end < limit ? end : (size_t)limit;
    // Two blocks of one height are not torn apart: the next page begins below it.
    json_begin_array(writer, "blocks");
    size_t i = end;
    for (; i > end - count; i--)
        write_paid(node, payout_book_get(book, i - 1), writer);
    int64_t last = i < end ? payout_book_get(book, i)->height : 0;
    for (; i > 0 && count > 0 && payout_book_get(book, i - 1)->height == last; i--)
        write_paid(node, payout_book_get(book, i - 1), writer);
    json_end_array(writer);
    report_write_next(writer, i > 0, i > 0 ? (uint64_t)payout_book_get(book, i - 1)->height : 0);
}

// ---- Luck

struct luck_span {
    const char *name;
    int64_t length_s; // 0: all
    int64_t since;
    uint64_t found, found_here;
    double expected;
};

static double block_work(const struct node *node, const struct hash256 *tip)
{
    struct header_chain *headers = sharechain_headers(node->sharechain);
    const struct header_node *header = header_chain_find(headers, tip);
    struct u256 target;
    if (header == NULL || !target_expand(header_chain_plain_bits(headers, header), &target))
        return 0;
    struct u256 work = target_work(&target);
    return u256_to_double(&work);
}

// Blocks that the credited work finds on average.
static void add_expected(const struct node *node, struct luck_span *spans, size_t spans_count)
{
    struct link_view tip, link;
    struct hash256 last_tip = {{0}};
    double work = 0;
    sharechain_tip(node->sharechain, &tip);
    for (uint32_t height = tip.height; height > 0; height--) {
        if (!sharechain_link_at(node->sharechain, height, &link))
            return;
        if (work <= 0 || !hash_equal(&last_tip, &link.tip))
            work = block_work(node, &link.tip);
        last_tip = link.tip;
        double part = work > 0 ? u256_to_double(&link.credits) / work : 0;
        for (size_t i = 0; i < spans_count; i++)
            spans[i].expected += (int64_t)link.time >= spans[i].since ? part : 0;
    }
}

static void add_found(struct node *node, struct luck_span *spans, size_t spans_count)
{
    for (size_t i = 0; i < payout_book_count(node->payout_book); i++) {
        const struct paid_block *paid = payout_book_get(node->payout_book, i);
        for (size_t j = 0; j < spans_count; j++)
            spans[j].found += (int64_t)paid->time >= spans[j].since ? 1 : 0;
    }
    for (size_t i = 0; i < node->blocks_count; i++) {
        for (size_t j = 0; j < spans_count; j++)
            spans[j].found_here += node->blocks[i].found_at >= spans[j].since ? 1 : 0;
    }
}

void report_luck(struct node *node, struct report_call *call, struct json_writer *writer)
{
    (void)call;
    struct luck_span spans[] = {{.name = "day", .length_s = DAY_S},
                                {.name = "week", .length_s = 7 * DAY_S},
                                {.name = "all"}};
    const size_t count = sizeof(spans) / sizeof(spans[0]);
    int64_t now = wall_seconds(net_loop_now(node->loop).wall);
    struct link_view first;
    uint32_t root = sharechain_root_height(node->sharechain);
    bool has_first = sharechain_link_at(node->sharechain, root == 0 ? 1 : root, &first);
    // Work from before the oldest link that is here is not known, so blocks from then do not count.
    int64_t known_since = has_first ? (int64_t)first.time : now;
    for (size_t i = 0; i < count; i++) {
        int64_t begin = spans[i].length_s == 0 ? 0 : now - spans[i].length_s;
        spans[i].since = begin > known_since ? begin : known_since;
    }
    add_expected(node, spans, count);
    add_found(node, spans, count);
    json_begin_array(writer, "spans");
    for (size_t i = 0; i < count; i++) {
        json_begin_object(writer, NULL);
        json_write_text(writer, "name", spans[i].name);
        json_write_i64(writer, "since", spans[i].since);
        json_write_u64(writer, "found", spans[i].found);
        json_write_u64(writer, "found_here", spans[i].found_here);
        json_write_double(writer, "expected", spans[i].expected);
        if (spans[i].expected > 0)
            json_write_double(writer, "luck", (double)spans[i].found / spans[i].expected);
        else
            json_write_null(writer, "luck");
        json_end_object(writer);
    }
    json_end_array(writer);
}
