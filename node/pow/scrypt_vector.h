// scryptROMix in vectors: the body that scrypt_sse2.c, scrypt_avx2.c and scrypt_avx512.c share. Not
// a header to include elsewhere: each of them includes it once, after it has defined for its own
// instruction set
//
//   VECTOR                     a vector of WIDTH times four 32-bit words
//   STREAMS                    vectors worked on in turn, so that one hides the waiting of another
//   ADD XOR ROTATE_LEFT        on each 32-bit word; the last argument of ROTATE_LEFT is a constant
//   SHUFFLE                    the same constant permutation within each four words
//   load_rows store_rows       WIDTH half blocks between memory and four vectors, see below
//   first_words                word 0 of each of the WIDTH groups of four
//
// It leaves mix_lanes(), the `mix` of an engine with LANES lanes.
//
// Salsa20 works on a matrix of 4x4 words, by columns and by rows in turn. Row r of ours holds the
// words (4r + 5i) mod 16, i = 0..3: the diagonals. Then the four quarter-rounds of a column round
// run side by side in one vector, and turning three of the rows makes a row round of it. WIDTH
// lanes lie next to each other in a vector; the table keeps each lane's blocks whole, so that a
// look-up reads two cache lines.
#ifndef SHOAL_NODE_POW_SCRYPT_VECTOR_H
#define SHOAL_NODE_POW_SCRYPT_VECTOR_H

#include <stdint.h>
#include <string.h>

enum { LANES = WIDTH * STREAMS, HALF_SIZE = SCRYPT_BLOCK_SIZE / 2 };

#define FOR_EACH_STREAM for (size_t s = 0; s < STREAMS; s++)
#define FOR_EACH_ROW    for (size_t r = 0; r < 4; r++)

#define STEP(to, a, b, bits)                                                                       \
    FOR_EACH_STREAM                                                                                \
    x[s][to] = XOR(x[s][to], ROTATE_LEFT(ADD(x[s][a], x[s][b]), bits))

#define TURN(row1, row2, row3)                                                                     \
    FOR_EACH_STREAM                                                                                \
    {                                                                                              \
        x[s][1] = SHUFFLE(x[s][1], row1);                                                          \
        x[s][2] = SHUFFLE(x[s][2], row2);                                                          \
        x[s][3] = SHUFFLE(x[s][3], row3);                                                          \
    }

// half = Salsa20/8(half ^ other)
static inline void mix_half(VECTOR half[STREAMS][4], VECTOR other[STREAMS][4])
{
    VECTOR x[STREAMS][4];
    FOR_EACH_STREAM FOR_EACH_ROW
    {
        half[s][r] = XOR(half[s][r], other[s][r]);
        x[s][r] = half[s][r];
    }
    for (size_t round = 0; round < 8; round += 2) {
        STEP(1, 0, 3, 7);
        STEP(2, 1, 0, 9);
        STEP(3, 2, 1, 13);
        STEP(0, 3, 2, 18);
        TURN(0x93, 0x4e, 0x39);
        STEP(3, 0, 1, 7);
        STEP(2, 3, 0, 9);
        STEP(1, 2, 3, 13);
        STEP(0, 1, 2, 18);
        TURN(0x39, 0x4e, 0x93);
    }
    FOR_EACH_STREAM FOR_EACH_ROW half[s][r] = ADD(half[s][r], x[s][r]);
}

static inline void mix_blocks(VECTOR low[STREAMS][4], VECTOR high[STREAMS][4])
{
    mix_half(low, high);
    mix_half(high, low);
}

static inline void xor_rows(VECTOR rows[4], const uint8_t *const from[WIDTH])
{
    VECTOR loaded[4];
    load_rows(loaded, from);
    FOR_EACH_ROW
    rows[r] = XOR(rows[r], loaded[r]);
}

// Replaces low and high by their exclusive or with the table entries that the high half's first
// words name.
static inline void xor_entries(VECTOR low[4], VECTOR high[4], const uint8_t *table)
{
    uint32_t words[WIDTH];
    first_words(words, high[0]);
    const uint8_t *from[WIDTH];
    for (size_t i = 0; i < WIDTH; i++)
        from[i] = table + (words[i] % SCRYPT_TABLE_ENTRIES * LANES + i) * SCRYPT_BLOCK_SIZE;
    xor_rows(low, from);
    for (size_t i = 0; i < WIDTH; i++)
        from[i] += HALF_SIZE;
    xor_rows(high, from);
}

// Puts the words of a half block in the order of the diagonals, and back.
static void words_to_diagonals(uint8_t half[HALF_SIZE])
{
    uint8_t words[HALF_SIZE];
    memcpy(words, half, HALF_SIZE);
    for (size_t i = 0; i < 16; i++)
        memcpy(half + 4 * i, words + 4 * ((i / 4 * 4 + i % 4 * 5) % 16), 4);
}

static void diagonals_to_words(uint8_t half[HALF_SIZE])
{
    uint8_t diagonals[HALF_SIZE];
    memcpy(diagonals, half, HALF_SIZE);
    for (size_t i = 0; i < 16; i++)
        memcpy(half + 4 * ((i / 4 * 4 + i % 4 * 5) % 16), diagonals + 4 * i, 4);
}

static inline void load_lanes(VECTOR half[STREAMS][4], uint8_t *first)
{
    FOR_EACH_STREAM
    {
        const uint8_t *from[WIDTH];
        for (size_t i = 0; i < WIDTH; i++)
            from[i] = first + (s * WIDTH + i) * SCRYPT_BLOCK_SIZE;
        load_rows(half[s], from);
    }
}

static inline void store_lanes(uint8_t *first, VECTOR half[STREAMS][4])
{
    FOR_EACH_STREAM
    {
        uint8_t *to[WIDTH];
        for (size_t i = 0; i < WIDTH; i++)
            to[i] = first + (s * WIDTH + i) * SCRYPT_BLOCK_SIZE;
        store_rows(to, half[s]);
    }
}

static void mix_lanes(uint8_t (*blocks)[SCRYPT_BLOCK_SIZE], uint8_t *table)
{
    for (size_t i = 0; i < LANES; i++) {
        words_to_diagonals(blocks[i]);
        words_to_diagonals(blocks[i] + HALF_SIZE);
    }
    VECTOR low[STREAMS][4], high[STREAMS][4];
    load_lanes(low, blocks[0]);
    load_lanes(high, blocks[0] + HALF_SIZE);
    for (size_t i = 0; i < SCRYPT_TABLE_ENTRIES; i++) {
        uint8_t *entry = table + i * LANES * SCRYPT_BLOCK_SIZE;
        store_lanes(entry, low);
        store_lanes(entry + HALF_SIZE, high);
        mix_blocks(low, high);
    }
    for (size_t i = 0; i < SCRYPT_TABLE_ENTRIES; i++) {
        FOR_EACH_STREAM
        xor_entries(low[s], high[s], table + s * WIDTH * SCRYPT_BLOCK_SIZE);
        mix_blocks(low, high);
    }
    store_lanes(blocks[0], low);
    store_lanes(blocks[0] + HALF_SIZE, high);
    for (size_t i = 0; i < LANES; i++) {
        diagonals_to_words(blocks[i]);
        diagonals_to_words(blocks[i] + HALF_SIZE);
    }
}

#endif
