#include "node/bitcoin/block_template.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/bitcoin/template_parse.h"
#include "node/pow/sha256.h"

#define WITNESS_SCALE     4u
#define VERSION_SIZE      4
#define LOCKTIME_SIZE     4
#define COINBASE_SIZE_MIN (VERSION_SIZE + 1 + 41 + 1 + 9 + LOCKTIME_SIZE)

const char *template_result_text(enum template_result result)
{
    switch (result) {
    case TEMPLATE_OK:
        return "the template is fine";
    case TEMPLATE_MALFORMED:
        return "the daemon's template lacks a field, or has one of another form";
    case TEMPLATE_TOO_LARGE:
        return "the daemon's template is larger than a block can be, "
               "or leaves no room for the coinbase";
    case TEMPLATE_RULES_UNKNOWN:
        return "the daemon's template demands a consensus rule that this version does not know: "
               "a newer version is needed";
    case TEMPLATE_COINBASE_LOW:
        return "the daemon's template pays less than the subsidy at its height: "
               "is it on the chain of the pool?";
    case TEMPLATE_TX_BAD:
        return "the daemon's template holds a transaction that does not decode or has another id";
    case TEMPLATE_OUT_OF_MEMORY:
        return "there is not enough memory for the daemon's template";
    }
    return "the daemon's template is wrong";
}

static size_t varint_size(uint64_t value)
{
    uint8_t bytes[9];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    write_varint(&out, value);
    return out.size;
}

// What the limits leave to the transactions. Before segwit daemons count sigops in units four times
// as large; then our coinbase's are counted too high, which is safe.
static bool find_room(struct template_parse *parse, const struct coinbase_needs *needs,
                      struct template_room *room)
{
    uint64_t header = HEADER_SIZE + varint_size(parse->made->memory->txs.count + 1);
    uint64_t weight_fixed = needs->weight + WITNESS_SCALE * header;
    parse->field = "sigoplimit";
    if (needs->sigops > parse->sigop_limit)
        return false;
    parse->field = "weightlimit";
    if (weight_fixed > parse->weight_limit)
        return false;
    room->weight = parse->weight_limit - weight_fixed;
    room->sigops = parse->sigop_limit - needs->sigops;
    room->keeps_last = parse->made->mweb != NULL;
    return true;
}

// Takes the kept transactions over and the fees of the others from the coinbase.
static enum template_result keep_marked(struct template_parse *parse, const bool *is_kept)
{
    struct block_template *made = parse->made;
    struct template_txs *txs = &made->memory->txs;
    uint64_t subsidy = chain_subsidy(parse->params, made->height);
    made->txs = txs->txs;
    for (size_t i = 0; i < txs->count; i++) {
        if (is_kept[i]) {
            made->txs[made->txs_count++] = txs->txs[i];
            continue;
        }
        parse->field = "transactions[].fee";
        if (!txs->has_fee[i])
            return TEMPLATE_MALFORMED;
        if (txs->txs[i].fee > made->coinbase_value - subsidy)
            return TEMPLATE_COINBASE_LOW;
        made->coinbase_value -= txs->txs[i].fee;
    }
    made->txs_dropped = txs->count - made->txs_count;
    return TEMPLATE_OK;
}

static enum template_result trim(struct template_parse *parse, const struct coinbase_needs *needs)
{
    const struct template_txs *txs = &parse->made->memory->txs;
    struct template_room room;
    bool *is_kept = calloc(txs->count + 1, sizeof *is_kept);
    if (is_kept == NULL)
        return TEMPLATE_OUT_OF_MEMORY;
    enum template_result result = TEMPLATE_TOO_LARGE;
    if (find_room(parse, needs, &room) && template_txs_trim(txs, &room, is_kept))
        result = keep_marked(parse, is_kept);
    free(is_kept);
    return result;
}

static enum template_result read_txs(struct template_parse *parse)
{
    struct block_template *made = parse->made;
    enum template_result result =
        template_txs_read(json_get(parse->source, "transactions"), parse->params->has_mweb,
                          &made->memory->txs, &parse->field);
    // The extension block hangs on its HogEx, the last transaction.
    if (result == TEMPLATE_OK && made->mweb != NULL && made->memory->txs.count == 0) {
        parse->field = "mweb";
        return TEMPLATE_MALFORMED;
    }
    return result;
}

// SHA256d(witness root || nonce) with a nonce of zeros; the coinbase's own leaf is zero, too (BIP
// 141).
static void commit(const struct merkle_branch *branch, struct hash256 *commitment)
{
    static const struct hash256 zero;
    struct hash256 root;
    uint8_t bytes[64] = {0};
    merkle_branch_root(branch, &zero, &root);
    memcpy(bytes, root.bytes, sizeof root.bytes);
    sha256d_64(bytes, commitment);
}

static bool has_witness_tx(const struct block_template *made)
{
    for (size_t i = 0; i < made->txs_count; i++) {
        if (!hash_equal(&made->txs[i].txid, &made->txs[i].wtxid))
            return true;
    }
    return false;
}

