#include <stdlib.h>
#include "testnet/devchain/rpc_call.h"

void rpc_getmempoolinfo(struct rpc_call *call)
{
    struct json_writer *out = &call->result;
    json_begin_object(out, NULL);
    json_write_bool(out, "loaded", true);
    json_write_u64(out, "size", mempool_count(call->daemon->mempool));
    json_write_u64(out, "bytes", mempool_size(call->daemon->mempool));
    json_write_u64(out, "maxmempool", MEMPOOL_BYTES_MAX);
    json_end_object(out);
}

// The waiting transactions that this one spends from.
static void write_parents(struct json_writer *out, const struct mempool *mempool,
                          const struct tx_view *tx)
{
    json_begin_array(out, "depends");
    struct tx_inputs walk = tx_inputs_begin(tx);
    struct tx_input input;
    while (tx_inputs_next(&walk, &input)) {
        if (mempool_find(mempool, &input.txid) != NULL)
            rpc_write_hash(out, NULL, &input.txid);
    }
    json_end_array(out);
}

static void write_entry(struct json_writer *out, const struct mempool *mempool,
                        const struct pool_tx *pool_tx)
{
    char txid[65];
    const struct tx_summary *summary = &pool_tx->tx.summary;
    hash_to_display(&summary->txid, txid);
    json_begin_object(out, txid);
    json_write_u64(out, "vsize", (tx_weight(summary) + 3) / 4);
    json_write_u64(out, "weight", tx_weight(summary));
    json_begin_object(out, "fees");
    rpc_write_amount(out, "base", pool_tx->fee);
    json_end_object(out);
    rpc_write_hash(out, "wtxid", &summary->wtxid);
    write_parents(out, mempool, &pool_tx->tx);
    json_end_object(out);
}

void rpc_getrawmempool(struct rpc_call *call)
{
    const struct mempool *mempool = call->daemon->mempool;
    struct json_writer *out = &call->result;
    bool is_verbose = false;
    struct json_value verbose = rpc_param(call, 0, "verbose");
    if (json_is_present(verbose) && !json_to_bool(verbose, &is_verbose)) {
        rpc_fail(call, RPC_TYPE_ERROR, "verbose: true or false is wanted");
        return;
    }
    if (is_verbose)
        json_begin_object(out, NULL);
    else
        json_begin_array(out, NULL);
    for (size_t i = 0; i < mempool_count(mempool); i++) {
        const struct pool_tx *pool_tx = mempool_at(mempool, i);
        if (is_verbose)
            write_entry(out, mempool, pool_tx);
        else
            rpc_write_hash(out, NULL, &pool_tx->tx.summary.txid);
    }
    if (is_verbose)
        json_end_object(out);
    else
        json_end_array(out);
}

void rpc_sendrawtransaction(struct rpc_call *call)
{
    size_t size;
    uint8_t *bytes = rpc_param_hex(call, 0, "hexstring", &size);
    if (bytes == NULL)
        return;
    const struct daemon *daemon = call->daemon;
    enum verdict verdict = mempool_accept(daemon->mempool, daemon->chain, bytes, size);
    if (verdict == VERDICT_OK || verdict == VERDICT_TX_KNOWN) {
        struct reader reader = reader_init(bytes, size);
        struct tx_view tx;
        tx_view_read(&reader, &tx);
        rpc_write_hash(&call->result, NULL, &tx.summary.txid);
    } else if (verdict == VERDICT_UNDECODABLE) {
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode failed");
    } else if (verdict == VERDICT_INPUT_MISSING) {
        rpc_fail(call, RPC_VERIFY_ERROR, "%s", verdict_text(verdict));
    } else if (verdict == VERDICT_TX_CONFIRMED) {
        rpc_fail(call, RPC_VERIFY_ALREADY_IN_CHAIN, "Transaction already in block chain");
    } else {
        rpc_fail(call, RPC_VERIFY_REJECTED, "%s", verdict_text(verdict));
    }
    free(bytes);
}
