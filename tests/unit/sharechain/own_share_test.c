// Shares of our own mint go a shorter way than those of others. Two chains that hear the same, one
// by each way, must always say the same: whatever a miner rolled, and whatever a fault of ours got
// wrong before a mint is proven.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/bitcoin/header.h"
#include "node/bitcoin/merkle.h"
#include "node/pow/sha256.h"
#include "node/pow/target.h"
#include "tests/support/share_maker.h"

#define MINTS           1500
#define SHARES_EACH     12
#define NONCES_TRIED    64
#define BLOCK_EVERY     5
#define PROVEN_MIN      1000 // shares of proven mints that were only grains: those of the short way
#define VERDICT_OF_EACH 300
#define SHARES_MAX      100000

struct pair {
    struct pool pool;
    struct maker_random random;
    struct env env;
    struct store *own_store, *other_store;
    struct sharechain *own, *other;
    int64_t clock_s;
    size_t valid, invalid, links, short_ways;
};

static void pair_open(struct pair *pair, uint64_t seed)
{
    memset(pair, 0, sizeof(*pair));
    maker_pool(&pair->pool, 10, 30);
    maker_env_init(&pair->env, &pair->random, seed);
    pair->own_store = store_memory_new();
    pair->other_store = store_memory_new();
    pair->own = sharechain_new(&pair->env, &pair->pool, pair->own_store, NULL);
    pair->other = sharechain_new(&pair->env, &pair->pool, pair->other_store, NULL);
    assert_non_null(pair->own);
    assert_non_null(pair->other);
    pair->clock_s = pair->pool.genesis_time + 100;
}

static void pair_close(struct pair *pair)
{
    sharechain_free(pair->own);
    sharechain_free(pair->other);
    store_close(pair->own_store);
    store_close(pair->other_store);
    maker_env_clear(&pair->env);
}

static uint32_t pick(struct pair *pair, uint64_t below)
{
    return (uint32_t)env_random_below(&pair->env, below);
}

static void find_block(struct pair *pair)
{
    uint8_t header[HEADER_SIZE];
    maker_header(pair->own, header_chain_best(sharechain_headers(pair->own)),
                 (uint32_t)pair->clock_s, env_random_u64(&pair->env), header);
    assert_int_equal(sharechain_add_header(pair->own, header), VERDICT_VALID);
    assert_int_equal(sharechain_add_header(pair->other, header), VERDICT_VALID);
}

static struct mint *new_mint(struct pair *pair)
{
    static const uint8_t aux[COINBASE_AUX_SIZE] = {0xfa, 0xbe, 0x6d, 0x6d, 7};
    const struct header_node *best = header_chain_best(sharechain_headers(pair->own));
    struct mint_spec spec = {
        .prev = best->id,
        .coinbase_value = chain_subsidy(pair->pool.chain, best->height + 1) + pick(pair, 1000),
        .has_witness = pick(pair, 2) == 0,
        .aux = pick(pair, 3) == 0 ? aux : NULL,
        .now = {pair->clock_s * 1000},
    };
    spec.witness_commitment.bytes[0] = (uint8_t)pick(pair, 256);
    struct mint *mint;
    assert_int_equal(sharechain_mint(pair->own, &spec, &mint), MINT_OK);
    return mint;
}

// What a miner, or a fault of ours in telling a share from the job it is of, can vary.
static void vary(struct pair *pair, const struct mint *mint, struct share *share,
                 struct header *header)
{
    const struct header_node *prev = header_chain_find(sharechain_headers(pair->own), &mint->prev);
    header->version = (uint32_t)env_random_u64(&pair->env);
    switch (pick(pair, 12)) {
    case 0:
        header->time = prev->median_time - pick(pair, 2);
        break;
    case 1:
        header->time = mint->info.time + 7200 + pick(pair, 3);
        break;
    case 2:
        header->time = (uint32_t)env_random_u64(&pair->env);
        break;
    case 3:
        header->bits ^= 1u << pick(pair, 8);
        break;
    case 4:
        share->info.grain_shift = (uint8_t)(mint->grain_shift_max + pick(pair, 2));
        break;
    case 5:
        share->info.time -= pick(pair, 400);
        break;
    case 6:
        share->info.link_height += pick(pair, 3);
        break;
    default: // not an enum: the rest is as it should be
        break;
    }
}

