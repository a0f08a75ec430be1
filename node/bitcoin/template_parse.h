// Parsing of a block template, shared by its two halves: the scalar fields (template_fields.c) and
// the transactions with all that is computed over them (block_template.c). Private to them.
#ifndef SHOAL_NODE_BITCOIN_TEMPLATE_PARSE_H
#define SHOAL_NODE_BITCOIN_TEMPLATE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/json.h"
#include "node/bitcoin/block_template.h"
#include "node/bitcoin/template_txs.h"

// What a template owns.
struct template_memory {
    size_t references;
    struct template_txs txs;
    uint8_t *mweb;
};

struct template_parse {
    const struct chain_params *params;
    struct json_value source;
    struct block_template *made; // filled field by field; its memory is there from the start
    const char *field;           // the one in hand, for a failure's message
    bool has_segwit;             // the rule is active for this block
    bool has_mweb;               // likewise
    bool has_commitment;
    struct hash256 commitment; // the daemon's
    uint64_t weight_limit;
    uint64_t sigop_limit;
};

// Reads and checks all fields but the transactions.
enum template_result template_parse_fields(struct template_parse *parse);

#endif
