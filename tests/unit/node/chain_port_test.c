// The share-chain as the network sees it: nodes that learn everything from each other through the
// table of dht/chain.h, and what its policy refuses.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/limits.h"
#include "tests/unit/node/chain_port_fixture.h"

#define SOURCE 7

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
    pair->sync = (struct port_sync){.from = &pair->a, .to = &pair->b, .source = SOURCE};
}

static void pair_close(struct pair *pair)
{
    port_node_close(&pair->a);
    port_node_close(&pair->b);
}

// Links come fast first, so that there are grains that are no links.
static void grow(struct pair *pair, struct port_node *node, uint32_t links, uint32_t grains)
{
    struct port_growth growth = {
        .links = links,
        .grains = grains,
        .seconds = 30,
        .block_links = 20,
        .scripts = 12,
    };
    struct link_view tip;
    sharechain_tip(node->chain, &tip);
    if (tip.height == 0 && grains > 0) {
        struct port_growth fast = {.links = 12, .seconds = 1, .block_links = 6, .scripts = 3};
        port_node_grow(node, &fast, &pair->clock_s);
    }
    port_node_grow(node, &growth, &pair->clock_s);
    pair->sync.clock_s = pair->clock_s;
}

static uint32_t tip_height(const struct port_node *node)
{
    struct link_view tip;
    sharechain_tip(node->chain, &tip);
    return tip.height;
}

static void node_that_knows_nothing_learns_all_from_another(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 1);
    grow(&pair, &pair.a, 300, 5);
    assert_true(port_sync_run(&pair.sync));
    port_assert_equal(&pair.a, &pair.b);
    struct sharechain_counts a, b;
    sharechain_counts(pair.a.chain, &a);
    sharechain_counts(pair.b.chain, &b);
    assert_int_equal(b.waiting, 0);
    assert_int_equal(a.links, b.links);
    assert_true(a.shares - a.loose <= b.shares);
    // What it learnt it can give on.
    struct port_node c;
    port_node_open(&c, &pair.pool, 3);
    struct port_sync on = {.from = &pair.b, .to = &c, .source = 1, .clock_s = pair.clock_s};
    assert_true(port_sync_run(&on));
    port_assert_equal(&pair.a, &c);
    port_node_restart(&c);
    port_assert_equal(&pair.a, &c);
    port_node_close(&c);
    pair_close(&pair);
}

static void ten_thousand_grains_are_learnt(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 20);
    grow(&pair, &pair.a, 500, 20);
    struct sharechain_counts counts;
    sharechain_counts(pair.a.chain, &counts);
    assert_true(counts.shares > 10000);
    assert_true(port_sync_run(&pair.sync));
    port_assert_equal(&pair.a, &pair.b);
    pair_close(&pair);
}

static void month_of_absence_is_made_up_for(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 30);
    grow(&pair, &pair.a, 100, 2);
    assert_true(port_sync_run(&pair.sync));
    struct port_growth month = {.links = 6000, .seconds = 432, .block_links = 4, .scripts = 5};
    port_node_grow(&pair.a, &month, &pair.clock_s);
    pair.sync.clock_s = pair.clock_s;
    assert_true(port_sync_run(&pair.sync));
    port_assert_equal(&pair.a, &pair.b);
    assert_int_equal(tip_height(&pair.b), tip_height(&pair.a));
    pair_close(&pair);
}

static void shorter_fork_gives_way_and_keeps_its_grains(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 40);
    grow(&pair, &pair.a, 60, 3);
    assert_true(port_sync_run(&pair.sync));
    // Both work for themselves; then b hears of a's longer branch.
    int64_t parted = pair.clock_s;
    grow(&pair, &pair.b, 20, 3);
    pair.clock_s = parted;
    grow(&pair, &pair.a, 30, 3);
    assert_true(port_sync_run(&pair.sync));
    port_assert_equal(&pair.a, &pair.b);
    struct sharechain_counts counts;
    sharechain_counts(pair.b.chain, &counts);
    assert_true(counts.loose > 0); // of the branch that lost
    // The other way round there is nothing to follow.
    struct port_sync back = {.from = &pair.b, .to = &pair.a, .clock_s = pair.clock_s};
    assert_false(port_sync_run(&back));
    pair_close(&pair);
}

