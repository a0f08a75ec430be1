#include "testnet/devchain/coins.h"

#include <assert.h>
#include <stdlib.h>
#include "node/base/map.h"
#include "testnet/common/memory.h"
#include "testnet/devchain/open_script.h"

struct coin_set {
    struct hash256 txid;
    uint32_t count;
    struct coin coins[];
};

struct coins {
    struct map *sets; // by txid
};

struct coins *coins_new(const struct env *env)
{
    struct coins *coins = memory_new(1, sizeof *coins);
    coins->sets = map_new(env);
    return coins;
}

void coins_free(struct coins *coins)
{
    if (coins == NULL)
        return;
    size_t cursor = 0;
    struct hash256 key;
    void *set;
    while (map_next(coins->sets, &cursor, &key, &set))
        free(set);
    map_free(coins->sets);
    free(coins);
}

static struct coin *find(const struct coins *coins, const struct hash256 *txid, uint32_t index)
{
    struct coin_set *set = map_find(coins->sets, txid);
    return set != NULL && index < set->count ? &set->coins[index] : NULL;
}

bool coins_find(const struct coins *coins, const struct hash256 *txid, uint32_t index,
                struct coin *coin)
{
    const struct coin *found = find(coins, txid, index);
    if (found != NULL)
        *coin = *found;
    return found != NULL;
}

bool coins_has_tx(const struct coins *coins, const struct hash256 *txid)
{
    return map_find(coins->sets, txid) != NULL;
}

bool coins_next(const struct coins *coins, struct coins_walk *walk, struct coin *coin)
{
    for (;;) {
        if (walk->set != NULL && ++walk->index < walk->set->count) {
            *coin = walk->set->coins[walk->index];
            if (!coin->is_spent)
                return true;
            continue;
        }
        void *set;
        if (!map_next(coins->sets, &walk->cursor, &walk->txid, &set))
            return false;
        walk->set = set;
        walk->index = UINT32_MAX; // the step above makes it 0
    }
}

enum verdict coins_check_tx(const struct tx_view *tx, int64_t height, coin_lookup *lookup,
                            const void *context, uint64_t *fee)
{
    uint64_t paid_in = 0;
    struct tx_inputs inputs = tx_inputs_begin(tx);
    struct tx_input input;
    while (tx_inputs_next(&inputs, &input)) {
        struct coin coin;
        if (!lookup(context, &input.txid, input.index, &coin) || coin.is_spent)
            return VERDICT_INPUT_MISSING;
        bool is_young = coin.is_coinbase && height - coin.height < COINS_MATURITY;
        if (is_young && coin.height > 0)
            return VERDICT_PREMATURE_SPEND;
        paid_in += coin.amount; // no overflow: all coins together are far below 2^64
        if (!open_script_is_spent_by(coin.script, coin.script_size, &input))
            return VERDICT_SCRIPT;
    }
    uint64_t paid_out = 0;
    struct tx_outputs outputs = tx_outputs_begin(tx);
    struct tx_output output;
    while (tx_outputs_next(&outputs, &output))
        paid_out += output.amount;
    if (paid_in < paid_out)
        return VERDICT_SPENDS_TOO_MUCH;
    *fee = paid_in - paid_out;
    return VERDICT_OK;
}

static bool lookup_here(const void *context, const struct hash256 *txid, uint32_t index,
                        struct coin *coin)
{
    return coins_find(context, txid, index, coin);
}

static void mark_inputs(struct coins *coins, const struct tx_view *tx, bool is_spent)
{
    struct tx_inputs walk = tx_inputs_begin(tx);
    struct tx_input input;
    if (tx_is_coinbase(tx))
        return;
    while (tx_inputs_next(&walk, &input)) {
        struct coin *coin = find(coins, &input.txid, input.index);
        assert(coin != NULL && coin->is_spent != is_spent);
        coin->is_spent = is_spent;
    }
}

static void add_outputs(struct coins *coins, const struct tx_view *tx, int64_t height)
{
    size_t count = tx->summary.outputs_count;
    struct coin_set *set = memory_new(1, sizeof *set + count * sizeof set->coins[0]);
    set->txid = tx->summary.txid;
    set->count = (uint32_t)count;
    struct tx_outputs walk = tx_outputs_begin(tx);
    struct tx_output output;
    for (size_t i = 0; tx_outputs_next(&walk, &output); i++) {
        set->coins[i] = (struct coin){.amount = output.amount,
                                      .script = output.script,
                                      .script_size = output.script_size,
                                      .height = height,
                                      .is_coinbase = tx_is_coinbase(tx)};
    }
    void *before = map_set(coins->sets, &set->txid, set);
    assert(before == NULL);
}

enum verdict coins_connect(struct coins *coins, const struct tx_view *tx, int64_t height,
                           uint64_t *fee)
{
    *fee = 0;
    if (coins_has_tx(coins, &tx->summary.txid))
        return VERDICT_TXID_TWICE;
    if (!tx_is_coinbase(tx)) {
        enum verdict verdict = coins_check_tx(tx, height, lookup_here, coins, fee);
        if (verdict != VERDICT_OK)
            return verdict;
    }
    mark_inputs(coins, tx, true);
    add_outputs(coins, tx, height);
    return VERDICT_OK;
}

void coins_disconnect(struct coins *coins, const struct tx_view *tx)
{
    struct coin_set *set = map_remove(coins->sets, &tx->summary.txid);
    assert(set != NULL);
    free(set);
    mark_inputs(coins, tx, false);
}
