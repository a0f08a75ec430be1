// The documents "shares" and "share": what the share-chain has, the newest first, and one share in
// full.
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include "node/base/team.h"
#include "node/pow/target.h"
#include "node/report_parts.h"

void report_write_team(struct json_writer *writer, const uint8_t tag[SHARE_NODE_TAG_SIZE])
{
    struct team team;
    json_write_text(writer, "team", team_from_tag(tag, &team) ? team.name : NULL);
}

bool report_script(const struct node *node, struct report_call *call, const char *name,
                   struct script *script)
{
    const struct api_value *value = report_value(call, name);
    enum address_result result =
        address_decode(node->pool->chain, value->text, strlen(value->text), script);
    if (result == ADDRESS_OK)
        return true;
    report_fail(call, 400, name, "\"%s\" is \"%.90s\": %s", name, value->text,
                address_result_text(result));
    return false;
}

// ---- shares

struct shares_context {
    const struct node *node;
    struct json_writer *writer;
};

static void write_credited(struct json_writer *writer, const struct share_view *view)
{
    if (view->credited_height == 0)
        json_write_null(writer, "credited_height");
    else
        json_write_u64(writer, "credited_height", view->credited_height);
}

static void write_share_row(void *context, const struct share_view *view)
{
    const struct shares_context *shares = context;
    struct json_writer *writer = shares->writer;
    struct share share;
    struct hash256 pow;
    bool is_stored = sharechain_share_stored(shares->node->sharechain, &view->id, &share, &pow);
    json_begin_object(writer, NULL);
    report_write_id(writer, "id", &view->id);
    report_write_payee(writer, shares->node, &view->payout_script);
    report_write_u256(writer, "weight", &view->weight);
    json_write_u64(writer, "link_height", view->link_height);
    write_credited(writer, view);
    json_write_bool(writer, "is_link", view->is_link);
    json_write_bool(writer, "is_detached", view->is_detached);
    if (is_stored) {
        json_write_u64(writer, "time", share.info.time);
        report_write_team(writer, share.info.node_tag);
    } else {
        json_write_null(writer, "time");
        json_write_null(writer, "team");
    }
    json_end_object(writer);
}

void report_shares(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct script script;
    struct share_browse browse = {
        .from = report_number(call, "from"),
        .count_max = (size_t)report_number(call, "limit"),
    };
    if (report_value(call, "address")->is_given) {
        if (!report_script(node, call, "address", &script))
            return;
        browse.script = &script;
    }
    struct shares_context context = {node, writer};
    struct sharechain_counts counts;
    sharechain_counts(node->sharechain, &counts);
    json_write_u64(writer, "total", counts.shares);
    json_write_u64(writer, "loose", counts.loose);
    json_begin_array(writer, "shares");
    uint64_t next = sharechain_browse(node->sharechain, &browse, write_share_row, &context);
    json_end_array(writer);
    report_write_next(writer, next != 0, next);
}

// ---- share

static void write_bits(struct json_writer *writer, const char *name, uint32_t bits)
{
    char text[9];
    snprintf(text, sizeof(text), "%08x", (unsigned)bits);
    json_write_text(writer, name, text);
}

static void write_header(struct json_writer *writer, const uint8_t bytes[HEADER_SIZE])
{
    struct header header;
    header_decode(bytes, &header);
    json_begin_object(writer, "header");
    json_write_i64(writer, "version", header.version);
    report_write_block_id(writer, "prev", &header.prev);
    report_write_block_id(writer, "merkle_root", &header.merkle_root);
    json_write_u64(writer, "time", header.time);
    write_bits(writer, "bits", header.bits);
    json_write_u64(writer, "nonce", header.nonce);
    json_end_object(writer);
}

