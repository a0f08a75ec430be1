#include "node/report.h"
#include <string.h>
#include "node/report_parts.h"

#define REQUEST_TOKENS_MAX 32

struct document {
    const char *name;
    const char *meaning;
    void (*write)(struct node *node, const struct report_request *request,
                  struct json_writer *writer);
};

static const struct document documents[] = {
    {"status", "pool, share-chain, current job, daemons and miners at a glance", report_status},
    {"miners", "every connection of a miner, and devices that were refused", report_miners},
    {"blocks", "blocks that this node's miners found, and what became of them", report_blocks},
    {"block", "whom one block paid; by its hash", report_block},
    {"payouts", "whom the next block pays, and whom the blocks after it will pay", report_payouts},
    {"credits", "every link of the best chain with its credits, to recompute payouts from",
     report_credits},
    {"loose", "shares that no link has credited yet, as JSON", report_loose},
    {"daemons", "the coin daemons and what is wrong with them", report_daemons},
    {"links", "the newest links of the best chain, as JSON", report_links},
    {"peers", "the nodes that this one is connected to", report_peers},
    {"dht", "what it knows of the other nodes, and how they find this one", report_dht},
    {"chain", "the share-chain, and how far it has caught up with the pool", report_chain},
};

#define DOCUMENTS_COUNT (sizeof(documents) / sizeof(documents[0]))

static const struct document *document_find(const char *name)
{
    for (size_t i = 0; i < DOCUMENTS_COUNT; i++) {
        if (strcmp(documents[i].name, name) == 0)
            return &documents[i];
    }
    return NULL;
}

const char *report_name(unsigned i, const char **meaning)
{
    if (i >= DOCUMENTS_COUNT)
        return NULL;
    *meaning = documents[i].meaning;
    return documents[i].name;
}

static void write_document(struct node *node, const struct document *document,
                           const struct report_request *request, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "document", document->name);
    json_write_i64(&writer, "now", wall_seconds(net_loop_now(node->loop).wall));
    document->write(node, request, &writer);
    json_end_object(&writer);
}

bool report_write(struct node *node, const char *name, struct buffer *out)
{
    const struct document *document = document_find(name);
    struct report_request request = {0};
    if (document == NULL)
        return false;
    write_document(node, document, &request, out);
    return true;
}

static void write_error(struct buffer *out, const char *text)
{
    struct json_writer writer;
    buffer_reset(out);
    json_writer_init(&writer, out);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "error", text);
    json_end_object(&writer);
}

// NULL if the members are right, else what is wrong with them.
static const char *read_members(struct json_value root, struct report_request *request)
{
    struct json_value from = json_get(root, "from");
    struct json_value tip = json_get(root, "tip");
    struct json_value id = json_get(root, "id");
    char text[65];
    if (json_exists(from) && !json_to_u64(from, &request->from))
        return "\"from\" is no whole number";
    request->has_tip = json_exists(tip);
    if (request->has_tip && !json_to_hex(tip, request->tip.bytes, sizeof(request->tip.bytes)))
        return "\"tip\" is not 64 hex digits";
    request->has_id = json_exists(id);
    if (request->has_id &&
        (!json_to_text(id, text, sizeof(text)) || !hash_from_display(&request->id, text)))
        return "\"id\" is not 64 hex digits";
    return NULL;
}

static bool tip_is_best(const struct node *node, const struct hash256 *tip)
{
    struct link_view link, there;
    return sharechain_link(node->sharechain, tip, &link) &&
           sharechain_link_at(node->sharechain, link.height, &there) && hash_equal(&there.id, tip);
}

static void answer_root(struct node *node, struct json_value root, struct buffer *out)
{
    char name[32];
    struct report_request request = {0};
    if (!json_is_object(root) || !json_to_text(json_get(root, "command"), name, sizeof(name))) {
        write_error(out, "a request is an object as in {\"command\":\"status\"}");
        return;
    }
    const struct document *document = document_find(name);
    const char *wrong = read_members(root, &request);
    if (document == NULL)
        write_error(out,
                    "there is no such command: status, miners, blocks, block, payouts, credits, "
                    "loose, daemons, links, peers, dht or chain");
    else if (wrong != NULL)
        write_error(out, wrong);
    else if (request.has_tip && !tip_is_best(node, &request.tip))
        write_error(out, "\"tip\" is not on the best chain (any more): begin again");
    else
        write_document(node, document, &request, out);
    if (out->failed)
        write_error(out, "the document is too large, or memory is out");
}

void report_answer(struct node *node, const void *request, size_t size, struct buffer *out)
{
    struct json *json = json_parse(request, size, REQUEST_TOKENS_MAX);
    if (json == NULL) {
        write_error(out, "the request is no JSON");
        return;
    }
    answer_root(node, json_root(json), out);
    json_free(json);
}

// ---- What the documents share

void report_write_block_id(struct json_writer *writer, const char *name, const struct hash256 *id)
{
    char text[65];
    hash_to_display(id, text);
    json_write_text(writer, name, text);
}

void report_write_id(struct json_writer *writer, const char *name, const struct hash256 *id)
{
    json_write_hex(writer, name, id->bytes, sizeof(id->bytes));
}

void report_write_payee(struct json_writer *writer, const struct node *node,
                        const struct script *script)
{
    char address[ADDRESS_SIZE_MAX];
    bool has_address = address_encode(node->pool->chain, script, address);
    json_write_text(writer, "address", has_address ? address : NULL);
    json_write_hex(writer, "script", script->bytes, script->size);
}

void report_write_u256(struct json_writer *writer, const char *name, const struct u256 *value)
{
    char text[80];
    u256_to_decimal(value, text);
    json_write_text(writer, name, text);
}

void report_write_sats(struct json_writer *writer, const char *name, uint64_t sats)
{
    struct u256 value = u256_from_u64(sats);
    report_write_u256(writer, name, &value);
}
