#include "testnet/devchain/tx_view.h"

#include <stdlib.h>
#include <string.h>
#include "testnet/common/memory.h"

#define OUTPOINT_INDEX_NULL    0xffffffffu
#define SEQUENCE_FINAL         0xffffffffu
#define SEQUENCE_NO_LOCK       0x80000000u
#define LOCKTIME_TIMES         500000000u // from here on a locktime is a time
#define COINBASE_SCRIPT_MIN    2
#define COINBASE_SCRIPT_MAX    100
#define OUTPOINT_SIZE          36
#define MARKER_SIZE            2
#define MULTISIG_SIGOPS        20
#define OP_PUSHDATA1           0x4c
#define OP_PUSHDATA4           0x4e
#define OP_CHECKSIG            0xac
#define OP_CHECKSIGVERIFY      0xad
#define OP_CHECKMULTISIG       0xae
#define OP_CHECKMULTISIGVERIFY 0xaf

bool tx_view_read(struct reader *reader, struct tx_view *tx)
{
    tx->bytes = reader->at;
    return tx_read(reader, &tx->summary) && !tx->summary.is_hogex;
}

struct tx_inputs tx_inputs_begin(const struct tx_view *tx)
{
    const struct tx_summary *summary = &tx->summary;
    struct tx_inputs walk = {.inputs = reader_init(tx->bytes, summary->size),
                             .has_witness = summary->has_witness};
    read_u32(&walk.inputs);
    if (summary->has_witness) {
        // The extended form adds the marker and the witnesses, which stand right before the
        // locktime.
        size_t witnesses_size = summary->size - summary->base_size - MARKER_SIZE;
        size_t offset = summary->size - sizeof(uint32_t) - witnesses_size;
        walk.witnesses = reader_init(tx->bytes + offset, witnesses_size);
        read_u16(&walk.inputs);
    }
    walk.left = (uint32_t)read_varint(&walk.inputs);
    return walk;
}

static void read_witness(struct reader *reader, struct tx_input *input)
{
    input->witness_count = read_varint(reader);
    for (uint64_t i = 0; i < input->witness_count; i++) {
        size_t size = read_varint(reader);
        const uint8_t *item = read_view(reader, size);
        if (i > 0)
            continue;
        input->witness = item;
        input->witness_size = size;
    }
}

bool tx_inputs_next(struct tx_inputs *walk, struct tx_input *input)
{
    if (walk->left == 0)
        return false;
    walk->left--;
    *input = (struct tx_input){0};
    read_bytes(&walk->inputs, input->txid.bytes, sizeof input->txid.bytes);
    input->index = read_u32(&walk->inputs);
    input->script_size = read_varint(&walk->inputs);
    input->script = read_view(&walk->inputs, input->script_size);
    input->sequence = read_u32(&walk->inputs);
    if (walk->has_witness)
        read_witness(&walk->witnesses, input);
    return true;
}

struct tx_outputs tx_outputs_begin(const struct tx_view *tx)
{
    size_t offset = tx->summary.outputs_offset;
    return (struct tx_outputs){.reader = reader_init(tx->bytes + offset, tx->summary.size - offset),
                               .left = tx->summary.outputs_count};
}

bool tx_outputs_next(struct tx_outputs *walk, struct tx_output *output)
{
    if (walk->left == 0)
        return false;
    walk->left--;
    output->amount = read_u64(&walk->reader);
    output->script_size = read_varint(&walk->reader);
    output->script = read_view(&walk->reader, output->script_size);
    return true;
}

int32_t tx_version(const struct tx_view *tx)
{
    struct reader reader = reader_init(tx->bytes, tx->summary.size);
    return (int32_t)read_u32(&reader);
}

static bool is_null_outpoint(const struct tx_input *input)
{
    return input->index == OUTPOINT_INDEX_NULL && hash_is_zero(&input->txid);
}

bool tx_is_coinbase(const struct tx_view *tx)
{
    struct tx_inputs walk = tx_inputs_begin(tx);
    struct tx_input input;
    return tx->summary.inputs_count == 1 && tx_inputs_next(&walk, &input) &&
           is_null_outpoint(&input);
}

bool tx_is_final(const struct tx_view *tx, int64_t height, int64_t median_time)
{
    uint32_t locktime = tx->summary.locktime;
    int64_t reached = locktime < LOCKTIME_TIMES ? height : median_time;
    if (locktime == 0 || locktime < reached)
        return true;
    struct tx_inputs walk = tx_inputs_begin(tx);
    struct tx_input input;
    while (tx_inputs_next(&walk, &input)) {
        if (input.sequence != SEQUENCE_FINAL)
            return false;
    }
    return true;
}

