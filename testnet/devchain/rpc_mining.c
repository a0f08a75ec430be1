#include <stdlib.h>
#include <string.h>
#include "testnet/common/memory.h"
#include "testnet/devchain/rpc_call.h"
#include "testnet/devchain/template.h"

#define LONGPOLL_TXS_MS 10000 // new transactions alone end a long poll no earlier
#define HASH_DIGITS     64

// BIP 22: waits while the tip is the one in the id; after a while other transactions are a reason
// to answer, too.
static bool must_wait(const struct rpc_call *call, struct json_value request)
{
    char asked[TEMPLATE_LONGPOLL_SIZE];
    char current[TEMPLATE_LONGPOLL_SIZE];
    if (!call->may_hold || !json_to_text(json_get(request, "longpollid"), asked, sizeof asked))
        return false;
    template_longpoll_id(call->daemon->chain, call->daemon->mempool, current);
    if (strncmp(asked, current, HASH_DIGITS) != 0)
        return false;
    bool has_other_txs = strcmp(asked, current) != 0;
    bool is_over = call->now.mono.ms - call->arrived.mono.ms >= LONGPOLL_TXS_MS;
    return !(has_other_txs && is_over);
}

static bool has_segwit_rule(struct json_value request)
{
    struct json_value rules = json_get(request, "rules");
    for (struct json_value v = json_first(rules); json_exists(v); v = json_next(v)) {
        if (json_text_equals(v, "segwit"))
            return true;
    }
    return false;
}

// Of each transaction in the pool: its 1-based place in the template, and the last place that named
// it as parent.
struct place {
    size_t own;
    size_t child;
};

// The places of those that this transaction spends from, each once.
static void write_depends(struct json_writer *out, const struct mempool *mempool,
                          struct place *places, const struct pool_tx *pool_tx)
{
    size_t child = places[pool_tx->position].own;
    json_begin_array(out, "depends");
    struct tx_inputs walk = tx_inputs_begin(&pool_tx->tx);
    struct tx_input input;
    while (tx_inputs_next(&walk, &input)) {
        const struct pool_tx *parent = mempool_find(mempool, &input.txid);
        if (parent == NULL || places[parent->position].child == child)
            continue;
        places[parent->position].child = child;
        json_write_u64(out, NULL, places[parent->position].own);
    }
    json_end_array(out);
}

static void write_transactions(struct rpc_call *call, const struct template *template)
{
    const struct mempool *mempool = call->daemon->mempool;
    struct place *places = memory_new(mempool_count(mempool), sizeof *places);
    struct json_writer *out = &call->result;
    json_begin_array(out, "transactions");
    for (size_t i = 0; i < template->txs_count; i++) {
        const struct pool_tx *pool_tx = template->txs[i];
        const struct tx_summary *summary = &pool_tx->tx.summary;
        places[pool_tx->position].own = i + 1;
        json_begin_object(out, NULL);
        json_write_hex(out, "data", pool_tx->tx.bytes, summary->size);
        rpc_write_hash(out, "txid", &summary->txid);
        rpc_write_hash(out, "hash", &summary->wtxid);
        write_depends(out, mempool, places, pool_tx);
        json_write_u64(out, "fee", pool_tx->fee);
        json_write_u64(out, "sigops", pool_tx->sigop_cost);
        json_write_u64(out, "weight", tx_weight(summary));
        json_end_object(out);
    }
    json_end_array(out);
    free(places);
}

static void write_text_array(struct json_writer *out, const char *name, const char *const *texts,
                             size_t count)
{
    json_begin_array(out, name);
    for (size_t i = 0; i < count; i++)
        json_write_text(out, NULL, texts[i]);
    json_end_array(out);
}

static void write_rules(struct json_writer *out)
{
    static const char *const capabilities[] = {"proposal"};
    static const char *const rules[] = {"csv", "!segwit", "taproot"};
    write_text_array(out, "capabilities", capabilities, 1);
    json_write_u64(out, "version", TEMPLATE_VERSION);
    write_text_array(out, "rules", rules, 3);
    json_begin_object(out, "vbavailable");
    json_end_object(out);
    json_write_u64(out, "vbrequired", 0);
}

