#include "testnet/devchain/generator.h"

#include <stdlib.h>
#include <string.h>
#include "node/base/map.h"
#include "testnet/common/memory.h"
#include "testnet/devchain/genesis.h"
#include "testnet/devchain/open_script.h"

#define TX_SIZE_MAX      4096
#define SEQUENCE         0xfffffffdu // no relative lock, locktime in force, replaceable
#define PAYMENTS_MAX     4
#define PAYMENT_MIN      1000
#define PAYMENT_RANGE    100000
#define FEE_RATE_MAX     50 // satoshi per byte
#define PURSE_AMOUNT_MIN (PAYMENTS_MAX * (PAYMENT_MIN + PAYMENT_RANGE) + FEE_RATE_MAX * TX_SIZE_MAX)
#define TRIES            64 // purses looked at for one transaction
#define NO_PURSE         GENESIS_PURSES

// One open output that the generator spends next.
struct purse {
    struct hash256 txid;
    uint32_t index;
    uint64_t amount; // 0: no such output is known
};

struct generator {
    const struct env *env;
    struct purse purses[GENESIS_PURSES];
    struct script scripts[GENESIS_PURSES];
    struct map *by_program; // witness program -> its script in `scripts`
    size_t last;            // the purse used last
};

// What one transaction spends and pays.
struct plan {
    size_t purses[2];
    size_t purses_count;
    uint64_t payments[PAYMENTS_MAX];
    size_t payments_count;
    bool has_sigops; // payments are P2PKH, else P2WPKH
    uint64_t fee;
};

struct generator *generator_new(const struct env *env)
{
    struct generator *generator = memory_new(1, sizeof *generator);
    generator->env = env;
    generator->by_program = map_new(env);
    for (uint16_t i = 0; i < GENESIS_PURSES; i++) {
        struct script *script = &generator->scripts[i];
        genesis_purse_script(i, script);
        struct hash256 program;
        if (!genesis_purse_is_witness(i))
            continue;
        memcpy(program.bytes, script->bytes + 2, sizeof program.bytes);
        map_set(generator->by_program, &program, script);
    }
    return generator;
}

void generator_free(struct generator *generator)
{
    if (generator == NULL)
        return;
    map_free(generator->by_program);
    free(generator);
}

// The purse with this output script, NO_PURSE if there is none.
static size_t purse_of(const struct generator *generator, const uint8_t *script, size_t size)
{
    size_t i = NO_PURSE;
    if (size == OPEN_SCRIPT_SIZE) {
        i = script[1] | (size_t)script[2] << 8;
    } else if (size == 34) {
        struct hash256 program;
        memcpy(program.bytes, script + 2, sizeof program.bytes);
        const struct script *found = map_find(generator->by_program, &program);
        i = found != NULL ? (size_t)(found - generator->scripts) : NO_PURSE;
    }
    if (i >= GENESIS_PURSES || generator->scripts[i].size != size)
        return NO_PURSE;
    return memcmp(generator->scripts[i].bytes, script, size) == 0 ? i : NO_PURSE;
}

// Anybody may pay into a purse: the largest output is the one to use.
static void offer(struct generator *generator, const struct purse *purse, const uint8_t *script,
                  size_t script_size)
{
    size_t i = purse_of(generator, script, script_size);
    if (i != NO_PURSE && purse->amount > generator->purses[i].amount)
        generator->purses[i] = *purse;
}

static void offer_outputs(struct generator *generator, const struct mempool *mempool,
                          const struct tx_view *tx)
{
    struct tx_outputs walk = tx_outputs_begin(tx);
    struct tx_output output;
    for (uint32_t i = 0; tx_outputs_next(&walk, &output); i++) {
        struct purse purse = {tx->summary.txid, i, output.amount};
        if (!mempool_spends(mempool, &tx->summary.txid, i))
            offer(generator, &purse, output.script, output.script_size);
    }
}

void generator_find_funds(struct generator *generator, const struct chain *chain,
                          const struct mempool *mempool)
{
    memset(generator->purses, 0, sizeof generator->purses);
    struct coins_walk walk = {0};
    struct coin coin;
    while (coins_next(chain_coins(chain), &walk, &coin)) {
        struct purse purse = {walk.txid, walk.index, coin.amount};
        bool is_ours = !coin.is_coinbase || coin.height == 0;
        if (is_ours && !mempool_spends(mempool, &walk.txid, walk.index))
            offer(generator, &purse, coin.script, coin.script_size);
    }
    for (size_t i = 0; i < mempool_count(mempool); i++)
        offer_outputs(generator, mempool, &mempool_at(mempool, i)->tx);
}

static void write_open_input(const struct purse *purse, struct buffer *out)
{
    write_bytes(out, purse->txid.bytes, sizeof purse->txid.bytes);
    write_u32(out, purse->index);
    write_varint(out, 0);
    write_u32(out, SEQUENCE);
}

static void write_payment(struct generator *generator, const struct plan *plan, uint64_t amount,
                          struct buffer *out)
{
    uint8_t key_hash[20];
    env_random_bytes(generator->env, key_hash, sizeof key_hash);
    write_u64(out, amount);
    write_varint(out, plan->has_sigops ? 25 : 22);
    write_bytes(out, plan->has_sigops ? "\x76\xa9\x14" : "\x00\x14", plan->has_sigops ? 3 : 2);
    write_bytes(out, key_hash, sizeof key_hash);
    if (plan->has_sigops)
        write_bytes(out, "\x88\xac", 2);
}

