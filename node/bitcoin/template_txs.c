#include "node/bitcoin/template_txs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/bitcoin/tx.h"
#include "node/limits.h"

void template_txs_clear(struct template_txs *txs)
{
    free(txs->txs);
    free(txs->bytes);
    free(txs->has_fee);
    free(txs->parents);
    free(txs->parents_end);
    *txs = (struct template_txs){0};
}

// What the transactions need in memory.
struct totals {
    size_t bytes;
    size_t parents;
};

static enum template_result measure(struct json_value array, struct totals *totals,
                                    const char **field)
{
    *totals = (struct totals){0};
    struct json_value tx = json_first(array);
    for (; json_exists(tx); tx = json_next(tx)) {
        struct json_value data = json_get(tx, "data");
        struct json_value depends = json_get(tx, "depends");
        *field = "transactions[].data";
        if (!json_is_text(data))
            return TEMPLATE_MALFORMED;
        *field = "transactions[].depends";
        if (!json_is_array(depends))
            return TEMPLATE_MALFORMED;
        const char *hex;
        size_t hex_size;
        json_raw(data, &hex, &hex_size);
        totals->bytes += hex_size / 2;
        totals->parents += json_size(depends);
    }
    *field = "transactions";
    return totals->bytes > LIMIT_RPC_REPLY_SIZE ? TEMPLATE_TOO_LARGE : TEMPLATE_OK;
}

// One element more than needed, so that an empty list is no special case.
static bool allocate(struct template_txs *txs, size_t count, const struct totals *totals)
{
    txs->txs = calloc(count + 1, sizeof *txs->txs);
    txs->bytes = malloc(totals->bytes + 1);
    txs->has_fee = calloc(count + 1, sizeof *txs->has_fee);
    txs->parents = calloc(totals->parents + 1, sizeof *txs->parents);
    txs->parents_end = calloc(count + 1, sizeof *txs->parents_end);
    return txs->txs != NULL && txs->bytes != NULL && txs->has_fee != NULL && txs->parents != NULL &&
           txs->parents_end != NULL;
}

// The daemon's word on an id, where it gives one, must be what we compute.
static bool id_is_right(struct json_value text, const struct hash256 *id)
{
    char display[2 * sizeof id->bytes + 1];
    if (!json_is_present(text))
        return true;
    hash_to_display(id, display);
    return json_text_equals(text, display);
}

static enum template_result read_data(struct json_value entry, uint8_t *bytes, bool may_be_hogex,
                                      struct template_tx *tx, const char **field)
{
    struct json_value data = json_get(entry, "data");
    const char *hex;
    size_t hex_size;
    json_raw(data, &hex, &hex_size);
    size_t size = hex_size / 2;
    *field = "transactions[].data";
    if (!json_to_hex(data, bytes, size))
        return TEMPLATE_MALFORMED;

    struct reader reader = reader_init(bytes, size);
    struct tx_summary summary;
    if (!tx_read(&reader, &summary) || !reader_is_done(&reader))
        return TEMPLATE_TX_BAD;
    if (summary.is_hogex && !may_be_hogex)
        return TEMPLATE_TX_BAD;
    *field = "transactions[].txid";
    if (!id_is_right(json_get(entry, "txid"), &summary.txid))
        return TEMPLATE_TX_BAD;
    *field = "transactions[].hash";
    if (!id_is_right(json_get(entry, "hash"), &summary.wtxid))
        return TEMPLATE_TX_BAD;

    tx->data = bytes;
    tx->size = (uint32_t)size;
    tx->txid = summary.txid;
    tx->wtxid = summary.wtxid;
    tx->weight = (uint32_t)tx_weight(&summary);
    return TEMPLATE_OK;
}

// `depends` counts from 1 and names earlier transactions only: parents stand before children.
static bool read_parents(struct json_value depends, size_t index, uint32_t *parents)
{
    struct json_value parent = json_first(depends);
    for (; json_exists(parent); parent = json_next(parent)) {
        uint64_t position;
        if (!json_to_u64(parent, &position) || position < 1 || position > index)
            return false;
        *parents++ = (uint32_t)(position - 1);
    }
    return true;
}

