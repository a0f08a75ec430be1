// The engine driven by what it mints itself: whole small pools, with blocks, races, late news and
// restarts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/limits.h"
#include "tests/support/share_maker.h"

#define PEERS 3

struct peer {
    struct maker_random random;
    struct env env;
    struct store *store;
    struct sharechain *chain;
};

struct message {
    bool is_header;
    uint8_t header[HEADER_SIZE];
    struct made_share share;
};

struct world {
    struct pool pool;
    struct maker_random random;
    struct env env;
    struct peer peers[PEERS];
    struct message *messages;
    size_t messages_count, messages_capacity;
    int64_t clock_s;
};

static void peer_open(struct peer *peer, const struct pool *pool, uint64_t seed)
{
    maker_env_init(&peer->env, &peer->random, seed);
    peer->store = store_memory_new();
    peer->chain = sharechain_new(&peer->env, pool, peer->store, NULL);
    assert_non_null(peer->chain);
}

static void peer_close(struct peer *peer)
{
    sharechain_free(peer->chain);
    store_close(peer->store);
    maker_env_clear(&peer->env);
}

static void world_open(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof(*world));
    maker_pool(&world->pool, 10, 4);
    maker_env_init(&world->env, &world->random, seed);
    world->clock_s = world->pool.genesis_time + 100;
    for (size_t i = 0; i < PEERS; i++)
        peer_open(&world->peers[i], &world->pool, seed + i + 1);
}

static void world_close(struct world *world)
{
    for (size_t i = 0; i < world->messages_count; i++)
        made_share_clear(&world->messages[i].share);
    free(world->messages);
    for (size_t i = 0; i < PEERS; i++)
        peer_close(&world->peers[i]);
    maker_env_clear(&world->env);
}

static struct message *world_message(struct world *world)
{
    if (world->messages_count == world->messages_capacity) {
        world->messages_capacity = world->messages_capacity * 2 + 64;
        world->messages =
            realloc(world->messages, world->messages_capacity * sizeof(*world->messages));
        assert_non_null(world->messages);
    }
    struct message *message = &world->messages[world->messages_count++];
    memset(message, 0, sizeof(*message));
    return message;
}

static void deliver(struct peer *peer, const struct message *message)
{
    if (message->is_header)
        assert_int_equal(sharechain_add_header(peer->chain, message->header) == VERDICT_INVALID, 0);
    else
        assert_int_equal(maker_add(peer->chain, &message->share, 1) == VERDICT_INVALID, 0);
}

static void find_block(struct world *world, struct peer *peer)
{
    struct message *message = world_message(world);
    message->is_header = true;
    struct header_chain *headers = sharechain_headers(peer->chain);
    maker_header(peer->chain, header_chain_best(headers), (uint32_t)world->clock_s,
                 env_random_u64(&world->env), message->header);
    assert_int_equal(sharechain_add_header(peer->chain, message->header), VERDICT_VALID);
}

static void find_share(struct world *world, struct peer *peer)
{
    struct message *message = world_message(world);
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(peer->chain))->id,
        .now = {world->clock_s * 1000},
        .script = maker_script((uint32_t)env_random_below(&world->env, 6)),
        .want = env_random_below(&world->env, 3) == 0 ? MAKER_LINK : MAKER_GRAIN,
        .salt = env_random_u64(&world->env),
    };
    if (!maker_share(peer->chain, &spec, &message->share)) {
        spec.want = MAKER_LINK; // at the easiest target every grain is a link
        assert_true(maker_share(peer->chain, &spec, &message->share));
    }
    // What a node mints is valid to itself at once.
    assert_int_equal(maker_add(peer->chain, &message->share, SHARECHAIN_OWN), VERDICT_VALID);
}

// Peers work for `steps`; each hears of what the others found after a random delay.
static void world_run(struct world *world, size_t steps)
{
    size_t heard[PEERS] = {0};
    for (size_t step = 0; step < steps; step++) {
        world->clock_s += (int64_t)env_random_below(&world->env, 3);
        struct peer *peer = &world->peers[env_random_below(&world->env, PEERS)];
        if (env_random_below(&world->env, 12) == 0)
            find_block(world, peer);
        else
            find_share(world, peer);
        size_t i = (size_t)env_random_below(&world->env, PEERS);
        size_t until = heard[i] + (size_t)env_random_below(&world->env, 8);
        for (; heard[i] < world->messages_count && heard[i] < until; heard[i]++)
            deliver(&world->peers[i], &world->messages[heard[i]]);
    }
    for (size_t i = 0; i < PEERS; i++) {
        for (; heard[i] < world->messages_count; heard[i]++)
            deliver(&world->peers[i], &world->messages[heard[i]]);
    }
}

