#include "node/pow/scrypt.h"

#include <stdlib.h>
#include <string.h>
#include "node/pow/cpu.h"
#include "node/pow/scrypt_engine.h"
#include "node/pow/sha256.h"

enum { HEADER_SIZE = 80 };

// Best first; the last one needs nothing.
static const struct scrypt_engine *const engines[] = {
#ifdef __x86_64__
    &scrypt_engine_avx512,
    &scrypt_engine_avx2,
    &scrypt_engine_sse2,
#endif
    &scrypt_engine_portable,
};

enum { ENGINE_COUNT = sizeof engines / sizeof engines[0] };

// The table is allocated together with what comes before it: the blocks being mixed.
struct scrypt_memory {
    uint8_t blocks[SCRYPT_LANES_MAX][SCRYPT_BLOCK_SIZE];
    uint8_t table[];
};

// HMAC-SHA256 (RFC 2104) under one key: its two hashes, the key's block already absorbed.
struct hmac {
    struct sha256 inner;
    struct sha256 outer;
};

static bool engine_is_supported(const struct scrypt_engine *engine)
{
    return (engine->cpu_needs & ~cpu_features()) == 0;
}

static const struct scrypt_engine *engine_in_use(void)
{
    size_t i = 0;
    while (i + 1 < ENGINE_COUNT && !engine_is_supported(engines[i]))
        i++;
    return engines[i];
}

struct scrypt_memory *scrypt_memory_new(void)
{
    // The engine in use has the most lanes of all that run here.
    size_t table_size = scrypt_lanes() * SCRYPT_TABLE_ENTRIES * SCRYPT_BLOCK_SIZE;
    return aligned_alloc(SCRYPT_ALIGNMENT, sizeof(struct scrypt_memory) + table_size);
}

void scrypt_memory_free(struct scrypt_memory *memory)
{
    free(memory);
}

// The key is SHA256(header): a header is longer than a block.
static void hmac_init(struct hmac *hmac, const uint8_t header[HEADER_SIZE])
{
    struct hash256 key;
    sha256_once(header, HEADER_SIZE, &key);
    uint8_t inner_pad[64], outer_pad[64];
    memset(inner_pad, 0x36, sizeof inner_pad);
    memset(outer_pad, 0x5c, sizeof outer_pad);
    for (size_t i = 0; i < sizeof key.bytes; i++) {
        inner_pad[i] ^= key.bytes[i];
        outer_pad[i] ^= key.bytes[i];
    }
    sha256_init(&hmac->inner);
    sha256_update(&hmac->inner, inner_pad, sizeof inner_pad);
    sha256_init(&hmac->outer);
    sha256_update(&hmac->outer, outer_pad, sizeof outer_pad);
}

// Block `index`, from 1, of PBKDF2 with one iteration (RFC 8018): the HMAC of the salt, which
// `salted` has absorbed, and the index.
static void pbkdf2_block(const struct hmac *salted, uint8_t index, uint8_t out[32])
{
    struct sha256 inner = salted->inner, outer = salted->outer;
    struct hash256 hash;
    sha256_update(&inner, (const uint8_t[4]){0, 0, 0, index}, 4);
    sha256_final(&inner, &hash);
    sha256_update(&outer, hash.bytes, sizeof hash.bytes);
    sha256_final(&outer, &hash);
    memcpy(out, hash.bytes, sizeof hash.bytes);
}

// Hashes up to engine->lanes headers, one after the other in memory; lanes without a header are
// mixed as well, for nothing.
static void hash_lanes(const struct scrypt_engine *engine, struct scrypt_memory *memory,
                       const uint8_t *headers, size_t count, struct hash256 *out)
{
    struct hmac keys[SCRYPT_LANES_MAX];
    memset(memory->blocks, 0, engine->lanes * SCRYPT_BLOCK_SIZE);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *header = headers + i * HEADER_SIZE;
        hmac_init(&keys[i], header);
        struct hmac salted = keys[i];
        sha256_update(&salted.inner, header, HEADER_SIZE);
        for (size_t k = 0; k < SCRYPT_BLOCK_SIZE / 32; k++)
            pbkdf2_block(&salted, (uint8_t)(k + 1), memory->blocks[i] + 32 * k);
    }
    engine->mix(memory->blocks, memory->table);
    for (size_t i = 0; i < count; i++) {
        sha256_update(&keys[i].inner, memory->blocks[i], SCRYPT_BLOCK_SIZE);
        pbkdf2_block(&keys[i], 1, out[i].bytes);
    }
}

static void hash_all(const struct scrypt_engine *engine, struct scrypt_memory *memory,
                     const uint8_t *headers, size_t count, struct hash256 *out)
{
    for (size_t done = 0; done < count; done += engine->lanes) {
        size_t left = count - done;
        size_t taken = left < engine->lanes ? left : engine->lanes;
        hash_lanes(engine, memory, headers + done * HEADER_SIZE, taken, out + done);
    }
}

void scrypt_1024(struct scrypt_memory *memory, const uint8_t header[80], struct hash256 *out)
{
    hash_lanes(&scrypt_engine_portable, memory, header, 1, out);
}

void scrypt_1024_many(struct scrypt_memory *memory, const uint8_t (*headers)[80], size_t count,
                      struct hash256 *out)
{
    const struct scrypt_engine *engine = engine_in_use();
    // A last header alone is done sooner in general registers than in a vector's lane; two are not.
    size_t alone = count % engine->lanes == 1;
    hash_all(engine, memory, headers[0], count - alone, out);
    if (alone)
        scrypt_1024(memory, headers[count - 1], &out[count - 1]);
}

const char *scrypt_implementation(void)
{
    return engine_in_use()->name;
}

size_t scrypt_lanes(void)
{
    return engine_in_use()->lanes;
}

bool scrypt_1024_many_with(const char *implementation, struct scrypt_memory *memory,
                           const uint8_t (*headers)[80], size_t count, struct hash256 *out)
{
    for (size_t i = 0; i < ENGINE_COUNT; i++) {
        if (strcmp(engines[i]->name, implementation) != 0 || !engine_is_supported(engines[i]))
            continue;
        hash_all(engines[i], memory, headers[0], count, out);
        return true;
    }
    return false;
}
