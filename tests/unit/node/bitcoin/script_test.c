#include "node/bitcoin/script.h"

#include "tests/unit/node/bitcoin/support.h"

#define HASH_20 "751e76e8199196d454941c45d1b3a323f1433bd6"
#define HASH_32 "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

static const struct {
    enum script_kind kind;
    const char *text;
    const char *hex;
} kinds[] = {
    {SCRIPT_P2PKH, "P2PKH", "76a914" HASH_20 "88ac"},
    {SCRIPT_P2SH, "P2SH", "a914" HASH_20 "87"},
    {SCRIPT_P2WPKH, "P2WPKH", "0014" HASH_20},
    {SCRIPT_P2WSH, "P2WSH", "0020" HASH_32},
    {SCRIPT_P2TR, "P2TR", "5120" HASH_32},
};

static void five_kinds_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        uint8_t bytes[64];
        size_t size = unhex(kinds[i].hex, bytes, sizeof bytes);
        struct script script;
        assert_int_equal(script_kind(bytes, size), kinds[i].kind);
        assert_string_equal(script_kind_text(kinds[i].kind), kinds[i].text);
        assert_true(script_from_bytes(&script, bytes, size));
        assert_int_equal(script.size, size);
        assert_memory_equal(script.bytes, bytes, size);
    }
}

static void every_changed_opcode_and_size_is_another_script(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        uint8_t bytes[64] = {0};
        struct script script;
        size_t size = unhex(kinds[i].hex, bytes, sizeof bytes);
        assert_int_equal(script_kind(bytes, size - 1), SCRIPT_OTHER);
        assert_int_equal(script_kind(bytes, size + 1), SCRIPT_OTHER);
        assert_false(script_from_bytes(&script, bytes, size + 1));
        const size_t opcodes[] = {0, 1};
        for (size_t j = 0; j < 2; j++) {
            bytes[opcodes[j]] ^= 0x02;
            assert_int_equal(script_kind(bytes, size), SCRIPT_OTHER);
            bytes[opcodes[j]] ^= 0x02;
        }
    }
    assert_int_equal(script_kind(NULL, 0), SCRIPT_OTHER);
}

static void tails_of_the_old_kinds_are_looked_at(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t size = unhex("76a914" HASH_20 "88ad", bytes, sizeof bytes);
    assert_int_equal(script_kind(bytes, size), SCRIPT_OTHER);
    size = unhex("76a914" HASH_20 "87ac", bytes, sizeof bytes);
    assert_int_equal(script_kind(bytes, size), SCRIPT_OTHER);
    size = unhex("76a913" HASH_20 "88ac", bytes, sizeof bytes);
    assert_int_equal(script_kind(bytes, size), SCRIPT_OTHER);
    size = unhex("a914" HASH_20 "88", bytes, sizeof bytes);
    assert_int_equal(script_kind(bytes, size), SCRIPT_OTHER);
}

static void what_nobody_can_be_paid_to_is_other(void **state)
{
    (void)state;
    static const char *const others[] = {
        "6a0548656c6c6f",    // OP_RETURN
        "51024e73",          // pay to anchor
        "5220" HASH_32,      // witness version 2
        "5114" HASH_20,      // version 1 of another size
        "2102" HASH_32 "ac", // a bare public key
        "a820" HASH_32 "87", // a hash puzzle
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        uint8_t bytes[64];
        struct script script;
        size_t size = unhex(others[i], bytes, sizeof bytes);
        assert_false(script_from_bytes(&script, bytes, size));
    }
}

static void scripts_built_from_hashes_hold_them(void **state)
{
    (void)state;
    uint8_t hash[20];
    uint8_t program[40] = {0};
    unhex(HASH_20, hash, sizeof hash);
    unhex(HASH_32, program, sizeof program);
    struct script built[5] = {script_p2pkh(hash), script_p2sh(hash)};
    assert_true(script_witness(0, hash, 20, &built[2]));
    assert_true(script_witness(0, program, 32, &built[3]));
    assert_true(script_witness(1, program, 32, &built[4]));
    for (size_t i = 0; i < 5; i++) {
        struct script expected = {0};
        expected.size = (uint8_t)unhex(kinds[i].hex, expected.bytes, sizeof expected.bytes);
        assert_memory_equal(&built[i], &expected, sizeof expected);
        size_t size;
        const uint8_t *payload = script_payload(&built[i], &size);
        assert_int_equal(size, i < 3 ? 20 : 32);
        assert_memory_equal(payload, i < 3 ? hash : program, size);
    }
    struct script none;
    assert_false(script_witness(1, hash, 20, &none));
    assert_false(script_witness(2, program, 32, &none));
    assert_false(script_witness(0, program, 40, &none));
    struct script other = {.size = 1, .bytes = {0x6a}};
    size_t size;
    script_payload(&other, &size);
    assert_int_equal(size, 0);
}

static void unused_bytes_are_zero_so_that_scripts_compare_as_structs(void **state)
{
    (void)state;
    struct script long_then_short;
    struct script short_alone;
    uint8_t bytes[64];
    memset(&long_then_short, 0xff, sizeof long_then_short);
    memset(&short_alone, 0, sizeof short_alone);
    size_t size = unhex(kinds[2].hex, bytes, sizeof bytes);
    assert_true(script_from_bytes(&long_then_short, bytes, size));
    assert_true(script_from_bytes(&short_alone, bytes, size));
    assert_memory_equal(&long_then_short, &short_alone, sizeof short_alone);
}

static struct script raw(const char *hex)
{
    struct script script = {0};
    script.size = (uint8_t)unhex(hex, script.bytes, sizeof script.bytes);
    return script;
}

static void order_is_bytewise_and_a_prefix_comes_first(void **state)
{
    (void)state;
    const struct script ascending[] = {raw(""),   raw("00"), raw("0000"), raw("0001"), raw("0100"),
                                       raw("7f"), raw("80"), raw("80ff"), raw("ff")};
    const int count = sizeof ascending / sizeof ascending[0];
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++) {
            int order = script_compare(&ascending[i], &ascending[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(script_equal(&ascending[i], &ascending[j]), i == j);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_kinds_are_known),
        cmocka_unit_test(every_changed_opcode_and_size_is_another_script),
        cmocka_unit_test(tails_of_the_old_kinds_are_looked_at),
        cmocka_unit_test(what_nobody_can_be_paid_to_is_other),
        cmocka_unit_test(scripts_built_from_hashes_hold_them),
        cmocka_unit_test(unused_bytes_are_zero_so_that_scripts_compare_as_structs),
        cmocka_unit_test(order_is_bytewise_and_a_prefix_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