static void shuffle(struct world *world, size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)env_random_below(&world->env, i);
        size_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

// Everything a node could be asked: its links with their windows, and the verdict on each object.
static void assert_same_state(struct world *world, struct sharechain *a, struct sharechain *b)
{
    struct link_view tip_a, tip_b;
    sharechain_tip(a, &tip_a);
    sharechain_tip(b, &tip_b);
    assert_memory_equal(&tip_a.id, &tip_b.id, sizeof(tip_a.id));
    struct sharechain_counts counts_a, counts_b;
    sharechain_counts(a, &counts_a);
    sharechain_counts(b, &counts_b);
    assert_int_equal(counts_a.shares, counts_b.shares);
    assert_int_equal(counts_a.links, counts_b.links);
    assert_int_equal(counts_a.headers, counts_b.headers);
    assert_int_equal(counts_a.loose, counts_b.loose);
    for (size_t i = 0; i < world->messages_count; i++) {
        const struct made_share *made = &world->messages[i].share;
        if (world->messages[i].is_header)
            continue;
        assert_int_equal(sharechain_share_verdict(a, made->bytes, made->size),
                         sharechain_share_verdict(b, made->bytes, made->size));
        assert_int_equal(sharechain_link_verdict(a, &made->id, NULL),
                         sharechain_link_verdict(b, &made->id, NULL));
        struct window_view window_a = {0}, window_b = {0};
        assert_int_equal(sharechain_window(a, &made->id, &window_a),
                         sharechain_window(b, &made->id, &window_b));
        assert_memory_equal(&window_a, &window_b, sizeof(window_a));
    }
}

static void peers_that_work_at_once_agree_when_they_have_heard_all(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct world world;
        world_open(&world, seed * 1000);
        world_run(&world, 400);
        struct link_view tip;
        sharechain_tip(world.peers[0].chain, &tip);
        assert_true(tip.height > 20);
        assert_same_state(&world, world.peers[0].chain, world.peers[1].chain);
        assert_same_state(&world, world.peers[0].chain, world.peers[2].chain);
        world_close(&world);
    }
}

static void any_order_of_arrival_gives_the_same_state(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 77);
    world_run(&world, 400);
    size_t *order = calloc(world.messages_count, sizeof(*order));
    for (uint64_t round = 0; round < 4; round++) {
        struct peer late;
        peer_open(&late, &world.pool, 5000 + round);
        shuffle(&world, order, world.messages_count);
        for (size_t i = 0; i < world.messages_count; i++)
            deliver(&late, &world.messages[order[i]]);
        assert_same_state(&world, world.peers[0].chain, late.chain);
        struct sharechain_counts counts;
        sharechain_counts(late.chain, &counts);
        assert_int_equal(counts.waiting, 0);
        peer_close(&late);
    }
    free(order);
    world_close(&world);
}

static void restart_reads_the_same_chain_from_the_store(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 99);
    world_run(&world, 400);
    struct peer *peer = &world.peers[1];
    struct sharechain *again = sharechain_new(&peer->env, &world.pool, peer->store, NULL);
    char error[256] = "";
    assert_true(sharechain_load(again, error, sizeof(error)));
    assert_same_state(&world, peer->chain, again);
    sharechain_free(again);
    world_close(&world);
}

static void count_line(void *context, enum log_level level, const char *line, size_t size)
{
    size_t *count = context;
    (void)level;
    (void)size;
    *count += strstr(line, "cannot be used: the file is damaged") != NULL ? 1 : 0;
}

static struct wall_time no_clock(void *context)
{
    (void)context;
    return (struct wall_time){0};
}

static size_t complaints_of_load(struct world *world, struct peer *peer)
{
    size_t count = 0;
    char error[256] = "";
    struct env env = peer->env;
    env.log = log_new(LOG_INFO, LOG_FORM_TEXT, count_line, no_clock, &count);
    struct sharechain *again = sharechain_new(&env, &world->pool, peer->store, NULL);
    assert_true(sharechain_load(again, error, sizeof(error)));
    sharechain_free(again);
    log_free(env.log);
    return count;
}

static bool keep_first_key(void *context, const void *key, size_t key_size, const void *value,
                           size_t value_size)
{
    struct buffer *kept = context;
    (void)value;
    (void)value_size;
    write_bytes(kept, key, key_size);
    return false;
}

