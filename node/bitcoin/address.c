#include "node/bitcoin/address.h"

#include <assert.h>
#include <string.h>
#include <strings.h>
#include <secp256k1_extrakeys.h>
#include "node/bitcoin/base58.h"
#include "node/bitcoin/bech32.h"

#define HASH_SIZE           20
#define BASE58_PAYLOAD_SIZE (1 + HASH_SIZE)
#define PROGRAM_SIZE_MAX    40
#define WITNESS_VERSION_MAX 16

const char *address_result_text(enum address_result result)
{
    switch (result) {
    case ADDRESS_OK:
        return "the address is fine";
    case ADDRESS_EMPTY:
        return "the address is empty: give the payout address that coins shall go to";
    case ADDRESS_BAD_CHARACTER:
        return "the address has a character that addresses do not have: copy it again";
    case ADDRESS_MIXED_CASE:
        return "the address mixes small and capital letters: write it all in one case";
    case ADDRESS_BAD_CHECKSUM:
        return "the address has a typing error, its checksum is wrong: copy it again";
    case ADDRESS_BAD_LENGTH:
        return "the address is too long or too short: copy it again, whole";
    case ADDRESS_OTHER_CHAIN:
        return "the address belongs to another chain: give one of the chain that the pool mines";
    case ADDRESS_BAD_WITNESS_VERSION:
        return "the address has a witness version that cannot be paid yet: give a P2WPKH, P2WSH or "
               "P2TR address";
    case ADDRESS_NOT_ON_CURVE:
        return "the taproot address holds no valid key, coins sent there are lost: get a new one "
               "from your wallet";
    }
    return "the address is wrong";
}

// For a text that has already been found to be meant as bech32.
static enum address_result result_of_bech32(enum bech32_result result)
{
    switch (result) {
    case BECH32_OK:
        return ADDRESS_OK;
    case BECH32_BAD_LENGTH:
        return ADDRESS_BAD_LENGTH;
    case BECH32_NO_SEPARATOR:
    case BECH32_BAD_CHARACTER:
        return ADDRESS_BAD_CHARACTER;
    case BECH32_MIXED_CASE:
        return ADDRESS_MIXED_CASE;
    case BECH32_BAD_CHECKSUM:
        return ADDRESS_BAD_CHECKSUM;
    }
    return ADDRESS_BAD_CHECKSUM;
}

static enum address_result result_of_base58(enum base58_result result)
{
    switch (result) {
    case BASE58_OK:
        return ADDRESS_OK;
    case BASE58_BAD_CHARACTER:
        return ADDRESS_BAD_CHARACTER;
    case BASE58_BAD_LENGTH:
        return ADDRESS_BAD_LENGTH;
    case BASE58_BAD_CHECKSUM:
        return ADDRESS_BAD_CHECKSUM;
    }
    return ADDRESS_BAD_CHECKSUM;
}

static bool is_on_curve(const uint8_t key[32])
{
    secp256k1_xonly_pubkey parsed;
    return secp256k1_xonly_pubkey_parse(secp256k1_context_static, &parsed, key) == 1;
}

// Witness programs by BIP 141, 350 and 341, of which only those with a meaning today are paid.
static enum address_result decode_witness(const struct bech32 *bech32, struct script *script)
{
    uint8_t program[PROGRAM_SIZE_MAX];
    size_t size;
    if (bech32->values_count == 0)
        return ADDRESS_BAD_LENGTH;
    uint8_t version = bech32->values[0];
    enum bech32_variant due = version == 0 ? BECH32 : BECH32M;
    if (version > WITNESS_VERSION_MAX || bech32->variant != due)
        return ADDRESS_BAD_WITNESS_VERSION;
    if (!bech32_to_bytes(bech32->values + 1, bech32->values_count - 1, program, sizeof program,
                         &size))
        return ADDRESS_BAD_LENGTH;
    if (version > 1)
        return ADDRESS_BAD_WITNESS_VERSION;

    if (!script_witness(version, program, size, script))
        return ADDRESS_BAD_LENGTH;
    if (version == 1 && !is_on_curve(program))
        return ADDRESS_NOT_ON_CURVE;
    return ADDRESS_OK;
}

