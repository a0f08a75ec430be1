// Compiled with -msha -msse4.1; see scan_kernel.h.
#include "testnet/miner/scan_kernel.h"

#include <immintrin.h>
#include <stddef.h>
#include "node/pow/sha256_engine.h"

enum { LANES = 2 };

// The working variables of SHA-256 as the instructions want them.
struct state {
    __m128i abef;
    __m128i cdgh;
};

static inline __m128i words4(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3)
{
    return _mm_set_epi32((int)w3, (int)w2, (int)w1, (int)w0);
}

static inline struct state state_of(const uint32_t h[8])
{
    return (struct state){words4(h[5], h[4], h[1], h[0]), words4(h[7], h[6], h[3], h[2])};
}

static inline __m128i round_constants(size_t t)
{
    const uint32_t *k = sha256_constants + t;
    return words4(k[0], k[1], k[2], k[3]);
}

static inline void two_rounds(struct state *s, __m128i sum)
{
    __m128i abef = _mm_sha256rnds2_epu32(s->cdgh, s->abef, sum);
    s->cdgh = s->abef;
    s->abef = abef;
}

// Two computations side by side: each hides the latency of the other. `w` holds the schedule's last
// sixteen words. The last two rounds are left out: who needs them does them.
static inline void rounds_0_to_61(struct state s[LANES], __m128i w[LANES][4])
{
    for (size_t t = 0; t < 64; t += 4) {
        size_t at = t / 4 % 4;
        __m128i constants = round_constants(t);
        for (size_t i = 0; i < LANES; i++) {
            __m128i sum = _mm_add_epi32(w[i][at], constants);
            two_rounds(&s[i], sum);
            if (t < 60)
                two_rounds(&s[i], _mm_shuffle_epi32(sum, 0x0e));
        }
        for (size_t i = 0; i < LANES && t < 48; i++) {
            __m128i last = w[i][(at + 3) % 4];
            __m128i shifted = _mm_alignr_epi8(last, w[i][(at + 2) % 4], 4);
            __m128i sum =
                _mm_add_epi32(_mm_sha256msg1_epu32(w[i][at], w[i][(at + 1) % 4]), shifted);
            w[i][at] = _mm_sha256msg2_epu32(sum, last);
        }
    }
}

// The header's second block: its last three words, the nonce, and the padding.
static inline void hash_tails(const struct scan_kernel *kernel, uint32_t nonce,
                              struct state digests[LANES])
{
    const struct state start = state_of(kernel->midstate);
    struct state s[LANES];
    __m128i w[LANES][4];
    for (uint32_t i = 0; i < LANES; i++) {
        uint32_t swapped = __builtin_bswap32(nonce + i); // the nonce is little-endian in the header
        s[i] = start;
        w[i][0] = words4(kernel->tail[0], kernel->tail[1], kernel->tail[2], swapped);
        w[i][1] = words4(0x80000000, 0, 0, 0);
        w[i][2] = _mm_setzero_si128();
        w[i][3] = words4(0, 0, 0, 640);
    }
    rounds_0_to_61(s, w);
    for (size_t i = 0; i < LANES; i++) {
        two_rounds(&s[i], _mm_shuffle_epi32(_mm_add_epi32(w[i][3], round_constants(60)), 0x0e));
        digests[i].abef = _mm_add_epi32(s[i].abef, start.abef);
        digests[i].cdgh = _mm_add_epi32(s[i].cdgh, start.cdgh);
    }
}

// Of the second hash only its last word is wanted: h after round 63, which is f after round 61.
static inline void hash_digests(const struct state digests[LANES], uint32_t last_words[LANES])
{
    struct state s[LANES];
    __m128i w[LANES][4];
    for (size_t i = 0; i < LANES; i++) {
        // From f e b a and h g d c, as they stand in memory, to a b c d and e f g h.
        __m128i efab = _mm_shuffle_epi32(digests[i].abef, 0xb1);
        __m128i ghcd = _mm_shuffle_epi32(digests[i].cdgh, 0xb1);
        s[i] = state_of(sha256_initial);
        w[i][0] = _mm_unpackhi_epi64(efab, ghcd);
        w[i][1] = _mm_unpacklo_epi64(efab, ghcd);
        w[i][2] = words4(0x80000000, 0, 0, 0);
        w[i][3] = words4(0, 0, 0, 256);
    }
    rounds_0_to_61(s, w);
    for (size_t i = 0; i < LANES; i++)
        last_words[i] = (uint32_t)_mm_cvtsi128_si32(s[i].abef) + sha256_initial[7];
}

uint64_t scan_kernel_sha_ni(const struct scan_kernel *kernel, uint32_t first, uint64_t count)
{
    for (uint64_t offset = 0; offset < count; offset += LANES) {
        struct state digests[LANES];
        uint32_t last_words[LANES];
        hash_tails(kernel, first + (uint32_t)offset, digests);
        hash_digests(digests, last_words);
        for (uint32_t i = 0; i < LANES; i++) {
            // A hash is a little-endian number of big-endian words.
            if (__builtin_bswap32(last_words[i]) <= kernel->high_max)
                return offset + i < count ? offset + i : count;
        }
    }
    return count;
}
