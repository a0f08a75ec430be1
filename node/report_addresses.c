// The documents "addresses" and "address": miners of this node by payout address, and one miner as
// he himself wants to see it: what he does, what he is owed, what he was paid.
#include <stdlib.h>
#include <string.h>
#include "node/report_parts.h"

#define PAID_SHOWN 100

// ---- Figures

static void write_time(struct json_writer *writer, const char *name, struct wall_time time)
{
    if (time.ms == 0)
        json_write_null(writer, name);
    else
        json_write_i64(writer, name, wall_seconds(time));
}

static void write_figures(struct json_writer *writer, const struct miner_figures *figures)
{
    json_write_double(writer, "hashrate_1m", figures->hashrates[RATE_1M]);
    json_write_double(writer, "hashrate_10m", figures->hashrates[RATE_10M]);
    json_write_double(writer, "hashrate_1h", figures->hashrates[RATE_1H]);
    json_write_double(writer, "hashrate_24h", figures->hashrates[RATE_1D]);
    report_write_verdicts(writer, figures->shares);
    json_write_double(writer, "work_accepted", figures->work_accepted);
    if (figures->best_difficulty > 0)
        json_write_double(writer, "best_difficulty", figures->best_difficulty);
    else
        json_write_null(writer, "best_difficulty");
    write_time(writer, "best_at", figures->best_at);
    write_time(writer, "last_share_at", figures->share_at);
}

// ---- addresses

struct miner_list {
    struct miner_view *items;
    size_t count, capacity;
};

static void add_miner(void *context, const struct miner_view *view)
{
    struct miner_list *list = context;
    if (list->count < list->capacity)
        list->items[list->count++] = *view;
}

// Largest first; of equals (idle ones) those that were here last.
static int compare_miners(const void *a, const void *b)
{
    const struct miner_view *left = a, *right = b;
    double difference = right->figures.hashrates[RATE_10M] - left->figures.hashrates[RATE_10M];
    if (difference < 0 || difference > 0)
        return difference > 0 ? 1 : -1;
    if (left->figures.share_at.ms != right->figures.share_at.ms)
        return right->figures.share_at.ms > left->figures.share_at.ms ? 1 : -1;
    return script_compare(&left->payout, &right->payout);
}

void report_addresses(struct node *node, struct report_call *call, struct json_writer *writer)
{
    uint64_t from = report_number(call, "from"), limit = report_number(call, "limit");
    struct miner_list list = {.capacity = miner_book_count(node->miner_book)};
    list.items = calloc(list.capacity + 1, sizeof(*list.items));
    if (list.items == NULL) {
        report_fail(call, 500, NULL, "out of memory");
        return;
    }
    miner_book_each(node->miner_book, net_loop_now(node->loop), add_miner, &list);
    if (list.count > 0)
        qsort(list.items, list.count, sizeof(*list.items), compare_miners);
    json_write_u64(writer, "total", list.count);
    json_begin_array(writer, "addresses");
    size_t i = from < list.count ? (size_t)from : list.count;
    for (size_t shown = 0; i < list.count && shown < limit; i++, shown++) {
        const struct miner_view *view = &list.items[i];
        json_begin_object(writer, NULL);
        report_write_payee(writer, node, &view->payout);
        json_write_u64(writer, "workers_count", view->workers_count);
        json_write_u64(writer, "connections", view->connections);
        write_figures(writer, &view->figures);
        json_end_object(writer);
    }
    json_end_array(writer);
    report_write_next(writer, i < list.count, i);
    free(list.items);
}

// ---- address: what he does

static void write_worker(void *context, const struct worker_view *worker)
{
    struct json_writer *writer = context;
    json_begin_object(writer, NULL);
    json_write_text(writer, "name", worker->name);
    json_write_text(writer, "device", worker->device);
    json_write_text(writer, "team", worker->team[0] == '\0' ? NULL : worker->team);
    json_write_bool(writer, "is_online", worker->connections > 0);
    json_write_u64(writer, "connections", worker->connections);
    write_figures(writer, &worker->figures);
    json_end_object(writer);
}

