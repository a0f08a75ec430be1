#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "node/limits.h"
#include "sharechain/pool.h"
#include "tests/unit/sharechain/seeded.h"

#define HEADER_HEX                                                                                 \
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac7" \
    "2c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000"
#define REQUIRED                                                                                   \
    "name = dev\nchain = devchain\neasiest_bits = 207fffff\ngenesis_time = 1700000000\n"           \
    "anchor_height = 0\nanchor_header = " HEADER_HEX "\n"

static bool parse(const char *text, struct pool *pool, struct pool_error *error)
{
    return pool_parse(text, strlen(text), pool, error);
}

static void assert_refused(const char *text, unsigned line, const char *key)
{
    struct pool pool;
    struct pool_error error;
    assert_false(parse(text, &pool, &error));
    assert_int_equal(error.line, line);
    assert_string_equal(error.key, key);
    assert_true(strlen(error.text) > 0);
}

static struct pool parsed(const char *text)
{
    struct pool pool;
    struct pool_error error;
    assert_true(parse(text, &pool, &error));
    return pool;
}

static void required_keys_suffice_and_give_the_known_pool_id(void **state)
{
    (void)state;
    char hex[65];
    struct pool pool = parsed(REQUIRED);
    hash_to_hex(&pool.id, hex);
    assert_int_equal(pool.half_life, 600);
    assert_int_equal(pool.min_payout, 50000);
    assert_int_equal(pool.outputs, 48);
    assert_string_equal(pool.chain->name, "devchain");
    assert_string_equal(hex, "6850d0c62e1937d3d2e787ff3abd7be8b09b1282b9ac84336df2d33dd152b799");
}

static void canonical_form_is_every_key_in_order(void **state)
{
    (void)state;
    uint8_t bytes[256];
    char hex[513];
    struct buffer out;
    struct pool pool = parsed(REQUIRED);
    buffer_init_fixed(&out, bytes, sizeof(bytes));
    pool_write_canonical(&pool, &out);
    hex_encode(out.data, out.size, hex);
    assert_string_equal(hex, "0103646576401e00000058020000ffff7f207800e001f0006400401f0000f0030000"
                             "300050c300000000000000f153650000000000000000" HEADER_HEX);
}

static void layout_of_the_file_does_not_change_the_pool(void **state)
{
    (void)state;
    struct pool plain = parsed(REQUIRED);
    struct pool other =
        parsed("# made by hand\r\n\r\n\tanchor_header\t=\t" HEADER_HEX "  # from 0\r\n"
               "anchor_height=0\n  \t \ngenesis_time =1700000000# seconds\n"
               "easiest_bits= 207fffff\nhorizon = 240\nchain = devchain\nname=dev");
    assert_true(hash_equal(&plain.id, &other.id));
}

static void file_written_for_people_reads_back(void **state)
{
    (void)state;
    static const char *const chains[] = {"bitcoin",        "testnet4",         "regtest",
                                         "litecoin",       "litecoin-regtest", "devchain",
                                         "devchain-scrypt"};
    struct seeded seeded = {1};
    for (int round = 0; round < 200; round++) {
        struct pool pool = parsed(REQUIRED);
        struct pool again;
        struct pool_error error;
        struct buffer text;
        const char *chain = chains[seeded_below(&seeded, 7)];
        pool.chain = chain_params_by_name(chain);
        pool.link_spacing = 1 + (uint32_t)seeded_below(&seeded, 3600);
        pool.horizon = (uint16_t)(1 + seeded_below(&seeded, 2000));
        pool.min_payout = 1 + seeded_below(&seeded, 10000000000);
        pool.genesis_time = (uint32_t)seeded_u64(&seeded);
        pool.anchor_height = 2016 * (uint32_t)seeded_below(&seeded, 2000);
        pool.easiest_bits = 0x01010000 + ((uint32_t)seeded_below(&seeded, 0x7e) << 16);
        seeded_bytes(&seeded, pool.anchor_header, 72);
        if (strcmp(chain, "litecoin") == 0 && pool.anchor_height > 0)
            pool.anchor_prev_time = (uint32_t)seeded_u64(&seeded);
        assert_true(pool_finish(&pool, &error));
        buffer_init(&text, LIMIT_POOL_FILE_SIZE);
        pool_write_text(&pool, &text);
        assert_true(pool_parse((const char *)text.data, text.size, &again, &error));
        assert_true(hash_equal(&pool.id, &again.id));
        buffer_clear(&text);
    }
}

