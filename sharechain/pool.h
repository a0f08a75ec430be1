// The pool file: the one text that makes a set of nodes a pool (protocol section 1). Read once at
// start; the struct is plain data and never changes afterwards.
#ifndef SHOAL_SHARECHAIN_POOL_H
#define SHOAL_SHARECHAIN_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/hash.h"
#include "node/bitcoin/chain_params.h"
#include "node/bitcoin/header.h"

#define POOL_NAME_MAX 32

// Fields, units and ranges as in the table of section 1.
struct pool {
    uint8_t version;
    char name[POOL_NAME_MAX + 1];
    const struct chain_params *chain;
    uint32_t link_spacing;
    uint32_t half_life;
    uint32_t easiest_bits;
    uint16_t grains_per_link;
    uint16_t body_grains_max;
    uint16_t horizon;
    uint16_t inclusion_fee_bp;
    uint32_t window_multiple;
    uint32_t window_blocks;
    uint16_t outputs;
    uint64_t min_payout;
    uint32_t genesis_time;
    uint32_t anchor_height;
    uint32_t anchor_prev_time;
    uint8_t anchor_header[HEADER_SIZE];
    struct hash256 id; // pool_id: derived, not a key
};

// What is wrong with a pool file, for people: line (0 if it is the file as a whole), key and
// sentence.
struct pool_error {
    unsigned line;
    char key[32];
    char text[160]; // what is wrong, with the value, and what would be right
};

// Reads the text of a pool file (not zero-terminated). False with *error filled.
bool pool_parse(const char *text, size_t size, struct pool *pool, struct pool_error *error);
// Checks ranges of a pool made in memory and fills its id: what `shoal pool new` and the vectors
// use.
bool pool_finish(struct pool *pool, struct pool_error *error);
// Defaults of every key that has one; the rest zero.
void pool_defaults(struct pool *pool);
// Sets one key from text with its range check; false with *error (line untouched).
bool pool_set(struct pool *pool, const char *key, const char *value, struct pool_error *error);
// The canonical form that is hashed.
void pool_write_canonical(const struct pool *pool, struct buffer *out);
// The file as people write it, with comments; pool_parse reads it back to the same id.
void pool_write_text(const struct pool *pool, struct buffer *out);
// Row i of the key table for `pool show` and help: name, default ("" if required), range and
// meaning; false past it.
struct pool_key_info {
    const char *name;
    const char *default_text;
    const char *range;
    const char *meaning;
};
bool pool_key_row(size_t i, struct pool_key_info *info);
// The value of a key as text; false if no such key. out has room for capacity characters (161
// always do).
bool pool_get(const struct pool *pool, const char *key, char *out, size_t capacity);

#endif
