// Eight lanes in 256-bit vectors. Compiled with -mavx2; runs only where cpu_features() has
// CPU_AVX2.
#include "node/pow/scrypt_engine.h"

#include <immintrin.h>
#include "node/pow/cpu.h"

#define VECTOR  __m256i
#define WIDTH   2
#define STREAMS 4
#define ADD     _mm256_add_epi32
#define XOR     _mm256_xor_si256
#define SHUFFLE _mm256_shuffle_epi32
#define ROTATE_LEFT(x, bits)                                                                       \
    _mm256_or_si256(_mm256_slli_epi32((x), (bits)), _mm256_srli_epi32((x), 32 - (bits)))

static inline void load_rows(__m256i rows[4], const uint8_t *const from[WIDTH])
{
    for (size_t r = 0; r < 4; r++) {
        __m128i first = _mm_load_si128((const __m128i *)from[0] + r);
        __m128i second = _mm_load_si128((const __m128i *)from[1] + r);
        rows[r] = _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
    }
}

static inline void store_rows(uint8_t *const to[WIDTH], const __m256i rows[4])
{
    for (size_t r = 0; r < 4; r++) {
        _mm_store_si128((__m128i *)to[0] + r, _mm256_castsi256_si128(rows[r]));
        _mm_store_si128((__m128i *)to[1] + r, _mm256_extracti128_si256(rows[r], 1));
    }
}

static inline void first_words(uint32_t words[WIDTH], __m256i row)
{
    words[0] = (uint32_t)_mm_cvtsi128_si32(_mm256_castsi256_si128(row));
    words[1] = (uint32_t)_mm_cvtsi128_si32(_mm256_extracti128_si256(row, 1));
}

#include "node/pow/scrypt_vector.h"

const struct scrypt_engine scrypt_engine_avx2 = {
    .name = "avx2 x8",
    .cpu_needs = CPU_AVX2,
    .lanes = LANES,
    .mix = mix_lanes,
};