static void deep_fork_is_followed_only_with_the_daemon(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 50);
    struct port_growth growth = {.links = 370, .seconds = 30, .block_links = 20, .scripts = 3};
    int64_t parted = pair.clock_s;
    port_node_grow(&pair.b, &growth, &pair.clock_s);
    pair.clock_s = parted;
    growth.links = 400;
    port_node_grow(&pair.a, &growth, &pair.clock_s);
    pair.sync.clock_s = pair.clock_s;
    struct hash256 own_tip = header_chain_best(sharechain_headers(pair.b.chain))->id;
    assert_false(port_sync_run(&pair.sync)); // nobody said what the daemon knows
    chain_port_set_daemon_tip(pair.b.port, &own_tip);
    assert_false(port_sync_run(&pair.sync)); // its daemon knows another chain
    struct chain_port_stats stats;
    chain_port_stats(pair.b.port, &stats);
    assert_int_equal(stats.deep_forks_refused, 2);
    assert_int_equal(tip_height(&pair.b), 370);
    struct hash256 tip = header_chain_best(sharechain_headers(pair.a.chain))->id;
    chain_port_set_daemon_tip(pair.b.port, &tip);
    assert_true(port_sync_run(&pair.sync));
    port_assert_equal(&pair.a, &pair.b);
    pair_close(&pair);
}

// ---- Single shares

static struct made_share make(struct port_node *node, enum maker_want want, int64_t clock_s)
{
    struct made_share made;
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(node->chain))->id,
        .now = {clock_s * 1000},
        .script = maker_script(1),
        .want = want,
        .salt = env_random_u64(&node->env),
    };
    assert_true(maker_share(node->chain, &spec, &made));
    return made;
}

static enum chain_verdict give_with(struct port_node *node, const struct made_share *made,
                                    bool with_body, int64_t clock_s)
{
    struct chain_arrival arrival = {
        .source = SOURCE,
        .share = made->bytes,
        .share_size = made->size,
        .body = with_body ? made->body : NULL,
        .body_size = with_body ? made->body_size : 0,
    };
    return node->table.add_share(node->table.context, &arrival, port_now(clock_s));
}

static void link_ahead_of_the_clock_is_held_until_its_time(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 60);
    struct made_share made = make(&pair.a, MAKER_LINK, pair.clock_s);
    int64_t time = pair.clock_s;
    assert_int_equal(give_with(&pair.b, &made, true, time - 601), CHAIN_IGNORED);
    assert_int_equal(give_with(&pair.b, &made, true, time - 600), CHAIN_UNKNOWN);
    assert_int_equal(give_with(&pair.b, &made, true, time - 500), CHAIN_UNKNOWN);
    struct chain_port_stats stats;
    chain_port_stats(pair.b.port, &stats);
    assert_int_equal(stats.held, 1);
    assert_int_equal(chain_port_next_deadline(pair.b.port).ms, port_now(time - 60).mono.ms);
    chain_port_tick(pair.b.port, port_now(time - 61));
    assert_int_equal(tip_height(&pair.b), 0);
    chain_port_tick(pair.b.port, port_now(time - 60));
    assert_int_equal(tip_height(&pair.b), 1);
    assert_int_equal(pair.b.told_links, 1);
    chain_port_tick(pair.b.port, port_now(time - 60)); // has a look at what may be pruned
    assert_int_equal(chain_port_next_deadline(pair.b.port).ms, INT64_MAX);
    made_share_clear(&made);
    pair_close(&pair);
}

static void grain_ahead_of_the_clock_is_taken(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 61);
    grow(&pair, &pair.a, 20, 1);
    assert_true(port_sync_run(&pair.sync));
    struct made_share made = make(&pair.a, MAKER_GRAIN, pair.clock_s);
    assert_int_equal(give_with(&pair.b, &made, false, pair.clock_s - 5000), CHAIN_VALID);
    assert_int_equal(give_with(&pair.b, &made, false, pair.clock_s - 5000), CHAIN_VALID);
    made_share_clear(&made);
    pair_close(&pair);
}

static void held_links_are_bounded_and_forgotten_with_their_source(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 62);
    struct made_share made = make(&pair.a, MAKER_LINK, pair.clock_s);
    struct chain_port_stats stats;
    // Anybody can alter an extranonce: held all the same until it is looked at.
    for (uint32_t i = 0; i < 3000; i++) {
        memcpy(made.bytes + 1 + HEADER_SIZE + 8, &i, sizeof(i));
        assert_int_equal(give_with(&pair.b, &made, true, pair.clock_s - 600), CHAIN_UNKNOWN);
    }
    chain_port_stats(pair.b.port, &stats);
    assert_true(stats.held > 0 && stats.held_bytes <= CHAIN_PORT_HELD_SOURCE);
    pair.b.table.forget_source(pair.b.table.context, SOURCE);
    chain_port_stats(pair.b.port, &stats);
    assert_int_equal(stats.held, 0);
    assert_int_equal(stats.held_bytes, 0);
    made_share_clear(&made);
    pair_close(&pair);
}

