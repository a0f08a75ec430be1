#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "sharechain/share.h"
#include "tests/unit/sharechain/seeded.h"

// A share of another implementation, with its ids.
static const char known_share[] =
    "01aa7cbcf44894d2fdef9a028e9b4a91f2d429c3a81e15da9efc7da32092f128c7f25a75ad37b6e03c59f0d5"
    "85f39f509c2344e32d01527323a4649fb77ba72b4fd5322cbb77240fd98aa15b386e79b7a4dcfe40f94cb41a"
    "81360f343add28852e2b6540b80000c3398a5a9a953060dff20d053b7e461215c235792b7a37da553cc30d38"
    "f96584a4626c1e21d9a3cee4fa00099225f078142ca2c802b0a64a8c81bb7fdd1600148d9f51b62e895fd6ce"
    "db9623f525fa2babde5ef85762e3166bb57c73423f778e9fcb0acd97361eddb50bb9603bf14243988b737600";

static struct script any_script(struct seeded *seeded)
{
    static const struct {
        uint8_t begin[3];
        uint8_t begin_size;
        uint8_t program;
        uint8_t end[2];
        uint8_t end_size;
    } forms[] = {
        {{0x76, 0xa9, 0x14}, 3, 20, {0x88, 0xac}, 2},
        {{0xa9, 0x14}, 2, 20, {0x87}, 1},
        {{0x00, 0x14}, 2, 20, {0}, 0},
        {{0x00, 0x20}, 2, 32, {0}, 0},
        {{0x51, 0x20}, 2, 32, {0}, 0},
    };
    size_t form = (size_t)seeded_below(seeded, 5);
    uint8_t bytes[SCRIPT_SIZE_MAX];
    struct buffer out;
    struct script script;
    uint8_t program[32];
    buffer_init_fixed(&out, bytes, sizeof(bytes));
    seeded_bytes(seeded, program, sizeof(program));
    write_bytes(&out, forms[form].begin, forms[form].begin_size);
    write_bytes(&out, program, forms[form].program);
    write_bytes(&out, forms[form].end, forms[form].end_size);
    assert_true(script_from_bytes(&script, out.data, out.size));
    return script;
}

static struct share any_share(struct seeded *seeded)
{
    struct share share;
    memset(&share, 0, sizeof(share));
    seeded_bytes(seeded, share.header, sizeof(share.header));
    share.coinbase_value = seeded_u64(seeded);
    seeded_bytes(seeded, share.extranonce, sizeof(share.extranonce));
    share.has_witness = seeded_below(seeded, 2) == 1;
    if (share.has_witness)
        share.witness_commitment = seeded_hash(seeded);
    share.branch.count = (size_t)seeded_below(seeded, MERKLE_BRANCH_MAX + 1);
    for (size_t i = 0; i < share.branch.count; i++)
        share.branch.hashes[i] = seeded_hash(seeded);
    share.info.anchor = seeded_hash(seeded);
    share.info.link_height = (uint32_t)seeded_u64(seeded);
    share.info.time = (uint32_t)seeded_u64(seeded);
    share.info.link_bits = 0x1b008000 + (uint32_t)seeded_below(seeded, 0x7f0000);
    share.info.grain_shift = (uint8_t)seeded_u64(seeded);
    seeded_bytes(seeded, share.info.node_tag, sizeof(share.info.node_tag));
    share.info.payout_script = any_script(seeded);
    share.info.body_root = seeded_hash(seeded);
    share.info.has_aux = seeded_below(seeded, 2) == 1;
    if (share.info.has_aux) {
        seeded_bytes(seeded, share.info.aux, sizeof(share.info.aux));
        memcpy(share.info.aux, "\xfa\xbe\x6d\x6d", 4);
    }
    return share;
}

static size_t encode(const struct share *share, uint8_t bytes[SHARE_SIZE_MAX])
{
    struct buffer out;
    buffer_init_fixed(&out, bytes, SHARE_SIZE_MAX);
    share_encode(share, &out);
    assert_false(out.failed);
    return out.size;
}