static void every_required_key_is_missed(void **state)
{
    (void)state;
    static const char *const keys[] = {"name",         "chain",         "easiest_bits",
                                       "genesis_time", "anchor_height", "anchor_header"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), "%s", REQUIRED);
        char *at = strstr(text, keys[i]);
        assert_non_null(at);
        *at = '#';
        assert_refused(text, 0, keys[i]);
    }
    assert_refused("", 0, "name");
}

static void fault_is_reported_with_its_line_and_key(void **state)
{
    (void)state;
    assert_refused(REQUIRED "\nhorizon = 0\n", 8, "horizon");
    assert_refused(REQUIRED "# c\r\nhorizon\r\n", 8, "");
    assert_refused(REQUIRED "stale_grace = 2\n", 7, "stale_grace");
    assert_refused(REQUIRED "Horizon = 2\n", 7, "Horizon");
    assert_refused(REQUIRED "name = dev\n", 7, "name");
    assert_refused(REQUIRED "anchor_prev_time = 5\n", 0, "anchor_prev_time");
    assert_refused(REQUIRED "= 5\n", 7, "");
    assert_refused(REQUIRED "id = 5\n", 7, "id");
}

static void number_has_one_form_only(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "0x3c",
                                        "-1",
                                        "+60",
                                        "060",
                                        "60.0",
                                        "6 0",
                                        "2,000",
                                        "60s",
                                        "65596",
                                        "4294967536",
                                        "1e3",
                                        "=60",
                                        "\r60",
                                        "60\r",
                                        "٦٠",
                                        "18446744073709551856"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), "%shorizon = %s#\n", REQUIRED, wrong[i]);
        assert_refused(text, 7, "horizon");
    }
}

static void key_that_may_be_0_still_needs_its_digit(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "00", "-0", "01", "0 0", "o"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), "%sinclusion_fee_bp = %s\n", REQUIRED, wrong[i]);
        assert_refused(text, 7, "inclusion_fee_bp");
    }
    assert_int_equal(parsed(REQUIRED "inclusion_fee_bp = 0\n").inclusion_fee_bp, 0);
}

static void overlong_keys_and_values_are_refused(void **state)
{
    (void)state;
    for (int length = 20; length < 400; length++) {
        char text[2048];
        snprintf(text, sizeof(text), "%shorizon = %0*d\n", REQUIRED, length, 7);
        assert_refused(text, 7, "horizon");
        struct pool pool;
        struct pool_error error;
        snprintf(text, sizeof(text), "%s%0*d = 7\n", REQUIRED, length, 7);
        assert_false(parse(text, &pool, &error));
        assert_int_equal(error.line, 7);
    }
}

static void carriage_return_ends_no_line_by_itself(void **state)
{
    (void)state;
    assert_refused(REQUIRED "horizon = 240\r", 7, "horizon");
    assert_refused(REQUIRED "horizon = 240\r\r\n", 7, "horizon");
    assert_refused(REQUIRED "horizon = 240\rhalf_life = 600\n", 7, "horizon");
    assert_refused(REQUIRED "horizon\r = 240\n", 7, "horizon?");
    assert_int_equal(parsed(REQUIRED "\r\n\r\nhorizon = 241\r\n").horizon, 241);
}

// Ranges once more, so that a slip in the table is seen.
static void every_number_has_both_ends_of_its_range(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint64_t min;
        uint64_t max;
    } ranges[] = {
        {"version", 1, 1},
        {"link_spacing", 1, 3600},
        {"half_life", 60, 86400},
        {"grains_per_link", 1, 1000},
        {"body_grains_max", 1, 4000},
        {"horizon", 1, 2000},
        {"inclusion_fee_bp", 0, 1000},
        {"window_multiple", 1, 1000000000},
        {"window_blocks", 1, 100000},
        {"outputs", 1, 1000},
        {"min_payout", 1, 10000000000},
        {"genesis_time", 0, UINT32_MAX},
        {"anchor_prev_time", 0, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        struct pool pool = parsed(REQUIRED);
        struct pool_error error;
        char value[32];
        char got[161];
        const uint64_t inside[] = {ranges[i].min, ranges[i].max};
        for (size_t j = 0; j < 2; j++) {
            snprintf(value, sizeof(value), "%llu", (unsigned long long)inside[j]);
            assert_true(pool_set(&pool, ranges[i].key, value, &error));
            assert_true(pool_get(&pool, ranges[i].key, got, sizeof(got)));
            assert_string_equal(got, value);
        }
        snprintf(value, sizeof(value), "%llu", (unsigned long long)ranges[i].max + 1);
        assert_false(pool_set(&pool, ranges[i].key, value, &error));
        snprintf(value, sizeof(value), "%lld", (long long)ranges[i].min - 1);
        assert_false(pool_set(&pool, ranges[i].key, value, &error));
        assert_string_equal(error.key, ranges[i].key);
    }
}

