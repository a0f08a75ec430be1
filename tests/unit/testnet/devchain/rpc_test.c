#include "testnet/devchain/rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "tests/unit/testnet/devchain/rpc_fixture.h"

static void errors_have_the_codes_of_bitcoind(void **state)
{
    (void)state;
    struct rpc_fixture f;
    rpc_set_up(&f);
    const char *unknown = "[\"00000000000000000000000000000000000000000000000000000000000000ff\"]";
    assert_int_equal(rpc_error(&f, "nosuchthing", "[]"), -32601);
    assert_int_equal(f.reply.http_status, 404);
    assert_int_equal(rpc_error(&f, "getblockheader", unknown), -5);
    assert_int_equal(f.reply.http_status, 500);
    assert_int_equal(rpc_error(&f, "getblockheader", "[\"ff\"]"), -8);
    assert_int_equal(rpc_error(&f, "getblockheader", "[5]"), -3);
    assert_int_equal(rpc_error(&f, "getblockheader", "[]"), -3);
    assert_int_equal(rpc_error(&f, "getblock", unknown), -5);
    assert_int_equal(rpc_error(&f, "getblockhash", "[1]"), -8);
    assert_int_equal(rpc_error(&f, "getblockhash", "[-1]"), -8);
    assert_int_equal(rpc_error(&f, "getblockhash", "[\"1\"]"), -3);
    assert_int_equal(rpc_error(&f, "getblocktemplate", "[]"), -8);
    assert_int_equal(rpc_error(&f, "getblocktemplate", "[{\"rules\":[\"taproot\"]}]"), -8);
    assert_int_equal(rpc_error(&f, "getblocktemplate", "[{\"mode\":\"x\"}]"), -8);
    assert_int_equal(rpc_error(&f, "submitblock", "[\"00\"]"), -22);
    assert_int_equal(rpc_error(&f, "submitblock", "[\"0\"]"), -22);
    assert_int_equal(rpc_error(&f, "submitblock", "[\"zz\"]"), -22);
    assert_int_equal(rpc_error(&f, "submitblock", "[]"), -3);
    assert_int_equal(rpc_error(&f, "sendrawtransaction", "[\"00\"]"), -22);
    assert_int_equal(rpc_error(&f, "generate", "[0]"), -8);
    assert_int_equal(rpc_error(&f, "generate", "[10001]"), -8);
    assert_int_equal(rpc_error(&f, "generatetoaddress", "[1,\"bcrt1q\"]"), -5);
    assert_int_equal(rpc_error(&f, "devreorg", "[1]"), -8);
    rpc_tear_down(&f);
}

static void requests_that_are_none_are_answered(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned status;
        const char *start;
    } cases[] = {
        {"", 500, "{\"result\":null,\"error\":{\"code\":-32700,"},
        {"{", 500, "{\"result\":null,\"error\":{\"code\":-32700,"},
        {"5", 400, "{\"result\":null,\"error\":{\"code\":-32600,"},
        {"{}", 400, "{\"result\":null,\"error\":{\"code\":-32600,"},
        {"{\"method\":5,\"id\":1}", 400, "{\"result\":null,\"error\":{\"code\":-32600,"},
        {"{\"method\":\"uptime\",\"params\":3}", 400, "{\"result\":null,\"error\":{\"code\":-326"},
        {"[]", 200, "[]"},
        {"[5]", 200, "[{\"result\":null,\"error\":{\"code\":-32600,"},
    };
    struct rpc_fixture f;
    rpc_set_up(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(rpc_send(&f, cases[i].text), RPC_ANSWER);
        assert_int_equal(f.reply.http_status, cases[i].status);
        assert_true(f.reply.body.size > strlen(cases[i].start));
        assert_memory_equal(f.reply.body.data, cases[i].start, strlen(cases[i].start));
        assert_non_null(f.json);
    }
    rpc_tear_down(&f);
}

