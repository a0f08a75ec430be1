#include <stdlib.h>
#include "testnet/devchain/rpc_call.h"

// The block that the first parameter names; NULL and failed if there is none.
static const struct block_entry *find_block(struct rpc_call *call)
{
    struct hash256 id;
    if (!rpc_param_hash(call, 0, "blockhash", &id))
        return NULL;
    const struct block_entry *entry = chain_find(call->daemon->chain, &id);
    if (entry == NULL)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
    return entry;
}

void rpc_getbestblockhash(struct rpc_call *call)
{
    rpc_write_hash(&call->result, NULL, &chain_tip(call->daemon->chain)->block.id);
}

void rpc_getblockcount(struct rpc_call *call)
{
    json_write_i64(&call->result, NULL, chain_tip(call->daemon->chain)->height);
}

void rpc_getdifficulty(struct rpc_call *call)
{
    json_write_double(&call->result, NULL, rpc_difficulty(chain_bits(call->daemon->chain)));
}

void rpc_getblockhash(struct rpc_call *call)
{
    int64_t height = -1;
    if (!rpc_param_integer(call, 0, "height", (struct rpc_range){INT32_MIN, INT32_MAX}, &height))
        return;
    const struct block_entry *entry = chain_at(call->daemon->chain, height);
    if (entry == NULL)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Block height out of range");
    else
        rpc_write_hash(&call->result, NULL, &entry->block.id);
}

void rpc_getblockchaininfo(struct rpc_call *call)
{
    const struct chain *chain = call->daemon->chain;
    const struct block_entry *tip = chain_tip(chain);
    struct json_writer *out = &call->result;
    json_begin_object(out, NULL);
    json_write_text(out, "chain", call->is_spoiled ? "main" : chain_params(chain)->name);
    json_write_i64(out, "blocks", tip->height);
    json_write_i64(out, "headers", tip->height);
    rpc_write_hash(out, "bestblockhash", &tip->block.id);
    rpc_write_hex32(out, "bits", chain_bits(chain));
    rpc_write_target(out, "target", chain_bits(chain));
    json_write_double(out, "difficulty", rpc_difficulty(chain_bits(chain)));
    json_write_u64(out, "time", tip->block.header.time);
    json_write_i64(out, "mediantime", chain_median_time(tip));
    json_write_u64(out, "verificationprogress", 1);
    json_write_bool(out, "initialblockdownload", false);
    rpc_write_chainwork(out, "chainwork", &tip->chainwork);
    json_write_u64(out, "size_on_disk", chain_size(chain));
    json_write_bool(out, "pruned", false);
    json_begin_array(out, "warnings");
    json_end_array(out);
    json_end_object(out);
}

// The members that getblock and getblockheader share.
static void write_header(struct rpc_call *call, const struct block_entry *entry)
{
    const struct chain *chain = call->daemon->chain;
    const struct header *header = &entry->block.header;
    const struct block_entry *next = entry->is_active ? chain_at(chain, entry->height + 1) : NULL;
    int64_t depth = chain_tip(chain)->height - entry->height + 1;
    struct json_writer *out = &call->result;
    rpc_write_hash(out, "hash", &entry->block.id);
    json_write_i64(out, "confirmations", entry->is_active ? depth : -1);
    json_write_i64(out, "height", entry->height);
    json_write_i64(out, "version", (int32_t)header->version);
    rpc_write_hex32(out, "versionHex", header->version);
    rpc_write_hash(out, "merkleroot", &header->merkle_root);
    json_write_u64(out, "time", header->time);
    json_write_i64(out, "mediantime", chain_median_time(entry));
    json_write_u64(out, "nonce", header->nonce);
    rpc_write_hex32(out, "bits", header->bits);
    rpc_write_target(out, "target", header->bits);
    json_write_double(out, "difficulty", rpc_difficulty(header->bits));
    rpc_write_chainwork(out, "chainwork", &entry->chainwork);
    json_write_u64(out, "nTx", entry->block.txs_count);
    if (entry->parent != NULL)
        rpc_write_hash(out, "previousblockhash", &entry->parent->block.id);
    if (next != NULL)
        rpc_write_hash(out, "nextblockhash", &next->block.id);
}

void rpc_getblockheader(struct rpc_call *call)
{
    bool is_verbose = true;
    struct json_value verbose = rpc_param(call, 1, "verbose");
    if (json_is_present(verbose) && !json_to_bool(verbose, &is_verbose)) {
        rpc_fail(call, RPC_TYPE_ERROR, "verbose: true or false is wanted");
        return;
    }
    const struct block_entry *entry = find_block(call);
    if (entry == NULL)
        return;
    if (!is_verbose) {
        json_write_hex(&call->result, NULL, entry->block.bytes, HEADER_SIZE);
        return;
    }
    json_begin_object(&call->result, NULL);
    write_header(call, entry);
    json_end_object(&call->result);
}

// A number, or the older true and false.
static bool read_verbosity(struct rpc_call *call, int64_t *verbosity)
{
    bool is_verbose;
    *verbosity = 1;
    if (json_to_bool(rpc_param(call, 1, "verbosity"), &is_verbose)) {
        *verbosity = is_verbose ? 1 : 0;
        return true;
    }
    return rpc_param_integer(call, 1, "verbosity", (struct rpc_range){0, 2}, verbosity);
}

void rpc_getblock(struct rpc_call *call)
{
    int64_t verbosity;
    if (!read_verbosity(call, &verbosity))
        return;
    const struct block_entry *entry = find_block(call);
    struct json_writer *out = &call->result;
    if (entry == NULL)
        return;
    const struct block *block = &entry->block;
    if (verbosity == 0) {
        json_write_hex(out, NULL, block->bytes, block->size);
        return;
    }
    json_begin_object(out, NULL);
    write_header(call, entry);
    json_write_u64(out, "size", block->size);
    json_write_u64(out, "weight", block_weight(block));
    json_begin_array(out, "tx");
    for (size_t i = 0; i < block->txs_count; i++) {
        if (verbosity == 1)
            rpc_write_hash(out, NULL, &block->txs[i].summary.txid);
        else
            rpc_write_tx(call, out, &block->txs[i]);
    }
    json_end_array(out);
    json_end_object(out);
}
