#include "node/bitcoin/bech32.h"

#include <strings.h>
#include "tests/unit/node/bitcoin/support.h"
#include "tests/unit/node/base/seeded.h"

// The lists of BIP 173 and BIP 350.
static const char *const valid_bech32[] = {
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
};
static const char *const valid_bech32m[] = {
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
};
static const struct {
    const char *text;
    enum bech32_result result;
} invalid[] = {
    {" 1nwldj5", BECH32_BAD_CHARACTER},
    {"\x7f"
     "1axkwrx",
     BECH32_BAD_CHARACTER},
    {"\x80"
     "1eym55h",
     BECH32_BAD_CHARACTER},
    {"an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
     BECH32_BAD_LENGTH},
    {"pzry9x0s0muk", BECH32_NO_SEPARATOR},
    {"1pzry9x0s0muk", BECH32_BAD_LENGTH},
    {"x1b4n0q5v", BECH32_BAD_CHARACTER},
    {"li1dgmt3", BECH32_BAD_LENGTH},
    {"de1lg7wt\xff", BECH32_BAD_CHARACTER},
    {"A1G7SGD8", BECH32_BAD_CHECKSUM},
    {"10a06t8", BECH32_BAD_LENGTH},
    {"1qzzfhee", BECH32_BAD_LENGTH},
    {" 1xj0phk", BECH32_BAD_CHARACTER},
    {"\x7f"
     "1g6xzxy",
     BECH32_BAD_CHARACTER},
    {"\x80"
     "1vctc34",
     BECH32_BAD_CHARACTER},
    {"an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
     BECH32_BAD_LENGTH},
    {"qyrz8wqd2c9m", BECH32_NO_SEPARATOR},
    {"1qyrz8wqd2c9m", BECH32_BAD_LENGTH},
    {"y1b0jsk6g", BECH32_BAD_CHARACTER},
    {"lt1igcx5c0", BECH32_BAD_CHARACTER},
    {"in1muywd", BECH32_BAD_LENGTH},
    {"mm1crxm3i", BECH32_BAD_CHARACTER},
    {"au1s5cgom", BECH32_BAD_CHARACTER},
    {"M1VUXWEZ", BECH32_BAD_CHECKSUM},
    {"16plkw9", BECH32_BAD_LENGTH},
    {"1p2gdwpf", BECH32_BAD_LENGTH},
    // Ours.
    {"", BECH32_NO_SEPARATOR},
    {"a12UEL5L", BECH32_MIXED_CASE},
    {"A12uel5l", BECH32_MIXED_CASE},
};

static void assert_valid(const char *text, enum bech32_variant variant)
{
    struct bech32 bech32;
    char again[BECH32_SIZE_MAX + 1];
    assert_int_equal(bech32_decode(text, strlen(text), &bech32), BECH32_OK);
    assert_int_equal(bech32.variant, variant);
    assert_true(bech32_encode(&bech32, again));
    assert_int_equal(strcasecmp(text, again), 0);
}

static void valid_texts_of_the_bips_decode_and_encode_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof valid_bech32 / sizeof valid_bech32[0]; i++)
        assert_valid(valid_bech32[i], BECH32);
    for (size_t i = 0; i < sizeof valid_bech32m / sizeof valid_bech32m[0]; i++)
        assert_valid(valid_bech32m[i], BECH32M);
}

static void invalid_texts_of_the_bips_are_refused_for_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        struct bech32 bech32;
        assert_int_equal(bech32_decode(invalid[i].text, strlen(invalid[i].text), &bech32),
                         invalid[i].result);
    }
}

static void values_and_prefix_are_found(void **state)
{
    (void)state;
    struct bech32 bech32;
    const char *text = "ABCDEF1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LMQQQXW";
    assert_int_equal(bech32_decode(text, strlen(text), &bech32), BECH32_OK);
    assert_string_equal(bech32.prefix, "abcdef");
    assert_int_equal(bech32.values_count, 32);
    for (uint8_t i = 0; i < 32; i++)
        assert_int_equal(bech32.values[i], i);
}

static void up_to_four_changed_characters_are_always_noticed(void **state)
{
    (void)state;
    static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const char *right = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0";
    size_t size = strlen(right);
    uint64_t seed = 3;
    for (size_t round = 0; round < 20000; round++) {
        char text[80];
        memcpy(text, right, size + 1);
        size_t changes = 1 + seeded_next(&seed) % 4;
        for (size_t i = 0; i < changes; i++)
            text[3 + seeded_next(&seed) % (size - 3)] = alphabet[seeded_next(&seed) % 32];
        if (strcmp(text, right) == 0)
            continue;
        struct bech32 bech32;
        enum bech32_result result = bech32_decode(text, size, &bech32);
        // The two variants are not that far apart.
        assert_true(result == BECH32_BAD_CHECKSUM || bech32.variant == BECH32);
    }
}

static void bytes_survive_regrouping_and_padding_must_be_zero(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (size_t size = 0; size <= 40; size++) {
        uint8_t bytes[40] = {0};
        uint8_t again[40];
        uint8_t values[64];
        size_t again_size;
        seeded_fill(&seed, bytes, size);
        size_t count = bech32_from_bytes(bytes, size, values);
        assert_int_equal(count, (size * 8 + 4) / 5);
        assert_true(bech32_to_bytes(values, count, again, size, &again_size));
        assert_int_equal(again_size, size);
        assert_memory_equal(again, bytes, size);
        if (size > 0)
            assert_false(bech32_to_bytes(values, count, again, size - 1, &again_size));
        if (size * 8 % 5 != 0) {
            values[count - 1] |= 1;
            assert_false(bech32_to_bytes(values, count, again, sizeof again, &again_size));
        }
    }
}

static void five_bits_left_over_are_refused(void **state)
{
    (void)state;
    static const uint8_t values[] = {0, 0, 0};
    uint8_t bytes[4];
    size_t size;
    assert_false(bech32_to_bytes(values, 1, bytes, sizeof bytes, &size));
    assert_true(bech32_to_bytes(values, 2, bytes, sizeof bytes, &size));
    assert_false(bech32_to_bytes(values, 3, bytes, sizeof bytes, &size));
}

static void too_long_a_text_is_not_written(void **state)
{
    (void)state;
    struct bech32 bech32 = {.variant = BECH32, .prefix = "abcd", .values_count = 79};
    char text[BECH32_SIZE_MAX + 1];
    assert_true(bech32_encode(&bech32, text));
    assert_int_equal(strlen(text), BECH32_SIZE_MAX);
    bech32.values_count = 80;
    assert_false(bech32_encode(&bech32, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_of_the_bips_decode_and_encode_back),
        cmocka_unit_test(invalid_texts_of_the_bips_are_refused_for_what_is_wrong),
        cmocka_unit_test(values_and_prefix_are_found),
        cmocka_unit_test(up_to_four_changed_characters_are_always_noticed),
        cmocka_unit_test(bytes_survive_regrouping_and_padding_must_be_zero),
        cmocka_unit_test(five_bits_left_over_are_refused),
        cmocka_unit_test(too_long_a_text_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