struct stretches {
    struct json_writer *writer;
    int64_t now_s;
};

static void write_stretch(void *context, const struct miner_stretch *stretch)
{
    const struct stretches *stretches = context;
    struct json_writer *writer = stretches->writer;
    int64_t passed_s = stretches->now_s - stretch->begins_at;
    if (passed_s > stretch->length_s)
        passed_s = stretch->length_s;
    json_begin_array(writer, NULL);
    json_write_i64(writer, NULL, stretch->begins_at);
    json_write_double(writer, NULL, passed_s > 0 ? stretch->hashes / (double)passed_s : 0);
    json_write_u64(writer, NULL, stretch->accepted);
    json_write_u64(writer, NULL, stretch->rejected);
    json_end_array(writer);
}

// As rows of [begins_at, hashrate, accepted, rejected], oldest first.
static void write_history(struct node *node, const struct script *script,
                          struct json_writer *writer)
{
    struct miner_span span = {MINER_DAY, net_loop_now(node->loop)};
    struct stretches stretches = {writer, wall_seconds(span.now.wall)};
    json_begin_object(writer, "history");
    json_begin_array(writer, "day");
    miner_book_each_stretch(node->miner_book, script, &span, write_stretch, &stretches);
    json_end_array(writer);
    json_begin_array(writer, "week");
    span.history = MINER_WEEK;
    miner_book_each_stretch(node->miner_book, script, &span, write_stretch, &stretches);
    json_end_array(writer);
    json_end_object(writer);
}

static void write_activity(struct node *node, const struct script *script, bool is_known,
                           const struct miner_view *view, struct json_writer *writer)
{
    json_write_bool(writer, "is_known_here", is_known);
    json_write_u64(writer, "workers_count", view->workers_count);
    json_write_u64(writer, "connections", view->connections);
    write_figures(writer, &view->figures);
    json_begin_array(writer, "workers");
    miner_book_each_worker(node->miner_book, script, net_loop_now(node->loop), write_worker,
                           writer);
    json_end_array(writer);
    write_history(node, script, writer);
}

// ---- address: what he is owed

static void write_weight(struct json_writer *writer, const char *name, const struct u256 *weight,
                         double sum)
{
    json_begin_object(writer, name);
    report_write_u256(writer, "weight", weight);
    json_write_double(writer, "part", sum > 0 ? u256_to_double(weight) / sum : 0);
    json_end_object(writer);
}

// His place in the next block's list of payees; false if he has none.
static bool find_output(const struct mint *mint, const struct script *script, size_t *place,
                        uint64_t *amount)
{
    struct coinbase_output *outputs = calloc(COINBASE_OUTPUTS_MAX, sizeof(*outputs));
    size_t count = outputs == NULL ? 0 : mint_outputs(mint, NULL, outputs);
    size_t i = 0;
    while (i < count && !script_equal(&outputs[i].script, script))
        i++;
    bool is_there = i < count;
    *place = i;
    *amount = is_there ? outputs[i].amount : 0;
    free(outputs);
    return is_there;
}

// Whether the next block pays him for certain, or he draws for a place in it (protocol section 8).
struct outlook {
    bool is_decided; // there is a list of payees, and he has a part in it
    bool is_exact;
    uint64_t drawn_sats; // what the next block pays him; 0: nothing
    double expected_sats;
    const char *explanation;
};

static struct outlook solo_outlook(const struct mint *mint)
{
    return (struct outlook){
        .explanation = mint->is_detached
                           ? "The pool slept for more than five blocks: until its next link, a "
                             "block pays only the miner who finds it."
                           : "No credits are six blocks deep yet: a block pays only the miner who "
                             "finds it."};
}

