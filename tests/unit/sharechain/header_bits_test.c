#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "sharechain/header_chain.h"
#include "tests/unit/sharechain/header_fixture.h"

#define PERIOD 2016

static void bits_change_every_2016_blocks_by_the_time_they_took(void **state)
{
    (void)state;
    struct fixture f;
    open_chain(&f, "bitcoin", PERIOD, 0x1c123456);
    const struct header_node *first = header_chain_anchor(f.chain);
    const struct header_node *last = extend_by(&f, first, PERIOD - 2, 550);
    assert_int_equal(header_chain_required_bits(f.chain, last, last->time + 1), 0x1c123456);
    last = extend(&f, last, last->time + 550);
    assert_int_equal(last->height, 2 * PERIOD - 1);
    uint32_t due = chain_retarget_bits(f.pool.chain, 0x1c123456, START, START + 2015 * 550);
    assert_int_not_equal(due, 0x1c123456);
    assert_int_equal(header_chain_required_bits(f.chain, last, last->time + 1), due);
    assert_int_equal(header_chain_plain_bits(f.chain, last), 0x1c123456);
    uint8_t bytes[HEADER_SIZE];
    header_make(bytes, &last->id, last->time + 1, 0x1c123456, 0);
    assert_int_equal(header_chain_add(f.chain, bytes, &best_pow), VERDICT_INVALID);
    const struct header_node *next = extend(&f, last, last->time + 550);
    assert_int_equal(next->bits, due);
    assert_int_equal(header_chain_plain_bits(f.chain, next), due);
    assert_int_equal(header_chain_plain_bits(f.chain, extend(&f, next, next->time + 1)), due);
    close_chain(&f);
}

static void litecoin_retarget_reaches_the_block_before_the_period(void **state)
{
    (void)state;
    struct fixture f;
    open_chain(&f, "litecoin", PERIOD, 0x1d123456);
    f.pool.anchor_prev_time = START - 40000;
    const struct header_node *last = extend_by(&f, header_chain_anchor(f.chain), PERIOD - 1, 100);
    assert_int_equal(header_chain_required_bits(f.chain, last, last->time + 1),
                     chain_retarget_bits(f.pool.chain, 0x1d123456, START - 40000, last->time));
    // In the second period the block before it is on the chain.
    uint32_t before = last->time;
    last = extend_by(&f, last, PERIOD, 170);
    assert_int_equal(header_chain_required_bits(f.chain, last, last->time + 1),
                     chain_retarget_bits(f.pool.chain, last->bits, before, last->time));
    close_chain(&f);
}

static void litecoin_first_period_measures_from_height_0(void **state)
{
    (void)state;
    struct fixture f;
    open_chain(&f, "litecoin", 0, 0x1d123456);
    const struct header_node *last = extend_by(&f, header_chain_anchor(f.chain), PERIOD - 1, 130);
    assert_int_equal(header_chain_required_bits(f.chain, last, last->time + 1),
                     chain_retarget_bits(f.pool.chain, 0x1d123456, START, last->time));
    close_chain(&f);
}

static void testnet4_block_after_twenty_minutes_may_be_easy(void **state)
{
    (void)state;
    struct fixture f;
    open_chain(&f, "testnet4", PERIOD, 0x1c123456);
    const struct header_node *node = extend_by(&f, header_chain_anchor(f.chain), 20, 600);
    assert_int_equal(header_chain_required_bits(f.chain, node, node->time + 1200), 0x1c123456);
    assert_int_equal(header_chain_required_bits(f.chain, node, node->time + 1201), 0x1d00ffff);
    const struct header_node *easy = extend(&f, node, node->time + 1201);
    easy = extend(&f, easy, easy->time + 1201);
    assert_int_equal(easy->bits, 0x1d00ffff);
    // The next one in time goes back over both exceptions.
    assert_int_equal(header_chain_required_bits(f.chain, easy, easy->time + 600), 0x1c123456);
    assert_int_equal(header_chain_plain_bits(f.chain, easy), 0x1c123456);
    close_chain(&f);
}