static void share_of_another_implementation_is_read(void **state)
{
    (void)state;
    uint8_t bytes[220];
    struct share share;
    struct hash256 id;
    struct hash256 hash;
    char hex[65];
    assert_true(hex_decode(known_share, strlen(known_share), bytes, sizeof(bytes)));
    assert_true(share_decode(bytes, sizeof(bytes), &share));
    header_id(share.header, &id);
    hash_to_hex(&id, hex);
    assert_string_equal(hex, "107b38e2f95c2732e7a3c38856b769012ae9f3e4eda7996e0fc4fb0ec1920d1b");
    share_info_hash(&share.info, &hash);
    hash_to_hex(&hash, hex);
    assert_string_equal(hex, "56152f1f1fd8e84be35c9a692893d80323dc47cf3408fc293c017b29027f598c");
    assert_int_equal(share.branch.count, 0);
    assert_false(share.has_witness);
    assert_false(share.info.has_aux);
}

static void share_survives_encoding(void **state)
{
    (void)state;
    struct seeded seeded = {1};
    for (int round = 0; round < 300; round++) {
        uint8_t bytes[SHARE_SIZE_MAX];
        struct share share = any_share(&seeded);
        struct share again;
        size_t size = encode(&share, bytes);
        memset(&again, 0xff, sizeof(again));
        assert_true(share_decode(bytes, size, &again));
        assert_memory_equal(&share.info.payout_script, &again.info.payout_script,
                            sizeof(share.info.payout_script));
        uint8_t second[SHARE_SIZE_MAX];
        assert_int_equal(encode(&again, second), size);
        assert_memory_equal(bytes, second, size);
    }
}

static void share_cut_anywhere_or_longer_is_refused(void **state)
{
    (void)state;
    struct seeded seeded = {2};
    for (int round = 0; round < 20; round++) {
        uint8_t bytes[SHARE_SIZE_MAX + 1] = {0};
        struct share share = any_share(&seeded);
        struct share again;
        size_t size = encode(&share, bytes);
        for (size_t cut = 0; cut < size; cut++)
            assert_false(share_decode(bytes, cut, &again));
        assert_false(share_decode(bytes, size + 1, &again));
    }
}

// One object has one form: whatever is accepted encodes to the very bytes it was read from.
static void altered_share_is_refused_or_has_its_one_form(void **state)
{
    (void)state;
    struct seeded seeded = {3};
    size_t refused = 0;
    for (int round = 0; round < 3000; round++) {
        uint8_t bytes[SHARE_SIZE_MAX];
        uint8_t second[SHARE_SIZE_MAX];
        struct share share = any_share(&seeded);
        struct share again;
        size_t size = encode(&share, bytes);
        size_t at = (size_t)seeded_below(&seeded, size);
        bytes[at] = (uint8_t)seeded_u64(&seeded);
        if (!share_decode(bytes, size, &again)) {
            refused++;
            continue;
        }
        assert_int_equal(encode(&again, second), size);
        assert_memory_equal(bytes, second, size);
    }
    assert_true(refused > 10);
}

static bool decodes_with(const struct share *share)
{
    uint8_t bytes[SHARE_SIZE_MAX];
    struct share again;
    size_t size = encode(share, bytes);
    return share_decode(bytes, size, &again);
}

static void link_bits_that_are_not_canonical_are_refused(void **state)
{
    (void)state;
    static const uint32_t wrong[] = {0,          0x00123456, 0x1d800001, 0x04923456, 0xff123456,
                                     0x2200ffff, 0x01003456, 0x1e0000ff, 0x1d007fff, 0x04000012};
    struct seeded seeded = {4};
    struct share share = any_share(&seeded);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        share.info.link_bits = wrong[i];
        assert_false(decodes_with(&share));
    }
    share.info.link_bits = 0x01010000;
    assert_true(decodes_with(&share));
}

