// One lane in general registers. Best where there are no vectors, and also for a single hash:
// Salsa20/8 is one long chain of additions, rotations and exclusive ors, and those are quickest
// here.
#include "node/pow/scrypt_engine.h"

#include <string.h>

enum { WORDS = SCRYPT_BLOCK_SIZE / 4, HALF = WORDS / 2 };

static inline uint32_t rotate_left(uint32_t x, unsigned bits)
{
    return x << bits | x >> (32 - bits);
}

static inline void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *b ^= rotate_left(*a + *d, 7);
    *c ^= rotate_left(*b + *a, 9);
    *d ^= rotate_left(*c + *b, 13);
    *a ^= rotate_left(*d + *c, 18);
}

// half = Salsa20/8(half ^ other)
static inline void mix_half(uint32_t half[HALF], const uint32_t other[HALF])
{
    uint32_t x[HALF];
    for (size_t i = 0; i < HALF; i++) {
        half[i] ^= other[i];
        x[i] = half[i];
    }
    for (size_t round = 0; round < 8; round += 2) {
        quarter_round(&x[0], &x[4], &x[8], &x[12]);
        quarter_round(&x[5], &x[9], &x[13], &x[1]);
        quarter_round(&x[10], &x[14], &x[2], &x[6]);
        quarter_round(&x[15], &x[3], &x[7], &x[11]);
        quarter_round(&x[0], &x[1], &x[2], &x[3]);
        quarter_round(&x[5], &x[6], &x[7], &x[4]);
        quarter_round(&x[10], &x[11], &x[8], &x[9]);
        quarter_round(&x[15], &x[12], &x[13], &x[14]);
    }
    for (size_t i = 0; i < HALF; i++)
        half[i] += x[i];
}

static inline void mix_block(uint32_t block[WORDS])
{
    mix_half(block, block + HALF);
    mix_half(block + HALF, block);
}

static void portable_mix(uint8_t (*blocks)[SCRYPT_BLOCK_SIZE], uint8_t *table)
{
    uint8_t *bytes = blocks[0];
    uint32_t block[WORDS];
    for (size_t i = 0; i < WORDS; i++)
        block[i] = (uint32_t)bytes[4 * i] | (uint32_t)bytes[4 * i + 1] << 8 |
                   (uint32_t)bytes[4 * i + 2] << 16 | (uint32_t)bytes[4 * i + 3] << 24;
    for (size_t i = 0; i < SCRYPT_TABLE_ENTRIES; i++) {
        memcpy(table + i * SCRYPT_BLOCK_SIZE, block, SCRYPT_BLOCK_SIZE);
        mix_block(block);
    }
    for (size_t i = 0; i < SCRYPT_TABLE_ENTRIES; i++) {
        size_t index = block[HALF] % SCRYPT_TABLE_ENTRIES;
        uint32_t entry[WORDS];
        memcpy(entry, table + index * SCRYPT_BLOCK_SIZE, SCRYPT_BLOCK_SIZE);
        for (size_t k = 0; k < WORDS; k++)
            block[k] ^= entry[k];
        mix_block(block);
    }
    for (size_t i = 0; i < WORDS; i++) {
        bytes[4 * i] = (uint8_t)block[i];
        bytes[4 * i + 1] = (uint8_t)(block[i] >> 8);
        bytes[4 * i + 2] = (uint8_t)(block[i] >> 16);
        bytes[4 * i + 3] = (uint8_t)(block[i] >> 24);
    }
}

const struct scrypt_engine scrypt_engine_portable = {
    .name = "portable",
    .lanes = 1,
    .mix = portable_mix,
};