static void easiest_bits_are_canonical_and_at_most_two_to_the_255(void **state)
{
    (void)state;
    static const char *const wrong[] = {"00000000",  "1dffffff", "ff123456", "1e0000ff",
                                        "21008001",  "207FFFFF", "07fffff",  "0207fffff",
                                        "545259519", "2100ffff"};
    struct pool pool = parsed(REQUIRED);
    struct pool_error error;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(pool_set(&pool, "easiest_bits", wrong[i], &error));
    assert_int_equal(pool.easiest_bits, 0x207fffff);
    assert_true(pool_set(&pool, "easiest_bits", "21008000", &error));
    assert_true(pool_set(&pool, "easiest_bits", "01010000", &error));
}

static void name_is_1_to_32_of_its_alphabet(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "Main", "a b", "a_b", "é", "a.b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct pool pool = parsed(REQUIRED);
    struct pool_error error;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(pool_set(&pool, "name", wrong[i], &error));
    assert_string_equal(pool.name, "dev");
    assert_true(pool_set(&pool, "name", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-", &error));
    assert_true(pool_set(&pool, "name", "az-09", &error));
    assert_string_equal(pool.name, "az-09");
}

static void anchor_is_a_whole_header_at_the_begin_of_a_period(void **state)
{
    (void)state;
    struct pool pool = parsed(REQUIRED);
    struct pool_error error;
    char reversed[] = "00000000" HEADER_HEX;
    assert_false(pool_set(&pool, "anchor_height", "2015", &error));
    assert_false(pool_set(&pool, "anchor_height", "1", &error));
    assert_true(pool_set(&pool, "anchor_height", "2016", &error));
    assert_false(pool_set(&pool, "anchor_header", HEADER_HEX "00", &error));
    assert_false(pool_set(&pool, "anchor_header", "", &error));
    reversed[160] = '\0'; // its bits are then others, which do not expand
    assert_false(pool_set(&pool, "anchor_header", reversed, &error));
    assert_true(pool_set(&pool, "anchor_header", HEADER_HEX, &error));
}

static void time_before_the_anchor_is_for_litecoin_above_height_0(void **state)
{
    (void)state;
    struct pool pool = parsed(REQUIRED);
    struct pool_error error;
    pool.anchor_prev_time = 5;
    pool.anchor_height = 2016;
    assert_false(pool_finish(&pool, &error));
    pool.chain = chain_params_by_name("litecoin-regtest");
    assert_false(pool_finish(&pool, &error));
    pool.chain = chain_params_by_name("litecoin");
    assert_true(pool_finish(&pool, &error));
    pool.anchor_height = 0;
    assert_false(pool_finish(&pool, &error));
    assert_string_equal(error.key, "anchor_prev_time");
}

static void pool_made_in_memory_is_checked_as_a_file_is(void **state)
{
    (void)state;
    struct pool pool;
    struct pool_error error;
    pool_defaults(&pool);
    assert_false(pool_finish(&pool, &error));
    pool = parsed(REQUIRED);
    pool.outputs = 1001;
    assert_false(pool_finish(&pool, &error));
    assert_string_equal(error.key, "outputs");
    pool = parsed(REQUIRED);
    memset(pool.name, 'a', sizeof(pool.name)); // without its zero
    assert_false(pool_finish(&pool, &error));
    pool = parsed(REQUIRED);
    pool.chain = NULL;
    assert_false(pool_finish(&pool, &error));
    assert_string_equal(error.key, "chain");
}

static void every_key_changes_the_pool_id(void **state)
{
    (void)state;
    static const char *const changed[][2] = {
        {"name", "dev2"},
        {"chain", "regtest"},
        {"link_spacing", "31"},
        {"half_life", "601"},
        {"easiest_bits", "207ffffe"},
        {"grains_per_link", "121"},
        {"body_grains_max", "481"},
        {"horizon", "241"},
        {"inclusion_fee_bp", "101"},
        {"window_multiple", "8001"},
        {"window_blocks", "1009"},
        {"outputs", "49"},
        {"min_payout", "50001"},
        {"genesis_time", "1700000001"},
        {"anchor_height", "2016"},
    };
    struct pool base = parsed(REQUIRED);
    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
        struct pool pool = base;
        struct pool_error error;
        assert_true(pool_set(&pool, changed[i][0], changed[i][1], &error));
        assert_true(pool_finish(&pool, &error));
        assert_false(hash_equal(&pool.id, &base.id));
    }
}

static void messages_show_foreign_bytes_as_question_marks(void **state)
{
    (void)state;
    static const char text[] = "na\x1b[2Jme\x07 = x\n";
    struct seeded seeded = {2};
    struct pool pool;
    struct pool_error error;
    assert_false(pool_parse(text, sizeof(text) - 1, &pool, &error));
    assert_string_equal(error.key, "na?[2Jme?");
    for (int round = 0; round < 2000; round++) {
        char garbage[200];
        seeded_bytes(&seeded, garbage, sizeof(garbage));
        memcpy(garbage, "name = ", seeded_below(&seeded, 8));
        assert_false(pool_parse(garbage, sizeof(garbage), &pool, &error));
        for (const char *c = error.text; *c != '\0'; c++)
            assert_true(*c >= ' ' && *c <= '~');
    }
}

static void zero_byte_hides_nothing(void **state)
{
    (void)state;
    static const char text[] = REQUIRED "horizon = 240\0 = 5\n";
    static const char key[] = REQUIRED "horizon\0x = 240\n";
    struct pool pool;
    struct pool_error error;
    assert_false(pool_parse(text, sizeof(text) - 1, &pool, &error));
    assert_string_equal(error.key, "horizon");
    assert_false(pool_parse(key, sizeof(key) - 1, &pool, &error));
}

static void file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct pool pool;
    struct pool_error error;
    // Only the last line's end may be missing.
    for (size_t size = 0; size < strlen(REQUIRED) - 1; size++)
        assert_false(pool_parse(REQUIRED, size, &pool, &error));
    assert_true(pool_parse(REQUIRED, strlen(REQUIRED) - 1, &pool, &error));
}