static void script_that_is_none_of_the_five_is_refused(void **state)
{
    (void)state;
    struct seeded seeded = {5};
    struct share share = any_share(&seeded);
    static const struct script wrong[] = {
        {0, {0}},
        {1, {0x6a}},
        {22, {0x52, 0x14}},
        {21, {0x00, 0x13}},
        {22, {0x00, 0x15}},
        {33, {0x51, 0x1f}},
        {34, {0x52, 0x20}},
        {4, {0x51, 0x02, 0x4e, 0x73}},
        {25, {0x76, 0xa9, 0x14}},
        {23, {0xa9, 0x14}},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        share.info.payout_script = wrong[i];
        assert_false(decodes_with(&share));
    }
}

static void aux_without_its_magic_is_refused(void **state)
{
    (void)state;
    struct seeded seeded = {6};
    struct share share = any_share(&seeded);
    share.info.has_aux = true;
    memcpy(share.info.aux, "\x6d\x6d\xbe\xfa", 4);
    assert_false(decodes_with(&share));
    memcpy(share.info.aux, "\xfa\xbe\x6d\x6d", 4);
    assert_true(decodes_with(&share));
}

// The end of a share is the length of aux, one byte, and aux.
static void aux_of_another_length_is_refused(void **state)
{
    (void)state;
    struct seeded seeded = {9};
    uint8_t bytes[SHARE_SIZE_MAX + 256];
    struct share share = any_share(&seeded);
    struct share again;
    share.info.has_aux = true;
    memcpy(share.info.aux, "\xfa\xbe\x6d\x6d", 4);
    size_t size = encode(&share, bytes);
    size_t at = size - COINBASE_AUX_SIZE - 1;
    assert_int_equal(bytes[at], COINBASE_AUX_SIZE);
    for (size_t length = 0; length < 253; length++) {
        bytes[at] = (uint8_t)length;
        bool is_right = length == 0 || length == COINBASE_AUX_SIZE;
        assert_int_equal(share_decode(bytes, at + 1 + length, &again), is_right);
    }
}

static void script_longer_than_any_is_refused(void **state)
{
    (void)state;
    struct seeded seeded = {10};
    uint8_t bytes[SHARE_SIZE_MAX];
    struct share_info info = any_share(&seeded).info;
    struct buffer out;
    info.payout_script = (struct script){.size = 34, .bytes = {0x51, 0x20}};
    buffer_init_fixed(&out, bytes, sizeof(bytes));
    share_info_encode(&info, &out);
    const size_t at = 32 + 4 + 4 + 4 + 1 + SHARE_NODE_TAG_SIZE;
    assert_int_equal(bytes[at], 34);
    for (unsigned length = 0; length < 253; length++) {
        struct reader reader = reader_init(bytes, sizeof(bytes));
        bytes[at] = (uint8_t)length;
        bool is_read = share_info_decode(&reader, &info);
        assert_true(length == 34 || !is_read);
    }
}

static void version_and_witness_flag_have_no_other_values(void **state)
{
    (void)state;
    struct seeded seeded = {7};
    uint8_t bytes[SHARE_SIZE_MAX];
    struct share share = any_share(&seeded);
    struct share again;
    share.has_witness = true;
    size_t size = encode(&share, bytes);
    const size_t flag = 1 + HEADER_SIZE + 8 + COINBASE_EXTRANONCE_SIZE;
    assert_int_equal(bytes[flag], 1);
    for (unsigned value = 2; value < 256; value++) {
        bytes[flag] = (uint8_t)value;
        assert_false(share_decode(bytes, size, &again));
    }
    bytes[flag] = 1;
    assert_true(share_decode(bytes, size, &again));
    for (unsigned version = 0; version < 256; version++) {
        bytes[0] = (uint8_t)version;
        assert_int_equal(share_decode(bytes, size, &again), version == SHARE_VERSION);
    }
}

