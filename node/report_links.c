// The document "links": the newest links of the best chain, for the picture of it.
#include "node/report_parts.h"

#define LINKS_SHOWN 60

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

void report_links(struct node *node, const struct report_request *request,
                  struct json_writer *writer)
{
    (void)request;
    struct link_view tip, link;
    sharechain_tip(node->sharechain, &tip);
    uint32_t first = tip.height > LINKS_SHOWN ? tip.height - LINKS_SHOWN + 1 : 1;
    json_begin_array(writer, "links");
    for (uint32_t height = first; height <= tip.height; height++) {
        if (sharechain_link_at(node->sharechain, height, &link))
            write_link(node, &link, writer);
    }
    json_end_array(writer);
}
