// Pruning: a node that lets old links go agrees with one that keeps everything.
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
    struct port_node keeper, pruner;
    int64_t clock_s;
};

static void pair_open(struct pair *pair, uint64_t seed)
{
    memset(pair, 0, sizeof(*pair));
    port_pool(&pair->pool);
    port_node_open(&pair->keeper, &pair->pool, seed);
    port_node_open(&pair->pruner, &pair->pool, seed + 1);
    pair->clock_s = pair->pool.genesis_time + 100;
    struct port_growth fast = {.links = 12, .seconds = 1, .block_links = 6, .scripts = 3};
    port_node_grow(&pair->keeper, &fast, &pair->clock_s);
}

static void pair_close(struct pair *pair)
{
    port_node_close(&pair->keeper);
    port_node_close(&pair->pruner);
}

static void learn(struct pair *pair, struct port_node *from, struct port_node *to)
{
    struct port_sync sync = {.from = from, .to = to, .source = 5, .clock_s = pair->clock_s};
    assert_true(port_sync_run(&sync));
}

static void grow(struct pair *pair, struct port_node *node, uint32_t links)
{
    struct port_growth growth = {
        .links = links,
        .grains = 3,
        .seconds = 30,
        .block_links = 9,
        .scripts = 9,
    };
    port_node_grow(node, &growth, &pair->clock_s);
}

// Both mine at once, one loses and includes what it lost later: links that lost, grains on them,
// and credits for either.
static void race(struct pair *pair)
{
    int64_t clock_s = pair->clock_s;
    grow(pair, &pair->pruner, 2);
    pair->clock_s = clock_s;
    grow(pair, &pair->keeper, 3);
    learn(pair, &pair->keeper, &pair->pruner);
    grow(pair, &pair->pruner, 3);
    learn(pair, &pair->pruner, &pair->keeper);
}

static void prune_all(struct port_node *node)
{
    while (sharechain_prune(node->chain, 16) > 0) {
    }
}

static bool count_entry(void *context, const void *key, size_t key_size, const void *value,
                        size_t value_size)
{
    size_t *count = context;
    (void)key;
    (void)value;
    (void)value_size;
    *count += key_size > 0 ? 1 : 0;
    return true;
}

static size_t entries_in(struct port_node *node, enum store_table table)
{
    size_t count = 0;
    store_each(node->store, table, NULL, 0, count_entry, &count);
    return count;
}

static void pruned_chain_agrees_with_one_that_keeps_all(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 1);
    struct sharechain_counts kept, pruned;
    uint32_t root_before = 0;
    for (size_t i = 0; i < 120; i++) {
        race(&pair);
        prune_all(&pair.pruner);
        port_assert_equal(&pair.keeper, &pair.pruner);
        assert_true(sharechain_root_height(pair.pruner.chain) >= root_before);
        root_before = sharechain_root_height(pair.pruner.chain);
    }
    assert_true(root_before > 200);
    sharechain_counts(pair.keeper.chain, &kept);
    sharechain_counts(pair.pruner.chain, &pruned);
    assert_true(pruned.shares < kept.shares * 2 / 3);
    assert_true(pruned.links < kept.links * 2 / 3);
    // Memory and store hold the same; skeletons of what went are there.
    assert_int_equal(entries_in(&pair.pruner, STORE_SHARES), pruned.shares - 1);
    assert_int_equal(entries_in(&pair.pruner, STORE_BODIES), pruned.links - 1);
    assert_int_equal(entries_in(&pair.pruner, STORE_SKELETONS), pruned.links - 1);
    assert_int_equal(entries_in(&pair.pruner, STORE_OLD_LINKS), 2 * root_before);
    pair_close(&pair);
}

