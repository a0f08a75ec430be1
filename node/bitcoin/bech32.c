#include "node/bitcoin/bech32.h"

#include <string.h>

#define CHECKSUM_SIZE  6
#define CONSTANT_PLAIN 1u
#define CONSTANT_M     0x2bc830a3u

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static char to_lower(char c)
{
    return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

// One step of the BCH code of BIP 173.
static uint32_t polymod_step(uint32_t state, uint8_t value)
{
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                          0x2a1462b3};
    uint32_t top = state >> 25;
    state = (state & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; i++) {
        if (top >> i & 1)
            state ^= generator[i];
    }
    return state;
}

// The prefix enters as its characters' high bits, a zero, and their low bits.
static uint32_t polymod_prefix(const char *prefix)
{
    uint32_t state = 1;
    for (const char *at = prefix; *at != '\0'; at++)
        state = polymod_step(state, (uint8_t)((uint8_t)*at >> 5));
    state = polymod_step(state, 0);
    for (const char *at = prefix; *at != '\0'; at++)
        state = polymod_step(state, (uint8_t)*at & 31);
    return state;
}

static enum bech32_result check_characters(const char *text, size_t size)
{
    bool has_upper = false;
    bool has_lower = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < 33 || text[i] > 126)
            return BECH32_BAD_CHARACTER;
        has_upper = has_upper || is_upper(text[i]);
        has_lower = has_lower || (text[i] >= 'a' && text[i] <= 'z');
    }
    return has_upper && has_lower ? BECH32_MIXED_CASE : BECH32_OK;
}

// Reads values with their checksum at the end; the state of the code in *state.
static bool read_values(const char *text, size_t size, uint8_t *values, uint32_t *state)
{
    for (size_t i = 0; i < size; i++) {
        const char *at = strchr(alphabet, to_lower(text[i]));
        if (at == NULL)
            return false;
        uint8_t value = (uint8_t)(at - alphabet);
        *state = polymod_step(*state, value);
        if (i + CHECKSUM_SIZE < size)
            values[i] = value;
    }
    return true;
}

enum bech32_result bech32_decode(const char *text, size_t size, struct bech32 *out)
{
    if (size > BECH32_SIZE_MAX)
        return BECH32_BAD_LENGTH;
    enum bech32_result result = check_characters(text, size);
    if (result != BECH32_OK)
        return result;
    size_t separator = size;
    while (separator > 0 && text[separator - 1] != '1')
        separator--;
    if (separator == 0)
        return BECH32_NO_SEPARATOR;
    size_t prefix_size = separator - 1;
    size_t data_size = size - separator;
    if (prefix_size == 0 || data_size < CHECKSUM_SIZE)
        return BECH32_BAD_LENGTH;

    *out = (struct bech32){.values_count = data_size - CHECKSUM_SIZE};
    for (size_t i = 0; i < prefix_size; i++)
        out->prefix[i] = to_lower(text[i]);
    uint32_t state = polymod_prefix(out->prefix);
    if (!read_values(text + separator, data_size, out->values, &state))
        return BECH32_BAD_CHARACTER;
    if (state != CONSTANT_PLAIN && state != CONSTANT_M)
        return BECH32_BAD_CHECKSUM;
    out->variant = state == CONSTANT_M ? BECH32M : BECH32;
    return BECH32_OK;
}

bool bech32_encode(const struct bech32 *bech32, char *out)
{
    size_t prefix_size = strlen(bech32->prefix);
    if (prefix_size + 1 + bech32->values_count + CHECKSUM_SIZE > BECH32_SIZE_MAX)
        return false;
    memcpy(out, bech32->prefix, prefix_size);
    char *at = out + prefix_size;
    *at++ = '1';
    uint32_t state = polymod_prefix(bech32->prefix);
    for (size_t i = 0; i < bech32->values_count; i++) {
        state = polymod_step(state, bech32->values[i]);
        *at++ = alphabet[bech32->values[i]];
    }
    for (unsigned i = 0; i < CHECKSUM_SIZE; i++)
        state = polymod_step(state, 0);
    state ^= bech32->variant == BECH32M ? CONSTANT_M : CONSTANT_PLAIN;
    for (unsigned i = 0; i < CHECKSUM_SIZE; i++)
        *at++ = alphabet[state >> 5 * (CHECKSUM_SIZE - 1 - i) & 31];
    *at = '\0';
    return true;
}

bool bech32_to_bytes(const uint8_t *values, size_t count, uint8_t *out, size_t out_max,
                     size_t *size)
{
    uint32_t bits = 0;
    unsigned bits_count = 0;
    *size = 0;
    for (size_t i = 0; i < count; i++) {
        bits = bits << 5 | values[i];
        bits_count += 5;
        if (bits_count < 8)
            continue;
        if (*size == out_max)
            return false;
        bits_count -= 8;
        out[(*size)++] = (uint8_t)(bits >> bits_count);
        bits &= (1u << bits_count) - 1;
    }
    return bits_count < 5 && bits == 0;
}

size_t bech32_from_bytes(const uint8_t *bytes, size_t size, uint8_t *values)
{
    uint32_t bits = 0;
    unsigned bits_count = 0;
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        bits_count += 8;
        while (bits_count >= 5) {
            bits_count -= 5;
            values[count++] = (uint8_t)(bits >> bits_count & 31);
        }
    }
    if (bits_count > 0)
        values[count++] = (uint8_t)(bits << (5 - bits_count) & 31);
    return count;
}