bool tx_has_relative_lock(const struct tx_view *tx)
{
    struct tx_inputs walk = tx_inputs_begin(tx);
    struct tx_input input;
    if (tx_version(tx) < 2 && tx_version(tx) >= 0)
        return false;
    while (tx_inputs_next(&walk, &input)) {
        if ((input.sequence & SEQUENCE_NO_LOCK) == 0)
            return true;
    }
    return false;
}

// Size of the data that an opcode up to OP_PUSHDATA4 pushes.
static size_t push_size(struct reader *reader, uint8_t opcode)
{
    if (opcode < OP_PUSHDATA1)
        return opcode;
    if (opcode == OP_PUSHDATA1)
        return read_u8(reader);
    return opcode == OP_PUSHDATA4 ? read_u32(reader) : read_u16(reader);
}

// A push that runs over the script's end ends the count, as it does in bitcoind.
static uint64_t count_sigops(const uint8_t *script, size_t size)
{
    uint64_t count = 0;
    struct reader reader = reader_init(script, size);
    while (reader.left > 0 && !reader.failed) {
        uint8_t opcode = read_u8(&reader);
        if (opcode <= OP_PUSHDATA4)
            read_view(&reader, push_size(&reader, opcode));
        else if (opcode == OP_CHECKSIG || opcode == OP_CHECKSIGVERIFY)
            count++;
        else if (opcode == OP_CHECKMULTISIG || opcode == OP_CHECKMULTISIGVERIFY)
            count += MULTISIG_SIGOPS;
    }
    return count;
}

uint64_t tx_sigop_cost(const struct tx_view *tx)
{
    uint64_t count = 0;
    struct tx_inputs inputs = tx_inputs_begin(tx);
    struct tx_input input;
    while (tx_inputs_next(&inputs, &input))
        count += count_sigops(input.script, input.script_size);
    struct tx_outputs outputs = tx_outputs_begin(tx);
    struct tx_output output;
    while (tx_outputs_next(&outputs, &output))
        count += count_sigops(output.script, output.script_size);
    return count * TX_SIGOP_WEIGHT;
}

static enum verdict check_amounts(const struct tx_view *tx)
{
    uint64_t sum = 0;
    struct tx_outputs walk = tx_outputs_begin(tx);
    struct tx_output output;
    while (tx_outputs_next(&walk, &output)) {
        if (output.amount > TX_MONEY_MAX)
            return VERDICT_OUTPUT_TOO_LARGE;
        sum += output.amount;
        if (sum > TX_MONEY_MAX)
            return VERDICT_OUTPUTS_TOO_LARGE;
    }
    return VERDICT_OK;
}

static int compare_outpoints(const void *a, const void *b)
{
    return memcmp(a, b, OUTPOINT_SIZE);
}

static bool has_input_twice(const struct tx_view *tx)
{
    size_t count = tx->summary.inputs_count;
    if (count < 2)
        return false;
    uint8_t(*outpoints)[OUTPOINT_SIZE] = memory_new(count, sizeof *outpoints);
    struct tx_inputs walk = tx_inputs_begin(tx);
    struct tx_input input;
    for (size_t i = 0; tx_inputs_next(&walk, &input); i++) {
        memcpy(outpoints[i], &input.txid, sizeof input.txid);
        memcpy(outpoints[i] + sizeof input.txid, &input.index, sizeof input.index);
    }
    qsort(outpoints, count, sizeof *outpoints, compare_outpoints);
    bool is_twice = false;
    for (size_t i = 1; i < count; i++)
        is_twice = is_twice || compare_outpoints(outpoints[i - 1], outpoints[i]) == 0;
    free(outpoints);
    return is_twice;
}

enum verdict tx_check(const struct tx_view *tx)
{
    enum verdict verdict = check_amounts(tx);
    if (verdict != VERDICT_OK)
        return verdict;
    if (has_input_twice(tx))
        return VERDICT_INPUT_TWICE;
    struct tx_inputs walk = tx_inputs_begin(tx);
    struct tx_input input = {.script_size = 0};
    if (tx_is_coinbase(tx)) {
        tx_inputs_next(&walk, &input);
        bool fits =
            input.script_size >= COINBASE_SCRIPT_MIN && input.script_size <= COINBASE_SCRIPT_MAX;
        return fits ? VERDICT_OK : VERDICT_COINBASE_LENGTH;
    }
    while (tx_inputs_next(&walk, &input)) {
        if (is_null_outpoint(&input))
            return VERDICT_INPUT_NULL;
    }
    return VERDICT_OK;
}
