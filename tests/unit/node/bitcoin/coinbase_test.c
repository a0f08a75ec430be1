#include "node/bitcoin/coinbase.h"

#include "tests/unit/node/bitcoin/support.h"
#include "node/bitcoin/tx.h"

// Cases of the protocol's published vectors, written by another implementation.
struct coinbase_case {
    int64_t height;
    const char *aux;
    const char *commitment;
    const char *share_info_hash;
    const char *extranonce;
    const char *coinbase;
    const char *txid;
    size_t outputs_count;
    struct {
        uint64_t amount;
        const char *script;
    } outputs[2];
};

static const struct coinbase_case cases[] = {
    {
        .height = 1,
        .share_info_hash = "db4c40f36086042e13f772768852db50b3189aac24b58c4f64d8972a7000d107",
        .extranonce = "70c5e62e456d04ce3792e61f",
        .outputs_count = 2,
        .outputs = {{50000, "00148ab6a696bfeb495b3893c6cef60f68aaf4ef7999"},
                    {50000,
                     "002078ebf60feb4e47dd161597679d8f53166c0153460f4d6ed1f5ec64a83cbf3acf"}},
        .coinbase =
            "02000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0751"
            "0573686f616cfeffffff0350c30000000000001600148ab6a696bfeb495b3893c6cef60f68aaf4ef799950"
            "c300000000000022002078ebf60feb4e47dd161597679d8f53166c0153460f4d6ed1f5ec64a83cbf3acf00"
            "00000000000000326a3053484c31db4c40f36086042e13f772768852db50b3189aac24b58c4f64d8972a70"
            "00d10770c5e62e456d04ce3792e61f00000000",
        .txid = "85b9c21549f6ab547e2f1915b057df691405bdb7389d026de5d47cb0ba937eb8",
    },
    {
        .height = 17,
        .commitment = "34b82461842f662c28caa11922be952bd3ad8257648a8f4a457cc1521d6f13e0",
        .share_info_hash = "eb7af110fa7d52361f2c61d412d658bf77b64ad480f9ba7a4b769950f1f1030e",
        .extranonce = "1f79997b3606b541ea311acd",
        .outputs_count = 1,
        .outputs = {{5000000000, "a91476e39127bbfcf73bb723a3cddc5f8b5290c2112087"}},
        .coinbase =
            "02000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0801"
            "110573686f616cfeffffff0300f2052a0100000017a91476e39127bbfcf73bb723a3cddc5f8b5290c21120"
            "870000000000000000266a24aa21a9ed34b82461842f662c28caa11922be952bd3ad8257648a8f4a457cc1"
            "521d6f13e00000000000000000326a3053484c31eb7af110fa7d52361f2c61d412d658bf77b64ad480f9ba"
            "7a4b769950f1f1030e1f79997b3606b541ea311acd10000000",
        .txid = "e756532aa4ec6656a4c2e04b94bb0b5983fd36e7d6edc3235551f2828796c7a0",
    },
    {
        .height = 128,
        .share_info_hash = "8238710c4d891b2d422fe8d5b49a40c7cedcd0ff29c30f5d6afcffab387b1980",
        .extranonce = "30bde073708073c986273c4f",
        .outputs_count = 2,
        .outputs = {{0, "5120541ccc87ee41fe515f56bf6de46769155dec7a873eb3c778f5d2b9f68d574e8f"},
                    {312500000, "00149ffa5d1761b7fdb8bc8c8914a5a094e33310869a"}},
        .coinbase =
            "02000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0902"
            "80000573686f616cfeffffff030000000000000000225120541ccc87ee41fe515f56bf6de46769155dec7a"
            "873eb3c778f5d2b9f68d574e8f205fa012000000001600149ffa5d1761b7fdb8bc8c8914a5a094e3331086"
            "9a0000000000000000326a3053484c318238710c4d891b2d422fe8d5b49a40c7cedcd0ff29c30f5d6afcff"
            "ab387b198030bde073708073c986273c4f7f000000",
        .txid = "25807c448b0cb82565c38c247efb053404f4125fb2d55af9bdf6d766274f34f9",
    },
    {
        .height = 4294967295,
        .aux = "fabe6d6dc2cafebb3d85a0b2f9b36330df4fd44e0bf1c4efefc780c9bcb5627699a9851de09d50e37e"
               "ca0367",
        .commitment = "8117f522294360d130a3d6e42db4327a044f7b2043306c557145a19e5f2dfa5a",
        .share_info_hash = "20bd823b50f941ff2299909dbd97d9ba6547fadbec4d512269e304f5e52e5798",
        .extranonce = "44cc178c59010662e7a7ca7c",
        .outputs_count = 2,
        .outputs = {{5000000000, "0014f42c9f76f10e4f5c204a8b04a2817d12e194b60e"},
                    {5000000000, "76a914a16598dc900bb02604281d8f5e81eecaedc240c488ac"}},
        .coinbase =
            "02000000010000000000000000000000000000000000000000000000000000000000000000ffffffff3905"
            "ffffffff000573686f616c2cfabe6d6dc2cafebb3d85a0b2f9b36330df4fd44e0bf1c4efefc780c9bcb562"
            "7699a9851de09d50e37eca0367feffffff0400f2052a01000000160014f42c9f76f10e4f5c204a8b04a281"
            "7d12e194b60e00f2052a010000001976a914a16598dc900bb02604281d8f5e81eecaedc240c488ac000000"
            "0000000000266a24aa21a9ed8117f522294360d130a3d6e42db4327a044f7b2043306c557145a19e5f2dfa"
            "5a0000000000000000326a3053484c3120bd823b50f941ff2299909dbd97d9ba6547fadbec4d512269e304"
            "f5e52e579844cc178c59010662e7a7ca7cfeffffff",
        .txid = "29064796f9f7a7f8b74865ad9f756ad339225339c3801e8446c1c6f5ca26dbf4",
    },
};
#define CASES_COUNT (sizeof cases / sizeof cases[0])

