#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "node/pow/target.h"
#include "sharechain/header_chain.h"
#include "tests/unit/sharechain/header_fixture.h"

static void real_blocks_of_bitcoin_are_good(void **state)
{
    (void)state;
    static const char *const blocks[] = {
        "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27a"
        "c7"
        "2c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c",
        "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bb"
        "be"
        "680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299",
        "010000004860eb18bf1b1620e37e9490fc8a427514416fd75159ab86688e9a8300000000d5fdcc541e25de1c7a"
        "5a"
        "ddedf24858b8bb665c9f36ef744ee42c316022c90f9bb0bc6649ffff001d08d2bd61"};
    struct fixture f;
    uint8_t bytes[3][HEADER_SIZE];
    char work[80];
    for (size_t i = 0; i < 3; i++)
        assert_true(hex_decode(blocks[i], 160, bytes[i], HEADER_SIZE));
    open_chain(&f, "bitcoin", 0, 0x1d00ffff);
    header_chain_free(f.chain);
    memcpy(f.pool.anchor_header, bytes[0], HEADER_SIZE);
    f.chain = header_chain_new(&f.env, &f.pool, NULL);
    assert_int_equal(header_chain_add(f.chain, bytes[2], NULL), VERDICT_UNKNOWN);
    assert_int_equal(header_chain_add(f.chain, bytes[1], NULL), VERDICT_VALID);
    assert_int_equal(header_chain_add(f.chain, bytes[0], NULL), VERDICT_VALID);
    const struct header_node *best = header_chain_best(f.chain);
    assert_int_equal(best->height, 2);
    assert_int_equal(best->median_time, 1231469665); // of 3 headers the middle one
    u256_to_decimal(&best->chainwork, work);
    assert_string_equal(work, "8590065666");
    bytes[1][79] ^= 1; // another nonce, no proof of work
    assert_int_equal(header_chain_add(f.chain, bytes[1], NULL), VERDICT_INVALID);
    close_chain(&f);
}

// A child of the anchor of which one hash meets the target and the other does not.
static void header_with(uint8_t bytes[HEADER_SIZE], const struct hash256 *anchor, bool scrypt_meets,
                        struct hash256 *pow)
{
    struct pow_memory *memory = pow_memory_new(POW_SCRYPT);
    struct u256 target;
    assert_non_null(memory);
    assert_true(target_expand(0x207fffff, &target));
    for (uint32_t nonce = 0;; nonce++) {
        struct hash256 id = header_make(bytes, anchor, START + 1, 0x207fffff, nonce);
        pow_hash(memory, bytes, pow);
        if (target_is_met(pow, &target) == scrypt_meets &&
            target_is_met(&id, &target) != scrypt_meets)
            break;
    }
    pow_memory_free(memory);
}

static void scrypt_chain_takes_scrypt_and_not_the_id(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t bytes[HEADER_SIZE];
    struct hash256 pow;
    open_chain(&f, "devchain-scrypt", 0, 0x207fffff);
    const struct hash256 *anchor = &header_chain_anchor(f.chain)->id;
    header_with(bytes, anchor, false, &pow);
    assert_int_equal(header_chain_add(f.chain, bytes, NULL), VERDICT_INVALID);
    header_with(bytes, anchor, true, &pow);
    assert_int_equal(header_chain_add(f.chain, bytes, NULL), VERDICT_VALID);
    close_chain(&f);
}

static void proof_of_work_that_the_caller_knows_is_taken(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t bytes[HEADER_SIZE];
    struct hash256 pow;
    struct hash256 worst;
    memset(&worst, 0xff, sizeof(worst));
    open_chain(&f, "devchain-scrypt", 0, 0x207fffff);
    const struct hash256 *anchor = &header_chain_anchor(f.chain)->id;
    header_with(bytes, anchor, true, &pow);
    assert_int_equal(header_chain_add(f.chain, bytes, &worst), VERDICT_INVALID);
    header_with(bytes, anchor, false, &pow);
    assert_int_equal(header_chain_add(f.chain, bytes, &pow), VERDICT_INVALID);
    close_chain(&f);
}

// A tree of headers on a chain of target 2^255: good ones, and every kind of bad one with
// descendants.
struct tree {
    uint8_t bytes[64][HEADER_SIZE];
    struct hash256 ids[64];
    size_t count;
};

