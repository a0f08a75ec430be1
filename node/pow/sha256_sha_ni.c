// Compiled with -msha -msse4.1; runs only where cpu_features() has CPU_SHA_NI.
#include "node/pow/sha256_engine.h"

#include <immintrin.h>
#include "node/pow/cpu.h"

// The instructions want the eight working variables as two vectors: (a, b, e, f) and (c, d, g, h),
// most significant word first.
struct variables {
    __m128i abef;
    __m128i cdgh;
};

static inline __m128i load(const void *words)
{
    return _mm_loadu_si128((const __m128i *)words);
}

static inline struct variables variables_load(const uint32_t state[8])
{
    __m128i badc = _mm_shuffle_epi32(load(state), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(load(state + 4), 0x1b);
    return (struct variables){_mm_alignr_epi8(badc, efgh, 8), _mm_blend_epi16(efgh, badc, 0xf0)};
}

// Back to the order a..d, e..h (least significant word first).
static inline void variables_unpack(struct variables v, __m128i *abcd, __m128i *efgh)
{
    __m128i feba = _mm_shuffle_epi32(v.abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(v.cdgh, 0xb1);
    *abcd = _mm_blend_epi16(feba, dchg, 0xf0);
    *efgh = _mm_alignr_epi8(dchg, feba, 8);
}

static inline __m128i swap_bytes(__m128i words)
{
    return _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

// Four rounds from round t on.
static inline void four_rounds(struct variables *v, __m128i schedule, size_t t)
{
    __m128i sum = _mm_add_epi32(schedule, load(sha256_constants + t));
    v->cdgh = _mm_sha256rnds2_epu32(v->cdgh, v->abef, sum);
    v->abef = _mm_sha256rnds2_epu32(v->abef, v->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

// Words t..t+3 of the schedule from the sixteen words before them, oldest first.
static inline __m128i next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    return _mm_sha256msg2_epu32(sum, w3);
}

static inline struct variables compress(struct variables start, __m128i w0, __m128i w1, __m128i w2,
                                        __m128i w3)
{
    struct variables v = start;
    for (size_t t = 0; t < 48; t += 16) {
        four_rounds(&v, w0, t);
        w0 = next_words(w0, w1, w2, w3);
        four_rounds(&v, w1, t + 4);
        w1 = next_words(w1, w2, w3, w0);
        four_rounds(&v, w2, t + 8);
        w2 = next_words(w2, w3, w0, w1);
        four_rounds(&v, w3, t + 12);
        w3 = next_words(w3, w0, w1, w2);
    }
    four_rounds(&v, w0, 48);
    four_rounds(&v, w1, 52);
    four_rounds(&v, w2, 56);
    four_rounds(&v, w3, 60);
    v.abef = _mm_add_epi32(v.abef, start.abef);
    v.cdgh = _mm_add_epi32(v.cdgh, start.cdgh);
    return v;
}

// compress() for two computations at once: a single one leaves the processor waiting for its own
// results half of the time. Uses up the words; the last turn makes sixteen too many, which costs
// nothing that can be measured.
static inline void compress_two(struct variables states[2], __m128i words[2][4])
{
    struct variables first = states[0], second = states[1];
    for (size_t t = 0; t < 64; t += 16) {
        for (size_t i = 0; i < 4; i++) {
            __m128i *x = words[0], *y = words[1];
            four_rounds(&first, x[i], t + 4 * i);
            four_rounds(&second, y[i], t + 4 * i);
            x[i] = next_words(x[i], x[(i + 1) % 4], x[(i + 2) % 4], x[(i + 3) % 4]);
            y[i] = next_words(y[i], y[(i + 1) % 4], y[(i + 2) % 4], y[(i + 3) % 4]);
        }
    }
    states[0].abef = _mm_add_epi32(states[0].abef, first.abef);
    states[0].cdgh = _mm_add_epi32(states[0].cdgh, first.cdgh);
    states[1].abef = _mm_add_epi32(states[1].abef, second.abef);
    states[1].cdgh = _mm_add_epi32(states[1].cdgh, second.cdgh);
}

static void sha_ni_blocks(uint32_t state[8], const uint8_t *data, size_t count)
{
    struct variables v = variables_load(state);
    for (; count > 0; count--, data += 64)
        v = compress(v, swap_bytes(load(data)), swap_bytes(load(data + 16)),
                     swap_bytes(load(data + 32)), swap_bytes(load(data + 48)));
    __m128i abcd, efgh;
    variables_unpack(v, &abcd, &efgh);
    _mm_storeu_si128((__m128i *)state, abcd);
    _mm_storeu_si128((__m128i *)(state + 4), efgh);
}

// The words that follow a message's last one, and those that end a block with its size in bits.
static inline __m128i end_mark(void)
{
    return _mm_set_epi32(0, 0, 0, INT32_MIN);
}

static inline __m128i end_size(int bits)
{
    return _mm_set_epi32(bits, 0, 0, 0);
}

static inline void digest_write(struct variables state, struct hash256 *out)
{
    __m128i abcd, efgh;
    variables_unpack(state, &abcd, &efgh);
    _mm_storeu_si128((__m128i *)out->bytes, swap_bytes(abcd));
    _mm_storeu_si128((__m128i *)(out->bytes + 16), swap_bytes(efgh));
}

static void sha_ni_hash_digest(const uint32_t digest[8], struct hash256 *out)
{
    struct variables start = variables_load(sha256_initial);
    digest_write(compress(start, load(digest), load(digest + 4), end_mark(), end_size(256)), out);
}

static void sha_ni_hash_two_headers(const uint8_t headers[2][80], struct hash256 out[2])
{
    struct variables states[2];
    __m128i words[2][4];
    for (size_t i = 0; i < 2; i++) {
        states[i] = variables_load(sha256_initial);
        for (size_t part = 0; part < 4; part++)
            words[i][part] = swap_bytes(load(headers[i] + 16 * part));
    }
    compress_two(states, words);
    for (size_t i = 0; i < 2; i++) {
        words[i][0] = swap_bytes(load(headers[i] + 64));
        words[i][1] = end_mark();
        words[i][2] = _mm_setzero_si128();
        words[i][3] = end_size(640);
    }
    compress_two(states, words);
    for (size_t i = 0; i < 2; i++) {
        variables_unpack(states[i], &words[i][0], &words[i][1]);
        words[i][2] = end_mark();
        words[i][3] = end_size(256);
        states[i] = variables_load(sha256_initial);
    }
    compress_two(states, words);
    for (size_t i = 0; i < 2; i++)
        digest_write(states[i], &out[i]);
}

const struct sha256_engine sha256_engine_sha_ni = {
    .name = "sha-ni",
    .cpu_needs = CPU_SHA_NI,
    .blocks = sha_ni_blocks,
    .hash_digest = sha_ni_hash_digest,
    .hash_two_headers = sha_ni_hash_two_headers,
};
