// getblocktemplate and submitblock, seen from the pool.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/bitcoin/block_template.h"
#include "node/bitcoin/coinbase.h"
#include "node/pow/sha256.h"
#include "node/pow/target.h"
#include "testnet/devchain/template.h"
#include "tests/unit/testnet/devchain/rpc_fixture.h"

// The node's own reader of templates against this daemon's writer: neither knows the other's code.
static const struct coinbase_needs needs = {.weight = 4000, .sigops = 400};

static void template_is_what_the_node_reads(void **state)
{
    (void)state;
    struct rpc_fixture f;
    const char *field = NULL;
    struct block_template *read;
    rpc_set_up(&f);
    for (int i = 0; i < 3; i++) {
        struct json_value result = rpc_result(&f, "getblocktemplate", RPC_SEGWIT);
        assert_int_equal(
            block_template_parse(chain_params(f.daemon->chain), result, &needs, &read, &field),
            TEMPLATE_OK);
        const struct block_entry *tip = chain_tip(f.daemon->chain);
        assert_int_equal(read->height, tip->height + 1);
        assert_true(hash_equal(&read->prev, &tip->block.id));
        assert_int_equal(read->bits, TEST_BITS);
        assert_int_equal(read->min_time, chain_median_time(tip) + 1);
        assert_int_equal(read->txs_count, mempool_count(f.daemon->mempool));
        assert_int_equal(read->txs_dropped, 0);
        uint64_t fees = 0;
        struct template own;
        template_build(f.daemon->chain, f.daemon->mempool, f.now.wall, &own);
        for (size_t j = 0; j < read->txs_count; j++) {
            const struct pool_tx *pool_tx = mempool_at(f.daemon->mempool, j);
            assert_true(hash_equal(&read->txs[j].wtxid, &pool_tx->tx.summary.wtxid));
            assert_int_equal(read->txs[j].fee, pool_tx->fee);
            assert_int_equal(read->txs[j].sigops, pool_tx->sigop_cost);
            fees += read->txs[j].fee;
        }
        assert_int_equal(read->coinbase_value, own.coinbase_value);
        assert_int_equal(read->coinbase_value, 5000000000 + fees);
        assert_true(hash_equal(&read->witness_commitment, &own.commitment));
        template_clear(&own);
        block_template_release(read);
        rpc_result(&f, "generate", "[1]");
        daemon_tick(f.daemon, (struct mono_time){f.now.mono.ms += 5000});
    }
    rpc_tear_down(&f);
}

static void depends_names_parents_by_their_place(void **state)
{
    (void)state;
    struct rpc_fixture f;
    rpc_set_up(&f);
    generator_add(f.daemon->generator, f.daemon->chain, f.daemon->mempool, 200);
    struct json_value result = rpc_result(&f, "getblocktemplate", RPC_SEGWIT);
    size_t place = 0, edges = 0;
    struct json_value txs = json_get(result, "transactions");
    for (struct json_value tx = json_first(txs); json_exists(tx); tx = json_next(tx)) {
        const struct pool_tx *child = mempool_at(f.daemon->mempool, place++);
        struct json_value depends = json_get(tx, "depends");
        int64_t last[2] = {0, 0};
        size_t i = 0;
        for (struct json_value v = json_first(depends); json_exists(v); v = json_next(v)) {
            int64_t parent_place = rpc_integer(v);
            assert_in_range(parent_place, 1, place - 1);
            assert_true(i < 2 && parent_place != last[0]);
            last[i++] = parent_place;
            const struct pool_tx *parent = mempool_at(f.daemon->mempool, (size_t)parent_place - 1);
            struct tx_inputs walk = tx_inputs_begin(&child->tx);
            struct tx_input input;
            bool is_parent = false;
            while (tx_inputs_next(&walk, &input))
                is_parent = is_parent || hash_equal(&input.txid, &parent->tx.summary.txid);
            assert_true(is_parent);
            edges++;
        }
        assert_int_equal(child->ancestors > 1, i > 0);
    }
    assert_int_equal(place, 220);
    assert_true(edges > 20);
    rpc_tear_down(&f);
}

