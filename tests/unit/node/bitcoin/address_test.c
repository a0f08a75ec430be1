#include "node/bitcoin/address.h"

#include "tests/unit/node/bitcoin/support.h"

#define HASH_20 "751e76e8199196d454941c45d1b3a323f1433bd6"
#define HASH_32 "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define P2PKH   "76a914" HASH_20 "88ac"
#define P2SH    "a914" HASH_20 "87"
#define P2WPKH  "0014" HASH_20
#define P2WSH   "0020" HASH_32
#define P2TR    "5120" HASH_32

// Written by an independent implementation, but for those of BIP 173 and 350.
static const struct {
    const char *chain;
    const char *address;
    const char *script;
} canonical[] = {
    {"bitcoin", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", P2PKH},
    {"bitcoin", "3CNHUhP3uyB9EUtRLsmvFUmvGdjGdkTxJw", P2SH},
    {"bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", P2WPKH},
    {"bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", P2TR},
    {"bitcoin", "1111111111111111111114oLvT2",
     "76a914000000000000000000000000000000000000000088ac"},
    {"bitcoin", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
     "76a91477bff20c60e522dfaa3350c39b030a5d004e839a88ac"},
    {"testnet4", "mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r", P2PKH},
    {"testnet4", "2N3vVYSK5XRgVSGWy21PnsRmBUywSQNdCsf", P2SH},
    {"testnet4", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", P2WPKH},
    {"testnet4", "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqlfz5su", P2WSH},
    {"testnet4", "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47zagq", P2TR},
    {"regtest", "mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r", P2PKH},
    {"regtest", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", P2WPKH},
    {"regtest", "bcrt1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqjsgj9x", P2WSH},
    {"devchain", "2N3vVYSK5XRgVSGWy21PnsRmBUywSQNdCsf", P2SH},
    {"devchain", "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6", P2TR},
    {"litecoin", "LVuDpNCSSj6pQ7t9Pv6d6sUkLKoqDEVUnJ", P2PKH},
    {"litecoin", "MJaRnao1s62a2zAKSkmG582KbLKianqb7v", P2SH},
    {"litecoin", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", P2WPKH},
    {"litecoin", "ltc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqt96tsk", P2WSH},
    {"litecoin", "ltc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqpj6zg2", P2TR},
    {"litecoin-regtest", "QXHFfTBKYXjaaTH1e7Rox8CcdNPGHVhM59", P2SH},
    {"litecoin-regtest", "rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7k693xs3", P2WPKH},
    {"litecoin-regtest", "rltc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqsyzyjh", P2TR},
    {"devchain-scrypt", "mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r", P2PKH},
    {"devchain-scrypt", "rltc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq6nzd2t", P2WSH},
};

static enum address_result decode(const char *chain, const char *text, struct script *script)
{
    return address_decode(chain_params_by_name(chain), text, strlen(text), script);
}

static enum address_result verdict(const char *chain, const char *text)
{
    struct script script;
    memset(&script, 0xff, sizeof script);
    enum address_result result = decode(chain, text, &script);
    static const struct script none;
    if (result != ADDRESS_OK)
        assert_memory_equal(&script, &none, sizeof none);
    return result;
}

static void assert_decodes(const char *chain, const char *address, const char *hex)
{
    uint8_t expected[64];
    size_t size = unhex(hex, expected, sizeof expected);
    struct script script;
    assert_int_equal(decode(chain, address, &script), ADDRESS_OK);
    assert_int_equal(script.size, size);
    assert_memory_equal(script.bytes, expected, size);
}

static void addresses_of_every_chain_and_kind_convert_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof canonical / sizeof canonical[0]; i++) {
        assert_decodes(canonical[i].chain, canonical[i].address, canonical[i].script);
        struct script script = {0};
        char text[ADDRESS_SIZE_MAX];
        script.size = (uint8_t)unhex(canonical[i].script, script.bytes, sizeof script.bytes);
        assert_true(address_encode(chain_params_by_name(canonical[i].chain), &script, text));
        assert_string_equal(text, canonical[i].address);
    }
}

static void second_script_hash_version_of_litecoin_is_read_but_not_written(void **state)
{
    (void)state;
    assert_decodes("litecoin", "3CNHUhP3uyB9EUtRLsmvFUmvGdjGdkTxJw", P2SH);
    assert_decodes("litecoin-regtest", "2N3vVYSK5XRgVSGWy21PnsRmBUywSQNdCsf", P2SH);
    assert_decodes("devchain-scrypt", "2N3vVYSK5XRgVSGWy21PnsRmBUywSQNdCsf", P2SH);
}

static void valid_addresses_of_bip_350_decode_where_they_can_be_paid(void **state)
{
    (void)state;
    assert_decodes("bitcoin", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", P2WPKH);
    assert_decodes("testnet4", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
                   "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262");
    assert_decodes("testnet4", "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",
                   "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433");
    assert_decodes("testnet4", "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
                   "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433");
    // Later versions are valid, but nobody can spend by their rules yet; nor 40 bytes of version 1.
    assert_int_equal(verdict("bitcoin", "BC1SW50QGDZ25J"), ADDRESS_BAD_WITNESS_VERSION);
    assert_int_equal(verdict("bitcoin", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs"),
                     ADDRESS_BAD_WITNESS_VERSION);
    assert_int_equal(verdict("bitcoin",
                             "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarva"
                             "ry0c5xw7kt5nd6y"),
                     ADDRESS_BAD_LENGTH);
    assert_int_equal(verdict("bitcoin", "bc1pfeessrawgf"), ADDRESS_BAD_LENGTH);
}

static void invalid_addresses_of_bip_350_are_refused_for_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *chain;
        const char *address;
        enum address_result result;
    } cases[] = {
        {"bitcoin", "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
         ADDRESS_OTHER_CHAIN},
        {"bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
         ADDRESS_BAD_WITNESS_VERSION},
        {"testnet4", "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
         ADDRESS_BAD_WITNESS_VERSION},
        {"bitcoin", "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
         ADDRESS_BAD_WITNESS_VERSION},
        {"bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", ADDRESS_BAD_WITNESS_VERSION},
        {"testnet4", "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
         ADDRESS_BAD_WITNESS_VERSION},
        {"bitcoin", "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
         ADDRESS_BAD_CHARACTER},
        {"bitcoin", "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
         ADDRESS_BAD_WITNESS_VERSION},
        {"bitcoin", "bc1pw5dgrnzv", ADDRESS_BAD_LENGTH},
        {"bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
         ADDRESS_BAD_LENGTH},
        {"bitcoin", "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", ADDRESS_BAD_LENGTH},
        {"testnet4", "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
         ADDRESS_MIXED_CASE},
        {"bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
         ADDRESS_BAD_LENGTH},
        {"testnet4", "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
         ADDRESS_BAD_LENGTH},
        {"bitcoin", "bc1gmk9yu", ADDRESS_BAD_LENGTH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(verdict(cases[i].chain, cases[i].address), cases[i].result);
}

static void taproot_keys_that_are_no_points_are_refused(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        // x = 0, 5: no point has it. x = p, p + 1, 2^256 - 1: not below p, though p + 1 would
        // reduce to a point's.
        "bc1pqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqpqqenm",
        "bc1pqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzs2jkusy",
        "bc1pllllllllllllllllllllllllllllllllllllllllllllallllshsdfvw2y",
        "bc1pllllllllllllllllllllllllllllllllllllllllllllallllscqlhrddu",
        "bc1plllllllllllllllllllllllllllllllllllllllllllllllllllsr7rg6v",
    };
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        assert_int_equal(verdict("bitcoin", addresses[i]), ADDRESS_NOT_ON_CURVE);
}

static void addresses_of_other_chains_are_told_apart_from_typing_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof canonical / sizeof canonical[0]; i++) {
        bool is_test = strcmp(canonical[i].chain, "bitcoin") != 0;
        const char *foreign = is_test ? "bitcoin" : "testnet4";
        assert_int_equal(verdict(foreign, canonical[i].address), ADDRESS_OTHER_CHAIN);
    }
    assert_int_equal(verdict("litecoin", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"),
                     ADDRESS_OTHER_CHAIN);
    assert_int_equal(verdict("litecoin", "tltc1qw508d6qejxtdg4y5r3zarvary0c5xw7klfsuq0"),
                     ADDRESS_OTHER_CHAIN);
    // Of another chain and wrong: the error is what helps.
    assert_int_equal(verdict("litecoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
                     ADDRESS_BAD_CHECKSUM);
}

static void what_is_no_address_at_all_is_refused(void **state)
{
    (void)state;
    assert_int_equal(verdict("bitcoin", ""), ADDRESS_EMPTY);
    assert_int_equal(verdict("bitcoin", "x"), ADDRESS_BAD_LENGTH);
    assert_int_equal(verdict("bitcoin", "worker 1"), ADDRESS_BAD_CHARACTER);
    assert_int_equal(verdict("bitcoin", "bc1"), ADDRESS_BAD_LENGTH);
    assert_int_equal(verdict("bitcoin", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMJ"),
                     ADDRESS_BAD_CHECKSUM);
    assert_int_equal(verdict("bitcoin", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAM0"),
                     ADDRESS_BAD_CHARACTER);
    char text[200];
    memset(text, '1', sizeof text);
    text[199] = '\0';
    assert_int_equal(verdict("bitcoin", text), ADDRESS_BAD_LENGTH);
    struct script script;
    assert_int_equal(address_decode(chain_params_by_name("bitcoin"),
                                    "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAM\0", 34, &script),
                     ADDRESS_BAD_CHARACTER);
}

static void base58_addresses_that_begin_like_bech32_are_read(void **state)
{
    (void)state;
    assert_decodes("litecoin", "LTC155555555555555555555555577PWzH",
                   "76a914576284acb5b4a7d2e9464a009caaeb9a5fc62a4d88ac");
    assert_int_equal(verdict("bitcoin", "LTC155555555555555555555555577PWzH"), ADDRESS_OTHER_CHAIN);
    // With a typing error in it what was meant is a guess.
    assert_int_equal(verdict("litecoin", "LTC155555555555555555555555577PWzJ"), ADDRESS_MIXED_CASE);
    assert_int_equal(verdict("litecoin", "LTC2555555555555555555555555566666"),
                     ADDRESS_BAD_CHECKSUM);
}

static void scripts_of_no_kind_have_no_address(void **state)
{
    (void)state;
    struct script script = {.size = 2, .bytes = {0x6a, 0x00}};
    char text[ADDRESS_SIZE_MAX];
    assert_false(address_encode(chain_params_by_name("bitcoin"), &script, text));
    assert_string_equal(text, "");
}

static void every_result_has_a_sentence_of_its_own(void **state)
{
    (void)state;
    for (int i = ADDRESS_OK; i <= ADDRESS_NOT_ON_CURVE; i++) {
        for (int j = ADDRESS_OK; j < i; j++)
            assert_string_not_equal(address_result_text((enum address_result)i),
                                    address_result_text((enum address_result)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_every_chain_and_kind_convert_both_ways),
        cmocka_unit_test(second_script_hash_version_of_litecoin_is_read_but_not_written),
        cmocka_unit_test(valid_addresses_of_bip_350_decode_where_they_can_be_paid),
        cmocka_unit_test(invalid_addresses_of_bip_350_are_refused_for_what_is_wrong),
        cmocka_unit_test(taproot_keys_that_are_no_points_are_refused),
        cmocka_unit_test(addresses_of_other_chains_are_told_apart_from_typing_errors),
        cmocka_unit_test(what_is_no_address_at_all_is_refused),
        cmocka_unit_test(base58_addresses_that_begin_like_bech32_are_read),
        cmocka_unit_test(scripts_of_no_kind_have_no_address),
        cmocka_unit_test(every_result_has_a_sentence_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