// A case with its hex undone.
struct prepared {
    struct coinbase_spec spec;
    struct coinbase_output outputs[2];
    uint8_t aux[COINBASE_AUX_SIZE];
    struct hash256 commitment;
    struct hash256 share_info_hash;
    uint8_t extranonce[COINBASE_EXTRANONCE_SIZE];
};

static void prepare(const struct coinbase_case *source, struct prepared *out)
{
    memset(out, 0, sizeof *out);
    out->spec.height = source->height;
    out->spec.outputs = out->outputs;
    out->spec.outputs_count = source->outputs_count;
    for (size_t i = 0; i < source->outputs_count; i++) {
        uint8_t bytes[SCRIPT_SIZE_MAX];
        size_t size = unhex(source->outputs[i].script, bytes, sizeof bytes);
        assert_true(script_from_bytes(&out->outputs[i].script, bytes, size));
        out->outputs[i].amount = source->outputs[i].amount;
    }
    if (source->aux != NULL) {
        unhex(source->aux, out->aux, sizeof out->aux);
        out->spec.aux = out->aux;
    }
    if (source->commitment != NULL) {
        out->commitment = wire_hash(source->commitment);
        out->spec.witness_commitment = &out->commitment;
    }
    out->share_info_hash = wire_hash(source->share_info_hash);
    unhex(source->extranonce, out->extranonce, sizeof out->extranonce);
}

static void prefix_and_tail_make_the_published_coinbases(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES_COUNT; i++) {
        struct prepared prepared;
        uint8_t expected[600];
        struct buffer out;
        prepare(&cases[i], &prepared);
        size_t size = unhex(cases[i].coinbase, expected, sizeof expected);
        buffer_init(&out, 1000);
        coinbase_write_prefix(&prepared.spec, &out);
        assert_true(out.size <= coinbase_prefix_size_max(prepared.spec.outputs_count));
        assert_memory_equal(out.data + out.size - 4, "SHL1", 4);
        assert_int_equal(coinbase_size(out.size), size);
        coinbase_write_tail(&prepared.share_info_hash, prepared.extranonce, cases[i].height, &out);
        assert_false(out.failed);
        assert_int_equal(out.size, size);
        assert_memory_equal(out.data, expected, size);
        buffer_clear(&out);
    }
}