static void oversized_file_is_refused(void **state)
{
    (void)state;
    static char text[LIMIT_POOL_FILE_SIZE + 1];
    struct pool pool;
    struct pool_error error;
    memset(text, '\n', sizeof(text));
    memcpy(text, REQUIRED, strlen(REQUIRED));
    assert_true(pool_parse(text, sizeof(text) - 1, &pool, &error));
    assert_false(pool_parse(text, sizeof(text), &pool, &error));
}

static void table_of_keys_is_complete_for_help(void **state)
{
    (void)state;
    struct pool pool = parsed(REQUIRED);
    struct pool_key_info info;
    size_t count = 0;
    for (; pool_key_row(count, &info); count++) {
        char value[161];
        assert_true(strlen(info.range) > 0 && strlen(info.meaning) > 0);
        assert_true(pool_get(&pool, info.name, value, sizeof(value)));
    }
    assert_int_equal(count, 18);
    assert_false(pool_get(&pool, "pool_id", (char[4]){0}, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(required_keys_suffice_and_give_the_known_pool_id),
        cmocka_unit_test(canonical_form_is_every_key_in_order),
        cmocka_unit_test(layout_of_the_file_does_not_change_the_pool),
        cmocka_unit_test(file_written_for_people_reads_back),
        cmocka_unit_test(every_required_key_is_missed),
        cmocka_unit_test(fault_is_reported_with_its_line_and_key),
        cmocka_unit_test(number_has_one_form_only),
        cmocka_unit_test(key_that_may_be_0_still_needs_its_digit),
        cmocka_unit_test(overlong_keys_and_values_are_refused),
        cmocka_unit_test(carriage_return_ends_no_line_by_itself),
        cmocka_unit_test(every_number_has_both_ends_of_its_range),
        cmocka_unit_test(easiest_bits_are_canonical_and_at_most_two_to_the_255),
        cmocka_unit_test(name_is_1_to_32_of_its_alphabet),
        cmocka_unit_test(anchor_is_a_whole_header_at_the_begin_of_a_period),
        cmocka_unit_test(time_before_the_anchor_is_for_litecoin_above_height_0),
        cmocka_unit_test(pool_made_in_memory_is_checked_as_a_file_is),
        cmocka_unit_test(every_key_changes_the_pool_id),
        cmocka_unit_test(messages_show_foreign_bytes_as_question_marks),
        cmocka_unit_test(zero_byte_hides_nothing),
        cmocka_unit_test(file_cut_anywhere_is_refused),
        cmocka_unit_test(oversized_file_is_refused),
        cmocka_unit_test(table_of_keys_is_complete_for_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
