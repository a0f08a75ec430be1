// What a node tells: documents are held against the share-chain that they are made from.
#include "node/report.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "node/base/json.h"
#include "tests/unit/node/node_fixture.h"
#include "tests/unit/node/report_ask.h"

// ---- Requests

static void every_document_is_an_object_that_names_itself(void **state)
{
    struct node_fixture *fixture = *state;
    const struct report_document *document;
    unsigned count = 0;
    for (int round = 0; round < 2; round++) { // an empty chain, then one that pays
        for (count = 0; (document = report_get(count)) != NULL; count++) {
            char request[128];
            struct answer answer;
            assert_true(strlen(document->meaning) > 10);
            if (document->path != NULL && strchr(document->path, '{') != NULL)
                continue; // of one thing only
            snprintf(request, sizeof(request), "{\"command\":\"%s\"}", document->name);
            ask(&fixture->node, &answer, request);
            assert_true(json_text_equals(json_get(answer.root, "document"), document->name));
            answer_clear(&answer);
        }
        node_fixture_grow(fixture, 40, 2);
        node_fixture_find_block(fixture);
        node_fixture_mint(fixture);
    }
    assert_true(count >= 7);
}

static void bad_request_gets_a_sentence(void **state)
{
    struct node_fixture *fixture = *state;
    static const char *const cases[][2] = {
        {"", "no JSON"},
        {"{\"command\":", "no JSON"},
        {"[1]", "is an object"},
        {"{}", "is an object"},
        {"{\"command\":7}", "is an object"},
        {"{\"command\":\"stat\"}", "no such command"},
        {"{\"command\":\"a command whose name is far longer than any is\"}", "is an object"},
        {"{\"command\":\"credits\",\"from\":-1}", "\"from\" is \"-1\", but must be a whole number"},
        {"{\"command\":\"credits\",\"from\":1.5}", "must be a whole number"},
        {"{\"command\":\"credits\",\"from\":[1]}", "must be a whole number"},
        {"{\"command\":\"credits\",\"from\":9007199254740993}", "must be a whole number"},
        {"{\"command\":\"blocks\",\"limit\":501}", "from 1 to 500"},
        {"{\"command\":\"blocks\",\"limit\":0}", "from 1 to 500"},
        {"{\"command\":\"blocks\",\"form\":1}", "there is no parameter \"form\""},
        {"{\"command\":\"status\",\"from\":1}", "\"status\" takes: none"},
        {"{\"command\":\"credits\",\"tip\":\"00\"}", "must be 64 hex digits"},
        {"{\"command\":\"block\"}", "\"block\" needs \"id\""},
        {"{\"command\":\"block\",\"id\":5}", "must be 64 hex digits"},
        {"{\"command\":\"credits\",\"tip\":"
         "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
         "not on the best chain"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct answer answer;
        ask(&fixture->node, &answer, cases[i][0]);
        assert_text_has(answer.root, "error", cases[i][1]);
        answer_clear(&answer);
    }
}

static void document_beyond_the_cap_is_an_error(void **state)
{
    struct node_fixture *fixture = *state;
    static const char request[] = "{\"command\":\"status\"}";
    struct buffer out;
    buffer_init(&out, 200);
    report_answer(&fixture->node, request, sizeof(request) - 1, &out);
    assert_false(out.failed);
    assert_memory_equal(out.data, "{\"error\":", 9);
    buffer_clear(&out);
}

// ---- Credits

struct sum {
    struct u256 total;
    size_t count;
};

static void add_weight(void *context, const struct script *script, const struct u256 *weight)
{
    struct sum *sum = context;
    (void)script;
    sum->total = u256_add(&sum->total, weight);
    sum->count++;
}

static void assert_link_is(struct node_fixture *fixture, struct json_value link, uint32_t height)
{
    struct link_view view;
    struct sum told = {0}, known = {0};
    char id[65];
    assert_true(sharechain_link_at(fixture->node.sharechain, height, &view));
    assert_int_equal(get_u64(link, "height"), height);
    hash_to_hex(&view.id, id);
    assert_true(json_text_equals(json_get(link, "id"), id));
    hash_to_hex(&view.anchor, id);
    assert_true(json_text_equals(json_get(link, "anchor"), id));
    hash_to_display(&view.tip, id);
    assert_true(json_text_equals(json_get(link, "tip"), id));
    sharechain_link_credits(fixture->node.sharechain, &view.id, add_weight, &known);
    struct json_value credits = json_get(link, "credits");
    for (struct json_value v = json_first(credits); json_exists(v); v = json_next(v)) {
        char text[80];
        struct u256 weight;
        assert_true(json_to_text(json_next(json_first(v)), text, sizeof(text)));
        assert_true(u256_from_decimal(&weight, text));
        told.total = u256_add(&told.total, &weight);
        told.count++;
    }
    assert_int_equal(told.count, known.count);
    assert_int_equal(u256_compare(&told.total, &known.total), 0);
    assert_int_equal(u256_compare(&told.total, &view.credits), 0);
}

static void pages_of_credits_hold_every_link_once(void **state)
{
    struct node_fixture *fixture = *state;
    const uint32_t links = 1100; // more than two pages
    node_fixture_grow(fixture, links, 7);
    struct link_view tip;
    sharechain_tip(fixture->node.sharechain, &tip);
    uint64_t from = 1;
    uint32_t height = 0;
    char id[65], request[256];
    hash_to_hex(&tip.id, id);
    for (bool is_last = false; !is_last;) {
        struct answer answer;
        snprintf(request, sizeof(request), "{\"command\":\"credits\",\"from\":%llu,\"tip\":\"%s\"}",
                 (unsigned long long)from, id);
        ask(&fixture->node, &answer, request);
        assert_int_equal(get_u64(json_get(answer.root, "tip"), "height"), tip.height);
        struct json_value array = json_get(answer.root, "links");
        assert_true(json_size(array) > 0);
        assert_true(json_size(array) <= 500);
        for (struct json_value v = json_first(array); json_exists(v); v = json_next(v))
            assert_link_is(fixture, v, ++height);
        is_last = !json_to_u64(json_get(answer.root, "next"), &from);
        answer_clear(&answer);
    }
    assert_int_equal(height, tip.height);
}

static void credits_of_an_older_tip_end_there(void **state)
{
    struct node_fixture *fixture = *state;
    node_fixture_grow(fixture, 20, 7);
    struct link_view link;
    char id[65], request[256];
    struct answer answer;
    assert_true(sharechain_link_at(fixture->node.sharechain, 12, &link));
    hash_to_hex(&link.id, id);
    snprintf(request, sizeof(request), "{\"command\":\"credits\",\"tip\":\"%s\"}", id);
    ask(&fixture->node, &answer, request);
    assert_int_equal(json_size(json_get(answer.root, "links")), 12);
    assert_true(json_is_null(json_get(answer.root, "next")));
    answer_clear(&answer);
}

static void credits_carry_the_whole_pool_file(void **state)
{
    struct node_fixture *fixture = *state;
    struct answer answer;
    struct pool again;
    struct pool_error error;
    ask(&fixture->node, &answer, "{\"command\":\"credits\"}");
    struct json_value pool = json_get(answer.root, "pool");
    pool_defaults(&again);
    struct pool_key_info key;
    for (size_t i = 0; pool_key_row(i, &key); i++) {
        char value[2 * HEADER_SIZE + 1];
        assert_true(json_to_text(json_get(pool, key.name), value, sizeof(value)));
        assert_true(pool_set(&again, key.name, value, &error));
    }
    assert_true(pool_finish(&again, &error));
    assert_true(hash_equal(&again.id, &fixture->pool.id));
    answer_clear(&answer);
}

// ---- Payouts

// Parts and weights of a window, added up anew.
static void assert_window_adds_up(struct json_value window, size_t payees)
{
    struct u256 sum = u256_from_u64(0), told = get_u256(window, "sum");
    double parts = 0;
    struct json_value array = json_get(window, "payees");
    struct u256 before = u256_max();
    assert_int_equal(json_size(array), payees);
    for (struct json_value v = json_first(array); json_exists(v); v = json_next(v)) {
        double part;
        struct u256 weight = get_u256(v, "weight");
        assert_true(json_to_double(json_get(v, "part"), &part));
        assert_true(u256_compare(&weight, &before) <= 0);
        before = weight;
        sum = u256_add(&sum, &weight);
        parts += part;
    }
    assert_int_equal(u256_compare(&sum, &told), 0);
    assert_true(fabs(parts - 1) < 1e-9);
}

static void payouts_are_those_of_the_work_that_is_served(void **state)
{
    struct node_fixture *fixture = *state;
    node_fixture_grow(fixture, 60, 3);
    node_fixture_mint(fixture);
    struct coinbase_output outputs[COINBASE_OUTPUTS_MAX];
    size_t count = mint_outputs(fixture->node.mint, NULL, outputs), i = 0;
    struct answer answer;
    ask(&fixture->node, &answer, "{\"command\":\"payouts\"}");
    struct json_value block = json_get(answer.root, "next_block");
    struct json_value array = json_get(block, "outputs");
    assert_int_equal(json_size(array), count);
    assert_int_equal(count, 3);
    uint64_t total = 0;
    for (struct json_value v = json_first(array); json_exists(v); v = json_next(v), i++) {
        struct u256 amount = get_u256(v, "amount_sats");
        assert_int_equal(u256_low_u64(&amount), outputs[i].amount);
        total += outputs[i].amount;
    }
    struct u256 value = get_u256(block, "value_sats");
    assert_int_equal(total, u256_low_u64(&value));
    assert_window_adds_up(json_get(block, "window"), 3);
    assert_window_adds_up(json_get(answer.root, "upcoming"), 3);
    answer_clear(&answer);
}

struct script_sum {
    struct script script;
    struct u256 total;
};

static void add_weight_of_script(void *context, const struct script *script,
                                 const struct u256 *weight)
{
    struct script_sum *sum = context;
    if (script_equal(script, &sum->script))
        sum->total = u256_add(&sum->total, weight);
}

static void weight_of_a_payee_is_what_the_links_of_the_window_credit_him(void **state)
{
    struct node_fixture *fixture = *state;
    struct sharechain *chain = fixture->node.sharechain;
    node_fixture_grow(fixture, 200, 3); // longer than the window
    struct link_view link;
    struct window_view window;
    sharechain_tip(chain, &link);
    assert_true(sharechain_window(chain, &link.id, &window));
    assert_true(window.links_count < link.height);
    struct script_sum sum = {.script = maker_script(2)};
    for (uint32_t i = 0; i < window.links_count; i++) {
        assert_true(sharechain_link_at(chain, window.epoch_height - i, &link));
        sharechain_link_credits(chain, &link.id, add_weight_of_script, &sum);
    }
    struct answer answer;
    char hex[2 * SCRIPT_SIZE_MAX + 1];
    bool is_found = false;
    hex_encode(sum.script.bytes, sum.script.size, hex);
    ask(&fixture->node, &answer, "{\"command\":\"payouts\"}");
    struct json_value payees = json_get(json_get(answer.root, "upcoming"), "payees");
    for (struct json_value v = json_first(payees); json_exists(v); v = json_next(v)) {
        struct u256 weight = get_u256(v, "weight");
        if (!json_text_equals(json_get(v, "script"), hex))
            continue;
        assert_int_equal(u256_compare(&weight, &sum.total), 0);
        is_found = true;
    }
    assert_true(is_found);
    answer_clear(&answer);
}

static void window_of_the_next_block_is_the_one_that_its_share_is_paid_by(void **state)
{
    struct node_fixture *fixture = *state;
    node_fixture_grow(fixture, 60, 3);
    node_fixture_mint(fixture);
    struct answer answer;
    ask(&fixture->node, &answer, "{\"command\":\"payouts\"}");
    uint64_t told = get_u64(json_get(json_get(answer.root, "next_block"), "window"), "link_height");
    struct hash256 id = node_fixture_find_block(fixture);
    struct window_view window;
    assert_true(sharechain_share_window(fixture->node.sharechain, &id, &window));
    assert_int_equal(told, window.epoch_height);
    assert_true(told > 0);
    answer_clear(&answer);
}

static void status_says_how_long_blocks_pay_their_finder_alone(void **state)
{
    struct node_fixture *fixture = *state;
    struct answer answer;
    ask(&fixture->node, &answer, "{\"command\":\"status\"}");
    assert_true(json_is_null(json_get(answer.root, "job")));
    answer_clear(&answer);
    node_fixture_mint(fixture);
    ask(&fixture->node, &answer, "{\"command\":\"status\"}");
    assert_text_has(json_get(answer.root, "job"), "explanation", "Nothing is credited yet");
    answer_clear(&answer);
    for (int64_t left = 5; left >= 1; left--) {
        int64_t told;
        node_fixture_grow(fixture, 1, 1); // a link, and a block on top
        node_fixture_mint(fixture);
        ask(&fixture->node, &answer, "{\"command\":\"status\"}");
        struct json_value job = json_get(answer.root, "job");
        assert_text_has(job, "explanation", "six blocks late");
        assert_true(json_to_i64(json_get(job, "solo_blocks_left"), &told));
        assert_int_equal(told, left);
        assert_true(fixture->node.mint->is_solo);
        answer_clear(&answer);
    }
    node_fixture_grow(fixture, 1, 1);
    node_fixture_mint(fixture);
    assert_false(fixture->node.mint->is_solo);
    ask(&fixture->node, &answer, "{\"command\":\"status\"}");
    assert_text_has(json_get(answer.root, "job"), "explanation", "The next block pays 3 scripts");
    answer_clear(&answer);
}

// ---- Blocks

static void block_tells_whom_it_paid_and_how_deep_it_lies(void **state)
{
    struct node_fixture *fixture = *state;
    node_fixture_grow(fixture, 60, 3);
    struct hash256 id = node_fixture_find_block(fixture);
    node_fixture_grow(fixture, 4, 1);
    char hash[65], request[128];
    struct answer answer;
    hash_to_display(&id, hash);
    snprintf(request, sizeof(request), "{\"command\":\"block\",\"id\":\"%s\"}", hash);
    ask(&fixture->node, &answer, request);
    struct json_value found = json_get(answer.root, "found");
    assert_int_equal(get_u64(found, "confirmations"), 5);
    assert_true(json_text_equals(json_get(found, "place"), "in_chain"));
    assert_true(json_is_null(json_get(found, "fate")));
    uint64_t total = 0;
    struct json_value outputs = json_get(answer.root, "outputs");
    assert_int_equal(json_size(outputs), 3);
    for (struct json_value v = json_first(outputs); json_exists(v); v = json_next(v)) {
        struct u256 amount = get_u256(v, "amount_sats");
        total += u256_low_u64(&amount);
    }
    struct u256 value = get_u256(found, "value_sats");
    assert_int_equal(total, u256_low_u64(&value));
    answer_clear(&answer);
}

static void block_beside_the_best_chain_has_no_confirmations(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *node = &fixture->node;
    node_fixture_grow(fixture, 6, 3);
    const struct header_node *fork = header_chain_best(sharechain_headers(node->sharechain));
    struct hash256 id = node_fixture_find_block(fixture);
    for (int i = 0; i < 2; i++) { // another branch becomes longer
        uint8_t header[HEADER_SIZE];
        struct hash256 on_top;
        maker_header(node->sharechain, fork, (uint32_t)fixture->clock_s, 99, header);
        sharechain_add_header(node->sharechain, header);
        header_id(header, &on_top);
        fork = header_chain_find(sharechain_headers(node->sharechain), &on_top);
    }
    blocks_moved(node, &id, BLOCK_PLACE_ORPHANED, -1);
    struct answer answer;
    ask(node, &answer, "{\"command\":\"blocks\"}");
    struct json_value block = json_first(json_get(answer.root, "blocks"));
    assert_int_equal(get_u64(block, "confirmations"), 0);
    assert_true(json_text_equals(json_get(block, "place"), "orphaned"));
    answer_clear(&answer);
}

// ---- The ledger behind them

static size_t kept_bytes(struct node *node, uint8_t number, uint8_t first)
{
    const uint8_t key[9] = {0, 0, 0, 0, 0, 0, 0, number, 0};
    struct buffer bytes;
    buffer_init(&bytes, 1000);
    bool is_there = store_get(node->store, STORE_BLOCKS, key, sizeof(key), &bytes);
    size_t size = is_there && bytes.data[0] == first ? bytes.size : 0;
    buffer_clear(&bytes);
    return size;
}

static void bytes_of_a_block_are_kept_until_a_daemon_has_judged_it(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *node = &fixture->node;
    node_fixture_grow(fixture, 6, 3);
    struct hash256 first = node_fixture_find_block(fixture);
    struct hash256 second = node_fixture_find_block(fixture);
    uint8_t bytes[700] = {'b'};
    blocks_keep(node, blocks_find(node, &first), bytes, 500);
    blocks_keep(node, blocks_find(node, &second), bytes, sizeof(bytes));
    node->blocks_count = 0;
    assert_true(blocks_load(node)); // the node was killed
    assert_int_equal(node->blocks_count, 2);
    assert_true(node->blocks[0].is_kept && node->blocks[1].is_kept);
    assert_int_equal(kept_bytes(node, 2, 'b'), sizeof(bytes));
    struct block_report report = {
        .hash = first, .daemon = 0, .fate = BLOCK_UNREACHABLE, .reason = "away"};
    blocks_result(node, &report);
    assert_int_equal(kept_bytes(node, 1, 'b'), 500);
    report.fate = BLOCK_STALE;
    blocks_result(node, &report);
    assert_int_equal(kept_bytes(node, 1, 'b'), 0);
    blocks_moved(node, &second, BLOCK_PLACE_IN_CHAIN, 1); // the answer was lost
    assert_int_equal(kept_bytes(node, 2, 'b'), 0);
    assert_int_equal(node->blocks[1].fate, BLOCK_KNOWN);
    node->blocks_count = 0;
    assert_true(blocks_load(node));
    assert_false(node->blocks[0].is_kept || node->blocks[1].is_kept);
}

static void ledger_is_read_back_from_the_store(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *node = &fixture->node;
    node_fixture_grow(fixture, 6, 3);
    struct hash256 id = node_fixture_find_block(fixture);
    struct block_report report = {
        .hash = id, .daemon = 0, .fate = BLOCK_REJECTED, .reason = "high-hash"};
    blocks_result(node, &report);
    report.fate = BLOCK_ACCEPTED;
    report.reason = "";
    blocks_result(node, &report); // the better answer of another daemon
    report.fate = BLOCK_STALE;
    blocks_result(node, &report); // a worse one changes nothing
    blocks_moved(node, &id, BLOCK_PLACE_IN_CHAIN, 1);
    struct found_block before = node->blocks[0];
    node->blocks_count = 0;
    assert_true(blocks_load(node));
    assert_int_equal(node->blocks_count, 1);
    assert_memory_equal(&node->blocks[0].id, &before.id, sizeof(before.id));
    assert_int_equal(node->blocks[0].number, 1);
    assert_int_equal(node->blocks[0].fate, BLOCK_ACCEPTED);
    assert_int_equal(node->blocks[0].height, before.height);
    assert_int_equal(node->blocks[0].coinbase_value, before.coinbase_value);
    assert_string_equal(node->blocks[0].user, before.user);
    assert_true(node->blocks[0].is_link);
    assert_true(script_equal(&node->blocks[0].payout_script, &before.payout_script));
}

static void daemons_are_told_without_their_secrets(void **state)
{
    struct node_fixture *fixture = *state;
    struct answer answer;
    ask(&fixture->node, &answer, "{\"command\":\"daemons\"}");
    write_u8(&answer.text, '\0');
    assert_null(strstr((const char *)answer.text.data, "secret"));
    assert_text_has(json_first(json_get(answer.root, "daemons")), "url", "127.0.0.1:1");
    answer_clear(&answer);
}

int main(void)
{
#define NODE_TEST(name)                                                                            \
    cmocka_unit_test_setup_teardown(name, node_fixture_set_up, node_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        NODE_TEST(every_document_is_an_object_that_names_itself),
        NODE_TEST(bad_request_gets_a_sentence),
        NODE_TEST(document_beyond_the_cap_is_an_error),
        NODE_TEST(pages_of_credits_hold_every_link_once),
        NODE_TEST(credits_of_an_older_tip_end_there),
        NODE_TEST(credits_carry_the_whole_pool_file),
        NODE_TEST(payouts_are_those_of_the_work_that_is_served),
        NODE_TEST(weight_of_a_payee_is_what_the_links_of_the_window_credit_him),
        NODE_TEST(window_of_the_next_block_is_the_one_that_its_share_is_paid_by),
        NODE_TEST(status_says_how_long_blocks_pay_their_finder_alone),
        NODE_TEST(block_tells_whom_it_paid_and_how_deep_it_lies),
        NODE_TEST(block_beside_the_best_chain_has_no_confirmations),
        NODE_TEST(bytes_of_a_block_are_kept_until_a_daemon_has_judged_it),
        NODE_TEST(ledger_is_read_back_from_the_store),
        NODE_TEST(daemons_are_told_without_their_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
