// A 32-byte hash or id in internal (wire) byte order: block hashes, txids, share ids, pool ids.
// People see ids of blocks and transactions reversed: hash_to_display.
#ifndef SHOAL_NODE_BASE_HASH_H
#define SHOAL_NODE_BASE_HASH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct hash256 {
    uint8_t bytes[32];
};

static inline bool hash_equal(const struct hash256 *a, const struct hash256 *b)
{
    return memcmp(a->bytes, b->bytes, 32) == 0;
}
// Order as memcmp.
int hash_compare(const struct hash256 *a, const struct hash256 *b);
bool hash_is_zero(const struct hash256 *hash);
// 64 hex digits in wire order; out has room for 65 characters.
void hash_to_hex(const struct hash256 *hash, char out[65]);
// 64 hex digits reversed, as block explorers and RPC show it.
void hash_to_display(const struct hash256 *hash, char out[65]);
bool hash_from_hex(struct hash256 *out, const char *hex);
bool hash_from_display(struct hash256 *out, const char *hex);

#endif
