// The `transactions` of a getblocktemplate result (BIP 22, 145) read into flat memory, and the
// choice of those that stay when the coinbase needs room. Two steps of block_template_parse with
// nobody else to call them but tests.
#ifndef SHOAL_NODE_BITCOIN_TEMPLATE_TXS_H
#define SHOAL_NODE_BITCOIN_TEMPLATE_TXS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/json.h"
#include "node/bitcoin/block_template.h"

struct template_txs {
    struct template_tx *txs;
    size_t count;
    uint8_t *bytes; // what txs[i].data points into
    bool *has_fee;  // false where the daemon named no fee
    uint32_t
        *parents; // indices of what txs[0] spends, then txs[1], ...: all smaller than the spender's
    uint32_t *parents_end; // those of txs[i] end here and begin where those of txs[i - 1] end
};

// Reads and checks all transactions: ids, order of dependence, no bytes left over. On a failure
// `out` is empty and *field names the culprit (static text). A HogEx is refused unless
// may_have_hogex.
enum template_result template_txs_read(struct json_value array, bool may_have_hogex,
                                       struct template_txs *out, const char **field);
// Frees all of it; fine on a zeroed struct.
void template_txs_clear(struct template_txs *txs);

struct template_room {
    uint64_t weight;
    uint64_t sigops; // cost
    bool keeps_last; // the last transaction and all it depends on must stay (Litecoin's HogEx)
};

// Marks in is_kept (`count` of them) what stays: transactions go from the end, only such as make a
// difference, and with them what depends on them. False if even that leaves too much.
bool template_txs_trim(const struct template_txs *txs, const struct template_room *room,
                       bool *is_kept);

#endif