static void mine(uint8_t bytes[HEADER_SIZE], struct hash256 *id, bool is_met)
{
    struct u256 target;
    struct header header;
    header_decode(bytes, &header);
    assert_true(target_expand(header.bits, &target));
    for (uint32_t nonce = 0;; nonce++) {
        header.nonce = nonce;
        header_encode(&header, bytes);
        header_id(bytes, id);
        if (target_is_met(id, &target) == is_met)
            return;
    }
}

static void tree_grow(struct tree *tree, struct seeded *seeded, const struct hash256 *anchor)
{
    for (size_t i = 0; i < 64; i++) {
        size_t parent = i == 0 ? 0 : (size_t)seeded_below(seeded, i);
        struct hash256 prev = i < 3 ? *anchor : tree->ids[parent];
        uint32_t bits = 0x207fffff;
        uint32_t time = START + 10 + (uint32_t)i * 3;
        uint64_t fault = seeded_below(seeded, 16);
        if (fault == 0)
            bits = 0x207ffffe;
        if (fault == 1)
            time = START; // never over the median
        if (fault == 2)
            prev.bytes[0] ^= 1; // a parent nobody has
        tree->ids[i] = header_make(tree->bytes[i], &prev, time, bits, 0);
        mine(tree->bytes[i], &tree->ids[i], fault != 3);
    }
    tree->count = 64;
}

static void add_in_order(struct fixture *f, const struct tree *tree, const size_t *order)
{
    for (size_t i = 0; i < tree->count; i++)
        header_chain_add(f->chain, tree->bytes[order[i]], NULL);
}

static void shuffle(struct seeded *seeded, size_t *order, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)seeded_below(seeded, i);
        size_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

static void verdicts_do_not_depend_on_the_order_of_arrival(void **state)
{
    (void)state;
    struct seeded seeded = {11};
    size_t seen[3] = {0};
    for (int round = 0; round < 20; round++) {
        static struct tree tree;
        enum verdict verdicts[64];
        struct u256 best_work;
        size_t order[64];
        for (size_t i = 0; i < 64; i++)
            order[i] = i;
        for (int turn = 0; turn < 12; turn++) {
            struct fixture f;
            open_chain(&f, "devchain", 0, 0x207fffff);
            if (turn == 0)
                tree_grow(&tree, &seeded, &header_chain_anchor(f.chain)->id);
            add_in_order(&f, &tree, order);
            for (size_t i = 0; i < 64; i++) {
                enum verdict verdict = header_chain_verdict(f.chain, &tree.ids[i]);
                assert_true(turn == 0 || verdict == verdicts[i]);
                verdicts[i] = verdict;
                seen[verdict]++;
            }
            const struct header_node *best = header_chain_best(f.chain);
            assert_true(turn == 0 || u256_compare(&best->chainwork, &best_work) == 0);
            best_work = best->chainwork;
            assert_int_equal(f.good_count, header_chain_count(f.chain) - 1);
            assert_false(f.is_out_of_order);
            close_chain(&f);
            shuffle(&seeded, order, 64);
        }
    }
    assert_true(seen[VERDICT_VALID] > 1000 && seen[VERDICT_INVALID] > 1000 &&
                seen[VERDICT_UNKNOWN] > 100);
}

static void long_line_of_waiting_headers_becomes_good_at_once(void **state)
{
    (void)state;
    static uint8_t bytes[HEADER_CHAIN_WAITING_MAX + 1][HEADER_SIZE];
    struct fixture f;
    open_chain(&f, "devchain", 0, 0x207fffff);
    struct hash256 prev = header_chain_anchor(f.chain)->id;
    for (size_t i = 0; i <= HEADER_CHAIN_WAITING_MAX; i++)
        prev = header_make(bytes[i], &prev, START + 1 + (uint32_t)i, 0x207fffff, 0);
    for (size_t i = HEADER_CHAIN_WAITING_MAX; i > 0; i--)
        assert_int_equal(header_chain_add(f.chain, bytes[i], &best_pow), VERDICT_UNKNOWN);
    assert_int_equal(header_chain_waiting_count(f.chain), HEADER_CHAIN_WAITING_MAX);
    assert_int_equal(header_chain_add(f.chain, bytes[0], &best_pow), VERDICT_VALID);
    assert_int_equal(header_chain_waiting_count(f.chain), 0);
    assert_int_equal(header_chain_best(f.chain)->height, HEADER_CHAIN_WAITING_MAX + 1);
    assert_int_equal(f.good_count, HEADER_CHAIN_WAITING_MAX + 1);
    assert_false(f.is_out_of_order);
    close_chain(&f);
}