static enum template_result build_trees(struct template_parse *parse)
{
    struct block_template *made = parse->made;
    struct hash256 *leaves = calloc(made->txs_count + 1, sizeof *leaves);
    if (leaves == NULL)
        return TEMPLATE_OUT_OF_MEMORY;
    for (size_t i = 0; i < made->txs_count; i++)
        leaves[i] = made->txs[i].txid;
    bool is_built = merkle_branch_build(leaves, made->txs_count, &made->branch);
    for (size_t i = 0; i < made->txs_count; i++)
        leaves[i] = made->txs[i].wtxid;
    struct merkle_branch witness_branch;
    is_built = is_built && merkle_branch_build(leaves, made->txs_count, &witness_branch);
    assert(is_built); // LIMIT_TEMPLATE_TXS and a coinbase are 2^MERKLE_BRANCH_MAX leaves
    commit(&witness_branch, &made->witness_commitment);
    free(leaves);

    // Some daemons send a commitment before the rule is active, when a block with one is invalid.
    made->has_witness = (parse->has_segwit && parse->has_commitment) || has_witness_tx(made);
    // Over the same transactions the daemon must come to the same: else one of us would build a bad
    // block.
    parse->field = "default_witness_commitment";
    bool is_comparable = made->has_witness && parse->has_commitment && made->txs_dropped == 0;
    if (is_comparable && !hash_equal(&made->witness_commitment, &parse->commitment))
        return TEMPLATE_MALFORMED;
    return TEMPLATE_OK;
}

static struct block_template *template_new(void)
{
    struct block_template *made = calloc(1, sizeof *made);
    struct template_memory *memory = calloc(1, sizeof *memory);
    if (made == NULL || memory == NULL) {
        free(made);
        free(memory);
        return NULL;
    }
    memory->references = 1;
    made->memory = memory;
    return made;
}

enum template_result block_template_parse(const struct chain_params *params,
                                          struct json_value result,
                                          const struct coinbase_needs *needs,
                                          struct block_template **block_template,
                                          const char **field)
{
    struct template_parse parse = {.params = params, .source = result, .made = template_new()};
    *block_template = NULL;
    *field = "";
    if (parse.made == NULL)
        return TEMPLATE_OUT_OF_MEMORY;
    enum template_result verdict = template_parse_fields(&parse);
    if (verdict == TEMPLATE_OK)
        verdict = read_txs(&parse);
    if (verdict == TEMPLATE_OK)
        verdict = trim(&parse, needs);
    if (verdict == TEMPLATE_OK)
        verdict = build_trees(&parse);
    if (verdict != TEMPLATE_OK) {
        *field = parse.field;
        block_template_release(parse.made);
        return verdict;
    }
    *block_template = parse.made;
    return TEMPLATE_OK;
}

struct block_template *block_template_hold(struct block_template *block_template)
{
    assert(block_template->memory->references > 0);
    block_template->memory->references++;
    return block_template;
}

void block_template_release(struct block_template *block_template)
{
    if (block_template == NULL)
        return;
    struct template_memory *memory = block_template->memory;
    assert(memory->references > 0);
    if (--memory->references > 0)
        return;
    template_txs_clear(&memory->txs);
    free(memory->mweb);
    free(memory);
    free(block_template);
}

// BIP 144: marker and flag behind the version, one item of 32 zero bytes before the locktime.
static void write_coinbase_with_witness(const uint8_t *coinbase, size_t size, struct buffer *out)
{
    static const uint8_t marker[] = {0, 1};
    static const struct hash256 nonce;
    write_bytes(out, coinbase, VERSION_SIZE);
    write_bytes(out, marker, sizeof marker);
    write_bytes(out, coinbase + VERSION_SIZE, size - VERSION_SIZE - LOCKTIME_SIZE);
    write_varint(out, 1);
    write_varint(out, sizeof nonce.bytes);
    write_bytes(out, nonce.bytes, sizeof nonce.bytes);
    write_bytes(out, coinbase + size - LOCKTIME_SIZE, LOCKTIME_SIZE);
}

bool block_template_write_block(const struct block_template *block_template,
                                const uint8_t header[HEADER_SIZE], const uint8_t *coinbase,
                                size_t coinbase_size, struct buffer *out)
{
    assert(coinbase_size >= COINBASE_SIZE_MIN);
    write_bytes(out, header, HEADER_SIZE);
    write_varint(out, block_template->txs_count + 1);
    if (block_template->has_witness)
        write_coinbase_with_witness(coinbase, coinbase_size, out);
    else
        write_bytes(out, coinbase, coinbase_size);
    for (size_t i = 0; i < block_template->txs_count; i++)
        write_bytes(out, block_template->txs[i].data, block_template->txs[i].size);
    if (block_template->mweb != NULL) {
        write_u8(out, 1);
        write_bytes(out, block_template->mweb, block_template->mweb_size);
    }
    return !out->failed;
}
