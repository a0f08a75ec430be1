#include "node/bitcoin/base58.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include "node/pow/sha256.h"

#define CHECKSUM_SIZE 4
#define RAW_MAX       (BASE58_PAYLOAD_MAX + CHECKSUM_SIZE)

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

// -1 if it is no digit.
static int digit_value(char c)
{
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;
    return at != NULL ? (int)(at - alphabet) : -1;
}

// number = number * factor + addend over big-endian bytes; false if it does not fit.
static bool multiply_add(uint8_t *number, size_t size, unsigned factor, unsigned addend)
{
    unsigned carry = addend;
    for (size_t i = size; i-- > 0;) {
        carry += number[i] * factor;
        number[i] = (uint8_t)carry;
        carry >>= 8;
    }
    return carry == 0;
}

static void checksum(const uint8_t *payload, size_t payload_size, uint8_t out[CHECKSUM_SIZE])
{
    struct hash256 hash;
    sha256d(payload, payload_size, &hash);
    memcpy(out, hash.bytes, CHECKSUM_SIZE);
}

static size_t count_leading(const void *data, size_t size, uint8_t value)
{
    const uint8_t *bytes = data;
    size_t count = 0;
    while (count < size && bytes[count] == value)
        count++;
    return count;
}

enum base58_result base58check_decode(const char *text, size_t text_size, uint8_t *payload,
                                      size_t payload_size)
{
    assert(payload_size <= BASE58_PAYLOAD_MAX);
    uint8_t raw[RAW_MAX] = {0};
    size_t raw_size = payload_size + CHECKSUM_SIZE;
    bool fits = true;
    for (size_t i = 0; i < text_size; i++) {
        int digit = digit_value(text[i]);
        if (digit < 0)
            return BASE58_BAD_CHARACTER;
        fits = fits && multiply_add(raw, raw_size, 58, (unsigned)digit);
    }
    // Zero bytes in front have no digits of their own: each is written as one '1'.
    if (!fits || count_leading(text, text_size, '1') != count_leading(raw, raw_size, 0))
        return BASE58_BAD_LENGTH;

    uint8_t expected[CHECKSUM_SIZE];
    checksum(raw, payload_size, expected);
    memcpy(payload, raw, payload_size);
    return memcmp(raw + payload_size, expected, CHECKSUM_SIZE) == 0 ? BASE58_OK
                                                                    : BASE58_BAD_CHECKSUM;
}

// number = number / 58 over big-endian bytes; the remainder.
static unsigned divide_by_58(uint8_t *number, size_t size)
{
    unsigned remainder = 0;
    for (size_t i = 0; i < size; i++) {
        remainder = remainder << 8 | number[i];
        number[i] = (uint8_t)(remainder / 58);
        remainder %= 58;
    }
    return remainder;
}

void base58check_encode(const uint8_t *payload, size_t payload_size, char *out)
{
    assert(payload_size <= BASE58_PAYLOAD_MAX);
    uint8_t raw[RAW_MAX];
    size_t raw_size = payload_size + CHECKSUM_SIZE;
    memcpy(raw, payload, payload_size);
    checksum(payload, payload_size, raw + payload_size);

    size_t zeros = count_leading(raw, raw_size, 0);
    char reversed[BASE58_TEXT_MAX];
    size_t digits = 0;
    while (count_leading(raw, raw_size, 0) < raw_size)
        reversed[digits++] = alphabet[divide_by_58(raw, raw_size)];

    memset(out, '1', zeros);
    for (size_t i = 0; i < digits; i++)
        out[zeros + i] = reversed[digits - 1 - i];
    out[zeros + digits] = '\0';
}