static void testnet4_exceptions_end_with_their_period(void **state)
{
    (void)state;
    struct fixture f;
    open_chain(&f, "testnet4", PERIOD, 0x1c7fff80);
    const struct header_node *node = extend_by(&f, header_chain_anchor(f.chain), PERIOD - 1, 500);
    // A slower period makes the second one's bits: the way back from an exception ends there.
    node = extend(&f, node, node->time + 1);
    uint32_t second = node->bits;
    assert_int_not_equal(second, 0x1c7fff80);
    assert_int_not_equal(second, 0x1d00ffff);
    node = extend(&f, node, node->time + 1201);
    assert_int_equal(node->bits, 0x1d00ffff);
    assert_int_equal(header_chain_required_bits(f.chain, node, node->time + 1), second);
    // Four times slower: the third period begins at the limit itself, and its first header is no
    // exception.
    node = extend_by(&f, node, PERIOD - 3, 1200);
    node = extend(&f, node, node->time + 40 * 86400);
    assert_int_equal((node->height + 1) % PERIOD, 0);
    node = extend(&f, node, node->time + 1);
    assert_int_equal(node->bits, 0x1d00ffff);
    node = extend(&f, node, node->time + 1);
    assert_int_equal(node->bits, 0x1d00ffff);
    assert_int_equal(header_chain_required_bits(f.chain, node, node->time + 1), 0x1d00ffff);
    close_chain(&f);
}

static void testnet4_retarget_scales_the_first_bits_of_the_period(void **state)
{
    (void)state;
    struct fixture f;
    open_chain(&f, "testnet4", PERIOD, 0x1c123456);
    const struct header_node *last = extend_by(&f, header_chain_anchor(f.chain), PERIOD - 2, 400);
    last = extend(&f, last, last->time + 1300);
    assert_int_equal(last->bits, 0x1d00ffff);
    uint32_t due = chain_retarget_bits(f.pool.chain, 0x1c123456, START, last->time);
    // Late or not: a retarget knows no exception.
    assert_int_equal(header_chain_required_bits(f.chain, last, last->time + 1), due);
    assert_int_equal(header_chain_required_bits(f.chain, last, last->time + 5000), due);
    close_chain(&f);
}

static void test_chains_never_change_their_bits(void **state)
{
    (void)state;
    static const struct {
        const char *chain;
        uint32_t anchor_bits;
        uint32_t due;
    } rows[] = {
        {"regtest", 0x207fffff, 0x207fffff},
        {"regtest", 0x1d00ffff, 0x207fffff}, // the anchor header is checked no further
        {"litecoin-regtest", 0x207fffff, 0x207fffff},
        {"devchain", 0x1f123456, 0x1f123456},
        {"devchain-scrypt", 0x1e0fffff, 0x1e0fffff},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;
        open_chain(&f, rows[i].chain, 0, rows[i].anchor_bits);
        const struct header_node *last = extend_by(&f, header_chain_anchor(f.chain), PERIOD - 1, 7);
        assert_int_equal(header_chain_required_bits(f.chain, last, last->time + 99999),
                         rows[i].due);
        assert_int_equal(header_chain_plain_bits(f.chain, last), rows[i].due);
        close_chain(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_change_every_2016_blocks_by_the_time_they_took),
        cmocka_unit_test(litecoin_retarget_reaches_the_block_before_the_period),
        cmocka_unit_test(litecoin_first_period_measures_from_height_0),
        cmocka_unit_test(testnet4_block_after_twenty_minutes_may_be_easy),
        cmocka_unit_test(testnet4_exceptions_end_with_their_period),
        cmocka_unit_test(testnet4_retarget_scales_the_first_bits_of_the_period),
        cmocka_unit_test(test_chains_never_change_their_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
