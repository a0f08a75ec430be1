#include "node/base/hash.h"

#include <string.h>
#include "node/base/hex.h"

static struct hash256 reversed(const struct hash256 *hash)
{
    struct hash256 result;
    for (int i = 0; i < 32; i++)
        result.bytes[i] = hash->bytes[31 - i];
    return result;
}

int hash_compare(const struct hash256 *a, const struct hash256 *b)
{
    return memcmp(a->bytes, b->bytes, 32);
}

bool hash_is_zero(const struct hash256 *hash)
{
    static const struct hash256 zero;
    return hash_equal(hash, &zero);
}

void hash_to_hex(const struct hash256 *hash, char out[65])
{
    hex_encode(hash->bytes, 32, out);
}

void hash_to_display(const struct hash256 *hash, char out[65])
{
    struct hash256 shown = reversed(hash);
    hex_encode(shown.bytes, 32, out);
}

bool hash_from_hex(struct hash256 *out, const char *hex)
{
    struct hash256 hash;
    if (!hex_decode(hex, strlen(hex), hash.bytes, 32))
        return false;
    *out = hash;
    return true;
}

bool hash_from_display(struct hash256 *out, const char *hex)
{
    struct hash256 shown;
    if (!hash_from_hex(&shown, hex))
        return false;
    *out = reversed(&shown);
    return true;
}
