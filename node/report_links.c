// The documents "links" and "link": the best chain, the newest link first, and one link with what
// it includes and credits.
#include <string.h>
#include "node/report_parts.h"

static void write_members(struct node *node, const struct link_view *link,
                          struct json_writer *writer)
{
    json_write_u64(writer, "height", link->height);
    report_write_id(writer, "id", &link->id);
    json_write_u64(writer, "time", link->time);
    report_write_payee(writer, node, &link->payout_script);
    json_write_u64(writer, "grains", link->grains_count);
    report_write_u256(writer, "weight", &link->weight);
    report_write_u256(writer, "credits", &link->credits);
    json_write_i64(writer, "tip_height", link->tip_height);
    json_write_bool(writer, "is_detached", link->is_detached);
    // Whether it is also a block that a miner of this node found.
    json_write_bool(writer, "is_found_block", blocks_find(node, &link->id) != NULL);
}

static void write_link(struct node *node, const struct link_view *link, struct json_writer *writer)
{
    json_begin_object(writer, NULL);
    write_members(node, link, writer);
    json_end_object(writer);
}

void report_links(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct link_view tip, link;
    uint64_t from = report_number(call, "from"), limit = report_number(call, "limit");
    sharechain_tip(node->sharechain, &tip);
    uint32_t low = sharechain_root_height(node->sharechain);
    uint32_t height = from == 0 || from > tip.height ? tip.height : (uint32_t)from;
    json_begin_array(writer, "links");
    for (; height > 0 && limit > 0 && sharechain_link_at(node->sharechain, height, &link);
         limit--) {
        write_link(node, &link, writer);
        height--;
    }
    json_end_array(writer);
    report_write_next(writer, height > 0 && height >= low, height);
}

// ---- One link

struct link_context {
    const struct node *node;
    struct json_writer *writer;
};

static void write_credit(void *context, const struct script *script, const struct u256 *weight)
{
    const struct link_context *link = context;
    json_begin_object(link->writer, NULL);
    report_write_payee(link->writer, link->node, script);
    report_write_u256(link->writer, "weight", weight);
    json_end_object(link->writer);
}

static void write_grain(void *context, const struct share_view *view)
{
    const struct link_context *link = context;
    struct json_writer *writer = link->writer;
    uint8_t tag[SHARE_NODE_TAG_SIZE];
    json_begin_object(writer, NULL);
    report_write_id(writer, "id", &view->id);
    report_write_payee(writer, link->node, &view->payout_script);
    report_write_u256(writer, "weight", &view->weight);
    if (sharechain_share_tag(link->node->sharechain, &view->id, tag))
        report_write_team(writer, tag);
    else
        json_write_null(writer, "team");
    json_end_object(writer);
}

void report_link(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct hash256 id = {{0}};
    struct link_view link, there;
    uint8_t tag[SHARE_NODE_TAG_SIZE];
    report_hash(call, "id", false, &id);
    if (!sharechain_link(node->sharechain, &id, &link) || link.height == 0) {
        report_fail(call, 404, "id",
                    "no link with this id is here: ids of links are in wire order, as \"links\" "
                    "shows them");
        return;
    }
    write_members(node, &link, writer);
    bool is_best = sharechain_link_at(node->sharechain, link.height, &there) &&
                   hash_equal(&there.id, &link.id);
    report_write_id(writer, "anchor", &link.anchor);
    report_write_u256(writer, "work", &link.work);
    report_write_block_id(writer, "tip", &link.tip);
    json_write_bool(writer, "is_on_best_chain", is_best);
    if (sharechain_share_tag(node->sharechain, &id, tag))
        report_write_team(writer, tag);
    else
        json_write_null(writer, "team");
    struct link_context context = {node, writer};
    json_begin_array(writer, "included");
    sharechain_each_included(node->sharechain, &id, write_grain, &context);
    json_end_array(writer);
    json_begin_array(writer, "credited");
    sharechain_link_credits(node->sharechain, &id, write_credit, &context);
    json_end_array(writer);
}
