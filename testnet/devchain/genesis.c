#include "testnet/devchain/genesis.h"

#include <assert.h>
#include <string.h>
#include "testnet/devchain/open_script.h"

#define TEXT_SIZE_MAX 60

void genesis_purse_script(uint16_t i, struct script *script)
{
    if (genesis_purse_is_witness(i)) {
        open_script_witness(i, script);
        return;
    }
    *script = (struct script){.size = OPEN_SCRIPT_SIZE};
    open_script(i, script->bytes);
}

static void write_coinbase(const char *text, struct buffer *out)
{
    static const uint8_t null_hash[32];
    size_t text_size = strlen(text);
    assert(text_size <= TEXT_SIZE_MAX);
    write_u32(out, 2);
    write_varint(out, 1);
    write_bytes(out, null_hash, sizeof null_hash);
    write_u32(out, 0xffffffff);
    write_varint(out, 2 + text_size);
    write_u8(out, 0); // the push of height 0
    write_u8(out, (uint8_t)text_size);
    write_bytes(out, text, text_size);
    write_u32(out, 0xffffffff);
    write_varint(out, GENESIS_PURSES);
    for (uint16_t i = 0; i < GENESIS_PURSES; i++) {
        struct script script;
        genesis_purse_script(i, &script);
        write_u64(out, GENESIS_PURSE_AMOUNT);
        write_varint(out, script.size);
        write_bytes(out, script.bytes, script.size);
    }
    write_u32(out, 0);
}

void genesis_write(const char *text, uint32_t bits, uint32_t time, struct buffer *out)
{
    struct buffer coinbase;
    buffer_init(&coinbase, 1 << 20);
    write_coinbase(text, &coinbase);
    struct reader reader = reader_init(coinbase.data, coinbase.size);
    struct tx_view tx;
    bool is_sound = tx_view_read(&reader, &tx) && reader_is_done(&reader);
    assert(is_sound);

    struct header header = {
        .version = 0x20000000, .merkle_root = tx.summary.txid, .time = time, .bits = bits};
    uint8_t bytes[HEADER_SIZE];
    header_encode(&header, bytes);
    write_bytes(out, bytes, sizeof bytes);
    write_varint(out, 1);
    write_bytes(out, coinbase.data, coinbase.size);
    buffer_clear(&coinbase);
}
