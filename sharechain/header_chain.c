#include "sharechain/header_chain.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/map.h"
#include "node/pow/target.h"

#define RETARGET_PERIOD 2016
#define MEDIAN_SPAN     11

// A header that is not judged yet. While it waits it stands in three places: the map by its own id,
// the ring of those that wait for the same parent, and the queue of all that wait, by age.
struct waiting_header {
    struct hash256 id;
    struct hash256 prev;
    struct hash256 pow;
    bool has_pow;
    uint8_t bytes[HEADER_SIZE];
    struct waiting_header *sibling_next;
    struct waiting_header *sibling_previous;
    struct waiting_header *newer; // the next of a queue
    struct waiting_header *older;
};

struct header_chain {
    const struct pool *pool;
    struct header_chain_events events;
    struct pow_memory *pow_memory;
    struct map *good;     // id -> struct header_node
    struct map *waiting;  // id -> struct waiting_header
    struct map *children; // parent's id -> the first struct waiting_header that waits for it
    struct map *invalid;  // id -> anything
    struct hash256 invalid_ids[HEADER_CHAIN_INVALID_MAX]; // the same ids, overwritten in turn
    size_t invalid_next;
    struct waiting_header *oldest;
    struct waiting_header *newest;
    struct header_node *anchor;
    const struct header_node *best;
};