static void long_line_of_waiting_headers_becomes_invalid_at_once(void **state)
{
    (void)state;
    static uint8_t bytes[HEADER_CHAIN_WAITING_MAX + 1][HEADER_SIZE];
    static struct hash256 ids[HEADER_CHAIN_WAITING_MAX + 1];
    struct fixture f;
    open_chain(&f, "devchain", 0, 0x207fffff);
    struct hash256 prev = header_chain_anchor(f.chain)->id;
    for (size_t i = 0; i <= HEADER_CHAIN_WAITING_MAX; i++) {
        uint32_t bits = i == 0 ? 0x207ffffe : 0x207fffff;
        ids[i] = header_make(bytes[i], &prev, START + 1 + (uint32_t)i, bits, 0);
        prev = ids[i];
    }
    for (size_t i = HEADER_CHAIN_WAITING_MAX; i > 0; i--)
        header_chain_add(f.chain, bytes[i], &best_pow);
    assert_int_equal(header_chain_add(f.chain, bytes[0], &best_pow), VERDICT_INVALID);
    for (size_t i = 0; i <= HEADER_CHAIN_WAITING_MAX; i++)
        assert_int_equal(header_chain_verdict(f.chain, &ids[i]), VERDICT_INVALID);
    assert_int_equal(f.invalid_count, HEADER_CHAIN_WAITING_MAX + 1);
    assert_int_equal(header_chain_count(f.chain), 1);
    close_chain(&f);
}

static void oldest_waiting_header_is_dropped_first(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t parent[HEADER_SIZE];
    uint8_t bytes[HEADER_SIZE];
    struct hash256 ids[3];
    open_chain(&f, "devchain", 0, 0x207fffff);
    struct hash256 prev =
        header_make(parent, &header_chain_anchor(f.chain)->id, START + 1, 0x207fffff, 0);
    for (uint32_t i = 0; i <= HEADER_CHAIN_WAITING_MAX; i++) {
        struct hash256 id = header_make(bytes, &prev, START + 2, 0x207fffff, i);
        ids[i == 0 ? 0 : i == 1 ? 1 : 2] = id;
        header_chain_add(f.chain, bytes, &best_pow);
    }
    assert_int_equal(header_chain_waiting_count(f.chain), HEADER_CHAIN_WAITING_MAX);
    header_chain_add(f.chain, parent, &best_pow);
    assert_int_equal(header_chain_verdict(f.chain, &ids[0]), VERDICT_UNKNOWN);
    assert_int_equal(header_chain_verdict(f.chain, &ids[1]), VERDICT_VALID);
    assert_int_equal(header_chain_verdict(f.chain, &ids[2]), VERDICT_VALID);
    assert_int_equal(header_chain_waiting_count(f.chain), 0);
    // All are of equal work: the one that came first stays the best.
    assert_true(hash_equal(&header_chain_best(f.chain)->id, &ids[1]));
    close_chain(&f);
}

