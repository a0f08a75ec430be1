// A pruned start: a node that takes what is old on proof alone agrees with one that knows all.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/node/chain_port_fixture.h"

struct pair {
    struct pool pool;
    struct port_node a, b;
    int64_t clock_s;
    struct port_sync sync; // from a to b
};

static void pair_open(struct pair *pair, uint64_t seed)
{
    memset(pair, 0, sizeof(*pair));
    port_pool(&pair->pool);
    port_node_open(&pair->a, &pair->pool, seed);
    port_node_open(&pair->b, &pair->pool, seed + 1);
    pair->clock_s = pair->pool.genesis_time + 100;
    struct port_growth fast = {.links = 12, .seconds = 1, .block_links = 6, .scripts = 3};
    port_node_grow(&pair->a, &fast, &pair->clock_s);
    pair->sync = (struct port_sync){.from = &pair->a, .to = &pair->b, .source = 7};
}

static void pair_close(struct pair *pair)
{
    port_node_close(&pair->a);
    port_node_close(&pair->b);
}

static void grow(struct pair *pair, uint32_t links)
{
    struct port_growth growth = {
        .links = links,
        .grains = 4,
        .seconds = 30,
        .block_links = 11,
        .scripts = 9,
    };
    port_node_grow(&pair->a, &growth, &pair->clock_s);
    pair->sync.clock_s = pair->clock_s;
}

static bool count_entry(void *context, const void *key, size_t key_size, const void *value,
                        size_t value_size)
{
    size_t *count = context;
    (void)key;
    (void)key_size;
    (void)value;
    (void)value_size;
    (*count)++;
    return true;
}

static size_t entries_in(struct port_node *node, enum store_table table)
{
    size_t count = 0;
    store_each(node->store, table, NULL, 0, count_entry, &count);
    return count;
}

static void new_node_takes_two_windows_and_agrees(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 1);
    grow(&pair, 700);
    assert_true(port_sync_run(&pair.sync));
    uint32_t root = sharechain_root_height(pair.b.chain);
    assert_true(root > 100);
    port_assert_equal(&pair.a, &pair.b);
    // It goes on as any other, and starts again.
    grow(&pair, 30);
    assert_true(port_sync_run(&pair.sync));
    port_assert_equal(&pair.a, &pair.b);
    assert_int_equal(sharechain_root_height(pair.b.chain), root);
    port_node_restart(&pair.b);
    port_assert_equal(&pair.a, &pair.b);
    for (size_t i = 0; i < 20; i++) {
        grow(&pair, 20);
        assert_true(port_sync_run(&pair.sync));
        while (sharechain_prune(pair.b.chain, 10) > 0) {
        }
        port_assert_equal(&pair.a, &pair.b);
    }
    assert_true(sharechain_root_height(pair.b.chain) > root + 200);
    port_node_restart(&pair.b);
    port_assert_equal(&pair.a, &pair.b);
    pair_close(&pair);
}

static void node_that_was_away_for_long_begins_anew(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 2);
    grow(&pair, 100);
    assert_true(port_sync_run(&pair.sync));
    assert_int_equal(sharechain_root_height(pair.b.chain), 0);
    grow(&pair, 700);
    while (sharechain_prune(pair.a.chain, 100) > 0) {
    }
    assert_true(port_sync_run(&pair.sync));
    port_assert_equal(&pair.a, &pair.b);
    uint32_t root = sharechain_root_height(pair.b.chain);
    assert_true(root > 200);
    // Away once more: old links of three chapters, served as one chain.
    grow(&pair, 600);
    while (sharechain_prune(pair.a.chain, 100) > 0) {
    }
    assert_true(port_sync_run(&pair.sync));
    assert_true(sharechain_root_height(pair.b.chain) > root + 200);
    port_node_restart(&pair.b);
    port_assert_equal(&pair.a, &pair.b);
    struct port_node c;
    port_node_open(&c, &pair.pool, 5);
    struct port_sync sync = {.from = &pair.b, .to = &c, .source = 1, .clock_s = pair.clock_s};
    assert_true(port_sync_run(&sync));
    port_assert_equal(&pair.a, &c);
    port_node_close(&c);
    pair_close(&pair);
}