static void txids_come_from_the_state_of_the_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES_COUNT; i++) {
        struct prepared prepared;
        struct buffer prefix;
        struct sha256 sha;
        struct hash256 txid;
        struct hash256 expected = wire_hash(cases[i].txid);
        prepare(&cases[i], &prepared);
        buffer_init(&prefix, 1000);
        coinbase_write_prefix(&prepared.spec, &prefix);
        sha256_init(&sha);
        sha256_update(&sha, prefix.data, prefix.size);
        buffer_clear(&prefix);
        // Twice from the same state: it is not used up.
        for (int round = 0; round < 2; round++) {
            coinbase_txid(&sha, &prepared.share_info_hash, prepared.extranonce, cases[i].height,
                          &txid);
            assert_hash_equal(&txid, &expected);
        }
    }
}

static void height_is_pushed_as_bip_34_has_it(void **state)
{
    (void)state;
    static const struct {
        int64_t height;
        const char *push;
    } pushes[] = {
        {0, "00"},
        {1, "51"},
        {16, "60"},
        {17, "0111"},
        {127, "017f"},
        {128, "028000"},
        {255, "02ff00"},
        {256, "020001"},
        {32767, "02ff7f"},
        {32768, "03008000"},
        {840000, "0340d10c"},
        {8388607, "03ffff7f"},
        {8388608, "0400008000"},
        {2147483647, "04ffffff7f"},
        {2147483648, "050000008000"},
        {4294967295, "05ffffffff00"},
        {INT64_MAX, "08ffffffffffffff7f"},
    };
    for (size_t i = 0; i < sizeof pushes / sizeof pushes[0]; i++) {
        uint8_t expected[9];
        uint8_t push[9];
        size_t size = unhex(pushes[i].push, expected, sizeof expected);
        assert_int_equal(coinbase_height_push(pushes[i].height, push), size);
        assert_memory_equal(push, expected, size);
    }
}

static void largest_coinbase_keeps_to_its_bounds(void **state)
{
    (void)state;
    static struct coinbase_output outputs[COINBASE_OUTPUTS_MAX];
    static const struct hash256 hash;
    static const uint8_t aux[COINBASE_AUX_SIZE];
    static const uint8_t extranonce[COINBASE_EXTRANONCE_SIZE];
    uint8_t program[32] = {1};
    for (size_t i = 0; i < COINBASE_OUTPUTS_MAX; i++)
        assert_true(script_witness(0, program, sizeof program, &outputs[i].script));
    struct coinbase_spec spec = {.height = 4294967295,
                                 .aux = aux,
                                 .outputs = outputs,
                                 .outputs_count = COINBASE_OUTPUTS_MAX,
                                 .witness_commitment = &hash};
    struct buffer out;
    buffer_init(&out, 100000);
    coinbase_write_prefix(&spec, &out);
    size_t bound = coinbase_prefix_size_max(COINBASE_OUTPUTS_MAX);
    assert_true(out.size <= bound && out.size + 4 >= bound);
    coinbase_write_tail(&hash, extranonce, spec.height, &out);

    struct reader reader = reader_init(out.data, out.size);
    struct tx_summary summary;
    assert_true(tx_read(&reader, &summary));
    assert_true(reader_is_done(&reader));
    assert_int_equal(summary.outputs_count, COINBASE_OUTPUTS_MAX + 2);
    assert_int_equal(summary.locktime, 4294967294);
    // The witness nonce adds 36 bytes of one weight unit each.
    uint64_t weight = tx_weight(&summary) + 36;
    uint32_t weight_max = coinbase_weight_max(COINBASE_OUTPUTS_MAX);
    assert_true(weight <= weight_max && weight + 16 >= weight_max);
    assert_int_equal(coinbase_sigops_max(COINBASE_OUTPUTS_MAX), 4000);
    buffer_clear(&out);
}

static void too_small_a_buffer_fails_and_is_not_overrun(void **state)
{
    (void)state;
    struct prepared prepared;
    uint8_t bytes[64];
    struct buffer out;
    prepare(&cases[0], &prepared);
    buffer_init_fixed(&out, bytes, sizeof bytes);
    coinbase_write_prefix(&prepared.spec, &out);
    assert_true(out.failed);
    assert_true(out.size <= sizeof bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefix_and_tail_make_the_published_coinbases),
        cmocka_unit_test(txids_come_from_the_state_of_the_prefix),
        cmocka_unit_test(height_is_pushed_as_bip_34_has_it),
        cmocka_unit_test(largest_coinbase_keeps_to_its_bounds),
        cmocka_unit_test(too_small_a_buffer_fails_and_is_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
