#include "testnet/devchain/open_script.h"

#include <string.h>
#include "node/pow/sha256.h"

#define PUSH_2     0x02
#define PUSH_32    0x20
#define OP_0       0x00
#define OP_TRUE    0x51
#define OP_DROP    0x75
#define P2WSH_SIZE 34

void open_script(uint16_t number, uint8_t out[OPEN_SCRIPT_SIZE])
{
    const uint8_t script[OPEN_SCRIPT_SIZE] = {PUSH_2, (uint8_t)number, (uint8_t)(number >> 8),
                                              OP_DROP, OP_TRUE};
    memcpy(out, script, sizeof script);
}

static bool is_open(const uint8_t *script, size_t size)
{
    return size == OPEN_SCRIPT_SIZE && script[0] == PUSH_2 && script[3] == OP_DROP &&
           script[4] == OP_TRUE;
}

static void witness_program(const uint8_t open[OPEN_SCRIPT_SIZE], struct script *script)
{
    struct hash256 hash;
    sha256_once(open, OPEN_SCRIPT_SIZE, &hash);
    *script = (struct script){.size = P2WSH_SIZE, .bytes = {OP_0, PUSH_32}};
    memcpy(script->bytes + 2, hash.bytes, sizeof hash.bytes);
}

void open_script_witness(uint16_t number, struct script *script)
{
    uint8_t open[OPEN_SCRIPT_SIZE];
    open_script(number, open);
    witness_program(open, script);
}

bool open_script_is_spent_by(const uint8_t *script, size_t script_size,
                             const struct tx_input *input)
{
    if (input->script_size != 0)
        return false;
    if (input->witness_count == 0)
        return is_open(script, script_size);
    if (input->witness_count != 1 || !is_open(input->witness, input->witness_size))
        return false;
    struct script expected;
    witness_program(input->witness, &expected);
    return script_size == expected.size && memcmp(script, expected.bytes, expected.size) == 0;
}
