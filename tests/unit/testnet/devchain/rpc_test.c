#include "testnet/devchain/rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "node/base/json.h"
#include "node/base/log.h"
#include "node/bitcoin/block_template.h"
#include "node/bitcoin/coinbase.h"
#include "node/pow/target.h"
#include "testnet/devchain/template.h"
#include "tests/unit/testnet/devchain/block_maker.h"

struct fixture {
    struct test_chain test; // for its randomness and time
    struct env env;
    struct daemon *daemon;
    struct now now;
    struct now arrived;
    struct rpc_reply reply;
    struct json *json; // the last reply
};

static void set_up(struct fixture *f)
{
    char error[512];
    *f = (struct fixture){0};
    test_chain_open(&f->test);
    f->env = f->test.env;
    f->env.log = log_new_silent();
    f->now = (struct now){.mono = {5000}, .wall = f->test.now};
    f->arrived = f->now;
    struct daemon_options options = {.params = chain_params_by_name("devchain"),
                                     .bits = TEST_BITS,
                                     .genesis_time = TEST_GENESIS_TIME,
                                     .spacing = 5,
                                     .transactions = 20};
    f->daemon = daemon_new(&f->env, &options, f->now, error, sizeof error);
    assert_non_null(f->daemon);
    buffer_init(&f->reply.body, RPC_REPLY_MAX);
}

static void tear_down(struct fixture *f)
{
    json_free(f->json);
    buffer_clear(&f->reply.body);
    daemon_free(f->daemon);
    log_free(f->env.log);
    test_chain_close(&f->test);
}

static enum rpc_outcome send_text(struct fixture *f, const char *text)
{
    struct rpc_request request = {text, strlen(text), f->arrived};
    json_free(f->json);
    f->json = NULL;
    enum rpc_outcome outcome = rpc_handle(f->daemon, &request, f->now, &f->reply);
    if (outcome == RPC_ANSWER && f->reply.body.size > 0)
        f->json = json_parse((const char *)f->reply.body.data, f->reply.body.size, 1000000);
    return outcome;
}

static enum rpc_outcome ask(struct fixture *f, const char *method, const char *params)
{
    struct buffer text;
    buffer_init(&text, 16 << 20);
    write_format(&text, "{\"id\":7,\"method\":\"%s\",\"params\":%s}", method, params);
    write_u8(&text, 0);
    enum rpc_outcome outcome = send_text(f, (const char *)text.data);
    buffer_clear(&text);
    return outcome;
}

static struct json_value result_of(struct fixture *f, const char *method, const char *params)
{
    assert_int_equal(ask(f, method, params), RPC_ANSWER);
    assert_non_null(f->json);
    assert_int_equal(f->reply.http_status, 200);
    assert_true(json_is_null(json_get(json_root(f->json), "error")));
    return json_get(json_root(f->json), "result");
}

static int64_t error_of(struct fixture *f, const char *method, const char *params)
{
    int64_t code = 0;
    assert_int_equal(ask(f, method, params), RPC_ANSWER);
    assert_non_null(f->json);
    assert_true(json_is_null(json_get(json_root(f->json), "result")));
    struct json_value error = json_get(json_root(f->json), "error");
    assert_true(json_to_i64(json_get(error, "code"), &code));
    assert_true(json_is_text(json_get(error, "message")));
    return code;
}

static int64_t integer(struct json_value value)
{
    int64_t number = 0;
    assert_true(json_to_i64(value, &number));
    return number;
}

static void assert_text(struct json_value value, const char *expected)
{
    char text[600];
    assert_true(json_to_text(value, text, sizeof text));
    assert_string_equal(text, expected);
}

static const char segwit[] = "[{\"rules\":[\"segwit\"]}]";

