#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/limits.h"
#include "sharechain/state.h"

#define RECENT_BODIES_MAX 1024

// ---- A bounded memory of hashes

bool memory_init(struct memory *memory, const struct env *env, size_t capacity)
{
    *memory = (struct memory){.map = map_new(env), .capacity = capacity};
    memory->ring = calloc(capacity, sizeof(*memory->ring));
    return memory->map != NULL && memory->ring != NULL;
}

void memory_clear(struct memory *memory)
{
    map_free(memory->map);
    free(memory->ring);
    *memory = (struct memory){0};
}

bool memory_has(const struct memory *memory, const struct hash256 *hash)
{
    return map_find(memory->map, hash) != NULL;
}

void memory_add(struct memory *memory, const struct hash256 *hash)
{
    if (memory_has(memory, hash))
        return;
    struct hash256 *place = &memory->ring[memory->next];
    if (memory->count == memory->capacity)
        map_remove(memory->map, place);
    else
        memory->count++;
    *place = *hash;
    map_set(memory->map, hash, place);
    memory->next = (memory->next + 1) % memory->capacity;
}

// ---- Who waits for what

static struct wait_list *wait_list_get(struct sharechain *chain, enum wait_kind kind,
                                       const struct hash256 *key)
{
    struct wait_list *list = map_find(chain->waits[kind], key);
    if (list != NULL)
        return list;
    list = calloc(1, sizeof(*list));
    if (list == NULL)
        return NULL;
    list->key = *key;
    list->kind = kind;
    map_set(chain->waits[kind], key, list);
    return list;
}

void waiting_add(struct sharechain *chain, struct waiter *waiter, enum wait_kind kind,
                 const struct hash256 *key)
{
    struct wait *wait = calloc(1, sizeof(*wait));
    struct wait_list *list = wait == NULL ? NULL : wait_list_get(chain, kind, key);
    if (list == NULL) {
        free(wait);
        return; // out of memory: the object is judged again when it arrives again
    }
    wait->list = list;
    wait->waiter = waiter;
    wait->list_next = list->first;
    wait->list_back = &list->first;
    if (list->first != NULL)
        list->first->list_back = &wait->list_next;
    list->first = wait;
    wait->waiter_next = waiter->waits;
    wait->waiter_back = &waiter->waits;
    if (waiter->waits != NULL)
        waiter->waits->waiter_back = &wait->waiter_next;
    waiter->waits = wait;
}

static void wait_unlink(struct wait *wait)
{
    *wait->list_back = wait->list_next;
    if (wait->list_next != NULL)
        wait->list_next->list_back = wait->list_back;
    *wait->waiter_back = wait->waiter_next;
    if (wait->waiter_next != NULL)
        wait->waiter_next->waiter_back = wait->waiter_back;
    free(wait);
}

static void wait_list_free_if_empty(struct sharechain *chain, struct wait_list *list)
{
    if (list->first != NULL)
        return;
    map_remove(chain->waits[list->kind], &list->key);
    free(list);
}

void waiting_cancel(struct sharechain *chain, struct waiter *waiter)
{
    while (waiter->waits != NULL) {
        struct wait_list *list = waiter->waits->list;
        wait_unlink(waiter->waits);
        wait_list_free_if_empty(chain, list);
    }
}

void waiting_queue(struct sharechain *chain, struct waiter *waiter)
{
    if (waiter->is_queued)
        return;
    waiter->is_queued = true;
    waiter->queue_next = NULL;
    *chain->queue_last = waiter;
    chain->queue_last = &waiter->queue_next;
}

struct waiter *waiting_next(struct sharechain *chain)
{
    struct waiter *waiter = chain->queue_first;
    if (waiter == NULL)
        return NULL;
    chain->queue_first = waiter->queue_next;
    if (chain->queue_first == NULL)
        chain->queue_last = &chain->queue_first;
    waiter->is_queued = false;
    return waiter;
}

void waiting_wake(struct sharechain *chain, enum wait_kind kind, const struct hash256 *key,
                  bool is_bad)
{
    struct wait_list *list = map_find(chain->waits[kind], key);
    if (list == NULL)
        return;
    while (list->first != NULL) {
        struct waiter *waiter = list->first->waiter;
        wait_unlink(list->first);
        if (is_bad || waiter->waits == NULL)
            waiting_queue(chain, waiter);
    }
    wait_list_free_if_empty(chain, list);
}

// ---- Bytes held for sources

static struct source *source_get(struct sharechain *chain, uint32_t number)
{
    for (struct source *source = chain->sources; source != NULL; source = source->next) {
        if (source->number == number)
            return source;
    }
    struct source *source = calloc(1, sizeof(*source));
    if (source == NULL)
        return NULL;
    source->number = number;
    source->next = chain->sources;
    chain->sources = source;
    return source;
}

static void source_free_if_empty(struct sharechain *chain, struct source *source)
{
    if (source->oldest != NULL)
        return;
    for (struct source **at = &chain->sources; *at != NULL; at = &(*at)->next) {
        if (*at != source)
            continue;
        *at = source->next;
        free(source);
        return;
    }
}

void holding_add(struct sharechain *chain, struct holding *holding, uint32_t source_number,
                 size_t bytes)
{
    struct source *source = source_get(chain, source_number);
    holding->bytes = bytes;
    holding->source = source;
    if (source == NULL)
        return; // out of memory: held, but not charged
    holding->older = source->newest;
    holding->newer = NULL;
    if (source->newest != NULL)
        source->newest->newer = holding;
    else
        source->oldest = holding;
    source->newest = holding;
    source->bytes += bytes;
    chain->held_bytes += bytes;
}

