// The documents "miners", "blocks" and "block".
#include <stdlib.h>
#include "node/report_parts.h"

struct miners_context {
    const struct node *node;
    bool is_private; // addresses are shown
    struct json_writer *writer;
};

static void write_session(void *context, const struct stratum_session_view *session)
{
    const struct miners_context *miners = context;
    struct json_writer *writer = miners->writer;
    json_begin_object(writer, NULL);
    json_write_u64(writer, "session", session->session);
    json_write_text(writer, "peer", miners->is_private ? session->address : NULL);
    json_write_text(writer, "user", session->user);
    json_write_text(writer, "worker", session->worker);
    if (session->payout != NULL)
        report_write_payee(writer, miners->node, session->payout);
    json_write_text(writer, "device", session->kind);
    json_write_text(writer, "user_agent", session->user_agent);
    json_write_bool(writer, "is_subscribed", session->is_subscribed);
    json_write_bool(writer, "is_authorized", session->is_authorized);
    json_write_bool(writer, "is_device_overridden", session->is_device_overridden);
    json_write_bool(writer, "is_resumed", session->is_resumed);
    json_write_u64(writer, "users", session->users_count);
    json_write_u64(writer, "coinbase_max", session->coinbase_max);
    json_write_u64(writer, "version_mask", session->version_mask);
    json_write_double(writer, "difficulty", session->difficulty);
    json_write_double(writer, "hashrate_1m", session->hashrate_1m);
    json_write_double(writer, "hashrate_10m", session->hashrate_10m);
    json_write_double(writer, "hashrate_1h", session->hashrate_1h);
    json_write_double(writer, "hashrate_estimate", session->hashrate_estimate);
    json_begin_object(writer, "shares");
    for (unsigned i = 0; i < STRATUM_VERDICTS_COUNT; i++) {
        if (session->shares[i] != 0 || i == STRATUM_ACCEPTED)
            json_write_u64(writer, stratum_verdict_text((enum stratum_verdict)i),
                           session->shares[i]);
    }
    json_end_object(writer);
    json_write_u64(writer, "grains", session->grains);
    json_write_u64(writer, "blocks", session->blocks);
    json_write_double(writer, "work_accepted", session->work_accepted);
    json_write_i64(writer, "connected_at", wall_seconds(session->connected_at));
    json_write_i64(writer, "share_at", wall_seconds(session->share_at));
    json_write_u64(writer, "bytes_queued", session->bytes_queued);
    json_end_object(writer);
}

static void write_refused(void *context, const struct stratum_refused_device *device)
{
    const struct miners_context *miners = context;
    struct json_writer *writer = miners->writer;
    json_begin_object(writer, NULL);
    json_write_i64(writer, "at", wall_seconds(device->time));
    json_write_text(writer, "peer", miners->is_private ? device->address : NULL);
    json_write_text(writer, "user", device->user);
    json_write_text(writer, "device", device->kind);
    json_write_text(writer, "user_agent", device->user_agent);
    json_write_u64(writer, "coinbase_max", device->coinbase_max);
    json_write_text(writer, "reason", device->reason);
    json_end_object(writer);
}

void report_miners(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct miners_context context = {node, report_is_private(call), writer};
    json_begin_array(writer, "miners");
    stratum_each_session(node->stratum, net_loop_now(node->loop), write_session, &context);
    json_end_array(writer);
    json_begin_array(writer, "refused");
    stratum_each_refused(node->stratum, write_refused, &context);
    json_end_array(writer);
}

// How many blocks stand on it and with it on the chain that is worked on, by our own headers; 0 if
// it is not on it.
static int64_t count_confirmations(const struct node *node, const struct found_block *block)
{
    struct header_chain *headers = sharechain_headers(node->sharechain);
    const struct header_node *tip =
        node->mint != NULL ? header_chain_find(headers, &node->mint->prev) : NULL;
    if (tip == NULL)
        tip = header_chain_best(headers);
    if (block->height > tip->height || block->height < header_chain_anchor(headers)->height)
        return 0;
    const struct header_node *there = header_node_ancestor(tip, block->height);
    return hash_equal(&there->id, &block->id) ? tip->height - block->height + 1 : 0;
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

static void write_block(const struct node *node, const struct found_block *block, const char *name,
                        struct json_writer *writer)
{
    int64_t confirmations = count_confirmations(node, block);
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
    write_epoch(node, &block->id, writer);
    json_end_object(writer);
}

void report_block(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct hash256 id = {{0}};
    report_hash(call, "id", true, &id);
    report_write_block_id(writer, "id", &id);
    const struct found_block *block = blocks_find(node, &id);
    if (block != NULL)
        write_block(node, block, "found", writer);
    else
        json_write_null(writer, "found");
    struct coinbase_output *outputs = calloc(COINBASE_OUTPUTS_MAX, sizeof(*outputs));
    size_t count = 0;
    if (outputs != NULL && sharechain_share_outputs(node->sharechain, &id, outputs, &count))
        report_write_outputs(writer, "outputs", node, outputs, count);
    else
        json_write_null(writer, "outputs"); // no share of ours, or not any more
    free(outputs);
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
