#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/limits.h"
#include "sharechain/state.h"

#define WAITING_IDS_REMEMBERED 16384

// ---- Making and freeing

static void on_header_good(void *context, const struct header_node *node)
{
    struct sharechain *chain = context;
    persist_header(chain, node);
    waiting_wake(chain, WAIT_HEADER, &node->id, false);
}

static void on_header_invalid(void *context, const struct hash256 *id)
{
    waiting_wake(context, WAIT_HEADER, id, true);
}

static bool sharechain_allocate(struct sharechain *chain)
{
    const struct env *env = chain->env;
    struct header_chain_events events = {chain, on_header_good, on_header_invalid};
    chain->pow_memory = pow_memory_new(chain->pool->chain->pow);
    chain->headers = header_chain_new(env, chain->pool, &events);
    chain->entries = map_new(env);
    chain->script_indices = map_new(env);
    chain->copies = map_new(env);
    chain->bodies = map_new(env);
    bool is_complete = chain->pow_memory != NULL && chain->headers != NULL &&
                       chain->entries != NULL && chain->script_indices != NULL &&
                       chain->copies != NULL && chain->bodies != NULL;
    for (size_t i = 0; i < WAIT_KINDS_COUNT; i++) {
        chain->waits[i] = map_new(env);
        is_complete = is_complete && chain->waits[i] != NULL;
    }
    is_complete = memory_init(&chain->refused, env, LIMIT_VERDICTS_REMEMBERED) && is_complete;
    is_complete = memory_init(&chain->waiting_ids, env, WAITING_IDS_REMEMBERED) && is_complete;
    return memory_init(&chain->bad_ids, env, LIMIT_VERDICTS_REMEMBERED) && is_complete;
}

// "Link 0 is virtual: id = pool_id, height 0, time = genesis_time, link bits = easiest_bits, tip =
// anchor header, no credits, work 0."
static bool genesis_init(struct sharechain *chain)
{
    chain->genesis.tip = header_chain_anchor(chain->headers);
    chain->genesis.skip_tip_min = chain->genesis.tip->height;
    chain->genesis.time = chain->pool->genesis_time;
    chain->root = &chain->genesis;
    chain->genesis.bits = chain->pool->easiest_bits;
    link_set_child_target(chain, &chain->genesis);
    chain->best = &chain->genesis;
    chain->best_capacity = 1024;
    chain->best_chain = calloc(chain->best_capacity, sizeof(struct link *));
    if (chain->best_chain != NULL)
        chain->best_chain[0] = &chain->genesis;
    return chain->best_chain != NULL;
}

struct sharechain *sharechain_new(const struct env *env, const struct pool *pool,
                                  struct store *store, const struct sharechain_events *events)
{
    struct sharechain *chain = calloc(1, sizeof(*chain));
    if (chain == NULL)
        return NULL;
    chain->env = env;
    chain->pool = pool;
    chain->store = store;
    if (events != NULL)
        chain->events = *events;
    chain->queue_last = &chain->queue_first;
    buffer_init(&chain->scratch, coinbase_prefix_size_max(COINBASE_OUTPUTS_MAX));
    if (sharechain_allocate(chain) && genesis_init(chain))
        return chain;
    sharechain_free(chain);
    return NULL;
}

void entries_clear(struct sharechain *chain)
{
    size_t cursor = 0;
    struct hash256 key;
    void *value;
    while (map_next(chain->entries, &cursor, &key, &value)) {
        map_remove(chain->entries, &key);
        struct entry *entry = value;
        while (entry->inclusions != NULL) {
            struct inclusion *next = entry->inclusions->next;
            free(entry->inclusions);
            entry->inclusions = next;
        }
        if (entry->candidate != NULL) {
            waiting_cancel(chain, &entry->candidate->waiter);
            free(entry->candidate);
        }
        free(entry);
    }
}

static void held_free(struct sharechain *chain)
{
    while (chain->sources != NULL)
        sharechain_forget_source(chain, chain->sources->number);
    while (chain->recent_oldest != NULL)
        body_entry_free(chain, chain->recent_oldest);
}

void sharechain_free(struct sharechain *chain)
{
    if (chain == NULL)
        return;
    held_free(chain);
    if (chain->entries != NULL)
        entries_clear(chain);
    map_free(chain->entries);
    for (size_t i = 0; i < WAIT_KINDS_COUNT; i++)
        map_free(chain->waits[i]);
    map_free(chain->copies);
    map_free(chain->bodies);
    map_free(chain->script_indices);
    memory_clear(&chain->refused);
    memory_clear(&chain->bad_ids);
    memory_clear(&chain->waiting_ids);
    for (size_t i = 0; i < chain->links_count; i++) {
        free(chain->links[i]->credits);
        free(chain->links[i]);
    }
    free(chain->links);
    free(chain->best_chain);
    free(chain->loose);
    free(chain->scripts);
    free(chain->script_uses);
    free(chain->free_scripts);
    map_free(chain->early);
    window_clear(&chain->window);
    for (size_t i = 0; i < PLAN_SLOTS; i++)
        payout_plan_release(chain->plans[i].plan);
    buffer_clear(&chain->scratch);
    header_chain_free(chain->headers);
    pow_memory_free(chain->pow_memory);
    free(chain);
}

