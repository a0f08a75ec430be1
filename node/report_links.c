// The document "links": the best chain, the newest link first.
#include "node/report_parts.h"

static void write_link(struct node *node, const struct link_view *link, struct json_writer *writer)
{
    json_begin_object(writer, NULL);
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
