#include "testnet/devchain/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "node/base/u256.h"
#include "node/pow/target.h"
#include "testnet/common/memory.h"
#include "testnet/devchain/open_script.h"

#define PART            "chain"
#define POOL_BLOCKS_MAX 3      // traffic stops when this many blocks' worth wait
#define OWN_PURSE       0xffff // the open script that blocks of devreorg pay

static bool keep(void *context, const uint8_t *bytes, size_t size)
{
    struct daemon *daemon = context;
    if (daemon->store == NULL || store_append(daemon->store, bytes, size))
        return true;
    log_event(daemon->env->log, LOG_ERROR, PART,
              "cannot write a block, so it is not taken; make room on the disk",
              LOG_TEXT("directory", daemon->options.directory),
              LOG_TEXT("reason", strerror(errno)));
    return false;
}

// All stored blocks were good once; whatever is refused now is a sign of damage or of other rules.
static bool load_block(void *context, const uint8_t *bytes, size_t size)
{
    struct daemon *daemon = context;
    enum verdict verdict = chain_accept_stored(daemon->chain, bytes, size);
    if (verdict == VERDICT_OK || verdict == VERDICT_INCONCLUSIVE || verdict == VERDICT_DUPLICATE)
        return true;
    struct block block;
    if (!block_decode(&block, bytes, size))
        return false;
    const struct block_entry *entry = chain_find(daemon->chain, &block.id);
    block_clear(&block);
    return entry != NULL; // kept although it did not connect, as it was then
}

static bool load(struct daemon *daemon, char error[STORE_ERROR_SIZE])
{
    struct store_report report;
    struct store_options options = {.directory = daemon->options.directory,
                                    .genesis = chain_genesis(daemon->chain)->block.bytes,
                                    .each = load_block,
                                    .context = daemon};
    if (options.directory == NULL)
        return true;
    daemon->store = store_open(&options, &report, error);
    if (daemon->store == NULL)
        return false;
    if (report.cut_size > 0)
        log_event(daemon->env->log, LOG_WARN, PART,
                  "the last block on disk was not written whole and is cut off",
                  LOG_U64("bytes", report.cut_size));
    log_event(daemon->env->log, LOG_INFO, PART, "chain read from disk",
              LOG_U64("blocks", report.blocks),
              LOG_I64("height", chain_tip(daemon->chain)->height));
    return true;
}

struct daemon *daemon_new(const struct env *env, const struct daemon_options *options,
                          struct now now, char error[STORE_ERROR_SIZE])
{
    struct daemon *daemon = memory_new(1, sizeof *daemon);
    daemon->options = *options;
    daemon->env = env;
    daemon->started = now;
    daemon->generated_until = now.mono;
    struct chain_options chain = {.params = options->params,
                                  .bits = options->bits,
                                  .genesis_time = options->genesis_time,
                                  .store = keep,
                                  .store_context = daemon};
    daemon->chain = chain_new(env, &chain);
    daemon->mempool = mempool_new(env);
    daemon->generator = generator_new(env);
    if (!load(daemon, error)) {
        daemon_free(daemon);
        return NULL;
    }
    generator_find_funds(daemon->generator, daemon->chain, daemon->mempool);
    generator_add(daemon->generator, daemon->chain, daemon->mempool, options->transactions);
    return daemon;
}

void daemon_free(struct daemon *daemon)
{
    if (daemon == NULL)
        return;
    generator_free(daemon->generator);
    mempool_free(daemon->mempool);
    chain_free(daemon->chain);
    store_close(daemon->store);
    free(daemon);
}

static void log_tip(const struct daemon *daemon, const struct block_entry *old_tip)
{
    const struct block_entry *tip = chain_tip(daemon->chain);
    const struct block_entry *fork = chain_fork(old_tip, tip);
    char id[65];
    hash_to_display(&tip->block.id, id);
    if (fork == old_tip) {
        log_event(daemon->env->log, LOG_INFO, PART, "new block", LOG_I64("height", tip->height),
                  LOG_TEXT("hash", id), LOG_U64("transactions", tip->block.txs_count),
                  LOG_U64("bytes", tip->block.size));
        return;
    }
    log_event(daemon->env->log, LOG_WARN, PART, "reorganised", LOG_I64("height", tip->height),
              LOG_TEXT("hash", id), LOG_I64("blocks_lost", old_tip->height - fork->height));
}