static void header_that_waits_is_counted_once(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t bytes[HEADER_SIZE];
    struct hash256 nobody = {{7}};
    open_chain(&f, "devchain", 0, 0x207fffff);
    header_make(bytes, &nobody, START + 2, 0x207fffff, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(header_chain_add(f.chain, bytes, NULL), VERDICT_UNKNOWN);
    assert_int_equal(header_chain_waiting_count(f.chain), 1);
    close_chain(&f);
}

static void forgotten_invalid_header_is_judged_again(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t first[HEADER_SIZE];
    uint8_t bytes[HEADER_SIZE];
    open_chain(&f, "devchain", 0, 0x207fffff);
    const struct hash256 *anchor = &header_chain_anchor(f.chain)->id;
    struct hash256 id = header_make(first, anchor, START + 1, 0x207ffffe, 0);
    assert_int_equal(header_chain_add(f.chain, first, NULL), VERDICT_INVALID);
    assert_int_equal(header_chain_add(f.chain, first, NULL), VERDICT_INVALID);
    assert_int_equal(f.invalid_count, 1);
    assert_true(hash_equal(&f.invalid_last, &id));
    for (uint32_t i = 1; i <= HEADER_CHAIN_INVALID_MAX; i++) {
        header_make(bytes, anchor, START + 1, 0x207ffffe, i);
        header_chain_add(f.chain, bytes, NULL);
    }
    assert_int_equal(header_chain_verdict(f.chain, &id), VERDICT_UNKNOWN);
    assert_int_equal(header_chain_add(f.chain, first, NULL), VERDICT_INVALID);
    assert_int_equal(header_chain_verdict(f.chain, &id), VERDICT_INVALID);
    close_chain(&f);
}

static void time_must_pass_the_median_of_eleven(void **state)
{
    (void)state;
    struct fixture f;
    struct seeded seeded = {5};
    open_chain(&f, "devchain", 0, 0x207fffff);
    const struct header_node *node = header_chain_anchor(f.chain);
    uint32_t times[200] = {START};
    for (size_t count = 1; count < 200; count++) {
        uint32_t sorted[11];
        size_t n = count < 11 ? count : 11;
        memcpy(sorted, times + count - n, n * sizeof(sorted[0]));
        for (size_t i = 0; i < n; i++) {
            for (size_t j = i + 1; j < n; j++) {
                uint32_t low = sorted[i] < sorted[j] ? sorted[i] : sorted[j];
                sorted[j] = sorted[i] + sorted[j] - low;
                sorted[i] = low;
            }
        }
        uint8_t bytes[HEADER_SIZE];
        assert_int_equal(node->median_time, sorted[n / 2]);
        header_make(bytes, &node->id, sorted[n / 2], 0x207fffff, 0);
        assert_int_equal(header_chain_add(f.chain, bytes, &best_pow), VERDICT_INVALID);
        times[count] = sorted[n / 2] + 1 + (uint32_t)seeded_below(&seeded, 100);
        node = extend(&f, node, times[count]);
    }
    close_chain(&f);
}

static void ancestors_are_found_in_logarithmic_steps(void **state)
{
    (void)state;
    struct fixture f;
    open_chain(&f, "devchain", 4032, 0x207fffff);
    const struct header_node *tip = extend_by(&f, header_chain_anchor(f.chain), 5000, 1);
    const struct header_node *expected = tip;
    for (int64_t height = 9032; height >= 4032; height--, expected = expected->parent) {
        assert_ptr_equal(header_node_ancestor(tip, height), expected);
        const struct header_node *node = tip;
        size_t steps = 0;
        for (; node->height > height; steps++)
            node = node->skip->height >= height ? node->skip : node->parent;
        assert_true(steps <= 3 * 13);
    }
    close_chain(&f);
}

static void anchor_is_good_and_has_no_work(void **state)
{
    (void)state;
    struct fixture f;
    open_chain(&f, "devchain", 2016, 0x207fffff);
    const struct header_node *anchor = header_chain_anchor(f.chain);
    assert_true(u256_is_zero(&anchor->chainwork));
    assert_int_equal(anchor->height, 2016);
    assert_int_equal(anchor->median_time, START);
    assert_ptr_equal(header_chain_best(f.chain), anchor);
    assert_int_equal(header_chain_add(f.chain, f.pool.anchor_header, NULL), VERDICT_VALID);
    assert_int_equal(f.good_count, 0);
    assert_int_equal(header_chain_count(f.chain), 1);
    header_chain_free(NULL);
    close_chain(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_blocks_of_bitcoin_are_good),
        cmocka_unit_test(scrypt_chain_takes_scrypt_and_not_the_id),
        cmocka_unit_test(proof_of_work_that_the_caller_knows_is_taken),
        cmocka_unit_test(verdicts_do_not_depend_on_the_order_of_arrival),
        cmocka_unit_test(long_line_of_waiting_headers_becomes_good_at_once),
        cmocka_unit_test(long_line_of_waiting_headers_becomes_invalid_at_once),
        cmocka_unit_test(oldest_waiting_header_is_dropped_first),
        cmocka_unit_test(header_that_waits_is_counted_once),
        cmocka_unit_test(forgotten_invalid_header_is_judged_again),
        cmocka_unit_test(time_must_pass_the_median_of_eleven),
        cmocka_unit_test(ancestors_are_found_in_logarithmic_steps),
        cmocka_unit_test(anchor_is_good_and_has_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
