// Documents over the share-chain: pages of shares, one share, one link, what a miner is owed and
// was paid, and the luck of blocks, held against the chain itself.
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
#include "node/bitcoin/address.h"
#include "node/pow/target.h"
#include "tests/unit/node/node_fixture.h"
#include "tests/unit/node/report_ask.h"

#define SHARES_MAX 4000

// ---- Shares

struct ids {
    struct hash256 items[SHARES_MAX];
    uint32_t heights[SHARES_MAX];
    size_t count;
};

static void ids_add(struct ids *ids, const struct hash256 *id, uint32_t height)
{
    assert_true(ids->count < SHARES_MAX);
    ids->items[ids->count] = *id;
    ids->heights[ids->count] = height;
    ids->count++;
}

static bool ids_have(const struct ids *ids, const struct hash256 *id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (hash_equal(&ids->items[i], id))
            return true;
    }
    return false;
}

static void get_address(const struct node_fixture *fixture, uint32_t script, char *out)
{
    struct script payout = maker_script(script);
    assert_true(address_encode(fixture->pool.chain, &payout, out));
}

// All pages of "shares"; `address` NULL: of everybody.
static struct ids *gather(struct node_fixture *fixture, unsigned limit, const char *address)
{
    struct ids *ids = calloc(1, sizeof(*ids));
    uint64_t from = 0;
    for (bool is_last = false; !is_last;) {
        char request[256], filter[128] = "";
        struct answer answer;
        if (address != NULL)
            snprintf(filter, sizeof(filter), ",\"address\":\"%s\"", address);
        snprintf(request, sizeof(request), "{\"command\":\"shares\",\"limit\":%u,\"from\":%llu%s}",
                 limit, (unsigned long long)from, filter);
        ask(&fixture->node, &answer, request);
        struct json_value array = json_get(answer.root, "shares");
        assert_true(json_size(array) <= limit);
        for (struct json_value v = json_first(array); json_exists(v); v = json_next(v)) {
            struct hash256 id;
            uint64_t height = UINT32_MAX; // loose
            assert_true(json_to_hex(json_get(v, "id"), id.bytes, 32));
            json_to_u64(json_get(v, "credited_height"), &height);
            if (address != NULL)
                assert_true(json_text_equals(json_get(v, "address"), address));
            ids_add(ids, &id, (uint32_t)height);
        }
        is_last = !json_to_u64(json_get(answer.root, "next"), &from);
        assert_true(is_last || json_size(array) == limit);
        answer_clear(&answer);
    }
    return ids;
}

static void add_loose(void *context, const struct share_view *view)
{
    ids_add(context, &view->id, UINT32_MAX);
}

// What "shares" should hold: by other views of the chain.
static void expect_all(const struct sharechain *chain, struct ids *ids)
{
    struct link_view tip, link;
    sharechain_tip(chain, &tip);
    sharechain_each_loose(chain, add_loose, ids);
    for (uint32_t height = tip.height; height > 0; height--) {
        struct body body;
        struct buffer bytes;
        buffer_init(&bytes, 1 << 20);
        assert_true(sharechain_link_at(chain, height, &link));
        ids_add(ids, &link.id, height);
        assert_true(sharechain_body_bytes(chain, &link.id, &bytes));
        assert_true(body_decode(bytes.data, bytes.size, 4000, &body));
        for (size_t i = 0; i < body.count; i++) {
            struct hash256 id;
            body_id_at(&body, i, &id);
            ids_add(ids, &id, height);
        }
        buffer_clear(&bytes);
    }
}