static int compare_ids(const void *a, const void *b)
{
    return hash_compare(a, b);
}

static void body_lists_its_ids_and_finds_each(void **state)
{
    (void)state;
    static struct hash256 ids[300];
    struct seeded seeded = {8};
    for (size_t count = 0; count <= 300; count += 50) {
        struct buffer out;
        struct body body;
        for (size_t i = 0; i < count; i++)
            ids[i] = seeded_hash(&seeded);
        qsort(ids, count, sizeof(ids[0]), compare_ids);
        buffer_init(&out, 1u << 20);
        body_encode(ids, count, &out);
        assert_true(body_decode(out.data, out.size, 300, &body));
        assert_int_equal(body.count, count);
        for (size_t i = 0; i < count; i++) {
            struct hash256 id;
            struct hash256 near = ids[i];
            body_id_at(&body, i, &id);
            assert_true(hash_equal(&id, &ids[i]));
            assert_true(body_contains(&body, &ids[i]));
            near.bytes[31] ^= 1;
            assert_false(body_contains(&body, &near));
        }
        assert_true(count == 0 || !body_decode(out.data, out.size, count - 1, &body));
        assert_false(body_decode(out.data, out.size - 1, 300, &body));
        buffer_clear(&out);
    }
}

static void body_that_does_not_ascend_is_refused(void **state)
{
    (void)state;
    struct hash256 ids[3] = {{{1}}, {{2}}, {{3}}};
    static const size_t orders[][3] = {{0, 2, 1}, {1, 0, 2}, {0, 0, 1}, {0, 1, 1}, {2, 1, 0}};
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct hash256 mixed[3] = {ids[orders[i][0]], ids[orders[i][1]], ids[orders[i][2]]};
        uint8_t bytes[100];
        struct buffer out;
        struct body body;
        buffer_init_fixed(&out, bytes, sizeof(bytes));
        body_encode(mixed, 3, &out);
        assert_false(body_decode(out.data, out.size, 16, &body));
    }
}

static void ids_ascend_bytewise_not_as_numbers(void **state)
{
    (void)state;
    struct hash256 ids[2] = {{{0}}, {{0}}};
    uint8_t bytes[100];
    struct buffer out;
    struct body body;
    ids[0].bytes[31] = 2; // the larger number, the smaller string
    ids[1].bytes[0] = 1;
    buffer_init_fixed(&out, bytes, sizeof(bytes));
    body_encode(ids, 2, &out);
    assert_true(body_decode(out.data, out.size, 16, &body));
}

static void empty_body_has_the_known_root(void **state)
{
    (void)state;
    static const uint8_t empty[1] = {0};
    struct hash256 root;
    char hex[65];
    body_root(empty, sizeof(empty), &root);
    hash_to_hex(&root, hex);
    assert_string_equal(hex, "619427014acb10a1e316ab61f677185c09b157e215f927fdf7600c2a21e5f37b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share_of_another_implementation_is_read),
        cmocka_unit_test(share_survives_encoding),
        cmocka_unit_test(share_cut_anywhere_or_longer_is_refused),
        cmocka_unit_test(altered_share_is_refused_or_has_its_one_form),
        cmocka_unit_test(link_bits_that_are_not_canonical_are_refused),
        cmocka_unit_test(script_that_is_none_of_the_five_is_refused),
        cmocka_unit_test(aux_without_its_magic_is_refused),
        cmocka_unit_test(aux_of_another_length_is_refused),
        cmocka_unit_test(script_longer_than_any_is_refused),
        cmocka_unit_test(version_and_witness_flag_have_no_other_values),
        cmocka_unit_test(body_lists_its_ids_and_finds_each),
        cmocka_unit_test(body_that_does_not_ascend_is_refused),
        cmocka_unit_test(ids_ascend_bytewise_not_as_numbers),
        cmocka_unit_test(empty_body_has_the_known_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
