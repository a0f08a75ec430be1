#include "node/api/totp.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW  1
#define MODULUS 1000000

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

// RFC 4226, section 5.3: four bytes of the HMAC, from where its last four bits say.
void totp_code(const uint8_t secret[TOTP_SECRET_SIZE], int64_t step, char code[TOTP_CODE_SIZE])
{
    uint8_t counter[8], mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    for (int i = 0; i < 8; i++)
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    if (HMAC(EVP_sha1(), secret, TOTP_SECRET_SIZE, counter, sizeof(counter), mac, &size) == NULL ||
        size != 20)
        abort(); // no memory for a few hundred bytes, or a library without SHA-1
    const uint8_t *at = mac + (mac[19] & 15);
    uint32_t number = (uint32_t)(at[0] & 127) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
                      (uint32_t)at[3];
    snprintf(code, TOTP_CODE_SIZE, "%06u", (unsigned)(number % MODULUS));
    sodium_memzero(mac, sizeof(mac));
}

int64_t totp_check(const uint8_t secret[TOTP_SECRET_SIZE], const char *code, struct wall_time now,
                   int64_t last_step)
{
    int64_t current = wall_seconds(now) / TOTP_STEP_S, found = -1;
    char given[TOTP_CODE_SIZE] = "", right[TOTP_CODE_SIZE];
    if (strlen(code) == TOTP_CODE_SIZE - 1)
        memcpy(given, code, TOTP_CODE_SIZE);
    for (int64_t step = current - WINDOW; step <= current + WINDOW; step++) {
        totp_code(secret, step, right);
        if (sodium_memcmp(given, right, TOTP_CODE_SIZE) == 0 && step > last_step)
            found = step;
    }
    return found;
}

// 160 bits are 32 groups of five.
void totp_secret_write(const uint8_t secret[TOTP_SECRET_SIZE], char text[TOTP_TEXT_SIZE])
{
    for (unsigned i = 0; i < TOTP_TEXT_SIZE - 1; i++) {
        unsigned bit = 5 * i, byte = bit / 8;
        unsigned pair = (unsigned)secret[byte] << 8;
        if (byte + 1 < TOTP_SECRET_SIZE)
            pair |= secret[byte + 1];
        text[i] = base32[pair >> (11 - bit % 8) & 31];
    }
    text[TOTP_TEXT_SIZE - 1] = '\0';
}

bool totp_secret_read(const char *text, uint8_t secret[TOTP_SECRET_SIZE])
{
    uint32_t bits = 0;
    unsigned bits_count = 0, size = 0;
    if (strlen(text) != TOTP_TEXT_SIZE - 1)
        return false;
    for (; *text != '\0'; text++) {
        const char *digit = strchr(base32, *text);
        if (digit == NULL)
            return false;
        bits = bits << 5 | (uint32_t)(digit - base32);
        bits_count += 5;
        if (bits_count < 8)
            continue;
        bits_count -= 8;
        secret[size] = (uint8_t)(bits >> bits_count);
        size++;
    }
    return true;
}

void totp_uri(const uint8_t secret[TOTP_SECRET_SIZE], const char *account, char uri[TOTP_URI_SIZE])
{
    char text[TOTP_TEXT_SIZE];
    totp_secret_write(secret, text);
    snprintf(uri, TOTP_URI_SIZE, "otpauth://totp/shoal:%s?secret=%s&issuer=shoal", account, text);
    sodium_memzero(text, sizeof(text));
}