void holding_remove(struct sharechain *chain, struct holding *holding)
{
    struct source *source = holding->source;
    if (source == NULL)
        return;
    if (holding->older != NULL)
        holding->older->newer = holding->newer;
    else
        source->oldest = holding->newer;
    if (holding->newer != NULL)
        holding->newer->older = holding->older;
    else
        source->newest = holding->older;
    source->bytes -= holding->bytes;
    chain->held_bytes -= holding->bytes;
    holding->source = NULL;
    source_free_if_empty(chain, source);
}

static void holding_drop(struct sharechain *chain, struct holding *holding)
{
    if (holding->is_body)
        body_entry_free(chain, (struct body_entry *)(void *)holding);
    else
        waiting_copy_free(chain,
                          (struct waiting_copy *)(void *)((char *)holding -
                                                          offsetof(struct waiting_copy, holding)));
}

// Our own objects are bounded by our own work; only strangers' are dropped.
static struct source *most_expensive_source(struct sharechain *chain)
{
    struct source *worst = NULL;
    for (struct source *source = chain->sources; source != NULL; source = source->next) {
        if (source->number == SHARECHAIN_OWN)
            continue;
        if (worst == NULL || source->bytes > worst->bytes)
            worst = source;
    }
    return worst;
}

void holding_enforce(struct sharechain *chain)
{
    for (;;) {
        struct source *worst = most_expensive_source(chain);
        if (worst == NULL)
            return;
        if (worst->bytes <= LIMIT_PENDING_SOURCE_BYTES && chain->held_bytes <= LIMIT_PENDING_BYTES)
            return;
        holding_drop(chain, worst->oldest);
    }
}

void sharechain_forget_source(struct sharechain *chain, uint32_t number)
{
    for (struct source *source = chain->sources; source != NULL; source = source->next) {
        if (source->number != number)
            continue;
        while (source->oldest->newer != NULL)
            holding_drop(chain, source->oldest);
        holding_drop(chain, source->oldest); // the last one frees the source
        return;
    }
}

// ---- Copies and bodies

struct waiting_copy *waiting_copy_new(struct sharechain *chain, const struct copy *copy)
{
    assert(copy->mint == NULL && copy->has_object);
    struct waiting_copy *waiting = calloc(1, sizeof(*waiting) + copy->size);
    if (waiting == NULL)
        return NULL;
    waiting->waiter.kind = WAITER_COPY;
    waiting->copy = *copy;
    waiting->copy.bytes = waiting->bytes;
    memcpy(waiting->bytes, copy->bytes, copy->size);
    map_set(chain->copies, &copy->object, waiting);
    holding_add(chain, &waiting->holding, copy->source, sizeof(*waiting) + copy->size);
    return waiting;
}

void waiting_copy_free(struct sharechain *chain, struct waiting_copy *waiting)
{
    assert(!waiting->waiter.is_queued);
    waiting_cancel(chain, &waiting->waiter);
    holding_remove(chain, &waiting->holding);
    map_remove(chain->copies, &waiting->copy.object);
    free(waiting);
}

static void recent_remove(struct sharechain *chain, struct body_entry *body)
{
    if (body->recent_next != NULL)
        body->recent_next->recent_previous = body->recent_previous;
    else
        chain->recent_newest = body->recent_previous;
    if (body->recent_previous != NULL)
        body->recent_previous->recent_next = body->recent_next;
    else
        chain->recent_oldest = body->recent_next;
    chain->recent_count--;
}

struct body_entry *body_entry_add(struct sharechain *chain, const uint8_t *bytes, size_t size,
                                  uint32_t source)
{
    struct hash256 root;
    body_root(bytes, size, &root);
    struct body_entry *body = map_find(chain->bodies, &root);
    if (body != NULL)
        return body;
    struct body decoded;
    bool is_bad = !body_decode(bytes, size, chain->pool->body_grains_max, &decoded);
    size_t kept = is_bad ? 0 : size;
    body = calloc(1, sizeof(*body) + kept);
    if (body == NULL)
        return NULL;
    body->holding.is_body = true;
    body->root = root;
    body->is_bad = is_bad;
    body->size = kept;
    if (kept > 0)
        memcpy(body->bytes, bytes, kept);
    map_set(chain->bodies, &root, body);
    holding_add(chain, &body->holding, source, sizeof(*body) + kept);
    return body;
}

// Bodies of links stay for a while (a race's links often share one), and are nobody's charge.
void body_entry_mark_used(struct sharechain *chain, struct body_entry *body)
{
    if (body->is_used)
        return;
    body->is_used = true;
    holding_remove(chain, &body->holding);
    body->recent_previous = chain->recent_newest;
    body->recent_next = NULL;
    if (chain->recent_newest != NULL)
        chain->recent_newest->recent_next = body;
    else
        chain->recent_oldest = body;
    chain->recent_newest = body;
    chain->recent_count++;
    if (chain->recent_count > RECENT_BODIES_MAX)
        body_entry_free(chain, chain->recent_oldest);
}

void body_entry_free(struct sharechain *chain, struct body_entry *body)
{
    if (body->is_used)
        recent_remove(chain, body);
    else
        holding_remove(chain, &body->holding);
    map_remove(chain->bodies, &body->root);
    free(body);
}
