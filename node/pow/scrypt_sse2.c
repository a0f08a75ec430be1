// Four lanes in 128-bit vectors, which every x86-64 processor has.
#include "node/pow/scrypt_engine.h"

#include <immintrin.h>

#define VECTOR  __m128i
#define WIDTH   1
#define STREAMS 4
#define ADD     _mm_add_epi32
#define XOR     _mm_xor_si128
#define SHUFFLE _mm_shuffle_epi32
#define ROTATE_LEFT(x, bits)                                                                       \
    _mm_or_si128(_mm_slli_epi32((x), (bits)), _mm_srli_epi32((x), 32 - (bits)))

static inline void load_rows(__m128i rows[4], const uint8_t *const from[WIDTH])
{
    for (size_t r = 0; r < 4; r++)
        rows[r] = _mm_load_si128((const __m128i *)from[0] + r);
}

static inline void store_rows(uint8_t *const to[WIDTH], const __m128i rows[4])
{
    for (size_t r = 0; r < 4; r++)
        _mm_store_si128((__m128i *)to[0] + r, rows[r]);
}

static inline void first_words(uint32_t words[WIDTH], __m128i row)
{
    words[0] = (uint32_t)_mm_cvtsi128_si32(row);
}

#include "node/pow/scrypt_vector.h"

const struct scrypt_engine scrypt_engine_sse2 = {
    .name = "sse2 x4",
    .lanes = LANES,
    .mix = mix_lanes,
};