// ---- Judging what is queued

static void share_is_invalid(struct sharechain *chain, const struct copy *copy)
{
    if (copy->has_object)
        memory_add(&chain->refused, &copy->object);
    if (!memory_has(&chain->bad_ids, &copy->id))
        return;
    waiting_wake(chain, WAIT_SHARE, &copy->id, true);
    waiting_wake(chain, WAIT_LINK, &copy->id, true);
}

// Every hash commits to a body, so every valid share with the work is a link attempt.
static void candidate_start(struct sharechain *chain, const struct copy *copy, struct entry *entry)
{
    struct candidate *candidate = calloc(1, sizeof(*candidate));
    if (candidate == NULL)
        return;
    candidate->waiter.kind = WAITER_CANDIDATE;
    candidate->entry = entry;
    candidate->body_root = copy->share.info.body_root;
    candidate->time = copy->share.info.time;
    candidate->source = copy->source;
    entry->candidate = candidate;
    waiting_queue(chain, &candidate->waiter);
}

static void share_is_valid(struct sharechain *chain, const struct copy *copy, struct entry *entry)
{
    persist_share(chain, copy, entry);
    loose_add(chain, entry);
    if (!chain->is_loading && chain->events.share_became_valid != NULL) {
        chain->told_source = copy->source;
        chain->events.share_became_valid(chain->events.context, &copy->id, copy->bytes, copy->size);
        chain->told_source = SHARECHAIN_OWN;
    }
    waiting_wake(chain, WAIT_SHARE, &copy->id, false);
    if (entry->misses_link)
        waiting_wake(chain, WAIT_LINK, &copy->id, true);
    else
        candidate_start(chain, copy, entry);
}

static enum verdict copy_judge(struct sharechain *chain, const struct copy *copy)
{
    struct entry *made;
    enum verdict verdict = share_check(chain, copy, &made);
    if (verdict == VERDICT_INVALID)
        share_is_invalid(chain, copy);
    else if (made != NULL)
        share_is_valid(chain, copy, made);
    return verdict;
}

static void waiting_copy_judge(struct sharechain *chain, struct waiting_copy *waiting)
{
    waiting_cancel(chain, &waiting->waiter);
    if (copy_judge(chain, &waiting->copy) == VERDICT_UNKNOWN)
        share_wait(chain, waiting);
    else
        waiting_copy_free(chain, waiting);
}

// ---- The best link

bool best_chain_fit(struct sharechain *chain, uint32_t height)
{
    if (height < chain->best_capacity)
        return true;
    size_t capacity = chain->best_capacity * 2 > height ? chain->best_capacity * 2 : height + 1u;
    struct link **grown = realloc(chain->best_chain, capacity * sizeof(struct link *));
    if (grown == NULL)
        return false;
    chain->best_chain = grown;
    chain->best_capacity = capacity;
    return true;
}

// Follows the heaviest of the links that became valid since `first`.
static void best_update(struct sharechain *chain, size_t first)
{
    struct link *old = chain->best;
    struct link *best = old;
    for (size_t i = first; i < chain->links_count; i++) {
        if (link_is_better(chain->links[i], best))
            best = chain->links[i];
    }
    if (best == old || !best_chain_fit(chain, best->height))
        return;
    struct link *common = link_common_ancestor(old, best);
    for (struct link *link = best; link != common; link = link->parent)
        chain->best_chain[link->height] = link;
    chain->best = best;
    loose_move(chain, old, best);
    if (!chain->is_loading && chain->events.tip_changed != NULL)
        chain->events.tip_changed(chain->events.context, link_id(chain, best),
                                  old->height - common->height);
}

void sharechain_settle(struct sharechain *chain)
{
    size_t first = chain->links_count;
    struct waiter *waiter;
    while ((waiter = waiting_next(chain)) != NULL) {
        switch (waiter->kind) {
        case WAITER_COPY:
            waiting_copy_judge(chain, (struct waiting_copy *)(void *)waiter);
            break;
        case WAITER_CANDIDATE:
            candidate_judge(chain, (struct candidate *)(void *)waiter);
            break;
        }
    }
    best_update(chain, first);
    holding_enforce(chain);
}

// ---- Adding

enum verdict sharechain_add_header(struct sharechain *chain, const uint8_t bytes[HEADER_SIZE])
{
    // What is on our own disk was checked before it got there: a hash of zero meets every target.
    static const struct hash256 trusted = {{0}};
    enum verdict verdict =
        header_chain_add(chain->headers, bytes, chain->is_loading ? &trusted : NULL);
    sharechain_settle(chain);
    return verdict;
}

