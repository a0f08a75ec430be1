#include "node/pow/pow.h"

#include <stdlib.h>
#include "node/pow/scrypt.h"
#include "node/pow/sha256.h"

struct pow_memory {
    enum pow_kind kind;
    void *scratch; // the algorithm's own, NULL if it needs none
};

static void sha256d_hash(void *scratch, const uint8_t header[80], struct hash256 *out)
{
    (void)scratch;
    sha256d_80(header, out);
}

static void sha256d_hash_many(void *scratch, const uint8_t (*headers)[80], size_t count,
                              struct hash256 *out)
{
    (void)scratch;
    sha256d_80_many(headers, count, out);
}

static void *scrypt_scratch_new(void)
{
    return scrypt_memory_new();
}

static void scrypt_scratch_free(void *scratch)
{
    scrypt_memory_free(scratch);
}

static void scrypt_hash(void *scratch, const uint8_t header[80], struct hash256 *out)
{
    scrypt_1024(scratch, header, out);
}

static void scrypt_hash_many(void *scratch, const uint8_t (*headers)[80], size_t count,
                             struct hash256 *out)
{
    scrypt_1024_many(scratch, headers, count, out);
}

static const struct pow_row {
    struct pow_algorithm algorithm;
    void *(*scratch_new)(void); // NULL: needs none
    void (*scratch_free)(void *scratch);
    void (*hash)(void *scratch, const uint8_t header[80], struct hash256 *out);
    void (*hash_many)(void *scratch, const uint8_t (*headers)[80], size_t count,
                      struct hash256 *out);
} rows[] = {
    [POW_SHA256D] =
        {
            .algorithm = {POW_SHA256D, "sha256d", .is_slow = false, .difficulty_scale = 1},
            .hash = sha256d_hash,
            .hash_many = sha256d_hash_many,
        },
    [POW_SCRYPT] =
        {
            .algorithm = {POW_SCRYPT, "scrypt", .is_slow = true, .difficulty_scale = 65536},
            .scratch_new = scrypt_scratch_new,
            .scratch_free = scrypt_scratch_free,
            .hash = scrypt_hash,
            .hash_many = scrypt_hash_many,
        },
};

const struct pow_algorithm *pow_algorithm(enum pow_kind kind)
{
    return &rows[kind].algorithm;
}

struct pow_memory *pow_memory_new(enum pow_kind kind)
{
    struct pow_memory *memory = calloc(1, sizeof *memory);
    if (!memory)
        return NULL;
    memory->kind = kind;
    if (!rows[kind].scratch_new)
        return memory;
    memory->scratch = rows[kind].scratch_new();
    if (!memory->scratch) {
        free(memory);
        return NULL;
    }
    return memory;
}

void pow_memory_free(struct pow_memory *memory)
{
    if (!memory)
        return;
    if (memory->scratch)
        rows[memory->kind].scratch_free(memory->scratch);
    free(memory);
}

void pow_hash(struct pow_memory *memory, const uint8_t header[80], struct hash256 *out)
{
    rows[memory->kind].hash(memory->scratch, header, out);
}

void pow_hash_many(struct pow_memory *memory, const uint8_t (*headers)[80], size_t count,
                   struct hash256 *out)
{
    rows[memory->kind].hash_many(memory->scratch, headers, count, out);
}
