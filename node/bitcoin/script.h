// The five output scripts that shoal pays to: P2PKH, P2SH, P2WPKH, P2WSH, P2TR (protocol section
// 2).
#ifndef SHOAL_NODE_BITCOIN_SCRIPT_H
#define SHOAL_NODE_BITCOIN_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_SIZE_MAX 34

enum script_kind {
    SCRIPT_OTHER,
    SCRIPT_P2PKH,
    SCRIPT_P2SH,
    SCRIPT_P2WPKH,
    SCRIPT_P2WSH,
    SCRIPT_P2TR
};

// A payout script by value; unused bytes are zero, so that structs compare with memcmp.
struct script {
    uint8_t size;
    uint8_t bytes[SCRIPT_SIZE_MAX];
};

enum script_kind script_kind(const uint8_t *bytes, size_t size);
const char *script_kind_text(enum script_kind kind); // "P2WPKH"
// False unless bytes are one of the five kinds.
bool script_from_bytes(struct script *script, const uint8_t *bytes, size_t size);
// Scripts from what an address holds: a 20-byte hash, or a witness program of version 0 or 1 (false
// if no kind of ours has that version and size).
struct script script_p2pkh(const uint8_t hash[20]);
struct script script_p2sh(const uint8_t hash[20]);
bool script_witness(unsigned version, const uint8_t *program, size_t size, struct script *script);
// What an address of the script holds: a view of its hash or witness program; *size 0 for
// SCRIPT_OTHER.
const uint8_t *script_payload(const struct script *script, size_t *size);
// Bytewise as memcmp, a prefix before its extension (protocol section 0).
int script_compare(const struct script *a, const struct script *b);
bool script_equal(const struct script *a, const struct script *b);

#endif