static void pruned_store_gives_the_same_state_again(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 2);
    for (size_t i = 0; i < 100; i++) {
        race(&pair);
        prune_all(&pair.pruner);
        if (i % 10 != 9)
            continue;
        struct sharechain_counts before, after;
        sharechain_counts(pair.pruner.chain, &before);
        uint32_t root = sharechain_root_height(pair.pruner.chain);
        port_node_restart(&pair.pruner);
        sharechain_counts(pair.pruner.chain, &after);
        assert_int_equal(sharechain_root_height(pair.pruner.chain), root);
        assert_int_equal(before.shares, after.shares);
        assert_int_equal(before.links, after.links);
        assert_int_equal(before.scripts, after.scripts);
        assert_int_equal(before.loose, after.loose);
        port_assert_equal(&pair.keeper, &pair.pruner);
    }
    assert_true(sharechain_root_height(pair.pruner.chain) > 100);
    pair_close(&pair);
}

static void work_of_one_call_is_bounded(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 3);
    assert_int_equal(sharechain_prune(pair.keeper.chain, 100), 0);
    grow(&pair, &pair.keeper, 600);
    uint32_t root = 0;
    size_t count;
    while ((count = sharechain_prune(pair.keeper.chain, 7)) > 0) {
        assert_true(count <= 7);
        root += (uint32_t)count;
        assert_int_equal(sharechain_root_height(pair.keeper.chain), root);
    }
    assert_true(root > 200);
    // The node itself asks for it, a bit at a time.
    grow(&pair, &pair.keeper, 200);
    for (size_t i = 0; i < 10; i++)
        chain_port_tick(pair.keeper.port, port_now(pair.clock_s));
    assert_true(sharechain_root_height(pair.keeper.chain) > root + 100);
    pair_close(&pair);
}

// A removal that kill -9 interrupted: the new root is written first, what it makes useless after.
static void interrupted_removal_is_finished_at_the_next_start(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 4);
    grow(&pair, &pair.keeper, 400);
    struct port_node *node = &pair.keeper;
    // A share that is below the root later, as it stands in the store.
    struct link_view view;
    struct buffer share;
    assert_true(sharechain_link_at(node->chain, 20, &view));
    buffer_init(&share, CHAIN_SHARE_MAX + 32);
    write_bytes(&share, view.id.bytes, 32);
    assert_true(sharechain_share_bytes(node->chain, &view.id, &share));
    prune_all(node);
    assert_true(sharechain_root_height(node->chain) > 20);
    size_t count = entries_in(node, STORE_SHARES);
    uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    store_put(node->store, STORE_SHARES, key, sizeof(key), share.data, share.size);
    port_node_restart(node);
    assert_int_equal(entries_in(node, STORE_SHARES), count);
    buffer_clear(&share);
    pair_close(&pair);
}

static void links_below_the_root_are_served_as_skeletons_and_not_taken(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 5);
    grow(&pair, &pair.keeper, 20);
    learn(&pair, &pair.keeper, &pair.pruner);
    struct port_node *node = &pair.pruner;
    grow(&pair, node, 400);
    prune_all(node);
    uint32_t root = sharechain_root_height(node->chain);
    assert_true(root > 30);
    struct link_view old, none;
    assert_true(sharechain_link_at(pair.keeper.chain, 20, &old));
    assert_false(sharechain_link_at(node->chain, 20, &none));
    assert_true(node->table.has_link(node->table.context, &old.id));
    assert_false(node->table.has_share(node->table.context, &old.id));
    struct buffer bytes;
    buffer_init(&bytes, CHAIN_SHARE_MAX);
    assert_false(node->table.share_bytes(node->table.context, &old.id, &bytes));
    assert_true(pair.keeper.table.share_bytes(pair.keeper.table.context, &old.id, &bytes));
    struct chain_arrival arrival = {
        .source = 1,
        .share = bytes.data,
        .share_size = bytes.size,
        .is_sync = true,
    };
    assert_int_equal(node->table.add_share(node->table.context, &arrival, port_now(pair.clock_s)),
                     CHAIN_IGNORED);
    buffer_clear(&bytes);
    // From link 1 and from an old link: one chain of skeletons to the tip.
    struct port_sync sync = {.from = node, .to = &pair.keeper, .clock_s = pair.clock_s};
    struct chain_proof_state reached;
    port_sync_headers(&sync);
    struct chain_proof *proof = port_sync_prove(&sync, &reached);
    assert_non_null(proof);
    struct link_view tip;
    sharechain_tip(node->chain, &tip);
    assert_memory_equal(&reached.tip.id, &tip.id, sizeof(tip.id));
    pair.keeper.table.proof_free(proof);
    struct port_node fresh;
    port_node_open(&fresh, &pair.pool, 77);
    learn(&pair, node, &fresh);
    port_assert_equal(node, &fresh);
    port_node_close(&fresh);
    pair_close(&pair);
}

