#include "node/bitcoin/tx.h"

#include <string.h>
#include "node/pow/sha256.h"

#define FLAG_WITNESS    0x01
#define FLAG_MWEB       0x08
#define VERSION_SIZE    4
#define MARKER_SIZE     2 // the empty input list and the flags
#define OUTPOINT_SIZE   36
#define INPUT_SIZE_MIN  (OUTPOINT_SIZE + 1 + 4)
#define OUTPUT_SIZE_MIN (8 + 1)
#define WITNESS_SCALE   4

// A count of things that take at least size_min bytes each: more than the bytes left is a failure.
static uint32_t read_count(struct reader *reader, size_t size_min)
{
    uint64_t count = read_varint(reader);
    if (count > reader->left / size_min || count > UINT32_MAX) {
        reader->failed = true;
        return 0;
    }
    return (uint32_t)count;
}

static const uint8_t *read_varbytes(struct reader *reader, size_t *size)
{
    *size = read_count(reader, 1);
    return read_view(reader, *size);
}

static void skip_varbytes(struct reader *reader)
{
    size_t size;
    read_varbytes(reader, &size);
}

static void skip_inputs(struct reader *reader, uint32_t count)
{
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        read_view(reader, OUTPOINT_SIZE);
        skip_varbytes(reader);
        read_u32(reader);
    }
}

static void skip_outputs(struct reader *reader, uint32_t count)
{
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        read_u64(reader);
        skip_varbytes(reader);
    }
}

static void skip_witnesses(struct reader *reader, uint32_t inputs_count)
{
    bool has_items = false;
    for (uint32_t i = 0; i < inputs_count && !reader->failed; i++) {
        uint32_t items = read_count(reader, 1);
        has_items = has_items || items > 0;
        for (uint32_t j = 0; j < items && !reader->failed; j++)
            skip_varbytes(reader);
    }
    // The extended form around empty witnesses would give one transaction two encodings.
    if (!has_items)
        reader->failed = true;
}

// The flags of the extended form, 0 of the legacy form. Leaves the cursor at the input list.
static uint8_t read_flags(struct reader *reader)
{
    if (reader->failed || reader->left == 0 || reader->at[0] != 0)
        return 0;
    read_u8(reader);
    uint8_t flags = read_u8(reader);
    if (flags == 0 || (flags & ~(FLAG_WITNESS | FLAG_MWEB)) != 0)
        reader->failed = true;
    return flags;
}

// The bytes that hashes are over, which lie apart in the extended form.
struct tx_parts {
    const uint8_t *start; // the version
    const uint8_t *body;  // inputs and outputs
    size_t body_size;
    size_t witness_size; // right behind the body
    const uint8_t *locktime;
};

static void hash_parts(const struct tx_parts *parts, bool with_witness, struct hash256 *id)
{
    static const uint8_t marker[MARKER_SIZE] = {0, FLAG_WITNESS};
    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, parts->start, VERSION_SIZE);
    if (with_witness)
        sha256_update(&sha, marker, sizeof marker);
    sha256_update(&sha, parts->body, parts->body_size + (with_witness ? parts->witness_size : 0));
    sha256_update(&sha, parts->locktime, sizeof(uint32_t));
    sha256d_final(&sha, id);
}

static void summarize(const struct tx_parts *parts, uint8_t flags, struct tx_summary *summary)
{
    summary->base_size = VERSION_SIZE + parts->body_size + sizeof(uint32_t);
    summary->has_witness = (flags & FLAG_WITNESS) != 0;
    summary->is_hogex = (flags & FLAG_MWEB) != 0;
    if (summary->is_hogex)
        summary->mweb_size = summary->has_witness ? 1 : MARKER_SIZE + 1;
    hash_parts(parts, false, &summary->txid);
    summary->wtxid = summary->txid;
    if (summary->has_witness)
        hash_parts(parts, true, &summary->wtxid);
}

bool tx_read(struct reader *reader, struct tx_summary *summary)
{
    *summary = (struct tx_summary){0};
    struct tx_parts parts = {.start = reader->at};
    read_view(reader, VERSION_SIZE);
    uint8_t flags = read_flags(reader);
    parts.body = reader->at;
    summary->inputs_count = read_count(reader, INPUT_SIZE_MIN);
    skip_inputs(reader, summary->inputs_count);
    summary->outputs_count = read_count(reader, OUTPUT_SIZE_MIN);
    const uint8_t *outputs = reader->at;
    skip_outputs(reader, summary->outputs_count);
    if (reader->failed || summary->inputs_count == 0 || summary->outputs_count == 0) {
        reader->failed = true;
        return false;
    }
    const uint8_t *body_end = reader->at;
    if (flags & FLAG_WITNESS)
        skip_witnesses(reader, summary->inputs_count);
    const uint8_t *witness_end = reader->at;
    // Only a HogEx has MWEB data in a block, and its own is the absent one.
    if ((flags & FLAG_MWEB) && read_u8(reader) != 0)
        reader->failed = true;
    parts.locktime = reader->at;
    summary->locktime = read_u32(reader);
    if (reader->failed)
        return false;

    parts.body_size = (size_t)(body_end - parts.body);
    parts.witness_size = (size_t)(witness_end - body_end);
    summary->size = (size_t)(reader->at - parts.start);
    summary->outputs_offset = (size_t)(outputs - parts.start);
    summarize(&parts, flags, summary);
    return true;
}

uint64_t tx_weight(const struct tx_summary *summary)
{
    uint64_t size = summary->size - summary->mweb_size;
    return (WITNESS_SCALE - 1) * (uint64_t)summary->base_size + size;
}

bool tx_output_at(const uint8_t *bytes, const struct tx_summary *summary, uint32_t i,
                  struct tx_output *output)
{
    if (i >= summary->outputs_count)
        return false;
    struct reader reader =
        reader_init(bytes + summary->outputs_offset, summary->size - summary->outputs_offset);
    skip_outputs(&reader, i);
    output->amount = read_u64(&reader);
    output->script = read_varbytes(&reader, &output->script_size);
    return !reader.failed;
}