static void pages_of_shares_hold_every_share_once_newest_first(void **state)
{
    struct node_fixture *fixture = *state;
    struct ids *wanted = calloc(1, sizeof(*wanted));
    node_fixture_grow(fixture, 300, 7);
    expect_all(fixture->node.sharechain, wanted);
    static const unsigned limits[] = {1, 2, 3, 50, 500};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct ids *told = gather(fixture, limits[i], NULL);
        assert_int_equal(told->count, wanted->count);
        for (size_t j = 0; j < told->count; j++) {
            assert_true(ids_have(wanted, &told->items[j]));
            assert_true(j == 0 || told->heights[j] <= told->heights[j - 1]);
            assert_false(j > 0 && hash_equal(&told->items[j], &told->items[j - 1]));
        }
        free(told);
    }
    assert_true(wanted->count > 600);
    free(wanted);
}

static void shares_of_an_address_are_those_of_all_that_pay_it(void **state)
{
    struct node_fixture *fixture = *state;
    char address[ADDRESS_SIZE_MAX];
    node_fixture_grow(fixture, 100, 7);
    struct ids *all = gather(fixture, 500, NULL);
    size_t sum = 0;
    for (uint32_t script = 1; script <= 3; script++) {
        get_address(fixture, script, address);
        struct ids *own = gather(fixture, 7, address);
        for (size_t i = 0; i < own->count; i++)
            assert_true(ids_have(all, &own->items[i]));
        assert_true(own->count > 20);
        sum += own->count;
        free(own);
    }
    assert_int_equal(sum, all->count);
    free(all);
    get_address(fixture, 4, address); // nobody mines to it
    struct ids *none = gather(fixture, 7, address);
    assert_int_equal(none->count, 0);
    free(none);
}

static void share_is_told_as_its_bytes_say(void **state)
{
    struct node_fixture *fixture = *state;
    struct share share;
    struct hash256 pow, id = {{0}};
    char hex[65], request[160];
    struct answer answer;
    node_fixture_grow(fixture, 30, 7);
    struct ids *all = gather(fixture, 500, NULL);
    id = all->items[all->count / 2];
    free(all);
    assert_true(sharechain_share_stored(fixture->node.sharechain, &id, &share, &pow));
    hash_to_hex(&id, hex);
    snprintf(request, sizeof(request), "{\"command\":\"share\",\"id\":\"%s\"}", hex);
    ask(&fixture->node, &answer, request);
    uint8_t raw[SHARE_SIZE_MAX];
    struct buffer bytes;
    buffer_init_fixed(&bytes, raw, sizeof(raw));
    share_encode(&share, &bytes);
    char raw_hex[2 * SHARE_SIZE_MAX + 1];
    hex_encode(bytes.data, bytes.size, raw_hex);
    assert_true(json_text_equals(json_get(answer.root, "raw"), raw_hex));
    struct json_value info = json_get(answer.root, "share_info");
    assert_int_equal(get_u64(info, "link_height"), share.info.link_height);
    assert_int_equal(get_u64(info, "time"), share.info.time);
    struct u256 value = get_u256(answer.root, "value_sats");
    assert_int_equal(u256_low_u64(&value), share.coinbase_value);
    assert_true(json_is_array(json_get(answer.root, "outputs")));
    answer_clear(&answer);
}

static void link_tells_what_it_includes_and_credits(void **state)
{
    struct node_fixture *fixture = *state;
    struct link_view link;
    char hex[65], request[160];
    struct answer answer;
    node_fixture_grow(fixture, 90, 7);
    assert_true(sharechain_link_at(fixture->node.sharechain, 80, &link));
    hash_to_hex(&link.id, hex);
    snprintf(request, sizeof(request), "{\"command\":\"link\",\"id\":\"%s\"}", hex);
    ask(&fixture->node, &answer, request);
    assert_int_equal(get_u64(answer.root, "height"), 80);
    assert_int_equal(json_size(json_get(answer.root, "included")), link.grains_count);
    struct u256 sum = u256_from_u64(0);
    struct json_value credited = json_get(answer.root, "credited");
    for (struct json_value v = json_first(credited); json_exists(v); v = json_next(v)) {
        struct u256 weight = get_u256(v, "weight");
        sum = u256_add(&sum, &weight);
    }
    assert_int_equal(u256_compare(&sum, &link.credits), 0);
    answer_clear(&answer);
}