static void start_that_was_interrupted_goes_on(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 3);
    grow(&pair, 700);
    for (uint32_t after = 1; after < 93; after += 23) {
        pair.sync.links_max = after;
        assert_true(port_sync_run(&pair.sync));
        port_node_restart(&pair.b);
    }
    pair.sync.links_max = 0;
    assert_true(port_sync_run(&pair.sync));
    port_assert_equal(&pair.a, &pair.b);
    pair_close(&pair);
}

// ---- Lies

struct liar {
    struct sharechain *chain;
    uint32_t from, to; // link heights
    size_t lies;
};

// Pays another miner for a share.
static void steal(void *context, uint8_t *bytes, size_t size)
{
    struct liar *liar = context;
    struct share share;
    struct buffer out;
    assert_true(share_decode(bytes, size, &share));
    if (share.info.link_height < liar->from || share.info.link_height > liar->to)
        return;
    share.info.payout_script.bytes[21] ^= 0x55;
    buffer_init_fixed(&out, bytes, size);
    share_encode(&share, &out);
    assert_false(out.failed);
    liar->lies++;
}

static void stolen_grains_are_found_out_and_fetched_again(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 4);
    grow(&pair, 700);
    // What a liar says of the links where nothing can be checked yet, but much is counted.
    struct link_view tip;
    sharechain_tip(pair.a.chain, &tip);
    struct liar liar = {.from = tip.height - 75, .to = tip.height - 70};
    pair.sync.meddle = steal;
    pair.sync.context = &liar;
    assert_true(port_sync_run(&pair.sync));
    assert_true(liar.lies > 10);
    sharechain_tip(pair.b.chain, &tip);
    assert_true(tip.height < 712);
    chain_port_tick(pair.b.port, port_now(pair.clock_s));
    sharechain_tip(pair.b.chain, &tip);
    assert_int_equal(tip.height, 0);
    assert_int_equal(sharechain_root_height(pair.b.chain), 0);
    assert_int_equal(entries_in(&pair.b, STORE_SHARES), 0);
    assert_int_equal(entries_in(&pair.b, STORE_OLD_LINKS), 0);
    pair.sync.meddle = NULL;
    assert_true(port_sync_run(&pair.sync));
    port_assert_equal(&pair.a, &pair.b);
    port_node_restart(&pair.b);
    port_assert_equal(&pair.a, &pair.b);
    pair_close(&pair);
}

static void shares_after_the_trusted_ones_are_all_checked(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 5);
    grow(&pair, 700);
    assert_true(port_sync_run(&pair.sync));
    grow(&pair, 3);
    struct link_view tip;
    sharechain_tip(pair.b.chain, &tip);
    struct liar liar = {.from = tip.height + 1, .to = tip.height + 1};
    pair.sync.meddle = steal;
    pair.sync.context = &liar;
    assert_true(port_sync_run(&pair.sync));
    struct link_view after;
    sharechain_tip(pair.b.chain, &after);
    assert_int_equal(after.height, tip.height); // none of them got in
    pair.sync.meddle = NULL;
    assert_true(port_sync_run(&pair.sync));
    port_assert_equal(&pair.a, &pair.b);
    pair_close(&pair);
}

// Nobody may use the time when much is taken on trust for a share that pays whom it likes.
static void trust_ends_when_the_proven_chain_is_here(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 8);
    grow(&pair, 700);
    // A share of old that b does not have, altered: a grain that no link included.
    struct made_share made;
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(pair.a.chain))->id,
        .now = {pair.clock_s * 1000},
        .script = maker_script(1),
        .want = MAKER_GRAIN,
    };
    assert_true(maker_share(pair.a.chain, &spec, &made));
    grow(&pair, 300);
    struct liar liar = {.from = 1, .to = UINT32_MAX};
    steal(&liar, made.bytes, made.size);
    struct chain_arrival arrival = {
        .source = 9,
        .share = made.bytes,
        .share_size = made.size,
        .is_sync = true,
    };
    struct network_chain *table = &pair.b.table;
    pair.sync.links_max = 200;
    assert_true(port_sync_run(&pair.sync));
    assert_true(sharechain_root_height(pair.b.chain) < 712);
    port_node_restart(&pair.b);
    pair.sync.links_max = 0;
    assert_true(port_sync_run(&pair.sync));
    port_assert_equal(&pair.a, &pair.b);
    struct share share;
    struct window_view window;
    assert_true(share_decode(made.bytes, made.size, &share));
    assert_false(sharechain_window(pair.b.chain, &share.info.anchor, &window));
    assert_int_equal(table->add_share(table->context, &arrival, port_now(pair.clock_s)),
                     CHAIN_UNKNOWN);
    port_node_restart(&pair.b);
    assert_int_equal(table->add_share(pair.b.table.context, &arrival, port_now(pair.clock_s)),
                     CHAIN_UNKNOWN);
    made_share_clear(&made);
    pair_close(&pair);
}