static void errors_have_the_codes_of_bitcoind(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const char *unknown = "[\"00000000000000000000000000000000000000000000000000000000000000ff\"]";
    assert_int_equal(error_of(&f, "nosuchthing", "[]"), -32601);
    assert_int_equal(f.reply.http_status, 404);
    assert_int_equal(error_of(&f, "getblockheader", unknown), -5);
    assert_int_equal(f.reply.http_status, 500);
    assert_int_equal(error_of(&f, "getblockheader", "[\"ff\"]"), -8);
    assert_int_equal(error_of(&f, "getblockheader", "[5]"), -3);
    assert_int_equal(error_of(&f, "getblockheader", "[]"), -3);
    assert_int_equal(error_of(&f, "getblock", unknown), -5);
    assert_int_equal(error_of(&f, "getblockhash", "[1]"), -8);
    assert_int_equal(error_of(&f, "getblockhash", "[-1]"), -8);
    assert_int_equal(error_of(&f, "getblockhash", "[\"1\"]"), -3);
    assert_int_equal(error_of(&f, "getblocktemplate", "[]"), -8);
    assert_int_equal(error_of(&f, "getblocktemplate", "[{\"rules\":[\"taproot\"]}]"), -8);
    assert_int_equal(error_of(&f, "getblocktemplate", "[{\"mode\":\"x\"}]"), -8);
    assert_int_equal(error_of(&f, "submitblock", "[\"00\"]"), -22);
    assert_int_equal(error_of(&f, "submitblock", "[\"0\"]"), -22);
    assert_int_equal(error_of(&f, "submitblock", "[\"zz\"]"), -22);
    assert_int_equal(error_of(&f, "submitblock", "[]"), -3);
    assert_int_equal(error_of(&f, "sendrawtransaction", "[\"00\"]"), -22);
    assert_int_equal(error_of(&f, "generate", "[0]"), -8);
    assert_int_equal(error_of(&f, "generate", "[10001]"), -8);
    assert_int_equal(error_of(&f, "generatetoaddress", "[1,\"bcrt1q\"]"), -5);
    assert_int_equal(error_of(&f, "devreorg", "[1]"), -8);
    tear_down(&f);
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
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(send_text(&f, cases[i].text), RPC_ANSWER);
        assert_int_equal(f.reply.http_status, cases[i].status);
        assert_true(f.reply.body.size > strlen(cases[i].start));
        assert_memory_equal(f.reply.body.data, cases[i].start, strlen(cases[i].start));
        assert_non_null(f.json);
    }
    tear_down(&f);
}

static void id_comes_back_as_it_was(void **state)
{
    (void)state;
    static const char *const ids[] = {"1", "\"auth\"", "null", "-5.5", "\"a\\\"b\"", "[1,{}]"};
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char text[100], expected[100];
        snprintf(text, sizeof text, "{\"id\": %s ,\"method\":\"getblockcount\"}", ids[i]);
        snprintf(expected, sizeof expected, "{\"result\":0,\"error\":null,\"id\":%s}\n", ids[i]);
        send_text(&f, text);
        assert_int_equal(f.reply.body.size, strlen(expected));
        assert_memory_equal(f.reply.body.data, expected, f.reply.body.size);
    }
    tear_down(&f);
}