static void id_comes_back_as_it_was(void **state)
{
    (void)state;
    static const char *const ids[] = {"1", "\"auth\"", "null", "-5.5", "\"a\\\"b\"", "[1,{}]"};
    struct rpc_fixture f;
    rpc_set_up(&f);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char text[100], expected[100];
        snprintf(text, sizeof text, "{\"id\": %s ,\"method\":\"getblockcount\"}", ids[i]);
        snprintf(expected, sizeof expected, "{\"result\":0,\"error\":null,\"id\":%s}\n", ids[i]);
        rpc_send(&f, text);
        assert_int_equal(f.reply.body.size, strlen(expected));
        assert_memory_equal(f.reply.body.data, expected, f.reply.body.size);
    }
    rpc_tear_down(&f);
}

static void version_2_has_result_or_error_and_notifications(void **state)
{
    (void)state;
    struct rpc_fixture f;
    rpc_set_up(&f);
    rpc_send(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"getblockcount\"}");
    assert_memory_equal(f.reply.body.data, "{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":1}\n", 36);
    rpc_send(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}");
    assert_int_equal(f.reply.http_status, 200);
    assert_memory_equal(f.reply.body.data, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,", 40);
    rpc_send(&f, "{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\"}");
    assert_int_equal(f.reply.http_status, 204);
    assert_int_equal(f.reply.body.size, 0);
    rpc_tear_down(&f);
}

static void batch_answers_in_order(void **state)
{
    (void)state;
    struct rpc_fixture f;
    rpc_set_up(&f);
    rpc_send(&f, "[{\"id\":\"a\",\"method\":\"getblockcount\"},"
                 "{\"jsonrpc\":\"2.0\",\"method\":\"uptime\"},"
                 "{\"id\":\"b\",\"method\":\"x\"},{\"id\":\"c\",\"method\":\"generate\","
                 "\"params\":[1]},{\"id\":\"d\",\"method\":\"getblockcount\"}]");
    struct json_value root = json_root(f.json);
    static const char *const ids[] = {"a", "b", "c", "d"};
    assert_int_equal(json_size(root), 4);
    size_t i = 0;
    for (struct json_value v = json_first(root); json_exists(v); v = json_next(v))
        rpc_assert_text(json_get(v, "id"), ids[i++]);
    assert_int_equal(rpc_integer(json_get(json_first(root), "result")), 0);
    assert_int_equal(chain_tip(f.daemon->chain)->height, 1);
    rpc_tear_down(&f);
}

static void blocks_and_headers_are_shown_whole(void **state)
{
    (void)state;
    struct rpc_fixture f;
    char params[200], hash[65];
    rpc_set_up(&f);
    // The address of BIP 173's key in this chain's prefix.
    struct json_value made =
        rpc_result(&f, "generatetoaddress", "[3,\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]");
    assert_int_equal(json_size(made), 3);
    assert_true(json_to_text(json_next(json_first(made)), hash, sizeof hash));

    snprintf(params, sizeof params, "[\"%s\"]", hash);
    struct json_value header = rpc_result(&f, "getblockheader", params);
    assert_int_equal(rpc_integer(json_get(header, "height")), 2);
    assert_int_equal(rpc_integer(json_get(header, "confirmations")), 2);
    assert_int_equal(rpc_integer(json_get(header, "nTx")), 21);
    rpc_assert_text(json_get(header, "bits"), "207fffff");
    rpc_assert_text(json_get(header, "chainwork"),
                    "0000000000000000000000000000000000000000000000000000000000000006");
    char next[65];
    hash_to_display(&chain_tip(f.daemon->chain)->block.id, next);
    rpc_assert_text(json_get(header, "nextblockhash"), next);

    snprintf(params, sizeof params, "[\"%s\",false]", hash);
    uint8_t bytes[HEADER_SIZE];
    assert_true(json_to_hex(rpc_result(&f, "getblockheader", params), bytes, sizeof bytes));
    assert_memory_equal(bytes, chain_at(f.daemon->chain, 2)->block.bytes, HEADER_SIZE);

    snprintf(params, sizeof params, "[\"%s\",0]", hash);
    const struct block *block = &chain_at(f.daemon->chain, 2)->block;
    uint8_t *whole = malloc(block->size);
    assert_true(json_to_hex(rpc_result(&f, "getblock", params), whole, block->size));
    assert_memory_equal(whole, block->bytes, block->size);
    free(whole);

    snprintf(params, sizeof params, "{\"blockhash\":\"%s\",\"verbosity\":2}", hash);
    struct json_value txs = json_get(rpc_result(&f, "getblock", params), "tx");
    assert_int_equal(json_size(txs), 21);
    struct json_value output = json_first(json_get(json_first(txs), "vout"));
    struct json_value script = json_get(output, "scriptPubKey");
    rpc_assert_text(json_get(script, "address"), "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080");
    rpc_assert_text(json_get(script, "hex"), "0014751e76e8199196d454941c45d1b3a323f1433bd6");
    rpc_assert_text(json_get(script, "type"), "witness_v0_keyhash");
    const char *value;
    size_t size;
    char expected[32];
    struct tx_output paid;
    tx_output_at(block->txs[0].bytes, &block->txs[0].summary, 0, &paid);
    snprintf(expected, sizeof expected, "%llu.%08llu",
             (unsigned long long)(paid.amount / 100000000),
             (unsigned long long)(paid.amount % 100000000));
    json_raw(json_get(output, "value"), &value, &size);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(value, expected, size);
    rpc_tear_down(&f);
}

static void chain_info_names_chain_and_tip(void **state)
{
    (void)state;
    struct rpc_fixture f;
    char hash[65];
    rpc_set_up(&f);
    rpc_result(&f, "generate", "[2]");
    hash_to_display(&chain_tip(f.daemon->chain)->block.id, hash);
    struct json_value info = rpc_result(&f, "getblockchaininfo", "[]");
    rpc_assert_text(json_get(info, "chain"), "devchain");
    assert_int_equal(rpc_integer(json_get(info, "blocks")), 2);
    rpc_assert_text(json_get(info, "bestblockhash"), hash);
    rpc_assert_text(rpc_result(&f, "getbestblockhash", "[]"), hash);
    rpc_assert_text(rpc_result(&f, "getblockhash", "[2]"), hash);
    assert_int_equal(rpc_integer(rpc_result(&f, "getblockcount", "[]")), 2);
    rpc_tear_down(&f);
}

static void faults_hit_all_methods_or_one(void **state)
{
    (void)state;
    struct rpc_fixture f;
    rpc_set_up(&f);
    rpc_result(&f, "devfault", "[\"hang\"]");
    assert_int_equal(rpc_ask(&f, "getblockcount", "[]"), RPC_SILENCE);
    rpc_result(&f, "devfault", "[\"empty\"]");
    assert_int_equal(rpc_ask(&f, "getblockcount", "[]"), RPC_ANSWER);
    assert_int_equal(f.reply.http_status, 200);
    assert_int_equal(f.reply.body.size, 0);
    rpc_result(&f, "devfault", "[\"garbage\"]");
    rpc_ask(&f, "getblockcount", "[]");
    assert_true(f.reply.body.size > 0);
    assert_null(f.json);
    rpc_result(&f, "devfault", "[\"error500\"]");
    rpc_ask(&f, "getblockcount", "[]");
    assert_int_equal(f.reply.http_status, 500);
    assert_string_equal(f.reply.content_type, "text/html");
    rpc_result(&f, "devfault", "[\"warmup\"]");
    assert_int_equal(rpc_error(&f, "getblockcount", "[]"), -28);
    rpc_result(&f, "devfault", "[\"hang\",\"submitblock\"]");
    assert_int_equal(rpc_ask(&f, "submitblock", "[\"00\"]"), RPC_SILENCE);
    rpc_result(&f, "getblockcount", "[]");
    assert_int_equal(rpc_send(&f, "[{\"id\":1,\"method\":\"uptime\"},{\"id\":2,\"method\":"
                                  "\"submitblock\",\"params\":[\"00\"]}]"),
                     RPC_SILENCE);
    rpc_result(&f, "devfault", "[\"off\"]");
    assert_int_equal(rpc_error(&f, "submitblock", "[\"00\"]"), -22);
    assert_int_equal(rpc_error(&f, "devfault", "[\"nonsense\"]"), -8);
    assert_int_equal(rpc_error(&f, "devfault", "[\"hang\",\"nonsense\"]"), -8);
    assert_int_equal(rpc_error(&f, "devfault", "[\"hang\",\"devfault\"]"), -8);
    rpc_tear_down(&f);
}

static void other_chain_fault_shows_in_info_and_template(void **state)
{
    (void)state;
    struct rpc_fixture f;
    char honest[65], prev[65];
    rpc_set_up(&f);
    hash_to_display(&chain_tip(f.daemon->chain)->block.id, honest);
    rpc_result(&f, "devfault", "[\"other-chain\"]");
    rpc_assert_text(json_get(rpc_result(&f, "getblockchaininfo", "[]"), "chain"), "main");
    struct json_value result = rpc_result(&f, "getblocktemplate", RPC_SEGWIT);
    assert_true(json_to_text(json_get(result, "previousblockhash"), prev, sizeof prev));
    assert_string_not_equal(prev, honest);
    rpc_tear_down(&f);
}

static void mining_by_request_keeps_within_its_time(void **state)
{
    (void)state;
    struct rpc_fixture f;
    rpc_set_up(&f);
    daemon_free(f.daemon);
    char error[STORE_ERROR_SIZE];
    struct daemon_options options = {.params = chain_params_by_name("devchain-scrypt"),
                                     .bits = 0x1e0fffff,
                                     .genesis_time = TEST_GENESIS_TIME,
                                     .spacing = 5};
    f.daemon = daemon_new(&f.env, &options, f.now, error);
    assert_int_equal(rpc_error(&f, "generate", "[1]"), -8);
    rpc_assert_text(json_get(rpc_result(&f, "getblockchaininfo", "[]"), "chain"),
                    "devchain-scrypt");
    rpc_tear_down(&f);
}

static void help_and_stop_work(void **state)
{
    (void)state;
    struct rpc_fixture f;
    rpc_set_up(&f);
    assert_true(json_is_text(rpc_result(&f, "help", "[]")));
    rpc_assert_text(rpc_result(&f, "help", "[\"getblockcount\"]"),
                    "getblockcount - height of the tip");
    rpc_assert_text(rpc_result(&f, "help", "[\"x\"]"), "help: unknown command: x");
    assert_false(f.daemon->is_stopping);
    rpc_result(&f, "stop", "[]");
    assert_true(f.daemon->is_stopping);
    rpc_tear_down(&f);
}

static void pool_is_shown_and_takes_transactions(void **state)
{
    (void)state;
    struct rpc_fixture f;
    rpc_set_up(&f);
    assert_int_equal(json_size(rpc_result(&f, "getrawmempool", "[]")), 20);
    assert_int_equal(json_size(rpc_result(&f, "getrawmempool", "[true]")), 20);
    assert_int_equal(rpc_integer(json_get(rpc_result(&f, "getmempoolinfo", "[]"), "size")), 20);
    // A transaction that waits already: its id, as bitcoind has it.
    const struct pool_tx *known = mempool_at(f.daemon->mempool, 0);
    char params[2000], txid[65], hex[1900];
    hash_to_display(&known->tx.summary.txid, txid);
    hex_encode(known->tx.bytes, known->tx.summary.size, hex);
    snprintf(params, sizeof params, "[\"%s\"]", hex);
    rpc_assert_text(rpc_result(&f, "sendrawtransaction", params), txid);
    rpc_result(&f, "generate", "[1]");
    assert_int_equal(rpc_error(&f, "sendrawtransaction", params), -27);
    rpc_tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_the_codes_of_bitcoind),
        cmocka_unit_test(requests_that_are_none_are_answered),
        cmocka_unit_test(id_comes_back_as_it_was),
        cmocka_unit_test(version_2_has_result_or_error_and_notifications),
        cmocka_unit_test(batch_answers_in_order),
        cmocka_unit_test(blocks_and_headers_are_shown_whole),
        cmocka_unit_test(chain_info_names_chain_and_tip),
        cmocka_unit_test(faults_hit_all_methods_or_one),
        cmocka_unit_test(other_chain_fault_shows_in_info_and_template),
        cmocka_unit_test(mining_by_request_keeps_within_its_time),
        cmocka_unit_test(help_and_stop_work),
        cmocka_unit_test(pool_is_shown_and_takes_transactions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