static enum template_result read_counts(struct json_value entry, struct template_tx *tx,
                                        bool *has_fee, const char **field)
{
    struct json_value fee = json_get(entry, "fee");
    uint64_t sigops;
    *field = "transactions[].fee";
    *has_fee = json_is_present(fee);
    if (*has_fee && !json_to_u64(fee, &tx->fee))
        return TEMPLATE_MALFORMED;
    // Absent means unknown, not none (BIP 22): then nobody can tell whether the block keeps to the
    // limit.
    *field = "transactions[].sigops";
    if (!json_to_u64(json_get(entry, "sigops"), &sigops) || sigops > UINT32_MAX)
        return TEMPLATE_MALFORMED;
    tx->sigops = (uint32_t)sigops;
    return TEMPLATE_OK;
}

static enum template_result read_all(struct json_value array, bool may_have_hogex,
                                     struct template_txs *out, const char **field)
{
    size_t bytes_used = 0;
    uint32_t parents_used = 0;
    struct json_value entry = json_first(array);
    for (size_t i = 0; i < out->count; i++, entry = json_next(entry)) {
        struct template_tx *tx = &out->txs[i];
        enum template_result result =
            read_data(entry, out->bytes + bytes_used, may_have_hogex, tx, field);
        if (result != TEMPLATE_OK)
            return result;
        bytes_used += tx->size;
        result = read_counts(entry, tx, &out->has_fee[i], field);
        if (result != TEMPLATE_OK)
            return result;
        struct json_value depends = json_get(entry, "depends");
        *field = "transactions[].depends";
        if (!read_parents(depends, i, out->parents + parents_used))
            return TEMPLATE_MALFORMED;
        parents_used += (uint32_t)json_size(depends);
        out->parents_end[i] = parents_used;
    }
    *field = "";
    return TEMPLATE_OK;
}

enum template_result template_txs_read(struct json_value array, bool may_have_hogex,
                                       struct template_txs *out, const char **field)
{
    *out = (struct template_txs){0};
    *field = "transactions";
    size_t count = json_size(array);
    if (!json_is_array(array))
        return TEMPLATE_MALFORMED;
    if (count > LIMIT_TEMPLATE_TXS)
        return TEMPLATE_TOO_LARGE;
    struct totals totals;
    enum template_result result = measure(array, &totals, field);
    if (result != TEMPLATE_OK)
        return result;
    if (!allocate(out, count, &totals)) {
        template_txs_clear(out);
        return TEMPLATE_OUT_OF_MEMORY;
    }
    out->count = count;
    result = read_all(array, may_have_hogex, out, field);
    if (result != TEMPLATE_OK)
        template_txs_clear(out);
    return result;
}

static uint32_t parents_begin(const struct template_txs *txs, size_t i)
{
    return i == 0 ? 0 : txs->parents_end[i - 1];
}

// Marks the last transaction and its ancestors: parents stand before children, so one pass from the
// end will do.
static void mark_ancestors_of_last(const struct template_txs *txs, bool *is_marked)
{
    if (txs->count == 0)
        return;
    is_marked[txs->count - 1] = true;
    for (size_t i = txs->count; i-- > 0;) {
        for (uint32_t j = parents_begin(txs, i); is_marked[i] && j < txs->parents_end[i]; j++)
            is_marked[txs->parents[j]] = true;
    }
}

// Nothing stays without what it spends: in one pass from the front.
static void drop_dependants(const struct template_txs *txs, bool *is_kept)
{
    for (size_t i = 0; i < txs->count; i++) {
        for (uint32_t j = parents_begin(txs, i); j < txs->parents_end[i]; j++)
            is_kept[i] = is_kept[i] && is_kept[txs->parents[j]];
    }
}

bool template_txs_trim(const struct template_txs *txs, const struct template_room *room,
                       bool *is_kept)
{
    uint64_t weight = 0;
    uint64_t sigops = 0;
    for (size_t i = 0; i < txs->count; i++) {
        weight += txs->txs[i].weight;
        sigops += txs->txs[i].sigops;
        is_kept[i] = false;
    }
    // Where the walk has not been yet, is_kept means: must stay.
    if (room->keeps_last)
        mark_ancestors_of_last(txs, is_kept);
    for (size_t i = txs->count; i-- > 0;) {
        const struct template_tx *tx = &txs->txs[i];
        bool is_over_weight = weight > room->weight;
        bool is_over_sigops = sigops > room->sigops;
        bool helps = is_over_weight || (is_over_sigops && tx->sigops > 0);
        if (is_kept[i] || !helps) {
            is_kept[i] = true;
            continue;
        }
        weight -= tx->weight;
        sigops -= tx->sigops;
    }
    if (weight > room->weight || sigops > room->sigops)
        return false;
    drop_dependants(txs, is_kept);
    return true;
}
