#include "node/bitcoin/merkle.h"

#include "tests/unit/node/bitcoin/support.h"
#include "tests/unit/node/base/seeded.h"
#include "node/pow/sha256.h"

#define LEAVES_MAX 300

// The tree as Satoshi's page describes it, level by level, with the last of an odd level doubled.
static struct hash256 root_by_levels(const struct hash256 *leaves, size_t count)
{
    struct hash256 level[LEAVES_MAX + 1];
    memcpy(level, leaves, count * sizeof *leaves);
    while (count > 1) {
        if (count % 2 == 1)
            level[count] = level[count - 1];
        count = (count + 1) / 2;
        for (size_t i = 0; i < count; i++) {
            uint8_t pair[64];
            memcpy(pair, level[2 * i].bytes, 32);
            memcpy(pair + 32, level[2 * i + 1].bytes, 32);
            sha256d(pair, sizeof pair, &level[i]);
        }
    }
    return level[0];
}

static void assert_root(const char *const *txids, size_t count, const char *root)
{
    struct hash256 leaves[8];
    struct hash256 found;
    struct hash256 expected = shown_hash(root);
    for (size_t i = 0; i < count; i++)
        leaves[i] = shown_hash(txids[i]);
    merkle_root(leaves, count, &found);
    assert_hash_equal(&found, &expected);
    struct merkle_branch branch;
    assert_true(merkle_branch_build(leaves + 1, count - 1, &branch));
    merkle_branch_root(&branch, &leaves[0], &found);
    assert_hash_equal(&found, &expected);
}

static void roots_of_real_blocks_are_met(void **state)
{
    (void)state;
    // Bitcoin's blocks 1, 170 and 100000.
    static const char *const block_1[] = {BLOCK_1_COINBASE_TXID};
    static const char *const block_170[] = {
        "b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082", FIRST_PAYMENT_TXID};
    static const char *const block_100000[] = {
        "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
        "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
        "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
        "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d"};
    assert_root(block_1, 1, BLOCK_1_COINBASE_TXID);
    assert_root(block_170, 2, "7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff");
    assert_root(block_100000, 4,
                "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766");
}

static void branch_and_root_agree_with_the_levels_for_every_count(void **state)
{
    (void)state;
    static struct hash256 leaves[LEAVES_MAX];
    uint64_t seed = 1;
    seeded_fill(&seed, leaves, sizeof leaves);
    for (size_t count = 1; count <= LEAVES_MAX; count++) {
        struct hash256 expected = root_by_levels(leaves, count);
        struct hash256 found;
        merkle_root(leaves, count, &found);
        assert_hash_equal(&found, &expected);
        struct merkle_branch branch;
        assert_true(merkle_branch_build(leaves + 1, count - 1, &branch));
        merkle_branch_root(&branch, &leaves[0], &found);
        assert_hash_equal(&found, &expected);
    }
}

static void branch_is_as_deep_as_the_tree(void **state)
{
    (void)state;
    static const size_t counts[][2] = {{0, 0}, {1, 1}, {2, 2}, {3, 2}, {4, 3}, {7, 3}, {8, 4}};
    static struct hash256 leaves[8];
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct merkle_branch branch;
        assert_true(merkle_branch_build(leaves, counts[i][0], &branch));
        assert_int_equal(branch.count, counts[i][1]);
    }
}

static void largest_tree_fits_and_one_leaf_more_does_not(void **state)
{
    (void)state;
    size_t most = ((size_t)1 << MERKLE_BRANCH_MAX) - 1;
    struct hash256 *leaves = test_calloc(most + 1, sizeof *leaves);
    struct merkle_branch branch;
    assert_true(merkle_branch_build(leaves, most, &branch));
    assert_int_equal(branch.count, MERKLE_BRANCH_MAX);
    assert_false(merkle_branch_build(leaves, most + 1, &branch));
    test_free(leaves);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_of_real_blocks_are_met),
        cmocka_unit_test(branch_and_root_agree_with_the_levels_for_every_count),
        cmocka_unit_test(branch_is_as_deep_as_the_tree),
        cmocka_unit_test(largest_tree_fits_and_one_leaf_more_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