static void shares_far_from_the_tip_are_ignored(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 63);
    struct made_share old = make(&pair.a, MAKER_LINK, pair.clock_s);
    grow(&pair, &pair.a, pair.pool.horizon, 0);
    struct made_share last = make(&pair.a, MAKER_LINK, pair.clock_s);
    grow(&pair, &pair.a, 1, 0);
    struct made_share next = make(&pair.a, MAKER_LINK, pair.clock_s);
    // b stands at link 0: horizon links ahead are kept, more are not.
    assert_int_equal(give_with(&pair.b, &last, true, pair.clock_s), CHAIN_IGNORED);
    assert_int_equal(give_with(&pair.b, &old, true, pair.clock_s), CHAIN_VALID);
    assert_int_equal(give_with(&pair.b, &last, true, pair.clock_s), CHAIN_UNKNOWN);
    assert_int_equal(give_with(&pair.b, &next, true, pair.clock_s), CHAIN_IGNORED);
    // a stands at horizon + 1: link 1 may still come.
    assert_int_equal(give_with(&pair.a, &old, true, pair.clock_s), CHAIN_VALID);
    grow(&pair, &pair.a, 2, 0);
    assert_int_equal(give_with(&pair.a, &old, true, pair.clock_s), CHAIN_IGNORED);
    made_share_clear(&old);
    made_share_clear(&last);
    made_share_clear(&next);
    pair_close(&pair);
}

static void body_of_another_share_is_refused(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 64);
    struct made_share made = make(&pair.a, MAKER_LINK, pair.clock_s);
    uint8_t other[33] = {1, 9};
    uint8_t *kept = made.body;
    size_t kept_size = made.body_size;
    made.body = other;
    made.body_size = sizeof(other);
    assert_int_equal(give_with(&pair.b, &made, true, pair.clock_s), CHAIN_INVALID);
    made.body = kept;
    made.body_size = kept_size;
    assert_int_equal(give_with(&pair.b, &made, true, pair.clock_s), CHAIN_VALID);
    made.bytes[made.size - 1] ^= 1;
    assert_int_equal(give_with(&pair.b, &made, true, pair.clock_s), CHAIN_INVALID);
    made_share_clear(&made);
    pair_close(&pair);
}

static void link_is_told_once_and_without_its_body_as_a_share(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 65);
    struct made_share made = make(&pair.a, MAKER_LINK, pair.clock_s);
    assert_int_equal(give_with(&pair.b, &made, true, pair.clock_s), CHAIN_VALID);
    assert_int_equal(pair.b.told_links, 1);
    assert_int_equal(pair.b.told_shares, 0);
    assert_int_equal(pair.b.told_own, 0);
    assert_int_equal(give_with(&pair.a, &made, false, pair.clock_s), CHAIN_VALID);
    assert_int_equal(pair.a.told_shares, 1);
    assert_int_equal(tip_height(&pair.a), 0);
    struct hash256 lacking;
    uint32_t source;
    struct network_chain *table = &pair.a.table;
    assert_int_equal(table->lacking(table->context, CHAIN_LACKS_BODY, &lacking, &source, 1), 1);
    assert_memory_equal(&lacking, &made.id, sizeof(lacking));
    assert_int_equal(source, SOURCE);
    // The body comes by itself, or again with the share.
    assert_int_equal(give_with(&pair.a, &made, true, pair.clock_s), CHAIN_VALID);
    assert_int_equal(pair.a.told_links, 1);
    assert_int_equal(tip_height(&pair.a), 1);
    assert_int_equal(table->lacking(table->context, CHAIN_LACKS_BODY, &lacking, &source, 1), 0);
    made_share_clear(&made);
    // Our own miners' shares are told as ours.
    size_t own = pair.a.told_own;
    grow(&pair, &pair.a, 1, 0);
    assert_int_equal(pair.a.told_own, own + 1);
    pair_close(&pair);
}

