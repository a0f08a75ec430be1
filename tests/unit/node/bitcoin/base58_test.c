#include "node/bitcoin/base58.h"

#include "tests/unit/node/bitcoin/support.h"
#include "tests/unit/node/base/seeded.h"

// Payloads and texts by an independent implementation.
static const struct {
    const char *payload;
    const char *text;
} pairs[] = {
    {"", "3QJmnh"},
    {"00000000616263", "11114h3cAUBnVN"},
    {"0000000000000000000000000000000000000000", "111111111111111111117K4nzc"},
    {"000000000000000000000000000000000000000000", "1111111111111111111114oLvT2"},
    {"00010966776006953d5567439e5e39f86a0d273bee", "16UwLL9Risc3QfPqBUvKofHmBQ7wMtjvM"},
    {"0062e907b15cbf27d5425399ebf6f0fb50ebb88f18", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
    {"05b472a266d0bd89c13706a4132ccfb16f7c3b9fcb", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"},
    {"05ffffffffffffffffffffffffffffffffffffffff", "3R2cuenjG5nFubqX9Wzuukdin2YfBbQ6Kw"},
    {"ffffffffffffffffffffffffffffffffffffffffff", "2n1XR4oJkmBdJMxhBGQGb96gQ88xUyGML1i"},
};
#define PAIRS_COUNT (sizeof pairs / sizeof pairs[0])

static void known_payloads_and_texts_convert_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAIRS_COUNT; i++) {
        uint8_t payload[BASE58_PAYLOAD_MAX];
        uint8_t decoded[BASE58_PAYLOAD_MAX];
        char text[BASE58_TEXT_MAX];
        size_t size = unhex(pairs[i].payload, payload, sizeof payload);
        base58check_encode(payload, size, text);
        assert_string_equal(text, pairs[i].text);
        assert_int_equal(base58check_decode(text, strlen(text), decoded, size), BASE58_OK);
        assert_memory_equal(decoded, payload, size);
    }
}

static enum base58_result decode(const char *text, size_t payload_size)
{
    uint8_t payload[BASE58_PAYLOAD_MAX];
    return base58check_decode(text, strlen(text), payload, payload_size);
}

static void another_number_of_bytes_is_a_bad_length(void **state)
{
    (void)state;
    assert_int_equal(decode("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", 20), BASE58_BAD_LENGTH);
    assert_int_equal(decode("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", 22), BASE58_BAD_LENGTH);
    assert_int_equal(decode("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", 20), BASE58_BAD_LENGTH);
    assert_int_equal(decode("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", 22), BASE58_BAD_LENGTH);
    assert_int_equal(decode("", 21), BASE58_BAD_LENGTH);
    assert_int_equal(decode("8qfKFDmPNA1uDdWpLJyhogk4u4W7tamJRzNL", 21), BASE58_BAD_LENGTH);
}

static void leading_ones_stand_for_as_many_zero_bytes(void **state)
{
    (void)state;
    // One more and one less than the 21 zero bytes need.
    assert_int_equal(decode("11111111111111111111114oLvT2", 21), BASE58_BAD_LENGTH);
    assert_int_equal(decode("111111111111111111114oLvT2", 21), BASE58_BAD_LENGTH);
    // The number is the same with or without them, the payload is not.
    assert_int_equal(decode("116UwLL9Risc3QfPqBUvKofHmBQ7wMtjvM", 21), BASE58_BAD_LENGTH);
    assert_int_equal(decode("6UwLL9Risc3QfPqBUvKofHmBQ7wMtjvM", 21), BASE58_BAD_LENGTH);
    assert_int_equal(decode("111111111111111111111111111111111", 21), BASE58_BAD_LENGTH);
}

static void characters_that_look_alike_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0",   "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNO",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNI",   "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNl",
        " 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",  "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN\xe9"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(decode(texts[i], 21), BASE58_BAD_CHARACTER);
    uint8_t payload[21];
    assert_int_equal(base58check_decode("1A1z\0P1e", 8, payload, sizeof payload),
                     BASE58_BAD_CHARACTER);
}

static void every_changed_digit_is_noticed(void **state)
{
    (void)state;
    const char *right = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy";
    for (size_t i = 0; i < strlen(right); i++) {
        char text[40];
        memcpy(text, right, strlen(right) + 1);
        text[i] = text[i] == '2' ? '4' : '2';
        enum base58_result result = decode(text, 21);
        assert_true(result == BASE58_BAD_CHECKSUM || result == BASE58_BAD_LENGTH);
    }
}

static void random_payloads_survive_the_way_there_and_back(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (size_t round = 0; round < 3000; round++) {
        uint8_t payload[BASE58_PAYLOAD_MAX];
        uint8_t decoded[BASE58_PAYLOAD_MAX];
        char text[BASE58_TEXT_MAX];
        size_t size = seeded_next(&seed) % (BASE58_PAYLOAD_MAX + 1);
        size_t zeros = seeded_next(&seed) % 4;
        seeded_fill(&seed, payload, size);
        memset(payload, 0, zeros < size ? zeros : size);
        base58check_encode(payload, size, text);
        assert_true(strlen(text) < BASE58_TEXT_MAX);
        assert_int_equal(base58check_decode(text, strlen(text), decoded, size), BASE58_OK);
        assert_memory_equal(decoded, payload, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_payloads_and_texts_convert_both_ways),
        cmocka_unit_test(another_number_of_bytes_is_a_bad_length),
        cmocka_unit_test(leading_ones_stand_for_as_many_zero_bytes),
        cmocka_unit_test(characters_that_look_alike_are_refused),
        cmocka_unit_test(every_changed_digit_is_noticed),
        cmocka_unit_test(random_payloads_survive_the_way_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