static void version_2_has_result_or_error_and_notifications(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    send_text(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"getblockcount\"}");
    assert_memory_equal(f.reply.body.data, "{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":1}\n", 36);
    send_text(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}");
    assert_int_equal(f.reply.http_status, 200);
    assert_memory_equal(f.reply.body.data, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,", 40);
    send_text(&f, "{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\"}");
    assert_int_equal(f.reply.http_status, 204);
    assert_int_equal(f.reply.body.size, 0);
    tear_down(&f);
}

static void batch_answers_in_order(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    send_text(&f, "[{\"id\":\"a\",\"method\":\"getblockcount\"},"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"uptime\"},"
                  "{\"id\":\"b\",\"method\":\"x\"},{\"id\":\"c\",\"method\":\"generate\","
                  "\"params\":[1]},{\"id\":\"d\",\"method\":\"getblockcount\"}]");
    struct json_value root = json_root(f.json);
    static const char *const ids[] = {"a", "b", "c", "d"};
    assert_int_equal(json_size(root), 4);
    size_t i = 0;
    for (struct json_value v = json_first(root); json_exists(v); v = json_next(v))
        assert_text(json_get(v, "id"), ids[i++]);
    assert_int_equal(integer(json_get(json_first(root), "result")), 0);
    assert_int_equal(chain_tip(f.daemon->chain)->height, 1);
    tear_down(&f);
}

// The node's own reader of templates against this daemon's writer: neither knows the other's code.
static const struct coinbase_needs needs = {.weight = 4000, .sigops = 400};

static void template_is_what_the_node_reads(void **state)
{
    (void)state;
    struct fixture f;
    const char *field = NULL;
    struct block_template *read;
    set_up(&f);
    for (int i = 0; i < 3; i++) {
        struct json_value result = result_of(&f, "getblocktemplate", segwit);
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
        result_of(&f, "generate", "[1]");
        daemon_tick(f.daemon, (struct mono_time){f.now.mono.ms += 5000});
    }
    tear_down(&f);
}

static void depends_names_parents_by_their_place(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    generator_add(f.daemon->generator, f.daemon->chain, f.daemon->mempool, 200);
    struct json_value result = result_of(&f, "getblocktemplate", segwit);
    size_t place = 0, edges = 0;
    struct json_value txs = json_get(result, "transactions");
    for (struct json_value tx = json_first(txs); json_exists(tx); tx = json_next(tx)) {
        const struct pool_tx *child = mempool_at(f.daemon->mempool, place++);
        struct json_value depends = json_get(tx, "depends");
        int64_t last[2] = {0, 0};
        size_t i = 0;
        for (struct json_value v = json_first(depends); json_exists(v); v = json_next(v)) {
            int64_t parent_place = integer(v);
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
    tear_down(&f);
}

// A pool's block: the coinbase of protocol section 3 over this daemon's template, by the node's
// code.
static void block_of_the_pools_coinbase_is_taken(void **state)
{
    (void)state;
    struct fixture f;
    const char *field = NULL;
    struct block_template *read;
    set_up(&f);
    assert_int_equal(block_template_parse(chain_params(f.daemon->chain),
                                          result_of(&f, "getblocktemplate", segwit), &needs, &read,
                                          &field),
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
    assert_true(json_is_null(result_of(&f, "submitblock", (const char *)params.data)));
    assert_int_equal(chain_tip(f.daemon->chain)->height, 1);
    assert_text(result_of(&f, "submitblock", (const char *)params.data), "duplicate");
    buffer_clear(&params);
    buffer_clear(&block);
    buffer_clear(&coinbase);
    block_template_release(read);
    tear_down(&f);
}

static void longpoll_waits_for_the_tip(void **state)
{
    (void)state;
    struct fixture f;
    char id[TEMPLATE_LONGPOLL_SIZE], params[300];
    set_up(&f);
    json_to_text(json_get(result_of(&f, "getblocktemplate", segwit), "longpollid"), id, sizeof id);
    snprintf(params, sizeof params, "[{\"rules\":[\"segwit\"],\"longpollid\":\"%s\"}]", id);
    assert_int_equal(ask(&f, "getblocktemplate", params), RPC_HOLD);
    f.now.mono.ms += 600000; // nothing changes: for as long as it takes
    assert_int_equal(ask(&f, "getblocktemplate", params), RPC_HOLD);
    result_of(&f, "generate", "[1]");
    struct json_value result = result_of(&f, "getblocktemplate", params);
    assert_int_equal(integer(json_get(result, "height")), 2);
    tear_down(&f);
}

static void longpoll_ends_for_transactions_only_after_a_while(void **state)
{
    (void)state;
    struct fixture f;
    char id[TEMPLATE_LONGPOLL_SIZE], params[300], batch[400];
    set_up(&f);
    json_to_text(json_get(result_of(&f, "getblocktemplate", segwit), "longpollid"), id, sizeof id);
    snprintf(params, sizeof params, "[{\"rules\":[\"segwit\"],\"longpollid\":\"%s\"}]", id);
    generator_add(f.daemon->generator, f.daemon->chain, f.daemon->mempool, 1);
    assert_int_equal(ask(&f, "getblocktemplate", params), RPC_HOLD);
    f.now.mono.ms += 9999;
    assert_int_equal(ask(&f, "getblocktemplate", params), RPC_HOLD);
    f.now.mono.ms += 1;
    assert_int_equal(json_size(json_get(result_of(&f, "getblocktemplate", params), "transactions")),
                     21);
    // An id that is none of ours, and a batch, are answered at once.
    result_of(&f, "getblocktemplate", "[{\"rules\":[\"segwit\"],\"longpollid\":\"x\"}]");
    snprintf(batch, sizeof batch, "[{\"id\":1,\"method\":\"getblocktemplate\",\"params\":%s}]",
             params);
    f.now.mono.ms = f.arrived.mono.ms;
    assert_int_equal(send_text(&f, batch), RPC_ANSWER);
    assert_int_equal(json_size(json_root(f.json)), 1);
    tear_down(&f);
}

static void blocks_and_headers_are_shown_whole(void **state)
{
    (void)state;
    struct fixture f;
    char params[200], hash[65];
    set_up(&f);
    // The address of BIP 173's key in this chain's prefix.
    struct json_value made =
        result_of(&f, "generatetoaddress", "[3,\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]");
    assert_int_equal(json_size(made), 3);
    assert_true(json_to_text(json_next(json_first(made)), hash, sizeof hash));

    snprintf(params, sizeof params, "[\"%s\"]", hash);
    struct json_value header = result_of(&f, "getblockheader", params);
    assert_int_equal(integer(json_get(header, "height")), 2);
    assert_int_equal(integer(json_get(header, "confirmations")), 2);
    assert_int_equal(integer(json_get(header, "nTx")), 21);
    assert_text(json_get(header, "bits"), "207fffff");
    assert_text(json_get(header, "chainwork"),
                "0000000000000000000000000000000000000000000000000000000000000006");
    char next[65];
    hash_to_display(&chain_tip(f.daemon->chain)->block.id, next);
    assert_text(json_get(header, "nextblockhash"), next);

    snprintf(params, sizeof params, "[\"%s\",false]", hash);
    uint8_t bytes[HEADER_SIZE];
    assert_true(json_to_hex(result_of(&f, "getblockheader", params), bytes, sizeof bytes));
    assert_memory_equal(bytes, chain_at(f.daemon->chain, 2)->block.bytes, HEADER_SIZE);

    snprintf(params, sizeof params, "[\"%s\",0]", hash);
    const struct block *block = &chain_at(f.daemon->chain, 2)->block;
    uint8_t *whole = malloc(block->size);
    assert_true(json_to_hex(result_of(&f, "getblock", params), whole, block->size));
    assert_memory_equal(whole, block->bytes, block->size);
    free(whole);

    snprintf(params, sizeof params, "{\"blockhash\":\"%s\",\"verbosity\":2}", hash);
    struct json_value txs = json_get(result_of(&f, "getblock", params), "tx");
    assert_int_equal(json_size(txs), 21);
    struct json_value output = json_first(json_get(json_first(txs), "vout"));
    struct json_value script = json_get(output, "scriptPubKey");
    assert_text(json_get(script, "address"), "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080");
    assert_text(json_get(script, "hex"), "0014751e76e8199196d454941c45d1b3a323f1433bd6");
    assert_text(json_get(script, "type"), "witness_v0_keyhash");
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
    tear_down(&f);
}

static void chain_info_names_chain_and_tip(void **state)
{
    (void)state;
    struct fixture f;
    char hash[65];
    set_up(&f);
    result_of(&f, "generate", "[2]");
    hash_to_display(&chain_tip(f.daemon->chain)->block.id, hash);
    struct json_value info = result_of(&f, "getblockchaininfo", "[]");
    assert_text(json_get(info, "chain"), "devchain");
    assert_int_equal(integer(json_get(info, "blocks")), 2);
    assert_text(json_get(info, "bestblockhash"), hash);
    assert_text(result_of(&f, "getbestblockhash", "[]"), hash);
    assert_text(result_of(&f, "getblockhash", "[2]"), hash);
    assert_int_equal(integer(result_of(&f, "getblockcount", "[]")), 2);
    tear_down(&f);
}

static void faults_hit_all_methods_or_one(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    result_of(&f, "devfault", "[\"hang\"]");
    assert_int_equal(ask(&f, "getblockcount", "[]"), RPC_SILENCE);
    result_of(&f, "devfault", "[\"empty\"]");
    assert_int_equal(ask(&f, "getblockcount", "[]"), RPC_ANSWER);
    assert_int_equal(f.reply.http_status, 200);
    assert_int_equal(f.reply.body.size, 0);
    result_of(&f, "devfault", "[\"garbage\"]");
    ask(&f, "getblockcount", "[]");
    assert_true(f.reply.body.size > 0);
    assert_null(f.json);
    result_of(&f, "devfault", "[\"error500\"]");
    ask(&f, "getblockcount", "[]");
    assert_int_equal(f.reply.http_status, 500);
    assert_string_equal(f.reply.content_type, "text/html");
    result_of(&f, "devfault", "[\"warmup\"]");
    assert_int_equal(error_of(&f, "getblockcount", "[]"), -28);
    result_of(&f, "devfault", "[\"hang\",\"submitblock\"]");
    assert_int_equal(ask(&f, "submitblock", "[\"00\"]"), RPC_SILENCE);
    result_of(&f, "getblockcount", "[]");
    assert_int_equal(send_text(&f, "[{\"id\":1,\"method\":\"uptime\"},{\"id\":2,\"method\":"
                                   "\"submitblock\",\"params\":[\"00\"]}]"),
                     RPC_SILENCE);
    result_of(&f, "devfault", "[\"off\"]");
    assert_int_equal(error_of(&f, "submitblock", "[\"00\"]"), -22);
    assert_int_equal(error_of(&f, "devfault", "[\"nonsense\"]"), -8);
    assert_int_equal(error_of(&f, "devfault", "[\"hang\",\"nonsense\"]"), -8);
    assert_int_equal(error_of(&f, "devfault", "[\"hang\",\"devfault\"]"), -8);
    tear_down(&f);
}

static void other_chain_fault_shows_in_info_and_template(void **state)
{
    (void)state;
    struct fixture f;
    char honest[65], prev[65];
    set_up(&f);
    hash_to_display(&chain_tip(f.daemon->chain)->block.id, honest);
    result_of(&f, "devfault", "[\"other-chain\"]");
    assert_text(json_get(result_of(&f, "getblockchaininfo", "[]"), "chain"), "main");
    struct json_value result = result_of(&f, "getblocktemplate", segwit);
    assert_true(json_to_text(json_get(result, "previousblockhash"), prev, sizeof prev));
    assert_string_not_equal(prev, honest);
    tear_down(&f);
}

static void mining_by_request_keeps_within_its_time(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    daemon_free(f.daemon);
    char error[512];
    struct daemon_options options = {.params = chain_params_by_name("devchain-scrypt"),
                                     .bits = 0x1e0fffff,
                                     .genesis_time = TEST_GENESIS_TIME,
                                     .spacing = 5};
    f.daemon = daemon_new(&f.env, &options, f.now, error, sizeof error);
    assert_int_equal(error_of(&f, "generate", "[1]"), -8);
    assert_text(json_get(result_of(&f, "getblockchaininfo", "[]"), "chain"), "devchain-scrypt");
    tear_down(&f);
}

static void help_and_stop_work(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_true(json_is_text(result_of(&f, "help", "[]")));
    assert_text(result_of(&f, "help", "[\"getblockcount\"]"), "getblockcount - height of the tip");
    assert_text(result_of(&f, "help", "[\"x\"]"), "help: unknown command: x");
    assert_false(f.daemon->is_stopping);
    result_of(&f, "stop", "[]");
    assert_true(f.daemon->is_stopping);
    tear_down(&f);
}

static void pool_is_shown_and_takes_transactions(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_int_equal(json_size(result_of(&f, "getrawmempool", "[]")), 20);
    assert_int_equal(json_size(result_of(&f, "getrawmempool", "[true]")), 20);
    assert_int_equal(integer(json_get(result_of(&f, "getmempoolinfo", "[]"), "size")), 20);
    // A transaction that waits already: its id, as bitcoind has it.
    const struct pool_tx *known = mempool_at(f.daemon->mempool, 0);
    char params[2000], txid[65], hex[1900];
    hash_to_display(&known->tx.summary.txid, txid);
    hex_encode(known->tx.bytes, known->tx.summary.size, hex);
    snprintf(params, sizeof params, "[\"%s\"]", hex);
    assert_text(result_of(&f, "sendrawtransaction", params), txid);
    result_of(&f, "generate", "[1]");
    assert_int_equal(error_of(&f, "sendrawtransaction", params), -27);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_the_codes_of_bitcoind),
        cmocka_unit_test(requests_that_are_none_are_answered),
        cmocka_unit_test(id_comes_back_as_it_was),
        cmocka_unit_test(version_2_has_result_or_error_and_notifications),
        cmocka_unit_test(batch_answers_in_order),
        cmocka_unit_test(template_is_what_the_node_reads),
        cmocka_unit_test(depends_names_parents_by_their_place),
        cmocka_unit_test(block_of_the_pools_coinbase_is_taken),
        cmocka_unit_test(longpoll_waits_for_the_tip),
        cmocka_unit_test(longpoll_ends_for_transactions_only_after_a_while),
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