static void copies_that_wait_for_what_is_gone_are_dropped(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 8);
    grow(&pair, &pair.keeper, 20);
    struct port_node *node = &pair.keeper;
    struct link_view link;
    struct share share;
    uint8_t bytes[CHAIN_SHARE_MAX];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof(bytes));
    assert_true(sharechain_link_at(node->chain, 20, &link));
    assert_true(sharechain_share_bytes(node->chain, &link.id, &out));
    assert_true(share_decode(bytes, out.size, &share));
    memset(share.info.anchor.bytes, 0x11, 32); // a link that lost and nobody has
    buffer_reset(&out);
    share_encode(&share, &out);
    struct chain_arrival arrival = {.source = 3, .share = bytes, .share_size = out.size};
    assert_int_equal(node->table.add_share(node->table.context, &arrival, port_now(pair.clock_s)),
                     CHAIN_UNKNOWN);
    grow(&pair, node, 400);
    struct sharechain_counts counts;
    sharechain_counts(node->chain, &counts);
    assert_int_equal(counts.waiting, 1);
    prune_all(node);
    assert_true(sharechain_root_height(node->chain) > 20);
    sharechain_counts(node->chain, &counts);
    assert_int_equal(counts.waiting, 0);
    pair_close(&pair);
}

static void fork_below_the_root_is_refused(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 6);
    learn(&pair, &pair.keeper, &pair.pruner);
    int64_t clock_s = pair.clock_s;
    grow(&pair, &pair.pruner, 500);
    prune_all(&pair.pruner);
    assert_true(sharechain_root_height(pair.pruner.chain) > 20);
    pair.clock_s = clock_s;
    grow(&pair, &pair.keeper, 520);
    struct port_sync sync = {.from = &pair.keeper, .to = &pair.pruner, .clock_s = pair.clock_s};
    struct hash256 common, locator[CHAIN_LOCATOR_MAX];
    struct network_chain *table = &pair.pruner.table;
    port_sync_headers(&sync);
    size_t count = table->link_locator(table->context, locator);
    struct buffer out;
    buffer_init(&out, 1 << 20);
    pair.keeper.table.links_after(pair.keeper.table.context, locator, count, 1, &common, &out);
    if (!hash_equal(&common, &pair.pool.id))
        assert_null(table->proof_new(table->context, &common));
    // From link 0 it can be looked at, but is not followed.
    struct hash256 *none = &pair.pool.id;
    struct chain_proof *proof = table->proof_new(table->context, none);
    assert_non_null(proof);
    struct chain_proof_state reached;
    uint32_t height;
    buffer_reset(&out);
    pair.keeper.table.links_after(pair.keeper.table.context, none, 1, 999, &common, &out);
    struct reader reader = reader_init(out.data, out.size);
    while (reader.left > 0) {
        size_t size = read_u16(&reader);
        assert_int_equal(table->proof_step(proof, read_view(&reader, size), size, &reached),
                         CHAIN_PROOF_OK);
    }
    struct chain_port_stats stats;
    assert_false(table->proof_accept(table->context, proof, &height, port_now(pair.clock_s)));
    chain_port_stats(pair.pruner.port, &stats);
    assert_int_equal(stats.deep_forks_refused, 1);
    table->proof_free(proof);
    buffer_clear(&out);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pruned_chain_agrees_with_one_that_keeps_all),
        cmocka_unit_test(pruned_store_gives_the_same_state_again),
        cmocka_unit_test(work_of_one_call_is_bounded),
        cmocka_unit_test(interrupted_removal_is_finished_at_the_next_start),
        cmocka_unit_test(links_below_the_root_are_served_as_skeletons_and_not_taken),
        cmocka_unit_test(copies_that_wait_for_what_is_gone_are_dropped),
        cmocka_unit_test(fork_below_the_root_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