static void write_info(struct json_writer *writer, const struct share_info *info)
{
    json_begin_object(writer, "share_info");
    report_write_id(writer, "anchor", &info->anchor);
    json_write_u64(writer, "link_height", info->link_height);
    json_write_u64(writer, "time", info->time);
    write_bits(writer, "link_bits", info->link_bits);
    json_write_u64(writer, "grain_shift", info->grain_shift);
    json_write_hex(writer, "node_tag", info->node_tag, sizeof(info->node_tag));
    report_write_id(writer, "body_root", &info->body_root);
    if (info->has_aux)
        json_write_hex(writer, "aux", info->aux, sizeof(info->aux));
    else
        json_write_null(writer, "aux");
    json_end_object(writer);
}

static void write_credit(const struct node *node, const struct share_view *view,
                         struct json_writer *writer)
{
    struct link_view link;
    if (view->credited_height == 0 ||
        !sharechain_link_at(node->sharechain, view->credited_height, &link)) {
        json_write_null(writer, "credited_by");
        return;
    }
    json_begin_object(writer, "credited_by");
    json_write_u64(writer, "height", link.height);
    report_write_id(writer, "id", &link.id);
    json_end_object(writer);
}

void report_write_share_outputs(struct node *node, const struct hash256 *id,
                                struct json_writer *writer)
{
    struct coinbase_output *outputs = calloc(COINBASE_OUTPUTS_MAX, sizeof(*outputs));
    size_t count = 0;
    if (outputs != NULL && sharechain_share_outputs(node->sharechain, id, outputs, &count))
        report_write_outputs(writer, "outputs", node, outputs, count);
    else
        json_write_null(writer, "outputs"); // no share of ours, or not any more
    free(outputs);
}

static void write_stored(const struct node *node, const struct share *share,
                         const struct hash256 *pow, struct json_writer *writer)
{
    const struct pow_algorithm *algorithm = pow_algorithm(node->pool->chain->pow);
    struct header header;
    struct u256 reached = target_of_hash(pow), target;
    header_decode(share->header, &header);
    bool is_block = target_expand(header.bits, &target) && target_is_met(pow, &target);
    json_write_u64(writer, "time", share->info.time);
    report_write_team(writer, share->info.node_tag);
    json_write_bool(writer, "is_block", is_block);
    json_write_double(writer, "difficulty", target_to_difficulty(&reached, algorithm));
    report_write_block_id(writer, "proof_of_work", pow);
    write_header(writer, share->header);
    write_info(writer, &share->info);
    report_write_sats(writer, "value_sats", share->coinbase_value);
    json_write_hex(writer, "extranonce", share->extranonce, sizeof(share->extranonce));
}

static void write_raw(const struct node *node, const struct hash256 *id, struct json_writer *writer)
{
    uint8_t bytes[SHARE_SIZE_MAX];
    struct buffer raw;
    buffer_init_fixed(&raw, bytes, sizeof(bytes));
    if (sharechain_share_bytes(node->sharechain, id, &raw))
        json_write_hex(writer, "raw", raw.data, raw.size);
    else
        json_write_null(writer, "raw");
}

void report_share(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct hash256 id = {{0}}, pow;
    struct share_view view;
    struct share share;
    report_hash(call, "id", false, &id);
    if (!sharechain_share(node->sharechain, &id, &view) ||
        !sharechain_share_stored(node->sharechain, &id, &share, &pow)) {
        report_fail(call, 404, "id",
                    "no share with this id is here: ids of shares are in wire order, as "
                    "\"shares\" shows them, and what is older than two windows is not kept");
        return;
    }
    report_write_id(writer, "id", &view.id);
    report_write_block_id(writer, "block_id", &view.id);
    report_write_payee(writer, node, &view.payout_script);
    report_write_u256(writer, "weight", &view.weight);
    json_write_bool(writer, "is_link", view.is_link);
    json_write_bool(writer, "is_detached", view.is_detached);
    write_credit(node, &view, writer);
    write_stored(node, &share, &pow, writer);
    report_write_share_outputs(node, &id, writer);
    write_raw(node, &id, writer);
}