static void *must_have(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

// The time that a child's must pass: "the median of the last 11 headers up to and including the
// parent, back to the anchor at most; of an even count the upper middle".
static uint32_t median_time_of(const struct header_node *node)
{
    uint32_t times[MEDIAN_SPAN];
    size_t count = 0;
    for (; node != NULL && count < MEDIAN_SPAN; node = node->parent) {
        size_t at = count++;
        for (; at > 0 && times[at - 1] > node->time; at--)
            times[at] = times[at - 1];
        times[at] = node->time;
    }
    return times[count / 2];
}

// Skips in the manner of a skew-binary list: where the parent's two last skips are of equal length
// a third step spans both, else the skip is the parent. Any ancestor is then a logarithmic number
// of steps away.
static const struct header_node *skip_of(const struct header_node *parent)
{
    const struct header_node *skip = parent->skip;
    if (skip == NULL || skip->skip == NULL)
        return parent;
    bool are_equal = parent->height - skip->height == skip->height - skip->skip->height;
    return are_equal ? skip->skip : parent;
}

const struct header_node *header_node_ancestor(const struct header_node *node, int64_t height)
{
    while (node->height > height) {
        assert(node->parent != NULL);
        node = node->skip->height >= height ? node->skip : node->parent;
    }
    assert(node->height == height);
    return node;
}

static struct header_node *node_new(const uint8_t bytes[HEADER_SIZE], const struct hash256 *id)
{
    struct header_node *node = must_have(calloc(1, sizeof(*node)));
    struct header header;
    header_decode(bytes, &header);
    memcpy(node->bytes, bytes, HEADER_SIZE);
    node->id = *id;
    node->time = header.time;
    node->bits = header.bits;
    return node;
}

static struct header_node *anchor_new(const struct pool *pool)
{
    struct hash256 id;
    header_id(pool->anchor_header, &id);
    struct header_node *anchor = node_new(pool->anchor_header, &id);
    anchor->height = pool->anchor_height;
    anchor->median_time = median_time_of(anchor);
    return anchor;
}

struct header_chain *header_chain_new(const struct env *env, const struct pool *pool,
                                      const struct header_chain_events *events)
{
    struct header_chain *chain = calloc(1, sizeof(*chain));
    if (chain == NULL)
        return NULL;
    chain->pow_memory = pow_memory_new(pool->chain->pow);
    if (chain->pow_memory == NULL) {
        free(chain);
        return NULL;
    }
    chain->pool = pool;
    if (events != NULL)
        chain->events = *events;
    chain->good = map_new(env);
    chain->waiting = map_new(env);
    chain->children = map_new(env);
    chain->invalid = map_new(env);
    chain->anchor = anchor_new(pool);
    chain->best = chain->anchor;
    map_set(chain->good, &chain->anchor->id, chain->anchor);
    return chain;
}

void header_chain_free(struct header_chain *chain)
{
    if (chain == NULL)
        return;
    size_t cursor = 0;
    struct hash256 id;
    void *node;
    while (map_next(chain->good, &cursor, &id, &node))
        free(node);
    while (chain->oldest != NULL) {
        struct waiting_header *waiting = chain->oldest;
        chain->oldest = waiting->newer;
        free(waiting);
    }
    map_free(chain->good);
    map_free(chain->waiting);
    map_free(chain->children);
    map_free(chain->invalid);
    pow_memory_free(chain->pow_memory);
    free(chain);
}

// The time from which a retarget measures: of the period's first header, or of the one before it on
// coins whose retarget reaches there. Below height 0 there is none: the first period of such a coin
// is one interval shorter.
static int64_t retarget_first_time(const struct header_chain *chain,
                                   const struct header_node *first)
{
    if (!chain->pool->chain->retarget_reaches_before || first->height == 0)
        return first->time;
    return first->parent != NULL ? first->parent->time : chain->pool->anchor_prev_time;
}

// parent is the last header of a period; the anchor begins one, so its first is on the chain.
static uint32_t retarget_after(const struct header_chain *chain, const struct header_node *parent)
{
    const struct chain_params *params = chain->pool->chain;
    const struct header_node *first =
        header_node_ancestor(parent, parent->height - (RETARGET_PERIOD - 1));
    // BIP 94: the period's last header may be an exception, its first never is.
    uint32_t scaled = params->bits_rule == BITS_RETARGET_TESTNET4 ? first->bits : parent->bits;
    return chain_retarget_bits(params, scaled, retarget_first_time(chain, first), parent->time);
}

// Within a period of testnet4: a header more than 20 minutes after its parent may be as easy as the
// limit, any other has the bits of the last one that was no such exception.
static uint32_t testnet4_bits(const struct chain_params *params, const struct header_node *parent,
                              uint32_t time)
{
    if ((int64_t)time > (int64_t)parent->time + 2 * (int64_t)params->spacing)
        return params->bits_limit;
    while (parent->parent != NULL && parent->height % RETARGET_PERIOD != 0 &&
           parent->bits == params->bits_limit)
        parent = parent->parent;
    return parent->bits;
}

uint32_t header_chain_required_bits(const struct header_chain *chain,
                                    const struct header_node *parent, uint32_t time)
{
    const struct chain_params *params = chain->pool->chain;
    bool is_retarget = (parent->height + 1) % RETARGET_PERIOD == 0;
    switch (params->bits_rule) {
    case BITS_RETARGET:
        return is_retarget ? retarget_after(chain, parent) : parent->bits;
    case BITS_RETARGET_TESTNET4:
        return is_retarget ? retarget_after(chain, parent) : testnet4_bits(params, parent, time);
    case BITS_CONSTANT:
        return params->bits_limit;
    case BITS_OF_ANCHOR:
        return chain->anchor->bits;
    }
    abort();
}

uint32_t header_chain_plain_bits(const struct header_chain *chain, const struct header_node *node)
{
    const struct chain_params *params = chain->pool->chain;
    switch (params->bits_rule) {
    case BITS_RETARGET:
    case BITS_RETARGET_TESTNET4:
        return header_node_ancestor(node, node->height - node->height % RETARGET_PERIOD)->bits;
    case BITS_CONSTANT:
        return params->bits_limit;
    case BITS_OF_ANCHOR:
        return chain->anchor->bits;
    }
    abort();
}

const struct header_node *header_chain_find(const struct header_chain *chain,
                                            const struct hash256 *id)
{
    return map_find(chain->good, id);
}

const struct header_node *header_chain_anchor(const struct header_chain *chain)
{
    return chain->anchor;
}

const struct header_node *header_chain_best(const struct header_chain *chain)
{
    return chain->best;
}

size_t header_chain_count(const struct header_chain *chain)
{
    return map_count(chain->good);
}

size_t header_chain_waiting_count(const struct header_chain *chain)
{
    return map_count(chain->waiting);
}

enum verdict header_chain_verdict(const struct header_chain *chain, const struct hash256 *id)
{
    if (map_find(chain->good, id) != NULL)
        return VERDICT_VALID;
    return map_find(chain->invalid, id) != NULL ? VERDICT_INVALID : VERDICT_UNKNOWN;
}

// "a header is good if its parent is good, its proof of work and bits are right, and its time is
// above the median time of its parent". The proof of work comes last: it may be the dear part.
static bool is_good(struct header_chain *chain, const struct header_node *parent,
                    const struct header_node *node, const struct waiting_header *waiting)
{
    struct u256 target;
    if (node->time <= parent->median_time ||
        node->bits != header_chain_required_bits(chain, parent, node->time) ||
        !target_expand(node->bits, &target))
        return false;
    if (waiting->has_pow)
        return target_is_met(&waiting->pow, &target);
    if (chain->pool->chain->pow == POW_SHA256D)
        return target_is_met(&node->id, &target);
    struct hash256 pow;
    pow_hash(chain->pow_memory, node->bytes, &pow);
    return target_is_met(&pow, &target);
}

static void attach(struct header_chain *chain, const struct header_node *parent,
                   struct header_node *node)
{
    struct u256 target;
    bool expands = target_expand(node->bits, &target);
    assert(expands);
    struct u256 work = target_work(&target);
    node->parent = parent;
    node->skip = skip_of(parent);
    node->height = parent->height + 1;
    node->chainwork = u256_add(&parent->chainwork, &work);
    node->median_time = median_time_of(node);
    map_set(chain->good, &node->id, node);
    if (u256_compare(&node->chainwork, &chain->best->chainwork) > 0)
        chain->best = node;
    if (chain->events.header_became_good != NULL)
        chain->events.header_became_good(chain->events.context, node);
}

static void refuse(struct header_chain *chain, const struct hash256 *id)
{
    struct hash256 *place = &chain->invalid_ids[chain->invalid_next];
    chain->invalid_next = (chain->invalid_next + 1) % HEADER_CHAIN_INVALID_MAX;
    map_remove(chain->invalid, place);
    *place = *id;
    map_set(chain->invalid, id, chain);
    if (chain->events.header_became_invalid != NULL)
        chain->events.header_became_invalid(chain->events.context, id);
}

static void judge(struct header_chain *chain, const struct waiting_header *waiting)
{
    const struct header_node *parent = header_chain_find(chain, &waiting->prev);
    if (parent == NULL) {
        refuse(chain, &waiting->id); // its parent is known, and not good
        return;
    }
    struct header_node *node = node_new(waiting->bytes, &waiting->id);
    if (is_good(chain, parent, node, waiting)) {
        attach(chain, parent, node);
        return;
    }
    free(node);
    refuse(chain, &waiting->id);
}

// Takes it out of the three places; it is the caller's then.
static void stop_waiting(struct header_chain *chain, struct waiting_header *waiting)
{
    map_remove(chain->waiting, &waiting->id);
    if (waiting->sibling_next == waiting) {
        map_remove(chain->children, &waiting->prev);
    } else {
        waiting->sibling_next->sibling_previous = waiting->sibling_previous;
        waiting->sibling_previous->sibling_next = waiting->sibling_next;
        if (map_find(chain->children, &waiting->prev) == waiting)
            map_set(chain->children, &waiting->prev, waiting->sibling_next);
    }
    *(waiting->older != NULL ? &waiting->older->newer : &chain->oldest) = waiting->newer;
    *(waiting->newer != NULL ? &waiting->newer->older : &chain->newest) = waiting->older;
    waiting->newer = NULL;
    waiting->older = NULL;
}

static void start_waiting(struct header_chain *chain, struct waiting_header *waiting)
{
    if (map_count(chain->waiting) == HEADER_CHAIN_WAITING_MAX) {
        struct waiting_header *dropped = chain->oldest;
        stop_waiting(chain, dropped);
        free(dropped);
    }
    map_set(chain->waiting, &waiting->id, waiting);
    struct waiting_header *first = map_find(chain->children, &waiting->prev);
    if (first == NULL) {
        waiting->sibling_next = waiting;
        waiting->sibling_previous = waiting;
        map_set(chain->children, &waiting->prev, waiting);
    } else {
        waiting->sibling_next = first;
        waiting->sibling_previous = first->sibling_previous;
        first->sibling_previous->sibling_next = waiting;
        first->sibling_previous = waiting;
    }
    waiting->older = chain->newest;
    *(chain->newest != NULL ? &chain->newest->newer : &chain->oldest) = waiting;
    chain->newest = waiting;
}

// Judges a header whose parent is known and then, in turn, all that waited for it: a queue, as a
// line of them may be thousands long.
static void settle(struct header_chain *chain, struct waiting_header *first)
{
    struct waiting_header *last = first;
    while (first != NULL) {
        judge(chain, first);
        struct waiting_header *child;
        while ((child = map_find(chain->children, &first->id)) != NULL) {
            stop_waiting(chain, child);
            last->newer = child;
            last = child;
        }
        struct waiting_header *done = first;
        first = first->newer;
        free(done);
    }
}

enum verdict header_chain_add(struct header_chain *chain, const uint8_t bytes[HEADER_SIZE],
                              const struct hash256 *pow)
{
    struct hash256 id;
    header_id(bytes, &id);
    enum verdict known = header_chain_verdict(chain, &id);
    if (known != VERDICT_UNKNOWN || map_find(chain->waiting, &id) != NULL)
        return known;
    struct header header;
    header_decode(bytes, &header);
    struct waiting_header *waiting = must_have(calloc(1, sizeof(*waiting)));
    waiting->id = id;
    waiting->prev = header.prev;
    memcpy(waiting->bytes, bytes, HEADER_SIZE);
    waiting->has_pow = pow != NULL;
    if (pow != NULL)
        waiting->pow = *pow;
    if (header_chain_verdict(chain, &header.prev) == VERDICT_UNKNOWN) {
        start_waiting(chain, waiting);
        return VERDICT_UNKNOWN;
    }
    settle(chain, waiting);
    return header_chain_verdict(chain, &id);
}