static void what_is_missing_is_named_with_who_wants_it(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 66);
    struct made_share chain[4];
    for (size_t i = 0; i < 4; i++) {
        pair.clock_s += 30;
        chain[i] = make(&pair.a, MAKER_LINK, pair.clock_s);
        assert_int_equal(give_with(&pair.a, &chain[i], true, pair.clock_s), CHAIN_VALID);
    }
    for (size_t i = 3; i > 0; i--)
        assert_int_equal(give_with(&pair.b, &chain[i], true, pair.clock_s), CHAIN_UNKNOWN);
    struct hash256 ids[8];
    uint32_t sources[8];
    struct network_chain *table = &pair.b.table;
    size_t count = table->lacking(table->context, CHAIN_LACKS_SHARE, ids, sources, 8);
    assert_true(count >= 1);
    assert_memory_equal(&ids[0], &chain[0].id, sizeof(ids[0])); // the head of the line, first
    assert_int_equal(sources[0], SOURCE);
    assert_int_equal(give_with(&pair.b, &chain[0], true, pair.clock_s), CHAIN_VALID);
    assert_int_equal(tip_height(&pair.b), 4);
    assert_int_equal(table->lacking(table->context, CHAIN_LACKS_SHARE, ids, sources, 8), 0);
    for (size_t i = 0; i < 4; i++)
        made_share_clear(&chain[i]);
    pair_close(&pair);
}

static void share_on_an_unknown_block_names_its_header(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 67);
    struct made_share made;
    uint8_t header[HEADER_SIZE];
    struct header_chain *headers = sharechain_headers(pair.a.chain);
    maker_header(pair.a.chain, header_chain_anchor(headers), (uint32_t)pair.clock_s, 1, header);
    assert_int_equal(sharechain_add_header(pair.a.chain, header), VERDICT_VALID);
    struct hash256 block_id = header_chain_best(headers)->id;
    made = make(&pair.a, MAKER_LINK, pair.clock_s);
    assert_int_equal(give_with(&pair.b, &made, true, pair.clock_s), CHAIN_UNKNOWN);
    struct hash256 id;
    uint32_t source;
    struct network_chain *table = &pair.b.table;
    assert_int_equal(table->lacking(table->context, CHAIN_LACKS_HEADER, &id, &source, 1), 1);
    assert_memory_equal(&id, &block_id, sizeof(id));
    assert_int_equal(table->add_headers(table->context, SOURCE, header, 1), CHAIN_VALID);
    assert_int_equal(tip_height(&pair.b), 1);
    assert_int_equal(pair.b.told_own, 0); // it was a peer's, whoever brought the header
    made_share_clear(&made);
    pair_close(&pair);
}

static void headers_that_do_not_connect_take_no_place(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 68);
    uint8_t headers[3][HEADER_SIZE];
    struct header_chain *known = sharechain_headers(pair.a.chain);
    for (size_t i = 0; i < 3; i++) {
        maker_header(pair.a.chain, header_chain_best(known), (uint32_t)pair.clock_s, i, headers[i]);
        assert_int_equal(sharechain_add_header(pair.a.chain, headers[i]), VERDICT_VALID);
    }
    struct network_chain *table = &pair.b.table;
    assert_int_equal(table->add_headers(table->context, SOURCE, headers[1], 2), CHAIN_UNKNOWN);
    assert_int_equal(header_chain_waiting_count(sharechain_headers(pair.b.chain)), 0);
    headers[2][HEADER_SIZE - 10] ^= 1; // of its time or bits
    assert_int_equal(table->add_headers(table->context, SOURCE, headers[0], 3), CHAIN_INVALID);
    assert_int_equal(header_chain_count(sharechain_headers(pair.b.chain)), 3);
    pair_close(&pair);
}

// A liar floods; what others sent stays.
static void lying_source_loses_first(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 69);
    struct made_share first = make(&pair.a, MAKER_LINK, pair.clock_s);
    assert_int_equal(give_with(&pair.a, &first, true, pair.clock_s), CHAIN_VALID);
    struct made_share honest = make(&pair.a, MAKER_LINK, pair.clock_s + 30);
    assert_int_equal(give_with(&pair.b, &honest, true, pair.clock_s), CHAIN_UNKNOWN);
    struct made_share junk = honest;
    struct network_chain *table = &pair.b.table;
    struct sharechain_counts counts;
    for (uint32_t i = 0; i < 25000; i++) {
        struct share share;
        assert_true(share_decode(honest.bytes, honest.size, &share));
        memcpy(share.info.anchor.bytes, &i, sizeof(i));
        struct buffer out;
        buffer_init_fixed(&out, junk.bytes, sizeof(junk.bytes));
        share_encode(&share, &out);
        struct chain_arrival arrival = {
            .source = SOURCE + 1,
            .share = junk.bytes,
            .share_size = out.size,
        };
        assert_int_equal(table->add_share(table->context, &arrival, port_now(pair.clock_s)),
                         CHAIN_UNKNOWN);
    }
    sharechain_counts(pair.b.chain, &counts);
    assert_true(counts.waiting_bytes <= LIMIT_PENDING_SOURCE_BYTES + 4096);
    assert_int_equal(give_with(&pair.b, &first, true, pair.clock_s), CHAIN_VALID);
    assert_int_equal(tip_height(&pair.b), 2); // the honest one waited for it all the time
    made_share_clear(&first);
    made_share_clear(&honest);
    pair_close(&pair);
}