// The first purse pays everything, the second one just moves.
static void write_outputs(struct generator *generator, const struct plan *plan, struct buffer *out)
{
    write_varint(out, plan->purses_count + plan->payments_count);
    for (size_t i = 0; i < plan->purses_count; i++) {
        uint64_t rest = generator->purses[plan->purses[i]].amount;
        for (size_t j = 0; i == 0 && j < plan->payments_count; j++)
            rest -= plan->payments[j];
        write_u64(out, i == 0 ? rest - plan->fee : rest);
        const struct script *script = &generator->scripts[plan->purses[i]];
        write_varint(out, script->size);
        write_bytes(out, script->bytes, script->size);
    }
    for (size_t i = 0; i < plan->payments_count; i++)
        write_payment(generator, plan, plan->payments[i], out);
}

static bool is_witness_purse(const struct plan *plan, size_t i)
{
    return genesis_purse_is_witness((uint16_t)plan->purses[i]);
}

static void write_witnesses(const struct plan *plan, struct buffer *out)
{
    for (size_t i = 0; i < plan->purses_count; i++) {
        uint8_t open[OPEN_SCRIPT_SIZE];
        write_varint(out, is_witness_purse(plan, i) ? 1 : 0);
        if (!is_witness_purse(plan, i))
            continue;
        open_script((uint16_t)plan->purses[i], open);
        write_varint(out, sizeof open);
        write_bytes(out, open, sizeof open);
    }
}

static void write_tx(struct generator *generator, const struct plan *plan, struct buffer *out)
{
    bool has_witness =
        is_witness_purse(plan, 0) || (plan->purses_count > 1 && is_witness_purse(plan, 1));
    write_u32(out, 2);
    if (has_witness)
        write_bytes(out, "\x00\x01", 2);
    write_varint(out, plan->purses_count);
    for (size_t i = 0; i < plan->purses_count; i++)
        write_open_input(&generator->purses[plan->purses[i]], out);
    write_outputs(generator, plan, out);
    if (has_witness)
        write_witnesses(plan, out);
    write_u32(out, 0);
}

static bool is_usable(const struct generator *generator, size_t i)
{
    return generator->purses[i].amount >= PURSE_AMOUNT_MIN;
}

// One transaction in three spends what the one before it made, so that templates have chains.
static size_t pick_purse(struct generator *generator)
{
    if (env_random_below(generator->env, 3) == 0 && is_usable(generator, generator->last))
        return generator->last;
    size_t start = (size_t)env_random_below(generator->env, GENESIS_PURSES);
    for (size_t i = 0; i < GENESIS_PURSES; i++) {
        size_t candidate = (start + i) % GENESIS_PURSES;
        if (is_usable(generator, candidate))
            return candidate;
    }
    return NO_PURSE;
}

static bool make_plan(struct generator *generator, struct plan *plan)
{
    *plan = (struct plan){.purses_count = 1};
    plan->purses[0] = pick_purse(generator);
    if (plan->purses[0] == NO_PURSE)
        return false;
    if (env_random_below(generator->env, 4) == 0) {
        plan->purses[1] = pick_purse(generator);
        plan->purses_count += plan->purses[1] != plan->purses[0];
    }
    plan->has_sigops = env_random_below(generator->env, 2) == 0;
    plan->payments_count = 1 + (size_t)env_random_below(generator->env, PAYMENTS_MAX);
    for (size_t i = 0; i < plan->payments_count; i++)
        plan->payments[i] = PAYMENT_MIN + env_random_below(generator->env, PAYMENT_RANGE);
    return true;
}

// The purses are in the transaction's first outputs from now on.
static void move_purses(struct generator *generator, const struct plan *plan,
                        const struct tx_view *tx)
{
    for (uint32_t i = 0; i < plan->purses_count; i++) {
        struct tx_output output;
        tx_output_at(tx->bytes, &tx->summary, i, &output);
        generator->purses[plan->purses[i]] = (struct purse){tx->summary.txid, i, output.amount};
    }
    generator->last = plan->purses[0];
}

static bool add_one(struct generator *generator, const struct chain *chain, struct mempool *mempool)
{
    struct plan plan;
    if (!make_plan(generator, &plan))
        return false;
    uint8_t bytes[TX_SIZE_MAX];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    write_tx(generator, &plan, &out); // once to know its size, which does not depend on the fee
    plan.fee = out.size * (1 + env_random_below(generator->env, FEE_RATE_MAX));
    buffer_reset(&out);
    write_tx(generator, &plan, &out);
    enum verdict verdict = mempool_accept(mempool, chain, out.data, out.size);
    if (verdict == VERDICT_OK) {
        struct reader reader = reader_init(out.data, out.size);
        struct tx_view tx;
        tx_view_read(&reader, &tx);
        move_purses(generator, &plan, &tx);
        return true;
    }
    // Somebody else has spent a purse: it is not ours until the funds are looked for again.
    if (verdict != VERDICT_TX_CHAIN_TOO_LONG && verdict != VERDICT_POOL_FULL) {
        for (size_t i = 0; i < plan.purses_count; i++)
            generator->purses[plan.purses[i]].amount = 0;
    }
    return false;
}

size_t generator_add(struct generator *generator, const struct chain *chain,
                     struct mempool *mempool, size_t count)
{
    size_t added = 0;
    for (size_t tries = 0; added < count && tries < TRIES; tries++) {
        if (!add_one(generator, chain, mempool))
            continue;
        added++;
        tries = 0;
    }
    return added;
}