// A pool's block: the coinbase of protocol section 3 over this daemon's template, by the node's
// code.
static void block_of_the_pools_coinbase_is_taken(void **state)
{
    (void)state;
    struct rpc_fixture f;
    const char *field = NULL;
    struct block_template *read;
    rpc_set_up(&f);
    assert_int_equal(block_template_parse(chain_params(f.daemon->chain),
                                          rpc_result(&f, "getblocktemplate", RPC_SEGWIT), &needs,
                                          &read, &field),
                     TEMPLATE_OK);
    struct coinbase_output output = {.amount = read->coinbase_value,
                                     .script = {.size = 22, .bytes = {0, 20, 1, 2, 3}}};
    struct coinbase_spec spec = {.height = read->height,
                                 .outputs = &output,
                                 .outputs_count = 1,
                                 .witness_commitment = &read->witness_commitment};
    struct hash256 share_info = {{5}};
    const uint8_t extranonce[COINBASE_EXTRANONCE_SIZE] = {1};
    struct buffer coinbase, block, params;
    buffer_init(&coinbase, 10000);
    coinbase_write_prefix(&spec, &coinbase);
    coinbase_write_tail(&share_info, extranonce, read->height, &coinbase);
    struct hash256 txid, root, hash;
    sha256d(coinbase.data, coinbase.size, &txid);
    merkle_branch_root(&read->branch, &txid, &root);
    struct header header = {.version = read->version,
                            .prev = read->prev,
                            .merkle_root = root,
                            .time = read->time,
                            .bits = read->bits};
    uint8_t bytes[HEADER_SIZE];
    struct u256 target;
    target_expand(header.bits, &target);
    do {
        header.nonce++;
        header_encode(&header, bytes);
        sha256d_80(bytes, &hash);
    } while (!target_is_met(&hash, &target));
    buffer_init(&block, 1 << 20);
    assert_true(block_template_write_block(read, bytes, coinbase.data, coinbase.size, &block));
    buffer_init(&params, 1 << 22);
    struct json_writer writer;
    json_writer_init(&writer, &params);
    json_begin_array(&writer, NULL);
    json_write_hex(&writer, NULL, block.data, block.size);
    json_end_array(&writer);
    write_u8(&params, 0);
    assert_true(json_is_null(rpc_result(&f, "submitblock", (const char *)params.data)));
    assert_int_equal(chain_tip(f.daemon->chain)->height, 1);
    rpc_assert_text(rpc_result(&f, "submitblock", (const char *)params.data), "duplicate");
    buffer_clear(&params);
    buffer_clear(&block);
    buffer_clear(&coinbase);
    block_template_release(read);
    rpc_tear_down(&f);
}

static void longpoll_waits_for_the_tip(void **state)
{
    (void)state;
    struct rpc_fixture f;
    char id[TEMPLATE_LONGPOLL_SIZE], params[300];
    rpc_set_up(&f);
    json_to_text(json_get(rpc_result(&f, "getblocktemplate", RPC_SEGWIT), "longpollid"), id,
                 sizeof id);
    snprintf(params, sizeof params, "[{\"rules\":[\"segwit\"],\"longpollid\":\"%s\"}]", id);
    assert_int_equal(rpc_ask(&f, "getblocktemplate", params), RPC_HOLD);
    f.now.mono.ms += 600000; // nothing changes: for as long as it takes
    assert_int_equal(rpc_ask(&f, "getblocktemplate", params), RPC_HOLD);
    rpc_result(&f, "generate", "[1]");
    struct json_value result = rpc_result(&f, "getblocktemplate", params);
    assert_int_equal(rpc_integer(json_get(result, "height")), 2);
    rpc_tear_down(&f);
}

static void longpoll_ends_for_transactions_only_after_a_while(void **state)
{
    (void)state;
    struct rpc_fixture f;
    char id[TEMPLATE_LONGPOLL_SIZE], params[300], batch[400];
    rpc_set_up(&f);
    json_to_text(json_get(rpc_result(&f, "getblocktemplate", RPC_SEGWIT), "longpollid"), id,
                 sizeof id);
    snprintf(params, sizeof params, "[{\"rules\":[\"segwit\"],\"longpollid\":\"%s\"}]", id);
    generator_add(f.daemon->generator, f.daemon->chain, f.daemon->mempool, 1);
    assert_int_equal(rpc_ask(&f, "getblocktemplate", params), RPC_HOLD);
    f.now.mono.ms += 9999;
    assert_int_equal(rpc_ask(&f, "getblocktemplate", params), RPC_HOLD);
    f.now.mono.ms += 1;
    assert_int_equal(
        json_size(json_get(rpc_result(&f, "getblocktemplate", params), "transactions")), 21);
    // An id that is none of ours, and a batch, are answered at once.
    rpc_result(&f, "getblocktemplate", "[{\"rules\":[\"segwit\"],\"longpollid\":\"x\"}]");
    snprintf(batch, sizeof batch, "[{\"id\":1,\"method\":\"getblocktemplate\",\"params\":%s}]",
             params);
    f.now.mono.ms = f.arrived.mono.ms;
    assert_int_equal(rpc_send(&f, batch), RPC_ANSWER);
    assert_int_equal(json_size(json_root(f.json)), 1);
    rpc_tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(template_is_what_the_node_reads),
        cmocka_unit_test(depends_names_parents_by_their_place),
        cmocka_unit_test(block_of_the_pools_coinbase_is_taken),
        cmocka_unit_test(longpoll_waits_for_the_tip),
        cmocka_unit_test(longpoll_ends_for_transactions_only_after_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