static void junk_ids_are_not_plausible(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 70);
    struct network_chain *table = &pair.a.table;
    struct hash256 large;
    memset(&large, 0x7f, sizeof(large));
    assert_true(table->is_plausible(table->context, &large)); // everything is easy at first
    struct port_growth fast = {.links = 24, .seconds = 1, .block_links = 20, .scripts = 3};
    pair.pool.horizon = 6;
    port_node_grow(&pair.a, &fast, &pair.clock_s);
    assert_false(table->is_plausible(table->context, &large));
    for (size_t i = 0; i < 20; i++) {
        struct made_share made = make(&pair.a, MAKER_GRAIN, pair.clock_s);
        assert_true(table->is_plausible(table->context, &made.id));
        made_share_clear(&made);
    }
    pair_close(&pair);
}

static void proof_refuses_what_does_not_follow(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 71);
    grow(&pair, &pair.a, 3, 0);
    port_sync_headers(&pair.sync);
    struct network_chain *from = &pair.a.table;
    struct network_chain *to = &pair.b.table;
    struct hash256 common, unknown = {{1}};
    struct buffer out;
    buffer_init(&out, 1 << 16);
    assert_int_equal(from->links_after(from->context, NULL, 0, 512, &common, &out), 3);
    assert_memory_equal(&common, &pair.pool.id, sizeof(common));
    assert_null(to->proof_new(to->context, &unknown));
    struct chain_proof *proof = to->proof_new(to->context, &common);
    struct chain_proof_state proof_state;
    size_t first = out.data[0] + 256u * out.data[1];
    uint8_t *second = out.data + 2 + first;
    size_t second_size = second[0] + 256u * second[1];
    assert_int_equal(to->proof_step(proof, second + 2, second_size, &proof_state), CHAIN_PROOF_BAD);
    out.data[2 + first - 1] ^= 1;
    assert_int_equal(to->proof_step(proof, out.data + 2, first, &proof_state), CHAIN_PROOF_BAD);
    out.data[2 + first - 1] ^= 1;
    assert_int_equal(to->proof_step(proof, out.data + 2, first, &proof_state), CHAIN_PROOF_OK);
    assert_int_equal(proof_state.tip.height, 1);
    assert_int_equal(to->proof_step(proof, second + 2, second_size, &proof_state), CHAIN_PROOF_OK);
    struct hash256 id;
    assert_false(to->proof_link(proof, 0, &id));
    assert_true(to->proof_link(proof, 2, &id));
    assert_memory_equal(&id, &proof_state.tip.id, sizeof(id));
    assert_false(to->proof_link(proof, 3, &id));
    to->proof_free(proof);
    buffer_clear(&out);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_that_knows_nothing_learns_all_from_another),
        cmocka_unit_test(ten_thousand_grains_are_learnt),
        cmocka_unit_test(month_of_absence_is_made_up_for),
        cmocka_unit_test(shorter_fork_gives_way_and_keeps_its_grains),
        cmocka_unit_test(deep_fork_is_followed_only_with_the_daemon),
        cmocka_unit_test(link_ahead_of_the_clock_is_held_until_its_time),
        cmocka_unit_test(grain_ahead_of_the_clock_is_taken),
        cmocka_unit_test(held_links_are_bounded_and_forgotten_with_their_source),
        cmocka_unit_test(shares_far_from_the_tip_are_ignored),
        cmocka_unit_test(body_of_another_share_is_refused),
        cmocka_unit_test(link_is_told_once_and_without_its_body_as_a_share),
        cmocka_unit_test(what_is_missing_is_named_with_who_wants_it),
        cmocka_unit_test(share_on_an_unknown_block_names_its_header),
        cmocka_unit_test(headers_that_do_not_connect_take_no_place),
        cmocka_unit_test(lying_source_loses_first),
        cmocka_unit_test(junk_ids_are_not_plausible),
        cmocka_unit_test(proof_refuses_what_does_not_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