static void hash_coinbase(const struct mint *mint, const struct share *share, struct hash256 *txid)
{
    static struct coinbase_output outputs[COINBASE_OUTPUTS_MAX];
    struct coinbase_spec spec = {
        .height = mint->height,
        .aux = share->info.has_aux ? share->info.aux : NULL,
        .outputs = outputs,
        .outputs_count = mint_outputs(mint, &share->info.payout_script, outputs),
        .witness_commitment = share->has_witness ? &share->witness_commitment : NULL,
    };
    struct buffer prefix;
    buffer_init(&prefix, coinbase_prefix_size_max(COINBASE_OUTPUTS_MAX));
    coinbase_write_prefix(&spec, &prefix);
    assert_false(prefix.failed);
    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, prefix.data, prefix.size);
    struct hash256 info_hash;
    share_info_hash(&share->info, &info_hash);
    coinbase_txid(&sha, &info_hash, share->extranonce, mint->height, txid);
    buffer_clear(&prefix);
}

// Some of the shares reach only the link target, the grain target, or none.
static void roll(struct pair *pair, const struct mint *mint, struct header *header,
                 struct share *share, struct hash256 *pow)
{
    struct u256 target;
    mint_grain_target(mint, 0, &target);
    bool wants_grain = pick(pair, 8) != 0;
    for (unsigned i = 0; i < NONCES_TRIED; i++) {
        header->nonce = (uint32_t)env_random_u64(&pair->env);
        header_encode(header, share->header);
        header_id(share->header, pow);
        if (target_is_met(pow, &target) == wants_grain)
            return;
    }
}

static struct share make_share(struct pair *pair, const struct mint *mint, struct hash256 *pow)
{
    struct share share = {
        .coinbase_value = mint->coinbase_value,
        .has_witness = mint->has_witness,
        .witness_commitment = mint->witness_commitment,
        .branch.count = pick(pair, 4),
    };
    env_random_bytes(&pair->env, share.branch.hashes, sizeof(share.branch.hashes));
    env_random_bytes(&pair->env, share.extranonce, sizeof(share.extranonce));
    struct script script = maker_script(pick(pair, 6));
    mint_share_info(mint, &script, 0, &share.info);
    struct header header = {.prev = mint->prev, .bits = mint->header_bits};
    header.time = mint->info.time > mint->header_time_min ? mint->info.time : mint->header_time_min;
    vary(pair, mint, &share, &header);
    struct hash256 txid;
    hash_coinbase(mint, &share, &txid);
    merkle_branch_root(&share.branch, &txid, &header.merkle_root);
    roll(pair, mint, &header, &share, pow);
    return share;
}

static enum verdict add(struct sharechain *chain, const struct share *share,
                        const struct hash256 *pow, struct mint *mint, struct mint *own)
{
    uint8_t bytes[SHARE_SIZE_MAX];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    share_encode(share, &buffer);
    struct share_arrival arrival = {
        .bytes = bytes,
        .size = buffer.size,
        .pow = pow,
        .mint = own,
        .body = target_is_met(pow, &mint->link_target) ? mint->body : NULL,
        .body_size = mint->body_size,
        .source = own != NULL ? SHARECHAIN_OWN : 1,
    };
    return sharechain_add_share(chain, &arrival);
}

static void add_to_both(struct pair *pair, struct mint *mint)
{
    struct hash256 pow;
    struct share share = make_share(pair, mint, &pow);
    bool is_link = target_is_met(&pow, &mint->link_target);
    bool is_short = mint->is_proven && !mint->is_solo && !is_link;
    enum verdict own = add(pair->own, &share, &pow, mint, mint);
    enum verdict other = add(pair->other, &share, &pow, mint, NULL);
    assert_int_equal(own, other);
    assert_int_not_equal(own, VERDICT_UNKNOWN);
    pair->valid += own == VERDICT_VALID ? 1 : 0;
    pair->invalid += own == VERDICT_INVALID ? 1 : 0;
    pair->links += own == VERDICT_VALID && is_link ? 1 : 0;
    pair->short_ways += is_short ? 1 : 0;
}

static void assert_same_state(const struct pair *pair)
{
    struct link_view own_tip, other_tip;
    sharechain_tip(pair->own, &own_tip);
    sharechain_tip(pair->other, &other_tip);
    assert_memory_equal(&own_tip.id, &other_tip.id, sizeof(own_tip.id));
    struct sharechain_counts own, other;
    sharechain_counts(pair->own, &own);
    sharechain_counts(pair->other, &other);
    assert_int_equal(own.shares, other.shares);
    assert_int_equal(own.links, other.links);
    assert_int_equal(own.loose, other.loose);
}

static void own_and_others_way_give_the_same_verdicts(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 11);
    for (size_t i = 0; i < MINTS; i++) {
        pair.clock_s += pick(&pair, 8);
        if (i % BLOCK_EVERY == 0)
            find_block(&pair);
        struct mint *mint = new_mint(&pair);
        for (size_t k = 0; k < SHARES_EACH; k++)
            add_to_both(&pair, mint);
        mint_release(mint);
        assert_same_state(&pair);
    }
    assert_true(pair.short_ways >= PROVEN_MIN);
    assert_true(pair.valid >= VERDICT_OF_EACH);
    assert_true(pair.invalid >= VERDICT_OF_EACH);
    assert_true(pair.links >= MINTS / 10);
    pair_close(&pair);
}