// True if the text begins as a bech32 address of some chain of the table does.
static bool has_known_prefix(const char *text, size_t size)
{
    const struct chain_params *row;
    for (size_t i = 0; (row = chain_params_row(i)) != NULL; i++) {
        size_t prefix_size = strlen(row->bech32_prefix);
        if (size > prefix_size && strncasecmp(text, row->bech32_prefix, prefix_size) == 0 &&
            text[prefix_size] == '1')
            return true;
    }
    return false;
}

static enum address_result decode_base58(const struct chain_params *params, const char *text,
                                         size_t size, struct script *script)
{
    uint8_t payload[BASE58_PAYLOAD_SIZE];
    enum address_result result =
        result_of_base58(base58check_decode(text, size, payload, sizeof payload));
    if (result != ADDRESS_OK)
        return result;
    uint8_t version = payload[0];
    if (version == params->p2pkh_version) {
        *script = script_p2pkh(payload + 1);
        return ADDRESS_OK;
    }
    if (version == params->p2sh_versions[0] || version == params->p2sh_versions[1]) {
        *script = script_p2sh(payload + 1);
        return ADDRESS_OK;
    }
    return ADDRESS_OTHER_CHAIN;
}

static enum address_result decode_bech32(const struct chain_params *params,
                                         const struct bech32 *bech32, struct script *script)
{
    if (strcmp(bech32->prefix, params->bech32_prefix) != 0)
        return ADDRESS_OTHER_CHAIN;
    enum address_result result = decode_witness(bech32, script);
    if (result != ADDRESS_OK)
        *script = (struct script){0};
    return result;
}

enum address_result address_decode(const struct chain_params *params, const char *text, size_t size,
                                   struct script *script)
{
    *script = (struct script){0};
    if (size == 0)
        return ADDRESS_EMPTY;
    if (size >= ADDRESS_SIZE_MAX)
        return ADDRESS_BAD_LENGTH;
    struct bech32 bech32;
    enum bech32_result bech32_result = bech32_decode(text, size, &bech32);
    if (bech32_result == BECH32_OK)
        return decode_bech32(params, &bech32, script);
    // A prefix alone says nothing: Litecoin has base58 addresses that begin with "LTC1".
    enum address_result result = decode_base58(params, text, size, script);
    if (result == ADDRESS_OK || result == ADDRESS_OTHER_CHAIN || !has_known_prefix(text, size))
        return result;
    return result_of_bech32(bech32_result);
}

static void encode_base58(uint8_t version, const uint8_t *hash, char *out)
{
    uint8_t payload[BASE58_PAYLOAD_SIZE] = {version};
    char text[BASE58_TEXT_MAX];
    memcpy(payload + 1, hash, HASH_SIZE);
    base58check_encode(payload, sizeof payload, text);
    size_t size = strlen(text) + 1;
    assert(size <= ADDRESS_SIZE_MAX);
    memcpy(out, text, size);
}

static void encode_witness(const struct chain_params *params, unsigned version,
                           const uint8_t *program, size_t size, char *out)
{
    struct bech32 bech32 = {.variant = version == 0 ? BECH32 : BECH32M};
    size_t prefix_size = strlen(params->bech32_prefix);
    assert(prefix_size <= BECH32_PREFIX_MAX);
    memcpy(bech32.prefix, params->bech32_prefix, prefix_size);
    bech32.values[0] = (uint8_t)version;
    bech32.values_count = 1 + bech32_from_bytes(program, size, bech32.values + 1);
    bool fits = bech32_encode(&bech32, out);
    assert(fits);
}

bool address_encode(const struct chain_params *params, const struct script *script, char *out)
{
    size_t size;
    const uint8_t *payload = script_payload(script, &size);
    switch (script_kind(script->bytes, script->size)) {
    case SCRIPT_P2PKH:
        encode_base58(params->p2pkh_version, payload, out);
        return true;
    case SCRIPT_P2SH:
        encode_base58(params->p2sh_versions[0], payload, out);
        return true;
    case SCRIPT_P2WPKH:
    case SCRIPT_P2WSH:
        encode_witness(params, 0, payload, size, out);
        return true;
    case SCRIPT_P2TR:
        encode_witness(params, 1, payload, size, out);
        return true;
    case SCRIPT_OTHER:
        break;
    }
    out[0] = '\0';
    return false;
}
