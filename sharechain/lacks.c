// What the objects that wait point to and is not here, for those who can ask others for it.
#include "sharechain/state.h"

#define LOOKED_AT_MAX 1024 // waits that one call looks at

struct search {
    struct sharechain *chain;
    struct lack_view *lacks;
    size_t count, max;
};

static uint32_t waiter_source(const struct waiter *waiter)
{
    if (waiter->kind == WAITER_CANDIDATE)
        return ((const struct candidate *)(const void *)waiter)->source;
    return ((const struct waiting_copy *)(const void *)waiter)->copy.source;
}

// Goes around a map of wait lists, from where the last walk ended, over LOOKED_AT_MAX of them.
static void walk_around(struct search *search, enum wait_kind kind,
                        void (*visit)(struct search *search, const struct wait_list *list))
{
    struct sharechain *chain = search->chain;
    const struct map *map = chain->waits[kind];
    size_t *cursor = &chain->lack_cursors[kind];
    size_t left = map_count(map) < LOOKED_AT_MAX ? map_count(map) : LOOKED_AT_MAX;
    if (*cursor > map_count(map))
        *cursor = 0;
    for (; left > 0 && search->count < search->max; left--) {
        struct hash256 key;
        void *list;
        if (!map_next(map, cursor, &key, &list)) {
            *cursor = 0;
            map_next(map, cursor, &key, &list);
        }
        visit(search, list);
    }
}

static void note(struct search *search, const struct hash256 *id, const struct wait_list *list)
{
    search->lacks[search->count].id = *id;
    search->lacks[search->count].source = waiter_source(list->first->waiter);
    search->count++;
}

// What waits itself is looked for last: an altered copy under an id must not keep the true one
// away, but in a line of orphans it is the head that is missing.
static bool is_waiting_itself(const struct sharechain *chain, const struct hash256 *id)
{
    return memory_has(&chain->waiting_ids, id);
}

static void visit_missing(struct search *search, const struct wait_list *list)
{
    if (map_find(search->chain->entries, &list->key) == NULL &&
        !is_waiting_itself(search->chain, &list->key))
        note(search, &list->key, list);
}

static void visit_altered(struct search *search, const struct wait_list *list)
{
    if (map_find(search->chain->entries, &list->key) == NULL &&
        is_waiting_itself(search->chain, &list->key))
        note(search, &list->key, list);
}

static void visit_body(struct search *search, const struct wait_list *list)
{
    const struct waiter *waiter = list->first->waiter;
    note(search, &((const struct candidate *)(const void *)waiter)->entry->id, list);
}

static void visit_header(struct search *search, const struct wait_list *list)
{
    note(search, &list->key, list);
}

size_t sharechain_lacking(struct sharechain *chain, enum sharechain_lack kind,
                          struct lack_view *lacks, size_t lacks_max)
{
    struct search search = {.chain = chain, .lacks = lacks, .max = lacks_max};
    switch (kind) {
    case LACK_SHARE:
        // A share that is waited for in both ways is noted twice, and asked for once.
        walk_around(&search, WAIT_LINK, visit_missing);
        walk_around(&search, WAIT_SHARE, visit_missing);
        walk_around(&search, WAIT_LINK, visit_altered);
        walk_around(&search, WAIT_SHARE, visit_altered);
        break;
    case LACK_BODY:
        walk_around(&search, WAIT_BODY, visit_body);
        break;
    case LACK_HEADER:
        walk_around(&search, WAIT_HEADER, visit_header);
        break;
    }
    return search.count;
}
