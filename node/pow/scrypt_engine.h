// The mixing in the middle of scrypt(N=1024, r=1, p=1), RFC 7914 section 5 (scryptROMix), which is
// all its cost: one engine per way to compute it, each in a file of its own because each is
// compiled for its own instruction set. Only scrypt.c calls these, and only an engine whose needs
// the processor meets.
#ifndef SHOAL_NODE_POW_SCRYPT_ENGINE_H
#define SHOAL_NODE_POW_SCRYPT_ENGINE_H

#include <stddef.h>
#include <stdint.h>

enum {
    SCRYPT_BLOCK_SIZE = 128,
    SCRYPT_TABLE_ENTRIES = 1024,
    SCRYPT_LANES_MAX = 16,
    SCRYPT_ALIGNMENT = 64,
};

struct scrypt_engine {
    const char *name;
    unsigned cpu_needs; // enum cpu_feature, or-ed
    size_t lanes;       // blocks mixed side by side, at most SCRYPT_LANES_MAX
    // Mixes `lanes` blocks in place. The table is working memory: SCRYPT_TABLE_ENTRIES blocks per
    // lane. Both are aligned to SCRYPT_ALIGNMENT.
    void (*mix)(uint8_t (*blocks)[SCRYPT_BLOCK_SIZE], uint8_t *table);
};

extern const struct scrypt_engine scrypt_engine_portable; // one lane
// x86-64 only:
extern const struct scrypt_engine scrypt_engine_sse2;
extern const struct scrypt_engine scrypt_engine_avx2;
extern const struct scrypt_engine scrypt_engine_avx512;

#endif
