// scrypt(N=1024, r=1, p=1), header as password and salt: Litecoin's proof of work (protocol section
// 0). Several headers are hashed in lanes side by side (as many as the processor has use for),
// which is where the speed comes from. Keeps no state but the caller's memory; different threads
// use different memories.
#ifndef SHOAL_NODE_POW_SCRYPT_H
#define SHOAL_NODE_POW_SCRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/hash.h"

// Working memory for one thread: 128 KB for each lane.
struct scrypt_memory;
struct scrypt_memory *scrypt_memory_new(void); // NULL if out of memory
void scrypt_memory_free(struct scrypt_memory *memory);

void scrypt_1024(struct scrypt_memory *memory, const uint8_t header[80], struct hash256 *out);
// Takes any count and cuts it into lanes.
void scrypt_1024_many(struct scrypt_memory *memory, const uint8_t (*headers)[80], size_t count,
                      struct hash256 *out);

// Name of the path in use ("avx512 x16", "avx2 x8", "sse2 x4", "portable") and its lanes.
const char *scrypt_implementation(void);
size_t scrypt_lanes(void);
// scrypt_1024_many through a named implementation alone, for tests and benches; false if this
// machine has it not.
bool scrypt_1024_many_with(const char *implementation, struct scrypt_memory *memory,
                           const uint8_t (*headers)[80], size_t count, struct hash256 *out);

#endif