enum verdict daemon_submit(struct daemon *daemon, const uint8_t *bytes, size_t size,
                           struct wall_time now)
{
    const struct block_entry *old_tip = chain_tip(daemon->chain);
    enum verdict verdict = chain_accept(daemon->chain, bytes, size, now);
    const struct block_entry *tip = chain_tip(daemon->chain);
    if (verdict != VERDICT_OK)
        log_event(daemon->env->log, LOG_WARN, PART, "block not taken",
                  LOG_TEXT("reason", verdict_text(verdict)), LOG_U64("bytes", size));
    if (tip == old_tip)
        return verdict;
    log_tip(daemon, old_tip);
    mempool_follow(daemon->mempool, daemon->chain, old_tip);
    if (tip->parent != old_tip)
        generator_find_funds(daemon->generator, daemon->chain, daemon->mempool);
    return verdict;
}

void daemon_tick(struct daemon *daemon, struct mono_time now)
{
    uint64_t wanted = daemon->options.transactions;
    double per_ms = (double)wanted / (daemon->options.spacing * 1000);
    double due = (double)(now.ms - daemon->generated_until.ms) * per_ms;
    if (wanted == 0 || due < 1)
        return;
    uint64_t room = POOL_BLOCKS_MAX * wanted;
    uint64_t waiting = mempool_count(daemon->mempool);
    uint64_t count = due < (double)room ? (uint64_t)due : room;
    // What is not made now is not made up for later, but fractions are.
    daemon->generated_until.ms = now.ms;
    if (due < (double)room)
        daemon->generated_until.ms -= (int64_t)((due - (double)count) / per_ms);
    if (waiting >= room)
        return;
    if (count > room - waiting)
        count = room - waiting;
    if (generator_add(daemon->generator, daemon->chain, daemon->mempool, count) == 0)
        generator_find_funds(daemon->generator, daemon->chain, daemon->mempool);
}

static bool mine_and_submit(struct daemon *daemon, const struct template *template,
                            const struct mine_options *mine, struct wall_time now,
                            struct hash256 *id)
{
    struct buffer block;
    buffer_init(&block, 2 * BLOCK_WEIGHT_MAX);
    bool is_taken = template_mine(daemon->chain, template, daemon->env, mine, &block);
    if (is_taken) {
        header_id(block.data, id);
        enum verdict verdict = daemon_submit(daemon, block.data, block.size, now);
        is_taken = verdict == VERDICT_OK || verdict == VERDICT_INCONCLUSIVE;
    }
    buffer_clear(&block);
    return is_taken;
}

bool daemon_generate(struct daemon *daemon, const struct mine_options *mine, struct wall_time now,
                     struct hash256 *id)
{
    uint64_t waiting = mempool_count(daemon->mempool);
    if (waiting < daemon->options.transactions)
        generator_add(daemon->generator, daemon->chain, daemon->mempool,
                      daemon->options.transactions - waiting);
    struct template template;
    template_build(daemon->chain, daemon->mempool, now, &template);
    bool is_taken = mine_and_submit(daemon, &template, mine, now, id);
    template_clear(&template);
    return is_taken;
}

bool daemon_reorganise(struct daemon *daemon, uint64_t count, uint64_t hashes_max,
                       struct wall_time now)
{
    struct script script;
    open_script_witness(OWN_PURSE, &script);
    struct mine_options mine = {script.bytes, script.size, hashes_max};
    const struct block_entry *parent =
        chain_at(daemon->chain, chain_tip(daemon->chain)->height - (int64_t)count);
    for (uint64_t i = 0; i <= count; i++) {
        struct template template;
        struct hash256 id;
        template_build_empty(daemon->chain, parent, now, &template);
        if (!mine_and_submit(daemon, &template, &mine, now, &id))
            return false;
        parent = chain_find(daemon->chain, &id);
    }
    return true;
}

double daemon_hashes_per_block(const struct daemon *daemon)
{
    struct u256 target;
    target_expand(chain_bits(daemon->chain), &target);
    struct u256 work = target_work(&target);
    return u256_to_double(&work);
}
