// Loose grains: valid shares that the best chain has neither credited nor passed by (sections 7 and
// 9). The list follows the best chain; what a link may include of it is decided when a link is
// minted.
#include <stdlib.h>
#include <string.h>
#include "sharechain/state.h"

static bool loose_fit(struct sharechain *chain)
{
    if (chain->loose_count < chain->loose_capacity)
        return true;
    size_t capacity = chain->loose_capacity == 0 ? 256 : chain->loose_capacity * 2;
    struct entry **grown = realloc(chain->loose, capacity * sizeof(struct entry *));
    if (grown == NULL)
        return false;
    chain->loose = grown;
    chain->loose_capacity = capacity;
    return true;
}

// Out of the horizon of the best link, and of any near it.
static bool is_expired(const struct sharechain *chain, const struct entry *entry)
{
    return (int64_t)entry->anchor->height + 1 + 2 * (int64_t)chain->pool->horizon <
           (int64_t)chain->best->height;
}

static bool is_settled(const struct sharechain *chain, const struct entry *entry)
{
    return entry_is_credited(entry, chain->best) ||
           (entry->link != NULL && link_is_ancestor(entry->link, chain->best));
}

void loose_add(struct sharechain *chain, struct entry *entry)
{
    if (entry->loose_index != LOOSE_NONE || entry->is_detached || is_expired(chain, entry) ||
        is_settled(chain, entry) || !loose_fit(chain))
        return;
    entry->loose_index = (uint32_t)chain->loose_count;
    chain->loose[chain->loose_count] = entry;
    chain->loose_count++;
}

void loose_remove(struct sharechain *chain, struct entry *entry)
{
    if (entry->loose_index == LOOSE_NONE)
        return;
    chain->loose_count--;
    struct entry *last = chain->loose[chain->loose_count];
    chain->loose[entry->loose_index] = last;
    last->loose_index = entry->loose_index;
    entry->loose_index = LOOSE_NONE;
}

static void loose_add_grains(struct sharechain *chain, const struct link *link)
{
    struct buffer bytes;
    buffer_init(&bytes, 16 + 32 * (size_t)chain->pool->body_grains_max);
    struct body body;
    if (sharechain_body_bytes(chain, &link->entry->id, &bytes) &&
        body_decode(bytes.data, bytes.size, chain->pool->body_grains_max, &body)) {
        for (size_t i = 0; i < body.count; i++) {
            struct hash256 id;
            body_id_at(&body, i, &id);
            struct entry *grain = map_find(chain->entries, &id);
            if (grain != NULL)
                loose_add(chain, grain);
        }
    }
    buffer_clear(&bytes);
}

// The best chain went from one link to another: what the left links held becomes loose again, what
// the new ones credit or are is settled.
void loose_move(struct sharechain *chain, struct link *from, struct link *to)
{
    struct link *common = link_common_ancestor(from, to);
    for (struct link *link = from; link != common; link = link->parent) {
        loose_add(chain, link->entry);
        loose_add_grains(chain, link);
    }
    for (size_t i = 0; i < chain->loose_count;) {
        struct entry *entry = chain->loose[i];
        if (is_settled(chain, entry) || is_expired(chain, entry))
            loose_remove(chain, entry); // the last one takes its place
        else
            i++;
    }
}

// ---- What a new link includes

struct choice {
    struct entry *entry;
    bool is_chosen;
};

static int compare_ids(const void *a, const void *b)
{
    const struct choice *left = a;
    const struct choice *right = b;
    return hash_compare(&left->entry->id, &right->entry->id);
}

static int compare_hashes(const void *a, const void *b)
{
    return hash_compare(a, b);
}

// Rules 1, 2, 3 and 5 of section 7, for a link anchored on `anchor`. Rule 4 is the caller's, who
// knows what else goes in.
static bool may_include(const struct sharechain *chain, const struct entry *entry,
                        struct link *anchor)
{
    int64_t height = (int64_t)anchor->height + 1;
    int64_t grain_height = (int64_t)entry->anchor->height + 1;
    if (entry->is_detached || grain_height > height || grain_height < height - chain->pool->horizon)
        return false;
    if (entry->link != NULL && link_is_ancestor(entry->link, anchor))
        return false;
    if (entry_is_credited(entry, anchor))
        return false;
    return link_epoch(entry->anchor, entry->prev->height) ==
           link_epoch(anchor, entry->prev->height);
}

static bool is_chosen(const struct choice *choices, size_t count, struct entry *entry)
{
    struct choice key = {.entry = entry};
    const struct choice *found = bsearch(&key, choices, count, sizeof(*choices), compare_ids);
    return found != NULL && found->is_chosen;
}

// Rule 4: the anchor is an ancestor link, was credited by one, or goes into the same body.
static bool anchor_is_covered(const struct choice *choices, size_t count, const struct entry *entry,
                              struct link *anchor)
{
    if (link_is_ancestor(entry->anchor, anchor))
        return true;
    struct entry *grain_anchor = entry->anchor->entry;
    return entry_is_credited(grain_anchor, anchor) || is_chosen(choices, count, grain_anchor);
}

// In id order, "so that no size of miner is starved"; again while anchors that went in let others
// follow.
static size_t choose(struct choice *choices, size_t count, struct link *anchor, size_t chosen_max)
{
    size_t chosen = 0;
    bool is_changed = true;
    while (is_changed && chosen < chosen_max) {
        is_changed = false;
        for (size_t i = 0; i < count && chosen < chosen_max; i++) {
            if (choices[i].is_chosen ||
                !anchor_is_covered(choices, count, choices[i].entry, anchor))
                continue;
            choices[i].is_chosen = true;
            is_changed = true;
            chosen++;
        }
    }
    return chosen;
}

struct hash256 *loose_choose(struct sharechain *chain, struct link *anchor, size_t *count)
{
    *count = 0;
    struct choice *choices = malloc((chain->loose_count + 1) * sizeof(*choices));
    if (choices == NULL)
        return NULL;
    size_t candidates = 0;
    for (size_t i = 0; i < chain->loose_count; i++) {
        if (may_include(chain, chain->loose[i], anchor))
            choices[candidates++] = (struct choice){chain->loose[i], false};
    }
    qsort(choices, candidates, sizeof(*choices), compare_ids);
    size_t chosen = choose(choices, candidates, anchor, chain->pool->body_grains_max);
    struct hash256 *ids = chosen == 0 ? NULL : malloc(chosen * sizeof(*ids));
    for (size_t i = 0; i < candidates && ids != NULL; i++) {
        if (choices[i].is_chosen)
            ids[(*count)++] = choices[i].entry->id;
    }
    free(choices);
    if (ids != NULL)
        qsort(ids, *count, sizeof(*ids), compare_hashes);
    return ids;
}
