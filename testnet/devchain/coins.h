// The outputs of all connected transactions and which of them are spent. Owned by the chain;
// changed only by connecting and disconnecting whole transactions. Scripts are views of the
// transactions' bytes, which must outlive their stay here.
#ifndef SHOAL_TESTNET_DEVCHAIN_COINS_H
#define SHOAL_TESTNET_DEVCHAIN_COINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/env.h"
#include "testnet/devchain/tx_view.h"

#define COINS_MATURITY 100 // blocks until a coinbase may be spent; genesis may be spent at once

struct coin {
    uint64_t amount;
    const uint8_t *script;
    size_t script_size;
    int64_t height; // of the block that made it
    bool is_coinbase;
    bool is_spent;
};

struct coins;

struct coins *coins_new(const struct env *env);
void coins_free(struct coins *coins);

// False if there is no such output; a spent one is found.
bool coins_find(const struct coins *coins, const struct hash256 *txid, uint32_t index,
                struct coin *coin);
bool coins_has_tx(const struct coins *coins, const struct hash256 *txid);
// Walks all outputs that are not spent: start with a zeroed walk.
struct coins_walk {
    size_t cursor;
    const struct coin_set *set;
    uint32_t index;
    struct hash256 txid;
};
bool coins_next(const struct coins *coins, struct coins_walk *walk, struct coin *coin);

// Where a transaction finds what it spends. False if there is no such output.
typedef bool coin_lookup(const void *context, const struct hash256 *txid, uint32_t index,
                         struct coin *coin);
// What connecting it at this height would say, with outputs found by `lookup`; *fee on VERDICT_OK.
// Not for coinbases.
enum verdict coins_check_tx(const struct tx_view *tx, int64_t height, coin_lookup *lookup,
                            const void *context, uint64_t *fee);

// Spends the inputs (none of a coinbase) and adds the outputs; on any other verdict nothing has
// changed.
enum verdict coins_connect(struct coins *coins, const struct tx_view *tx, int64_t height,
                           uint64_t *fee);
// Undoes coins_connect: the transaction must be the last one connected.
void coins_disconnect(struct coins *coins, const struct tx_view *tx);

#endif