// Until the window holds credits every miner has a coinbase of its own, and until links have become
// harder every grain is one.
static struct mint *shared_mint(struct pair *pair)
{
    for (size_t i = 0; i < MINTS; i++) {
        pair->clock_s += 1;
        if (i % BLOCK_EVERY == 0)
            find_block(pair);
        struct mint *mint = new_mint(pair);
        struct u256 half = u256_shift_right(&mint->grain_target, 1);
        if (!mint->is_solo && u256_compare(&mint->link_target, &half) < 0)
            return mint;
        for (size_t k = 0; k < SHARES_EACH; k++)
            add_to_both(pair, mint);
        mint_release(mint);
    }
    fail_msg("no mint of %d is as it should be", MINTS);
    return NULL;
}

static struct share good_share(struct pair *pair, struct mint *mint, bool is_link,
                               struct hash256 *pow)
{
    for (size_t i = 0; i < SHARES_MAX; i++) {
        struct share share = make_share(pair, mint, pow);
        if (target_is_met(pow, &mint->link_target) == is_link &&
            add(pair->other, &share, pow, mint, NULL) == VERDICT_VALID)
            return share;
    }
    fail_msg("no such share among %d", SHARES_MAX);
    return (struct share){.has_witness = false};
}

static void spoil(struct share *share)
{
    share->extranonce[5] ^= 1;
}

static void wrong_coinbase_is_found_out_until_a_mint_is_proven(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 12);
    struct mint *mint = shared_mint(&pair);
    struct hash256 pow;
    struct share share = good_share(&pair, mint, false, &pow);
    struct share bad = share;
    spoil(&bad);
    assert_int_equal(add(pair.own, &bad, &pow, mint, mint), VERDICT_INVALID);
    assert_false(mint->is_proven);
    assert_int_equal(add(pair.own, &share, &pow, mint, mint), VERDICT_VALID);
    assert_true(mint->is_proven);
    mint_release(mint);
    pair_close(&pair);
}

static void wrong_coinbase_of_a_link_is_always_found_out(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 13);
    struct mint *mint = shared_mint(&pair);
    struct hash256 pow;
    struct share share = good_share(&pair, mint, false, &pow);
    assert_int_equal(add(pair.own, &share, &pow, mint, mint), VERDICT_VALID);
    assert_true(mint->is_proven);
    share = good_share(&pair, mint, true, &pow);
    spoil(&share);
    assert_int_equal(add(pair.own, &share, &pow, mint, mint), VERDICT_INVALID);
    mint_release(mint);
    pair_close(&pair);
}

// A fault that takes a share for one of another mint does not make it pass.
static void share_of_another_coinbase_is_not_taken_for_the_mints(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 14);
    struct mint *mint = shared_mint(&pair);
    struct hash256 pow;
    struct share share = good_share(&pair, mint, false, &pow);
    assert_int_equal(add(pair.own, &share, &pow, mint, mint), VERDICT_VALID);
    assert_true(mint->is_proven);
    share = good_share(&pair, mint, false, &pow);
    share.coinbase_value += 1;
    assert_int_equal(add(pair.own, &share, &pow, mint, mint), VERDICT_INVALID);
    mint_release(mint);
    pair_close(&pair);
}

static void copies_of_own_shares_that_come_back_are_judged_by_their_bytes(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair, 15);
    struct mint *mint = shared_mint(&pair);
    struct hash256 pow;
    for (size_t i = 0; i < 3; i++) {
        struct share share = good_share(&pair, mint, false, &pow);
        assert_int_equal(add(pair.own, &share, &pow, mint, mint), VERDICT_VALID);
        assert_int_equal(add(pair.own, &share, &pow, mint, NULL), VERDICT_VALID);
        spoil(&share);
        assert_int_equal(add(pair.own, &share, &pow, mint, NULL), VERDICT_INVALID);
    }
    struct sharechain_counts counts;
    sharechain_counts(pair.own, &counts);
    assert_int_equal(counts.waiting, 0);
    mint_release(mint);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_and_others_way_give_the_same_verdicts),
        cmocka_unit_test(wrong_coinbase_is_found_out_until_a_mint_is_proven),
        cmocka_unit_test(wrong_coinbase_of_a_link_is_always_found_out),
        cmocka_unit_test(share_of_another_coinbase_is_not_taken_for_the_mints),
        cmocka_unit_test(copies_of_own_shares_that_come_back_are_judged_by_their_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
