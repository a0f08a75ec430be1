#include "node/bitcoin/coinbase.h"

#include <assert.h>
#include <string.h>

#define COINBASE_VERSION  2
#define OUTPOINT_INDEX    0xffffffffu
#define INPUT_SEQUENCE    0xfffffffeu
#define HEIGHT_PUSH_MAX   9
#define OP_1              0x51
#define COMMITMENT_SIZE   38 // 6a24aa21a9ed and a hash
#define SHARE_SCRIPT_SIZE 50 // 6a30, "SHL1", a hash, the extranonce
#define WITNESS_SIZE      36 // marker, flag, item count, item size, 32 zero bytes
#define WITNESS_SCALE     4
#define P2PKH_SIGOPS      4 // one, counted four times outside of witnesses (BIP 141)
#define OUTPUT_SIZE_MAX   (8 + 1 + SCRIPT_SIZE_MAX)

static const uint8_t pool_push[] = {5, 's', 'h', 'o', 'a', 'l'};
static const uint8_t commitment_head[] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
static const uint8_t share_script_head[] = {0x6a, 0x30, 'S', 'H', 'L', '1'};

size_t coinbase_height_push(int64_t height, uint8_t out[9])
{
    assert(height >= 0);
    if (height == 0) {
        out[0] = 0;
        return 1;
    }
    if (height <= 16) {
        out[0] = (uint8_t)(OP_1 + height - 1);
        return 1;
    }
    size_t size = 0;
    for (uint64_t rest = (uint64_t)height; rest != 0; rest >>= 8)
        out[++size] = (uint8_t)rest;
    // Script numbers carry their sign in the top bit.
    if (out[size] & 0x80)
        out[++size] = 0;
    out[0] = (uint8_t)size;
    return size + 1;
}

// One input: null outpoint, sequence 0xfffffffe, scriptSig = push of `height` || `05 "shoal"` ||
// [`2c` aux].
static void write_input(const struct coinbase_spec *spec, struct buffer *out)
{
    static const struct hash256 null_hash;
    uint8_t height_push[HEIGHT_PUSH_MAX];
    size_t height_size = coinbase_height_push(spec->height, height_push);
    size_t aux_size = spec->aux != NULL ? 1 + COINBASE_AUX_SIZE : 0;

    write_varint(out, 1);
    write_bytes(out, null_hash.bytes, sizeof null_hash.bytes);
    write_u32(out, OUTPOINT_INDEX);
    write_varint(out, height_size + sizeof pool_push + aux_size);
    write_bytes(out, height_push, height_size);
    write_bytes(out, pool_push, sizeof pool_push);
    if (spec->aux != NULL) {
        write_u8(out, COINBASE_AUX_SIZE);
        write_bytes(out, spec->aux, COINBASE_AUX_SIZE);
    }
    write_u32(out, INPUT_SEQUENCE);
}

// The payout list; if has_witness, value 0 and `6a24aa21a9ed || witness_commitment`; last, value 0
// and `6a30 || "SHL1" || H("shoal/share", share_info) || extranonce`, of which the last two are the
// tail's.
void coinbase_write_prefix(const struct coinbase_spec *spec, struct buffer *out)
{
    assert(spec->height >= 1 && spec->outputs_count <= COINBASE_OUTPUTS_MAX);
    write_u32(out, COINBASE_VERSION);
    write_input(spec, out);
    write_varint(out, spec->outputs_count + (spec->witness_commitment != NULL) + 1);
    for (size_t i = 0; i < spec->outputs_count; i++) {
        const struct coinbase_output *output = &spec->outputs[i];
        write_u64(out, output->amount);
        write_varint(out, output->script.size);
        write_bytes(out, output->script.bytes, output->script.size);
    }
    if (spec->witness_commitment != NULL) {
        write_u64(out, 0);
        write_varint(out, COMMITMENT_SIZE);
        write_bytes(out, commitment_head, sizeof commitment_head);
        write_bytes(out, spec->witness_commitment->bytes, sizeof spec->witness_commitment->bytes);
    }
    write_u64(out, 0);
    write_varint(out, SHARE_SCRIPT_SIZE);
    write_bytes(out, share_script_head, sizeof share_script_head);
}

size_t coinbase_prefix_size_max(size_t outputs_count)
{
    size_t input = 1 + 36 + 1 + HEIGHT_PUSH_MAX + sizeof pool_push + 1 + COINBASE_AUX_SIZE + 4;
    size_t commitment = 8 + 1 + COMMITMENT_SIZE;
    size_t share = 8 + 1 + sizeof share_script_head;
    return 4 + input + 3 + outputs_count * OUTPUT_SIZE_MAX + commitment + share;
}

size_t coinbase_size(size_t prefix_size)
{
    return prefix_size + COINBASE_TAIL_SIZE;
}

// Locktime `height - 1`.
static uint32_t locktime(int64_t height)
{
    return (uint32_t)(height - 1);
}

void coinbase_write_tail(const struct hash256 *share_info_hash,
                         const uint8_t extranonce[COINBASE_EXTRANONCE_SIZE], int64_t height,
                         struct buffer *out)
{
    write_bytes(out, share_info_hash->bytes, sizeof share_info_hash->bytes);
    write_bytes(out, extranonce, COINBASE_EXTRANONCE_SIZE);
    write_u32(out, locktime(height));
}

void coinbase_txid(const struct sha256 *prefix_state, const struct hash256 *share_info_hash,
                   const uint8_t extranonce[COINBASE_EXTRANONCE_SIZE], int64_t height,
                   struct hash256 *txid)
{
    uint8_t tail[COINBASE_TAIL_SIZE];
    struct buffer out;
    buffer_init_fixed(&out, tail, sizeof tail);
    coinbase_write_tail(share_info_hash, extranonce, height, &out);
    assert(!out.failed && out.size == sizeof tail);

    struct sha256 sha = *prefix_state;
    sha256_update(&sha, tail, sizeof tail);
    sha256d_final(&sha, txid);
}

uint32_t coinbase_weight_max(size_t outputs_count)
{
    assert(outputs_count <= COINBASE_OUTPUTS_MAX);
    size_t size = coinbase_size(coinbase_prefix_size_max(outputs_count));
    return (uint32_t)(WITNESS_SCALE * size + WITNESS_SIZE);
}

uint32_t coinbase_sigops_max(size_t outputs_count)
{
    assert(outputs_count <= COINBASE_OUTPUTS_MAX);
    return (uint32_t)(P2PKH_SIGOPS * outputs_count);
}