static void damage_on_disk_is_said_aloud(void **state)
{
    (void)state;
    static const enum store_table tables[] = {STORE_HEADERS, STORE_SHARES};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        struct world world;
        world_open(&world, 98);
        world_run(&world, 100);
        struct peer *peer = &world.peers[1];
        assert_int_equal(complaints_of_load(&world, peer), 0);
        uint8_t key[64];
        struct buffer kept;
        buffer_init_fixed(&kept, key, sizeof(key));
        store_each(peer->store, tables[i], NULL, 0, keep_first_key, &kept);
        assert_true(kept.size > 0);
        store_put(peer->store, tables[i], key, kept.size, "noise", 5);
        assert_int_equal(complaints_of_load(&world, peer), 1);
        world_close(&world);
    }
}

static void store_of_another_pool_is_refused(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 5);
    char error[256] = "";
    assert_true(sharechain_load(world.peers[0].chain, error, sizeof(error)));
    struct pool other = world.pool;
    other.link_spacing = 11;
    struct pool_error pool_error;
    assert_true(pool_finish(&other, &pool_error));
    struct sharechain *chain = sharechain_new(&world.env, &other, world.peers[0].store, NULL);
    assert_false(sharechain_load(chain, error, sizeof(error)));
    assert_non_null(strstr(error, "another pool"));
    sharechain_free(chain);
    world_close(&world);
}

// Sums over whole chains: credits are exactly the weights of what was credited.
static void add_weight(void *context, const struct script *script, const struct u256 *weight)
{
    (void)script;
    struct u256 *sum = context;
    *sum = u256_add(sum, weight);
}

struct loose_sum {
    const struct sharechain *chain;
    size_t count;
};

static void check_loose(void *context, const struct share_view *view)
{
    struct loose_sum *sum = context;
    struct share_view again;
    struct link_view anchor;
    assert_true(sharechain_share(sum->chain, &view->id, &again));
    assert_memory_equal(&again.weight, &view->weight, sizeof(view->weight));
    assert_true(view->payout_script.size > 0);
    assert_false(u256_is_zero(&view->weight));
    assert_true(sharechain_link(sum->chain, &view->anchor, &anchor));
    assert_int_equal(view->link_height, anchor.height + 1);
    sum->count++;
}

static void nothing_is_credited_twice_or_lost(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 31);
    world_run(&world, 600);
    struct sharechain *chain = world.peers[0].chain;
    struct link_view tip, link;
    sharechain_tip(chain, &tip);
    struct u256 credits = u256_from_u64(0);
    uint64_t credited = 0;
    for (uint32_t height = 1; height <= tip.height; height++) {
        assert_true(sharechain_link_at(chain, height, &link));
        sharechain_link_credits(chain, &link.id, add_weight, &credits);
        credited += link.grains_count + 1;
    }
    struct sharechain_counts counts;
    sharechain_counts(chain, &counts);
    // Every valid share is credited by the best chain or still loose (none is detached or expired
    // here).
    assert_int_equal(credited + counts.loose, counts.shares);
    assert_false(u256_is_zero(&credits));
    struct loose_sum loose = {.chain = chain};
    sharechain_each_loose(chain, check_loose, &loose);
    assert_int_equal(loose.count, counts.loose);
    world_close(&world);
}

static void flood_of_unknown_shares_is_bounded_and_own_ones_stay(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 8);
    struct peer *peer = &world.peers[0];
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(peer->chain))->id,
        .now = {world.clock_s * 1000},
        .script = maker_script(1),
        .want = MAKER_LINK,
    };
    struct made_share made;
    assert_true(maker_share(peer->chain, &spec, &made));
    // The same share with an anchor that nobody has, over and over.
    for (uint32_t i = 0; i < 60000; i++) {
        struct share share;
        assert_true(share_decode(made.bytes, made.size, &share));
        memcpy(share.info.anchor.bytes, &i, sizeof(i));
        uint8_t bytes[SHARE_SIZE_MAX];
        struct buffer buffer;
        buffer_init_fixed(&buffer, bytes, sizeof(bytes));
        share_encode(&share, &buffer);
        struct share_arrival arrival = {.bytes = bytes, .size = buffer.size, .source = 7};
        assert_int_equal(sharechain_add_share(peer->chain, &arrival), VERDICT_UNKNOWN);
    }
    struct sharechain_counts counts;
    sharechain_counts(peer->chain, &counts);
    assert_true(counts.waiting > 0);
    assert_true(counts.waiting_bytes <= LIMIT_PENDING_SOURCE_BYTES);
    sharechain_forget_source(peer->chain, 7);
    sharechain_counts(peer->chain, &counts);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(counts.waiting_bytes, 0);
    assert_int_equal(maker_add(peer->chain, &made, SHARECHAIN_OWN), VERDICT_VALID);
    made_share_clear(&made);
    world_close(&world);
}

