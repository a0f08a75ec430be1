#include "node/bitcoin/chain_params.h"

#include <assert.h>
#include <string.h>
#include "node/pow/target.h"

#define RETARGET_BLOCKS  2016
#define SUBSIDY_FIRST    5000000000u
#define HALVINGS_TO_ZERO 64

static const struct chain_params chains[] = {
    {
        .code = CHAIN_BITCOIN,
        .name = "bitcoin",
        .pow = POW_SHA256D,
        .halving_interval = 210000,
        .bits_rule = BITS_RETARGET,
        .bits_limit = 0x1d00ffff,
        .spacing = 600,
        .p2pkh_version = 0x00,
        .p2sh_versions = {0x05, 0x05},
        .bech32_prefix = "bc",
        .daemon_name = "bitcoind",
        .rpc_port = 8332,
        .rpc_chain_names = {"main"},
    },
    {
        .code = CHAIN_TESTNET4,
        .name = "testnet4",
        .pow = POW_SHA256D,
        .halving_interval = 210000,
        .bits_rule = BITS_RETARGET_TESTNET4,
        .bits_limit = 0x1d00ffff,
        .spacing = 600,
        .p2pkh_version = 0x6f,
        .p2sh_versions = {0xc4, 0xc4},
        .bech32_prefix = "tb",
        .daemon_name = "bitcoind",
        .rpc_port = 48332,
        .rpc_chain_names = {"testnet4"},
    },
    {
        .code = CHAIN_REGTEST,
        .name = "regtest",
        .pow = POW_SHA256D,
        .halving_interval = 150,
        .bits_rule = BITS_CONSTANT,
        .bits_limit = 0x207fffff,
        .spacing = 600,
        .p2pkh_version = 0x6f,
        .p2sh_versions = {0xc4, 0xc4},
        .bech32_prefix = "bcrt",
        .daemon_name = "bitcoind",
        .rpc_port = 18443,
        .rpc_chain_names = {"regtest"},
    },
    {
        .code = CHAIN_LITECOIN,
        .name = "litecoin",
        .pow = POW_SCRYPT,
        .halving_interval = 840000,
        .bits_rule = BITS_RETARGET,
        .bits_limit = 0x1e0fffff,
        .spacing = 150,
        .retarget_reaches_before = true,
        .retarget_halves_first = true,
        .p2pkh_version = 0x30,
        .p2sh_versions = {0x32, 0x05},
        .bech32_prefix = "ltc",
        .has_mweb = true,
        .daemon_name = "litecoind",
        .rpc_port = 9332,
        .rpc_chain_names = {"main"},
    },
    {
        .code = CHAIN_LITECOIN_REGTEST,
        .name = "litecoin-regtest",
        .pow = POW_SCRYPT,
        .halving_interval = 150,
        .bits_rule = BITS_CONSTANT,
        .bits_limit = 0x207fffff,
        .spacing = 150,
        .p2pkh_version = 0x6f,
        .p2sh_versions = {0x3a, 0xc4},
        .bech32_prefix = "rltc",
        .has_mweb = true,
        .daemon_name = "litecoind",
        .rpc_port = 19443,
        .rpc_chain_names = {"regtest"},
    },
    {
        .code = CHAIN_DEVCHAIN,
        .name = "devchain",
        .pow = POW_SHA256D,
        .halving_interval = 210000,
        .bits_rule = BITS_OF_ANCHOR,
        .spacing = 600,
        .p2pkh_version = 0x6f,
        .p2sh_versions = {0xc4, 0xc4},
        .bech32_prefix = "bcrt",
        .daemon_name = "devchain",
        .rpc_port = 18643,
        .rpc_chain_names = {"devchain"},
    },
    {
        .code = CHAIN_DEVCHAIN_SCRYPT,
        .name = "devchain-scrypt",
        .pow = POW_SCRYPT,
        .halving_interval = 210000,
        .bits_rule = BITS_OF_ANCHOR,
        .spacing = 150,
        .p2pkh_version = 0x6f,
        .p2sh_versions = {0x3a, 0xc4},
        .bech32_prefix = "rltc",
        .daemon_name = "devchain",
        .rpc_port = 19643,
        .rpc_chain_names = {"devchain-scrypt"},
    },
};

const struct chain_params *chain_params_row(size_t i)
{
    return i < sizeof chains / sizeof chains[0] ? &chains[i] : NULL;
}

const struct chain_params *chain_params_by_name(const char *name)
{
    for (size_t i = 0; chain_params_row(i) != NULL; i++) {
        if (strcmp(chains[i].name, name) == 0)
            return &chains[i];
    }
    return NULL;
}

const struct chain_params *chain_params_by_code(unsigned code)
{
    for (size_t i = 0; chain_params_row(i) != NULL; i++) {
        if ((unsigned)chains[i].code == code)
            return &chains[i];
    }
    return NULL;
}

// subsidy(height) = 50e8 >> (height / interval), 0 from 64 halvings on.
bool chain_is_toy(const struct chain_params *params)
{
    return params->bits_rule == BITS_CONSTANT || params->bits_rule == BITS_OF_ANCHOR;
}

uint64_t chain_subsidy(const struct chain_params *params, int64_t height)
{
    assert(height >= 0);
    int64_t halvings = height / params->halving_interval;
    return halvings < HALVINGS_TO_ZERO ? (uint64_t)SUBSIDY_FIRST >> halvings : 0;
}

uint32_t chain_retarget_bits(const struct chain_params *params, uint32_t scaled_bits,
                             int64_t first_time, int64_t last_time)
{
    assert(params->bits_rule == BITS_RETARGET || params->bits_rule == BITS_RETARGET_TESTNET4);
    struct u256 target;
    struct u256 limit;
    bool is_scalable = target_expand(scaled_bits, &target);
    bool has_limit = target_expand(params->bits_limit, &limit);
    assert(is_scalable && has_limit);

    int64_t timespan_wanted = (int64_t)RETARGET_BLOCKS * params->spacing;
    int64_t timespan = last_time - first_time;
    if (timespan < timespan_wanted / 4)
        timespan = timespan_wanted / 4;
    if (timespan > timespan_wanted * 4)
        timespan = timespan_wanted * 4;

    // The lost lowest bit is part of the rule, and so is the wrap of a product that needs more than
    // 256 bits (only after an anchor header that is easier than the limit).
    bool is_halved =
        params->retarget_halves_first && u256_bit_length(&target) >= u256_bit_length(&limit);
    if (is_halved)
        target = u256_shift_right(&target, 1);
    target = u256_multiply_u64(&target, (uint64_t)timespan, NULL);
    target = u256_divide_u64(&target, (uint64_t)timespan_wanted);
    if (is_halved)
        target = u256_shift_left(&target, 1);
    if (u256_compare(&target, &limit) > 0)
        target = limit;
    return target_compact(&target);
}
