// Sixteen lanes in 512-bit vectors. Compiled with -mavx512f; runs only where cpu_features() has
// CPU_AVX512F.
#include "node/pow/scrypt_engine.h"

#include <immintrin.h>
#include "node/pow/cpu.h"

#define VECTOR              __m512i
#define WIDTH               4
#define STREAMS             4
#define ADD                 _mm512_add_epi32
#define XOR                 _mm512_xor_si512
#define SHUFFLE(x, pattern) _mm512_shuffle_epi32((x), (_MM_PERM_ENUM)(pattern))
#define ROTATE_LEFT         _mm512_rol_epi32

// Turns four vectors of four 128-bit parts, a matrix, on its main diagonal: between one lane per
// vector (as in memory) and one row of every lane per vector.
static inline void transpose(__m512i out[4], const __m512i in[4])
{
    __m512i a = _mm512_shuffle_i32x4(in[0], in[1], 0x44);
    __m512i b = _mm512_shuffle_i32x4(in[2], in[3], 0x44);
    __m512i c = _mm512_shuffle_i32x4(in[0], in[1], 0xee);
    __m512i d = _mm512_shuffle_i32x4(in[2], in[3], 0xee);
    out[0] = _mm512_shuffle_i32x4(a, b, 0x88);
    out[1] = _mm512_shuffle_i32x4(a, b, 0xdd);
    out[2] = _mm512_shuffle_i32x4(c, d, 0x88);
    out[3] = _mm512_shuffle_i32x4(c, d, 0xdd);
}

static inline void load_rows(__m512i rows[4], const uint8_t *const from[WIDTH])
{
    __m512i lanes[WIDTH];
    for (size_t i = 0; i < WIDTH; i++)
        lanes[i] = _mm512_load_si512(from[i]);
    transpose(rows, lanes);
}

static inline void store_rows(uint8_t *const to[WIDTH], const __m512i rows[4])
{
    __m512i lanes[WIDTH];
    transpose(lanes, rows);
    for (size_t i = 0; i < WIDTH; i++)
        _mm512_store_si512(to[i], lanes[i]);
}

static inline void first_words(uint32_t words[WIDTH], __m512i row)
{
    words[0] = (uint32_t)_mm_cvtsi128_si32(_mm512_castsi512_si128(row));
    words[1] = (uint32_t)_mm_cvtsi128_si32(_mm512_extracti32x4_epi32(row, 1));
    words[2] = (uint32_t)_mm_cvtsi128_si32(_mm512_extracti32x4_epi32(row, 2));
    words[3] = (uint32_t)_mm_cvtsi128_si32(_mm512_extracti32x4_epi32(row, 3));
}

#include "node/pow/scrypt_vector.h"

const struct scrypt_engine scrypt_engine_avx512 = {
    .name = "avx512 x16",
    .cpu_needs = CPU_AVX512F,
    .lanes = LANES,
    .mix = mix_lanes,
};