static void what_is_not_here_is_not_found(void **state)
{
    struct node_fixture *fixture = *state;
    static const char *const names[] = {"share", "link", "block"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct report_call call;
        struct buffer out;
        char id[65];
        snprintf(id, sizeof(id), "%064d", 7);
        buffer_init(&out, REPORT_SIZE_MAX);
        report_call_init(&call, report_find(names[i]), API_PUBLIC);
        assert_true(report_set(&call, "id", id, 64));
        assert_false(report_write(&fixture->node, &call, &out));
        assert_int_equal(call.status, 404);
        assert_string_equal(call.parameter, "id");
        assert_true(strlen(call.detail) > 20);
        assert_int_equal(out.size, 0);
        buffer_clear(&out);
    }
}

static void address_of_another_coin_is_refused_with_a_reason(void **state)
{
    struct node_fixture *fixture = *state;
    static const char *const addresses[] = {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "<b>", "x"};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct report_call call;
        struct buffer out;
        buffer_init(&out, REPORT_SIZE_MAX);
        report_call_init(&call, report_find("address"), API_PUBLIC);
        assert_true(report_set(&call, "address", addresses[i], strlen(addresses[i])));
        assert_false(report_write(&fixture->node, &call, &out));
        assert_int_equal(call.status, 400);
        assert_string_equal(call.parameter, "address");
        buffer_clear(&out);
    }
}

// ---- What a miner is owed

static void ask_address(struct node_fixture *fixture, uint32_t script, struct answer *answer)
{
    char address[ADDRESS_SIZE_MAX], request[160];
    get_address(fixture, script, address);
    snprintf(request, sizeof(request), "{\"command\":\"address\",\"address\":\"%s\"}", address);
    ask(&fixture->node, answer, request);
}

static void every_weight_of_a_miner_is_in_the_window_or_pending(void **state)
{
    struct node_fixture *fixture = *state;
    struct u256 window_sum = u256_from_u64(0), pending_sum = u256_from_u64(0);
    node_fixture_grow(fixture, 120, 3);
    node_fixture_mint(fixture);
    uint64_t expected = 0;
    for (uint32_t script = 1; script <= 3; script++) {
        struct answer answer;
        ask_address(fixture, script, &answer);
        struct u256 weight = get_u256(json_get(answer.root, "window"), "weight");
        window_sum = u256_add(&window_sum, &weight);
        weight = get_u256(json_get(answer.root, "pending"), "credited");
        pending_sum = u256_add(&pending_sum, &weight);
        struct u256 sats = get_u256(answer.root, "expected_sats");
        expected += u256_low_u64(&sats);
        bool is_exact;
        assert_true(json_to_bool(json_get(answer.root, "is_exact"), &is_exact));
        assert_true(is_exact); // three payees have room
        struct u256 next = get_u256(answer.root, "next_block_sats");
        assert_true(llabs((long long)(u256_low_u64(&next) - u256_low_u64(&sats))) <= 2);
        answer_clear(&answer);
    }
    struct answer payouts;
    ask(&fixture->node, &payouts, "{\"command\":\"payouts\"}");
    struct json_value window = json_get(json_get(payouts.root, "next_block"), "window");
    struct u256 sum = get_u256(window, "sum");
    assert_int_equal(u256_compare(&sum, &window_sum), 0);
    struct link_view tip, epoch;
    sharechain_tip(fixture->node.sharechain, &tip);
    assert_true(sharechain_link_at(fixture->node.sharechain,
                                   (uint32_t)get_u64(window, "link_height"), &epoch));
    struct u256 after = u256_subtract(&tip.credits_to, &epoch.credits_to);
    assert_int_equal(u256_compare(&after, &pending_sum), 0);
    assert_false(u256_is_zero(&after));
    assert_true(llabs((long long)(expected - fixture->node.mint->coinbase_value)) <= 3);
    answer_clear(&payouts);
}