void sharechain_add_body(struct sharechain *chain, const uint8_t *bytes, size_t size,
                         uint32_t source)
{
    struct body_entry *body = body_entry_add(chain, bytes, size, source);
    if (body != NULL)
        waiting_wake(chain, WAIT_BODY, &body->root, false);
    sharechain_settle(chain);
}

// Those of our own shares are hashed when the first copy of one comes back to us.
static const struct hash256 *object_of(const struct sharechain *chain, struct entry *entry)
{
    if (!entry->has_object) {
        uint8_t bytes[SHARE_SIZE_MAX];
        struct buffer buffer;
        buffer_init_fixed(&buffer, bytes, sizeof(bytes));
        entry->has_object = sharechain_share_bytes(chain, &entry->id, &buffer);
        sha256_once(bytes, buffer.size, &entry->object);
    }
    return &entry->object;
}

static enum verdict verdict_of_object(const struct sharechain *chain, const struct hash256 *object,
                                      const struct hash256 *id)
{
    struct entry *entry = map_find(chain->entries, id);
    if (entry != NULL && hash_equal(object_of(chain, entry), object))
        return VERDICT_VALID;
    return memory_has(&chain->refused, object) ? VERDICT_INVALID : VERDICT_UNKNOWN;
}

static void copy_hash(struct copy *copy)
{
    sha256_once(copy->bytes, copy->size, &copy->object);
    copy->has_object = true;
}

// Judges a copy from elsewhere. Only one that must wait is kept.
static enum verdict copy_add(struct sharechain *chain, struct copy *copy,
                             const struct share_arrival *arrival)
{
    copy_hash(copy);
    header_id(copy->share.header, &copy->id);
    enum verdict verdict = verdict_of_object(chain, &copy->object, &copy->id);
    if (verdict != VERDICT_UNKNOWN || map_find(chain->copies, &copy->object) != NULL)
        return verdict;
    if (arrival->pow != NULL)
        copy->pow = *arrival->pow;
    else
        pow_hash(chain->pow_memory, copy->share.header, &copy->pow);
    verdict = copy_judge(chain, copy);
    if (verdict != VERDICT_UNKNOWN)
        return verdict;
    struct waiting_copy *waiting = waiting_copy_new(chain, copy);
    if (waiting != NULL)
        share_wait(chain, waiting);
    return verdict;
}

// Judges one of a mint of ours. What it points to was here when that was made, so it never waits.
static enum verdict copy_add_own(struct sharechain *chain, struct copy *copy,
                                 const struct share_arrival *arrival)
{
    assert(arrival->pow != NULL);
    copy->pow = *arrival->pow;
    if (chain->pool->chain->pow == POW_SHA256D)
        copy->id = copy->pow; // the hash of the same header
    else
        header_id(copy->share.header, &copy->id);
    if (chain->store == NULL)
        copy_hash(copy); // there will be no bytes to make up for it from
    return copy_judge(chain, copy);
}

enum verdict sharechain_add_share(struct sharechain *chain, const struct share_arrival *arrival)
{
    struct copy copy;
    if (!share_decode(arrival->bytes, arrival->size, &copy.share))
        return VERDICT_INVALID;
    copy.bytes = arrival->bytes;
    copy.size = arrival->size;
    copy.mint = arrival->mint;
    copy.source = arrival->source;
    copy.has_object = false;
    enum verdict verdict = arrival->mint != NULL ? copy_add_own(chain, &copy, arrival)
                                                 : copy_add(chain, &copy, arrival);
    sharechain_settle(chain);
    if (arrival->body != NULL)
        sharechain_add_body(chain, arrival->body, arrival->body_size, arrival->source);
    return verdict;
}

// ---- Asking

enum verdict sharechain_share_verdict(const struct sharechain *chain, const uint8_t *bytes,
                                      size_t size)
{
    struct share share;
    if (!share_decode(bytes, size, &share))
        return VERDICT_INVALID;
    struct hash256 object, id;
    sha256_once(bytes, size, &object);
    header_id(share.header, &id);
    return verdict_of_object(chain, &object, &id);
}

enum verdict sharechain_link_verdict(const struct sharechain *chain, const struct hash256 *id,
                                     bool *misses_link)
{
    const struct entry *entry = map_find(chain->entries, id);
    if (misses_link != NULL)
        *misses_link = entry != NULL && entry->misses_link;
    return link_verdict(chain, id);
}

bool sharechain_has_share(const struct sharechain *chain, const struct hash256 *id)
{
    return map_find(chain->entries, id) != NULL;
}

uint32_t sharechain_told_source(const struct sharechain *chain)
{
    return chain->told_source;
}

const struct pool *sharechain_pool(const struct sharechain *chain)
{
    return chain->pool;
}

struct header_chain *sharechain_headers(const struct sharechain *chain)
{
    return chain->headers;
}
