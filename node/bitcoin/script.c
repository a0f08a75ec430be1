#include "node/bitcoin/script.h"

#include <string.h>

#define OP_0           0x00
#define OP_1           0x51
#define OP_DUP         0x76
#define OP_EQUAL       0x87
#define OP_EQUALVERIFY 0x88
#define OP_HASH160     0xa9
#define OP_CHECKSIG    0xac
#define PUSH_20        0x14
#define PUSH_32        0x20

static bool is_p2pkh(const uint8_t *bytes, size_t size)
{
    return size == 25 && bytes[0] == OP_DUP && bytes[1] == OP_HASH160 && bytes[2] == PUSH_20 &&
           bytes[23] == OP_EQUALVERIFY && bytes[24] == OP_CHECKSIG;
}

static bool is_p2sh(const uint8_t *bytes, size_t size)
{
    return size == 23 && bytes[0] == OP_HASH160 && bytes[1] == PUSH_20 && bytes[22] == OP_EQUAL;
}

enum script_kind script_kind(const uint8_t *bytes, size_t size)
{
    if (is_p2pkh(bytes, size))
        return SCRIPT_P2PKH;
    if (is_p2sh(bytes, size))
        return SCRIPT_P2SH;
    if (size == 22 && bytes[0] == OP_0 && bytes[1] == PUSH_20)
        return SCRIPT_P2WPKH;
    if (size == 34 && bytes[0] == OP_0 && bytes[1] == PUSH_32)
        return SCRIPT_P2WSH;
    if (size == 34 && bytes[0] == OP_1 && bytes[1] == PUSH_32)
        return SCRIPT_P2TR;
    return SCRIPT_OTHER;
}

const char *script_kind_text(enum script_kind kind)
{
    switch (kind) {
    case SCRIPT_OTHER:
        return "other";
    case SCRIPT_P2PKH:
        return "P2PKH";
    case SCRIPT_P2SH:
        return "P2SH";
    case SCRIPT_P2WPKH:
        return "P2WPKH";
    case SCRIPT_P2WSH:
        return "P2WSH";
    case SCRIPT_P2TR:
        return "P2TR";
    }
    return "other";
}

bool script_from_bytes(struct script *script, const uint8_t *bytes, size_t size)
{
    if (script_kind(bytes, size) == SCRIPT_OTHER)
        return false;
    *script = (struct script){.size = (uint8_t)size};
    memcpy(script->bytes, bytes, size);
    return true;
}

struct script script_p2pkh(const uint8_t hash[20])
{
    struct script script = {
        .size = 25,
        .bytes = {OP_DUP, OP_HASH160, PUSH_20, [23] = OP_EQUALVERIFY, [24] = OP_CHECKSIG},
    };
    memcpy(script.bytes + 3, hash, 20);
    return script;
}

struct script script_p2sh(const uint8_t hash[20])
{
    struct script script = {.size = 23, .bytes = {OP_HASH160, PUSH_20, [22] = OP_EQUAL}};
    memcpy(script.bytes + 2, hash, 20);
    return script;
}

bool script_witness(unsigned version, const uint8_t *program, size_t size, struct script *script)
{
    if (version > 1 || size > PUSH_32)
        return false;
    uint8_t bytes[2 + PUSH_32] = {version == 0 ? OP_0 : OP_1, (uint8_t)size};
    memcpy(bytes + 2, program, size);
    return script_from_bytes(script, bytes, 2 + size);
}

const uint8_t *script_payload(const struct script *script, size_t *size)
{
    switch (script_kind(script->bytes, script->size)) {
    case SCRIPT_P2PKH:
        *size = 20;
        return script->bytes + 3;
    case SCRIPT_P2SH:
        *size = 20;
        return script->bytes + 2;
    case SCRIPT_P2WPKH:
    case SCRIPT_P2WSH:
    case SCRIPT_P2TR:
        *size = (size_t)script->size - 2;
        return script->bytes + 2;
    case SCRIPT_OTHER:
        break;
    }
    *size = 0;
    return script->bytes;
}

int script_compare(const struct script *a, const struct script *b)
{
    size_t common = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->bytes, b->bytes, common);
    if (order != 0)
        return order;
    return (a->size > b->size) - (a->size < b->size);
}

bool script_equal(const struct script *a, const struct script *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}
