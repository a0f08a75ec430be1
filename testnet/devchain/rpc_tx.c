#include <stdlib.h>
#include <string.h>
#include "node/bitcoin/address.h"
#include "testnet/devchain/rpc_call.h"

static const char *script_type(const uint8_t *script, size_t size)
{
    switch (script_kind(script, size)) {
    case SCRIPT_P2PKH:
        return "pubkeyhash";
    case SCRIPT_P2SH:
        return "scripthash";
    case SCRIPT_P2WPKH:
        return "witness_v0_keyhash";
    case SCRIPT_P2WSH:
        return "witness_v0_scripthash";
    case SCRIPT_P2TR:
        return "witness_v1_taproot";
    case SCRIPT_OTHER:
        break;
    }
    return size > 0 && script[0] == 0x6a ? "nulldata" : "nonstandard";
}

static void write_output(const struct rpc_call *call, struct json_writer *writer,
                         const struct tx_output *output, uint32_t n)
{
    char address[ADDRESS_SIZE_MAX];
    struct script script;
    json_begin_object(writer, NULL);
    rpc_write_amount(writer, "value", output->amount);
    json_write_u64(writer, "n", n);
    json_begin_object(writer, "scriptPubKey");
    json_write_hex(writer, "hex", output->script, output->script_size);
    if (script_from_bytes(&script, output->script, output->script_size) &&
        address_encode(chain_params(call->daemon->chain), &script, address))
        json_write_text(writer, "address", address);
    json_write_text(writer, "type", script_type(output->script, output->script_size));
    json_end_object(writer);
    json_end_object(writer);
}

static void write_input(struct json_writer *writer, const struct tx_input *input, bool is_coinbase)
{
    json_begin_object(writer, NULL);
    if (is_coinbase) {
        json_write_hex(writer, "coinbase", input->script, input->script_size);
    } else {
        rpc_write_hash(writer, "txid", &input->txid);
        json_write_u64(writer, "vout", input->index);
        json_begin_object(writer, "scriptSig");
        json_write_hex(writer, "hex", input->script, input->script_size);
        json_end_object(writer);
    }
    // This chain accepts one witness item at most, so the first one is all there is.
    if (input->witness_count > 0) {
        json_begin_array(writer, "txinwitness");
        json_write_hex(writer, NULL, input->witness, input->witness_size);
        json_end_array(writer);
    }
    json_write_u64(writer, "sequence", input->sequence);
    json_end_object(writer);
}

void rpc_write_tx(const struct rpc_call *call, struct json_writer *writer, const struct tx_view *tx)
{
    const struct tx_summary *summary = &tx->summary;
    json_begin_object(writer, NULL);
    rpc_write_hash(writer, "txid", &summary->txid);
    rpc_write_hash(writer, "hash", &summary->wtxid);
    json_write_i64(writer, "version", tx_version(tx));
    json_write_u64(writer, "size", summary->size);
    json_write_u64(writer, "vsize", (tx_weight(summary) + 3) / 4);
    json_write_u64(writer, "weight", tx_weight(summary));
    json_write_u64(writer, "locktime", summary->locktime);
    json_begin_array(writer, "vin");
    struct tx_inputs inputs = tx_inputs_begin(tx);
    struct tx_input input;
    while (tx_inputs_next(&inputs, &input))
        write_input(writer, &input, tx_is_coinbase(tx));
    json_end_array(writer);
    json_begin_array(writer, "vout");
    struct tx_outputs outputs = tx_outputs_begin(tx);
    struct tx_output output;
    for (uint32_t n = 0; tx_outputs_next(&outputs, &output); n++)
        write_output(call, writer, &output, n);
    json_end_array(writer);
    json_write_hex(writer, "hex", tx->bytes, summary->size);
    json_end_object(writer);
}
