#include "node/pow/sha256.h"

#include <string.h>
#include "node/pow/cpu.h"
#include "node/pow/sha256_engine.h"

// Best first; the last one needs nothing.
static const struct sha256_engine *const engines[] = {
#ifdef __x86_64__
    &sha256_engine_sha_ni,
#endif
    &sha256_engine_portable,
};

enum { ENGINE_COUNT = sizeof engines / sizeof engines[0] };

static bool engine_is_supported(const struct sha256_engine *engine)
{
    return (engine->cpu_needs & ~cpu_features()) == 0;
}

static const struct sha256_engine *engine_in_use(void)
{
    size_t i = 0;
    while (i + 1 < ENGINE_COUNT && !engine_is_supported(engines[i]))
        i++;
    return engines[i];
}

static void digest_write(const struct sha256_midstate *state, struct hash256 *out)
{
    for (size_t i = 0; i < 8; i++) {
        uint32_t word = state->words[i];
        out->bytes[4 * i] = (uint8_t)(word >> 24);
        out->bytes[4 * i + 1] = (uint8_t)(word >> 16);
        out->bytes[4 * i + 2] = (uint8_t)(word >> 8);
        out->bytes[4 * i + 3] = (uint8_t)word;
    }
}

void sha256_init(struct sha256 *sha)
{
    memcpy(sha->state.words, sha256_initial, sizeof sha->state.words);
    sha->size = 0;
}

void sha256_init_from_midstate(struct sha256 *sha, const struct sha256_midstate *state,
                               uint64_t blocks)
{
    sha->state = *state;
    sha->size = blocks * 64;
}

void sha256_update(struct sha256 *sha, const void *data, size_t size)
{
    if (size == 0)
        return; // data may be NULL
    const struct sha256_engine *engine = engine_in_use();
    const uint8_t *bytes = data;
    size_t held = sha->size % 64;
    sha->size += size;
    if (held > 0) {
        size_t taken = size < 64 - held ? size : 64 - held;
        memcpy(sha->block + held, bytes, taken);
        if (held + taken < 64)
            return;
        engine->blocks(sha->state.words, sha->block, 1);
        bytes += taken;
        size -= taken;
    }
    engine->blocks(sha->state.words, bytes, size / 64);
    if (size % 64 > 0)
        memcpy(sha->block, bytes + size / 64 * 64, size % 64);
}

// Absorbs the padding: a one bit, zeros, and the size in bits as eight bytes that end a block.
static void absorb_padding(struct sha256 *sha, const struct sha256_engine *engine)
{
    size_t held = sha->size % 64;
    sha->block[held++] = 0x80;
    if (held > 56) {
        memset(sha->block + held, 0, 64 - held);
        engine->blocks(sha->state.words, sha->block, 1);
        held = 0;
    }
    memset(sha->block + held, 0, 56 - held);
    uint64_t bits = sha->size * 8;
    for (size_t i = 0; i < 8; i++)
        sha->block[56 + i] = (uint8_t)(bits >> (56 - 8 * i));
    engine->blocks(sha->state.words, sha->block, 1);
}

void sha256_final(struct sha256 *sha, struct hash256 *out)
{
    absorb_padding(sha, engine_in_use());
    digest_write(&sha->state, out);
}

void sha256d_final(struct sha256 *sha, struct hash256 *out)
{
    const struct sha256_engine *engine = engine_in_use();
    absorb_padding(sha, engine);
    engine->hash_digest(sha->state.words, out);
}

void sha256_once(const void *data, size_t size, struct hash256 *out)
{
    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, data, size);
    sha256_final(&sha, out);
}

void sha256d(const void *data, size_t size, struct hash256 *out)
{
    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, data, size);
    sha256d_final(&sha, out);
}

void sha256d_64(const uint8_t data[64], struct hash256 *out)
{
    static const uint8_t padding[64] = {[0] = 0x80, [62] = 0x02}; // 512 bits
    const struct sha256_engine *engine = engine_in_use();
    uint32_t state[8];
    memcpy(state, sha256_initial, sizeof state);
    engine->blocks(state, data, 1);
    engine->blocks(state, padding, 1);
    engine->hash_digest(state, out);
}

void sha256d_80(const uint8_t data[80], struct hash256 *out)
{
    const struct sha256_engine *engine = engine_in_use();
    uint8_t tail[64] = {[16] = 0x80, [62] = 0x02, [63] = 0x80}; // 640 bits
    memcpy(tail, data + 64, 16);
    uint32_t state[8];
    memcpy(state, sha256_initial, sizeof state);
    engine->blocks(state, data, 1);
    engine->blocks(state, tail, 1);
    engine->hash_digest(state, out);
}

void sha256d_80_many(const uint8_t (*headers)[80], size_t count, struct hash256 *out)
{
    const struct sha256_engine *engine = engine_in_use();
    size_t done = 0;
    if (engine->hash_two_headers) {
        for (; count - done >= 2; done += 2)
            engine->hash_two_headers(headers + done, out + done);
    }
    for (; done < count; done++)
        sha256d_80(headers[done], &out[done]);
}

void sha256_init_tagged(struct sha256 *sha, const char *tag)
{
    struct hash256 tag_hashes[2];
    sha256_once(tag, strlen(tag), &tag_hashes[0]);
    tag_hashes[1] = tag_hashes[0];
    sha256_init(sha);
    sha256_update(sha, tag_hashes, sizeof tag_hashes);
}

void sha256_tagged(const char *tag, const void *data, size_t size, struct hash256 *out)
{
    struct sha256 sha;
    sha256_init_tagged(&sha, tag);
    sha256_update(&sha, data, size);
    sha256_final(&sha, out);
}

const char *sha256_implementation(void)
{
    return engine_in_use()->name;
}

bool sha256_blocks_with(const char *implementation, struct sha256_midstate *state,
                        const uint8_t *data, size_t blocks)
{
    for (size_t i = 0; i < ENGINE_COUNT; i++) {
        if (strcmp(engines[i]->name, implementation) != 0 || !engine_is_supported(engines[i]))
            continue;
        engines[i]->blocks(state->words, data, blocks);
        return true;
    }
    return false;
}