static void stranger_has_a_page_of_zeros(void **state)
{
    struct node_fixture *fixture = *state;
    struct answer answer;
    node_fixture_grow(fixture, 30, 3);
    node_fixture_mint(fixture);
    ask_address(fixture, 9, &answer);
    bool is_known;
    assert_true(json_to_bool(json_get(answer.root, "is_known_here"), &is_known));
    assert_false(is_known);
    struct u256 weight = get_u256(json_get(answer.root, "window"), "weight");
    assert_true(u256_is_zero(&weight));
    assert_int_equal(json_size(json_get(answer.root, "paid")), 0);
    assert_true(json_is_null(json_get(answer.root, "is_exact")));
    assert_text_has(answer.root, "explanation", "Nothing in the paying window");
    answer_clear(&answer);
}

// ---- What he was paid

static void follow_all(struct node_fixture *fixture)
{
    for (int i = 0; i < 200; i++)
        payout_book_follow(fixture->node.payout_book);
}

static void blocks_of_the_pool_are_kept_with_what_they_paid(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *node = &fixture->node;
    struct hash256 ids[3];
    node_fixture_grow(fixture, 60, 3);
    for (size_t i = 0; i < 3; i++) {
        node_fixture_grow(fixture, 9, 3);
        ids[i] = node_fixture_find_block(fixture);
    }
    follow_all(fixture);
    struct u256 before = u256_from_u64(0);
    for (size_t i = 0; i < 3; i++) {
        const struct paid_block *paid = payout_book_find(node->payout_book, &ids[i]);
        struct pool_block block;
        assert_non_null(paid);
        assert_true(sharechain_block(node->sharechain, &ids[i], &block));
        struct u256 done = u256_subtract(&block.credits_before, &before);
        before = block.credits_before;
        if (i > 0) // those before may be headers of links that happened to be blocks
            assert_true(paid->work_done <= u256_to_double(&done) * (1 + 1e-9));
        assert_true(paid->work_expected > 1);
        uint64_t sum = 0;
        for (size_t j = 0; j < paid->outputs_count; j++)
            sum += paid->outputs[j].amount;
        assert_int_equal(sum, chain_subsidy(fixture->pool.chain, paid->height));
        assert_int_equal(paid->outputs_count, 3);
    }
    // What the chain forgets stays: the book is read from the store alone.
    size_t count = payout_book_count(node->payout_book);
    payout_book_free(node->payout_book);
    node->payout_book = payout_book_new(node->sharechain, node->store);
    assert_int_equal(payout_book_count(node->payout_book), count);
    const struct paid_block *again = payout_book_find(node->payout_book, &ids[1]);
    assert_non_null(again);
    assert_int_equal(again->outputs_count, 3);
    follow_all(fixture);
    assert_int_equal(payout_book_count(node->payout_book), count); // nothing twice
}

static void payments_of_all_miners_are_the_outputs_of_all_blocks(void **state)
{
    struct node_fixture *fixture = *state;
    node_fixture_grow(fixture, 60, 3);
    for (int i = 0; i < 4; i++) {
        node_fixture_find_block(fixture);
        node_fixture_grow(fixture, 5, 3);
    }
    follow_all(fixture);
    struct answer history;
    uint64_t paid = 0, outputs = 0;
    ask(&fixture->node, &history, "{\"command\":\"payouts_history\"}");
    struct json_value blocks = json_get(history.root, "blocks");
    assert_true(json_size(blocks) >= 4);
    for (struct json_value v = json_first(blocks); json_exists(v); v = json_next(v)) {
        struct u256 value = get_u256(v, "value_sats");
        outputs += u256_low_u64(&value);
    }
    for (uint32_t script = 1; script <= 3; script++) {
        struct answer answer;
        ask_address(fixture, script, &answer);
        struct json_value list = json_get(answer.root, "paid");
        for (struct json_value v = json_first(list); json_exists(v); v = json_next(v)) {
            struct u256 amount = get_u256(v, "amount_sats");
            paid += u256_low_u64(&amount);
            assert_true(json_text_equals(json_get(v, "place"), "in_chain"));
        }
        answer_clear(&answer);
    }
    assert_int_equal(paid, outputs);
    assert_true(paid > 0);
    answer_clear(&history);
}