static void write_limits(struct json_writer *out, const struct template *template)
{
    static const char *const mutable[] = {"time", "transactions", "prevblock"};
    rpc_write_target(out, "target", template->bits);
    json_write_u64(out, "mintime", template->min_time);
    write_text_array(out, "mutable", mutable, 3);
    json_write_text(out, "noncerange", "00000000ffffffff");
    json_write_u64(out, "sigoplimit", BLOCK_SIGOP_COST_MAX);
    json_write_u64(out, "sizelimit", BLOCK_SIZE_MAX);
    json_write_u64(out, "weightlimit", BLOCK_WEIGHT_MAX);
    json_write_u64(out, "curtime", template->time);
    rpc_write_hex32(out, "bits", template->bits);
    json_write_i64(out, "height", template->height);
}

static void write_template(struct rpc_call *call, const struct template *template)
{
    char longpoll_id[TEMPLATE_LONGPOLL_SIZE];
    uint8_t commitment[38] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    struct hash256 prev = template->parent->block.id;
    struct json_writer *out = &call->result;
    memcpy(commitment + 6, template->commitment.bytes, 32);
    template_longpoll_id(call->daemon->chain, call->daemon->mempool, longpoll_id);
    if (call->is_spoiled)
        memset(prev.bytes, 0x5a, 28); // a hash that nobody knows
    json_begin_object(out, NULL);
    write_rules(out);
    rpc_write_hash(out, "previousblockhash", &prev);
    write_transactions(call, template);
    json_begin_object(out, "coinbaseaux");
    json_end_object(out);
    json_write_u64(out, "coinbasevalue", template->coinbase_value);
    json_write_text(out, "longpollid", longpoll_id);
    write_limits(out, template);
    json_write_hex(out, "default_witness_commitment", commitment, sizeof commitment);
    json_end_object(out);
}

static void write_verdict(struct rpc_call *call, enum verdict verdict)
{
    if (verdict == VERDICT_UNDECODABLE)
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Block decode failed");
    else if (verdict == VERDICT_NO_COINBASE_FIRST)
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Block does not start with a coinbase");
    else if (verdict == VERDICT_NOT_STORED)
        rpc_fail(call, RPC_DATABASE_ERROR, "The block cannot be written to disk");
    else if (verdict == VERDICT_OK)
        json_write_null(&call->result, NULL);
    else
        json_write_text(&call->result, NULL, verdict_text(verdict));
}

static void propose(struct rpc_call *call, struct json_value request)
{
    struct rpc_call inner = *call; // its parameters are the members of the request
    size_t size;
    inner.params = request;
    uint8_t *bytes = rpc_param_hex(&inner, 0, "data", &size);
    if (bytes == NULL) {
        rpc_fail(call, inner.code, "%s", inner.message);
        return;
    }
    write_verdict(call, chain_propose(call->daemon->chain, bytes, size, call->now.wall));
    free(bytes);
}

void rpc_getblocktemplate(struct rpc_call *call)
{
    struct json_value request = rpc_param(call, 0, "template_request");
    struct json_value mode = json_get(request, "mode");
    if (json_text_equals(mode, "proposal")) {
        propose(call, request);
        return;
    }
    if (json_is_present(mode) && !json_text_equals(mode, "template")) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid mode");
        return;
    }
    if (!has_segwit_rule(request)) {
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "getblocktemplate must be called with the segwit rule set "
                 "(call with {\"rules\": [\"segwit\"]})");
        return;
    }
    if (must_wait(call, request)) {
        call->is_held = true;
        return;
    }
    struct template template;
    template_build(call->daemon->chain, call->daemon->mempool, call->now.wall, &template);
    write_template(call, &template);
    template_clear(&template);
}

void rpc_submitblock(struct rpc_call *call)
{
    size_t size;
    uint8_t *bytes = rpc_param_hex(call, 0, "hexdata", &size);
    if (bytes == NULL)
        return;
    write_verdict(call, daemon_submit(call->daemon, bytes, size, call->now.wall));
    free(bytes);
}

void rpc_getmininginfo(struct rpc_call *call)
{
    const struct chain *chain = call->daemon->chain;
    struct json_writer *out = &call->result;
    json_begin_object(out, NULL);
    json_write_i64(out, "blocks", chain_tip(chain)->height);
    rpc_write_hex32(out, "bits", chain_bits(chain));
    json_write_double(out, "difficulty", rpc_difficulty(chain_bits(chain)));
    rpc_write_target(out, "target", chain_bits(chain));
    json_write_u64(out, "pooledtx", mempool_count(call->daemon->mempool));
    json_write_text(out, "chain", chain_params(chain)->name);
    json_end_object(out);
}