static void mint_refuses_what_could_not_become_valid(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 12);
    struct sharechain *chain = world.peers[0].chain;
    struct mint *mint = NULL;
    struct mint_spec spec = {.prev = {{1}}, .now = {world.clock_s * 1000}};
    assert_int_equal(sharechain_mint(chain, &spec, &mint), MINT_PREV_UNKNOWN);
    spec.prev = header_chain_anchor(sharechain_headers(chain))->id;
    spec.coinbase_value = 50 * UINT64_C(100000000) - 1;
    assert_int_equal(sharechain_mint(chain, &spec, &mint), MINT_VALUE_BAD);
    spec.coinbase_value++;
    spec.now.ms = ((int64_t)world.pool.genesis_time - 61) * 1000;
    assert_int_equal(sharechain_mint(chain, &spec, &mint), MINT_CLOCK_BEHIND);
    assert_null(mint);
    spec.now.ms += 1000 * 1;
    assert_int_equal(sharechain_mint(chain, &spec, &mint), MINT_CLOCK_BEHIND);
    spec.now.ms += 1000 * 1;
    assert_int_equal(sharechain_mint(chain, &spec, &mint), MINT_OK);
    assert_true(mint->is_solo);
    mint_release(mint);
    world_close(&world);
}

static void links_that_outrun_the_clock_do_not_stop_the_miners(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 13);
    struct sharechain *chain = world.peers[0].chain;
    struct maker_spec spec = {
        .prev = header_chain_anchor(sharechain_headers(chain))->id,
        .now = {world.clock_s * 1000},
        .script = maker_script(1),
        .want = MAKER_LINK,
    };
    for (spec.salt = 0; spec.salt < 80; spec.salt++) {
        struct made_share made;
        assert_true(maker_share(chain, &spec, &made));
        assert_int_equal(maker_add(chain, &made, SHARECHAIN_OWN), VERDICT_VALID);
        made_share_clear(&made);
    }
    struct link_view tip;
    sharechain_tip(chain, &tip);
    assert_int_equal(tip.time, world.clock_s + 60);
    struct mint *mint = NULL;
    struct mint_spec mint_spec = {.prev = spec.prev, .now = spec.now};
    mint_spec.coinbase_value = 50 * UINT64_C(100000000);
    assert_int_equal(sharechain_mint(chain, &mint_spec, &mint), MINT_OK);
    assert_int_equal(mint->info.time, world.clock_s + 60);
    mint_release(mint);
    world_close(&world);
}

// A value that no block can have must be refused for what it is, so its list has to be exact as
// well.
static void largest_value_of_64_bits_is_split_without_overflow(void **state)
{
    (void)state;
    struct payout_spec spec = {.outputs_max = 1000, .min_payout = 1, .subsidy = 5000000000};
    struct payout_weight *weights = calloc(1200, sizeof(*weights));
    struct coinbase_output *outputs = calloc(1000, sizeof(*outputs));
    assert_true(weights != NULL && outputs != NULL);
    for (uint32_t i = 0; i < 1200; i++) {
        weights[i].script = maker_script(i);
        weights[i].weight = u256_from_u64((UINT64_C(1) << 56) / 1200);
    }
    struct payout_plan *plan = payout_plan_new(&spec, weights, 1200);
    assert_int_equal(payout_plan_branch(plan), PAYOUT_SAMPLED);
    assert_int_equal(payout_plan_count(plan), 1000);
    payout_plan_outputs(plan, UINT64_MAX, NULL, outputs);
    for (size_t i = 0; i < 1000; i++)
        assert_in_range(outputs[i].amount, UINT64_MAX / 1000, UINT64_MAX / 1000 + 1);
    payout_plan_release(plan);
    free(weights);
    free(outputs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_that_work_at_once_agree_when_they_have_heard_all),
        cmocka_unit_test(any_order_of_arrival_gives_the_same_state),
        cmocka_unit_test(restart_reads_the_same_chain_from_the_store),
        cmocka_unit_test(damage_on_disk_is_said_aloud),
        cmocka_unit_test(store_of_another_pool_is_refused),
        cmocka_unit_test(nothing_is_credited_twice_or_lost),
        cmocka_unit_test(flood_of_unknown_shares_is_bounded_and_own_ones_stay),
        cmocka_unit_test(largest_value_of_64_bits_is_split_without_overflow),
        cmocka_unit_test(links_that_outrun_the_clock_do_not_stop_the_miners),
        cmocka_unit_test(mint_refuses_what_could_not_become_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
