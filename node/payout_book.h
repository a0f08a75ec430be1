// The blocks of the pool, whichever of its nodes found them, with what each paid to whom and the
// work that it took: read from the share-chain as the coin's headers come in, and kept in
// STORE_META, because the chain forgets in time. Read by the documents. Blocks that the coin left
// stay in it; who reads it looks where they stand. Holds the newest PAYOUT_BLOCKS_MAX.
#ifndef SHOAL_NODE_PAYOUT_BOOK_H
#define SHOAL_NODE_PAYOUT_BOOK_H

#include "sharechain/sharechain.h"

#define PAYOUT_BLOCKS_MAX 2000

struct payout_book;

struct paid_block {
    struct hash256 id;
    int64_t height;
    uint32_t time, bits;
    struct script payout_script; // of the miner who found it
    uint32_t link_height;
    bool is_link;
    double work_expected; // hashes that such a block takes on average
    double work_done;     // that the pool credited since its block before; below 0: not known
    uint64_t value_sats;  // 0: outputs are not known
    struct coinbase_output *outputs;
    size_t outputs_count;
};

// Reads what is kept. NULL if out of memory. Both are borrowed; store may be NULL.
struct payout_book *payout_book_new(struct sharechain *chain, struct store *store);
void payout_book_free(struct payout_book *book); // NULL is fine
// Takes in what is new; costs nothing where nothing is, and little at once where much is: to be
// called at every turn of the loop.
void payout_book_follow(struct payout_book *book);

size_t payout_book_count(const struct payout_book *book);
// Block i, the lowest first; i < count.
const struct paid_block *payout_book_get(const struct payout_book *book, size_t i);
// NULL if it is not known.
const struct paid_block *payout_book_find(const struct payout_book *book, const struct hash256 *id);

#endif
