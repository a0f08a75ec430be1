// scrypt(N=1024, r=1, p=1), header as password and salt: Litecoin's proof of work. Several headers are hashed
// in lanes side by side (as many as the processor has use for), which is where the speed comes from.
#ifndef SHOAL_NODE_POW_SCRYPT_H
#define SHOAL_NODE_POW_SCRYPT_H

#include <stddef.h>
#include <stdint.h>
#include "node/base/hash.h"

// Working memory for one thread; scrypt_1024_many takes any count and cuts it into lanes.
struct scrypt_memory;
struct scrypt_memory *scrypt_memory_new(void); // NULL if out of memory
void scrypt_memory_free(struct scrypt_memory *memory);

void scrypt_1024(struct scrypt_memory *memory, const uint8_t header[80], struct hash256 *out);
void scrypt_1024_many(struct scrypt_memory *memory, const uint8_t (*headers)[80], size_t count,
                      struct hash256 *out);
// Name of the path in use ("avx2 x8", "avx512 x16", "sse2 x4", "portable") and its lanes.
const char *scrypt_implementation(void);
size_t scrypt_lanes(void);

#endif
