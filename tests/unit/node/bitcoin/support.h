// What the tests of this folder share: cmocka with its headers, literals in hex, real transactions.
#ifndef SHOAL_TESTS_UNIT_NODE_BITCOIN_SUPPORT_H
#define SHOAL_TESTS_UNIT_NODE_BITCOIN_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hash.h"
#include "node/base/hex.h"

// Bytes of a hex literal; their number.
static inline size_t unhex(const char *hex, uint8_t *out, size_t capacity)
{
    size_t size = strlen(hex) / 2;
    assert_true(size <= capacity);
    assert_true(hex_decode(hex, strlen(hex), out, size));
    return size;
}

// A hash as it stands in memory.
static inline struct hash256 wire_hash(const char *hex)
{
    struct hash256 hash;
    assert_true(hash_from_hex(&hash, hex));
    return hash;
}

// A hash as people write it.
static inline struct hash256 shown_hash(const char *hex)
{
    struct hash256 hash;
    assert_true(hash_from_display(&hash, hex));
    return hash;
}

static inline void assert_hash_equal(const struct hash256 *a, const struct hash256 *b)
{
    assert_memory_equal(a->bytes, b->bytes, sizeof a->bytes);
}

// The first payment of Bitcoin, in block 170.
#define FIRST_PAYMENT                                                                              \
    "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd37040000000048473044"   \
    "02204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de48"   \
    "60a4acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09"   \
    "c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a"   \
    "0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a38"   \
    "2e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3"   \
    "ac00000000"
#define FIRST_PAYMENT_TXID "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"

// The signed native P2WPKH example of BIP 143: one input without witness, one with.
#define BIP143_TX                                                                                  \
    "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f000000004948"   \
    "30450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3"   \
    "f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3a"   \
    "a89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df3"   \
    "78db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f016"   \
    "7faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a"   \
    "0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368d"   \
    "a1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000"
#define BIP143_TXID  "e8151a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609"
#define BIP143_WTXID "c36c38370907df2324d9ce9d149d191192f338b37665a82e78e76a12c909b762"

// A HogEx of Litecoin Core 0.21.2 on regtest, as its getblocktemplate gave it: weight 376.
#define HOGEX_TX                                                                                   \
    "02000000000801b299b5f6660d83dcbe5e9d120d744905e8724817368a1f5e99e8d9399174653e0000000000ff"   \
    "ffffff01eced804a0000000022582074213548d59537b5774b9ed49fdca53c4c589fb0caf8d1710487e4e616df"   \
    "d9410000000000"
#define HOGEX_TXID "209c86a09f602c38b49eba3d848fbdf1d47a6a1c959cdb1c95f7801837030536"

// The coinbase of block 1.
#define BLOCK_1_COINBASE                                                                           \
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0704ffff"   \
    "001d0104ffffffff0100f2052a0100000043410496b538e853519c726a2c91e61ec11600ae1390813a627c66fb"   \
    "8be7947be63c52da7589379515d4e0a604f8141781e62294721166bf621e73a82cbf2342c858eeac00000000"
#define BLOCK_1_COINBASE_TXID "0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098"

#endif
