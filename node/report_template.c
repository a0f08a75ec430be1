// The documents "template" (what the miners work on) and "config" (what the node was told to do).
#include <stdlib.h>
#include <string.h>
#include "node/config_table.h"
#include "node/report_parts.h"

// ---- template

#define DEVICES_MAX 64

struct device {
    const char *kind;
    uint32_t coinbase_max, connections;
};

struct devices {
    struct device items[DEVICES_MAX];
    size_t count;
};

static void add_device(void *context, const struct stratum_session_view *session)
{
    struct devices *devices = context;
    size_t i = 0;
    if (!session->is_authorized)
        return;
    while (i < devices->count && (strcmp(devices->items[i].kind, session->kind) != 0 ||
                                  devices->items[i].coinbase_max != session->coinbase_max))
        i++;
    if (i == DEVICES_MAX)
        return;
    if (i == devices->count) {
        devices->items[i] = (struct device){session->kind, session->coinbase_max, 0};
        devices->count++;
    }
    devices->items[i].connections++;
}

// Bytes of the coinbase of the current jobs, without witness data.
static size_t current_coinbase_size(const struct mint *mint)
{
    struct coinbase_output *outputs = calloc(COINBASE_OUTPUTS_MAX, sizeof(*outputs));
    // Where every miner's own script takes everything, the largest kind of one.
    struct script own = {.size = 34, .bytes = {0x51, 0x20}};
    struct buffer prefix;
    if (outputs == NULL)
        return 0;
    struct coinbase_spec spec = {
        .height = mint->height,
        .aux = mint->info.has_aux ? mint->info.aux : NULL,
        .outputs = outputs,
        .outputs_count = mint_outputs(mint, &own, outputs),
        .witness_commitment = mint->has_witness ? &mint->witness_commitment : NULL,
    };
    buffer_init(&prefix, coinbase_prefix_size_max(COINBASE_OUTPUTS_MAX));
    coinbase_write_prefix(&spec, &prefix);
    size_t size = coinbase_size(prefix.size);
    buffer_clear(&prefix);
    free(outputs);
    return size;
}

static void write_coinbase(struct node *node, struct json_writer *writer)
{
    struct devices devices = {.count = 0};
    size_t size = current_coinbase_size(node->mint);
    stratum_each_session(node->stratum, net_loop_now(node->loop), add_device, &devices);
    json_begin_object(writer, "coinbase");
    json_write_u64(writer, "size", size);
    json_write_u64(writer, "outputs",
                   node->mint->is_solo ? 1 : payout_plan_count(node->mint->plan));
    json_begin_array(writer, "devices");
    for (size_t i = 0; i < devices.count; i++) {
        const struct device *device = &devices.items[i];
        json_begin_object(writer, NULL);
        json_write_text(writer, "device", device->kind);
        json_write_u64(writer, "connections", device->connections);
        if (device->coinbase_max == 0)
            json_write_null(writer, "coinbase_max"); // unknown or unlimited
        else
            json_write_u64(writer, "coinbase_max", device->coinbase_max);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

static void write_transactions(const struct block_template *block_template,
                               struct json_writer *writer)
{
    uint64_t fees = 0, weight = 0, sigops = 0;
    for (size_t i = 0; i < block_template->txs_count; i++) {
        fees += block_template->txs[i].fee;
        weight += block_template->txs[i].weight;
        sigops += block_template->txs[i].sigops;
    }
    report_write_sats(writer, "fees_sats", fees);
    json_write_u64(writer, "transactions", block_template->txs_count);
    json_write_u64(writer, "transactions_dropped", block_template->txs_dropped);
    json_write_u64(writer, "weight", weight);
    json_write_u64(writer, "sigops", sigops);
}

void report_template(struct node *node, struct report_call *call, struct json_writer *writer)
{
    const struct block_template *block_template = node->block_template;
    struct backend_view view;
    (void)call;
    if (block_template == NULL || node->mint == NULL) {
        json_write_null(writer, "template");
        return;
    }
    backend_get_view(node->backend, &view);
    json_begin_object(writer, "template");
    json_write_i64(writer, "height", block_template->height);
    report_write_block_id(writer, "prev", &block_template->prev);
    report_write_sats(writer, "value_sats", block_template->coinbase_value);
    write_transactions(block_template, writer);
    json_write_bool(writer, "has_witness", block_template->has_witness);
    json_write_i64(writer, "age_ms", view.template_age_ms);
    json_write_u64(writer, "link_height", node->mint->info.link_height);
    json_write_u64(writer, "grains", node->mint->grains_count);
    json_write_bool(writer, "is_solo", node->mint->is_solo);
    write_coinbase(node, writer);
    json_end_object(writer);
}

// ---- config

static const char *layer_text(enum config_layer layer)
{
    switch (layer) {
    case CONFIG_LAYER_DEFAULT:
        return "default";
    case CONFIG_LAYER_FILE:
        return "file";
    case CONFIG_LAYER_ENVIRONMENT:
        return "environment";
    case CONFIG_LAYER_FLAG:
        return "flag";
    }
    return "";
}

void report_config(struct node *node, struct report_call *call, struct json_writer *writer)
{
    const struct config_row *row;
    (void)call;
    json_begin_array(writer, "values");
    for (size_t i = 0; (row = config_row(i)) != NULL; i++) {
        struct buffer value;
        buffer_init(&value, CONFIG_LIST_MAX * (CONFIG_TEXT_SIZE + 2));
        config_row_write(row, node->config, &value);
        json_begin_object(writer, NULL);
        json_write_text(writer, "key", row->name);
        json_write_text_sized(writer, "value", (const char *)value.data, value.size);
        json_write_text(writer, "source", layer_text(node->config->given[i]));
        json_write_text(writer, "meaning", row->help);
        json_write_text(writer, "right", row->range);
        json_end_object(writer);
        buffer_clear(&value);
    }
    json_end_array(writer);
}