static void pages_of_payouts_hold_every_block_once(void **state)
{
    struct node_fixture *fixture = *state;
    node_fixture_grow(fixture, 30, 3);
    for (int i = 0; i < 12; i++)
        node_fixture_find_block(fixture);
    follow_all(fixture);
    uint64_t from = 0;
    int64_t last = INT64_MAX;
    size_t count = 0;
    for (bool is_last = false; !is_last;) {
        char request[128];
        struct answer answer;
        snprintf(request, sizeof(request),
                 "{\"command\":\"payouts_history\",\"limit\":5,\"from\":%llu}",
                 (unsigned long long)from);
        ask(&fixture->node, &answer, request);
        struct json_value blocks = json_get(answer.root, "blocks");
        for (struct json_value v = json_first(blocks); json_exists(v); v = json_next(v), count++) {
            int64_t height;
            assert_true(json_to_i64(json_get(v, "height"), &height));
            assert_true(height < last);
            last = height;
        }
        is_last = !json_to_u64(json_get(answer.root, "next"), &from);
        answer_clear(&answer);
    }
    assert_int_equal(count, payout_book_count(fixture->node.payout_book));
    assert_true(count >= 12);
}

static void luck_expects_what_the_credited_work_finds(void **state)
{
    struct node_fixture *fixture = *state;
    struct answer answer;
    struct link_view tip;
    struct u256 target;
    node_fixture_grow(fixture, 40, 3);
    node_fixture_find_block(fixture);
    follow_all(fixture);
    ask(&fixture->node, &answer, "{\"command\":\"luck\"}");
    struct json_value all = json_next(json_next(json_first(json_get(answer.root, "spans"))));
    assert_true(json_text_equals(json_get(all, "name"), "all"));
    sharechain_tip(fixture->node.sharechain, &tip);
    // The bits of this devchain are constant.
    const struct header_node *best =
        header_chain_best(sharechain_headers(fixture->node.sharechain));
    assert_true(target_expand(best->bits, &target));
    struct u256 work = target_work(&target);
    double expected, wanted = u256_to_double(&tip.credits_to) / u256_to_double(&work);
    assert_true(json_to_double(json_get(all, "expected"), &expected));
    assert_true(fabs(expected / wanted - 1) < 1e-9);
    assert_true(get_u64(all, "found") >= 1);
    answer_clear(&answer);
}

int main(void)
{
#define NODE_TEST(name)                                                                            \
    cmocka_unit_test_setup_teardown(name, node_fixture_set_up, node_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        NODE_TEST(pages_of_shares_hold_every_share_once_newest_first),
        NODE_TEST(shares_of_an_address_are_those_of_all_that_pay_it),
        NODE_TEST(share_is_told_as_its_bytes_say),
        NODE_TEST(link_tells_what_it_includes_and_credits),
        NODE_TEST(what_is_not_here_is_not_found),
        NODE_TEST(address_of_another_coin_is_refused_with_a_reason),
        NODE_TEST(every_weight_of_a_miner_is_in_the_window_or_pending),
        NODE_TEST(stranger_has_a_page_of_zeros),
        NODE_TEST(blocks_of_the_pool_are_kept_with_what_they_paid),
        NODE_TEST(payments_of_all_miners_are_the_outputs_of_all_blocks),
        NODE_TEST(pages_of_payouts_hold_every_block_once),
        NODE_TEST(luck_expects_what_the_credited_work_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