static struct outlook make_outlook(const struct mint *mint, const struct script *script,
                                   double part)
{
    struct outlook outlook = {.expected_sats = part * (double)mint->coinbase_value};
    size_t place;
    if (mint->is_solo)
        return solo_outlook(mint);
    bool is_paid = find_output(mint, script, &place, &outlook.drawn_sats);
    outlook.is_exact = is_paid && place < payout_plan_exact(mint->plan);
    outlook.is_decided = part > 0;
    if (part <= 0)
        outlook.explanation = "Nothing in the paying window: work is credited by links, and "
                              "credits pay from six blocks later on.";
    else if (outlook.is_exact)
        outlook.explanation = "Paid exactly this part by every block of the pool.";
    else if (is_paid)
        outlook.explanation = "Too small a part for a place in every block: drawn for the next "
                              "one. On average a block pays exactly the part.";
    else
        outlook.explanation = "Too small a part for a place in every block: places are drawn for "
                              "each block, with a chance as large as the part, and this one went "
                              "to others. On average a block pays exactly the part.";
    return outlook;
}

static void write_outlook(struct node *node, const struct script *script,
                          const struct script_weights *weights, double sum,
                          struct json_writer *writer)
{
    struct outlook outlook = {.explanation = "There is no work yet: no daemon gave a template, or "
                                             "the node is still catching up."};
    double part = sum > 0 ? u256_to_double(&weights->window) / sum : 0;
    if (node->mint != NULL)
        outlook = make_outlook(node->mint, script, part);
    report_write_sats(writer, "expected_sats", (uint64_t)outlook.expected_sats);
    report_write_sats(writer, "next_block_sats", outlook.drawn_sats);
    if (outlook.is_decided)
        json_write_bool(writer, "is_exact", outlook.is_exact);
    else
        json_write_null(writer, "is_exact");
    json_write_text(writer, "explanation", outlook.explanation);
}

static void write_owed(struct node *node, const struct script *script, struct json_writer *writer)
{
    struct hash256 epoch = node->mint != NULL ? report_epoch(node, node->mint) : node->pool->id;
    struct window_view window = {.epoch = epoch};
    struct script_weights weights;
    sharechain_window(node->sharechain, &epoch, &window);
    sharechain_script_weights(node->sharechain, script, &epoch, &weights);
    double sum = u256_to_double(&window.sum);
    json_begin_object(writer, "pending");
    report_write_u256(writer, "credited", &weights.credited_after);
    report_write_u256(writer, "loose", &weights.loose);
    json_write_u64(writer, "loose_count", weights.loose_count);
    json_end_object(writer);
    write_weight(writer, "window", &weights.window, sum);
    write_outlook(node, script, &weights, sum, writer);
}

// ---- address: what he was paid

static void write_payment(struct node *node, const struct paid_block *paid, uint64_t amount,
                          struct json_writer *writer)
{
    int64_t confirmations;
    const char *place = report_paid_place(node, paid, &confirmations);
    json_begin_object(writer, NULL);
    json_write_i64(writer, "height", paid->height);
    report_write_block_id(writer, "id", &paid->id);
    report_write_sats(writer, "amount_sats", amount);
    json_write_u64(writer, "found_at", paid->time);
    json_write_text(writer, "place", place);
    json_write_i64(writer, "confirmations", confirmations);
    json_end_object(writer);
}

static void write_paid(struct node *node, const struct script *script, struct json_writer *writer)
{
    size_t shown = 0;
    json_begin_array(writer, "paid");
    for (size_t i = payout_book_count(node->payout_book); i > 0 && shown < PAID_SHOWN; i--) {
        const struct paid_block *paid = payout_book_get(node->payout_book, i - 1);
        for (size_t j = 0; j < paid->outputs_count; j++) {
            if (!script_equal(&paid->outputs[j].script, script))
                continue;
            write_payment(node, paid, paid->outputs[j].amount, writer);
            shown++;
        }
    }
    json_end_array(writer);
}

void report_address(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct script script;
    struct miner_view view = {.workers_count = 0};
    if (!report_script(node, call, "address", &script))
        return;
    bool is_known = miner_book_find(node->miner_book, &script, net_loop_now(node->loop), &view);
    report_write_payee(writer, node, &script);
    write_activity(node, &script, is_known, &view, writer);
    write_owed(node, &script, writer);
    write_paid(node, &script, writer);
}