// ---- Proofs and the store

static void proof_that_is_not_followed_leaves_nothing(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 6);
    struct port_growth easy = {.links = 2500, .seconds = 30, .block_links = 100, .scripts = 3};
    port_node_grow(&pair.a, &easy, &pair.clock_s);
    pair.sync.clock_s = pair.clock_s;
    struct chain_proof_state reached;
    port_sync_headers(&pair.sync);
    size_t meta = entries_in(&pair.b, STORE_META);
    struct chain_proof *proof = port_sync_prove(&pair.sync, &reached);
    assert_int_equal(reached.tip.height, 2512);
    assert_int_equal(entries_in(&pair.b, STORE_OLD_LINKS), 2 * 2512);
    pair.b.table.proof_free(proof);
    assert_int_equal(entries_in(&pair.b, STORE_OLD_LINKS), 0);
    assert_int_equal(entries_in(&pair.b, STORE_META), meta);
    // The same if the program ends in between.
    proof = port_sync_prove(&pair.sync, &reached);
    struct store *store = pair.b.store;
    pair.b.store = store_memory_new(); // what happens to the proof's end does not reach the disk
    struct sharechain *again = sharechain_new(&pair.b.env, &pair.pool, store, NULL);
    char error[256] = "";
    assert_true(sharechain_load(again, error, sizeof(error)));
    sharechain_free(again);
    struct store *spare = pair.b.store;
    pair.b.store = store;
    assert_int_equal(entries_in(&pair.b, STORE_OLD_LINKS), 0);
    assert_int_equal(entries_in(&pair.b, STORE_META), meta);
    pair.b.table.proof_free(proof);
    store_close(spare);
    pair_close(&pair);
}

static void links_of_little_credit_are_fetched_from_further_back(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 7);
    // No grains at all: a link credits a quarter of its work, and a window needs four times as
    // many.
    struct port_growth bare = {.links = 900, .seconds = 30, .block_links = 11, .scripts = 3};
    port_node_grow(&pair.a, &bare, &pair.clock_s);
    pair.sync.clock_s = pair.clock_s;
    assert_true(port_sync_run(&pair.sync));
    struct link_view a, b;
    sharechain_tip(pair.a.chain, &a);
    sharechain_tip(pair.b.chain, &b);
    assert_memory_equal(&a.id, &b.id, sizeof(a.id));
    struct window_view window;
    bool is_whole = sharechain_window(pair.b.chain, &b.id, &window);
    grow(&pair, 1);
    assert_true(port_sync_run(&pair.sync));
    sharechain_tip(pair.b.chain, &b);
    if (!is_whole) {
        // It cannot judge what comes now, and begins again, further back.
        chain_port_tick(pair.b.port, port_now(pair.clock_s));
        for (size_t i = 0; i < 4 && b.height < 913; i++) {
            port_sync_run(&pair.sync);
            chain_port_tick(pair.b.port, port_now(pair.clock_s));
            sharechain_tip(pair.b.chain, &b);
        }
    }
    port_assert_equal(&pair.a, &pair.b);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_node_takes_two_windows_and_agrees),
        cmocka_unit_test(node_that_was_away_for_long_begins_anew),
        cmocka_unit_test(start_that_was_interrupted_goes_on),
        cmocka_unit_test(stolen_grains_are_found_out_and_fetched_again),
        cmocka_unit_test(shares_after_the_trusted_ones_are_all_checked),
        cmocka_unit_test(trust_ends_when_the_proven_chain_is_here),
        cmocka_unit_test(proof_that_is_not_followed_leaves_nothing),
        cmocka_unit_test(links_of_little_credit_are_fetched_from_further_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
