// Pruning (protocol section 9): "Keep bodies and grains for two windows plus horizon; older links
// keep their skeleton". The root moves up the best chain; links below it, branches that do not
// stand on it and the shares anchored on either are taken out of memory and store.
#include <stdlib.h>
#include <string.h>
#include "sharechain/state.h"

// A link's grains are anchored up to a horizon below it, and on links that lost, whose own anchors
// lie deeper: so much below the first link whose grains are needed is kept for their sake.
#define SIDE_LINKS      120
#define PRUNE_LINKS_MIN 64 // fewer are not worth the caches

uint32_t lenient_links(const struct sharechain *chain)
{
    return chain->pool->horizon + SIDE_LINKS;
}

// ---- Where it may stand

// "two windows": that of the tip's E and that of the link before it, in whole, and half of one more
// for new nodes, who judge windows by work and need a while to fetch them. 0: not so far yet.
static uint32_t wanted_root(struct sharechain *chain)
{
    struct link *epoch = link_epoch(chain->best, chain->best->tip->height);
    if (epoch->parent == NULL || !link_window_is_whole(chain, epoch))
        return 0;
    uint32_t low = link_window_low(chain, epoch);
    if (low <= chain->root->height + 1)
        return 0;
    struct link *before = link_ancestor(epoch, low - 1);
    if (before->parent == NULL || !link_window_is_whole(chain, before))
        return 0;
    uint32_t second = link_window_low(chain, before);
    uint32_t kept = lenient_links(chain) + 1 + (low - second) / 2;
    return second > kept ? second - kept : 0;
}

// ---- Taking out

static void uninclude(struct sharechain *chain, const struct link *link)
{
    struct buffer bytes;
    struct body body;
    buffer_init(&bytes, 16 + 32 * (size_t)chain->pool->body_grains_max);
    bool is_here = sharechain_body_bytes(chain, &link->entry->id, &bytes) &&
                   body_decode(bytes.data, bytes.size, chain->pool->body_grains_max, &body);
    for (size_t i = 0; is_here && i < body.count; i++) {
        struct hash256 id;
        body_id_at(&body, i, &id);
        struct entry *grain = map_find(chain->entries, &id);
        struct inclusion **at = grain == NULL ? NULL : &grain->inclusions;
        while (at != NULL && *at != NULL && (*at)->link != link)
            at = &(*at)->next;
        if (at == NULL || *at == NULL)
            continue;
        struct inclusion *gone = *at;
        *at = gone->next;
        free(gone);
    }
    buffer_clear(&bytes);
}

static void inclusions_free(struct entry *entry)
{
    while (entry->inclusions != NULL) {
        struct inclusion *next = entry->inclusions->next;
        free(entry->inclusions);
        entry->inclusions = next;
    }
}

static void entry_drop(struct sharechain *chain, struct entry *entry)
{
    persist_drop(chain, entry);
    loose_remove(chain, entry);
    inclusions_free(entry);
    if (entry->candidate != NULL) {
        waiting_cancel(chain, &entry->candidate->waiter);
        free(entry->candidate);
    }
    map_remove(chain->entries, &entry->id);
    script_release(chain, entry->script);
    free(entry);
}

static struct link *bury(struct link *link, struct link *others)
{
    link->is_dead = true;
    link->dead_next = others;
    return link;
}

// Takes out what is anchored on a dead link, but for one entry. Links among it are put behind the
// last one of the list, before what stood there; the new last one.
static struct link *anchored_drop(struct sharechain *chain, struct link *dead, struct link *last,
                                  const struct entry *spared)
{
    struct link *end = last->dead_next;
    struct entry *entry = dead->anchored;
    dead->anchored = NULL;
    while (entry != NULL) {
        struct entry *following = entry->anchored_next;
        struct link *link = entry->link;
        if (entry != spared && link != NULL) {
            uninclude(chain, link);
            last->dead_next = bury(link, end);
            last = link;
        }
        if (entry != spared)
            entry_drop(chain, entry);
        entry = following;
    }
    return last;
}

// Takes a link of the best chain out, with everything that stands on it but the next one; the dead
// are added to the list.
static struct link *link_drop(struct sharechain *chain, struct link *first, const struct link *next,
                              struct link *dead)
{
    struct link *last = bury(first, dead);
    for (struct link *at = first; at != dead; at = at->dead_next)
        last = anchored_drop(chain, at, last, next->entry);
    return first;
}

static void links_compact(struct sharechain *chain)
{
    size_t kept = 0;
    for (size_t i = 0; i < chain->links_count; i++) {
        if (!chain->links[i]->is_dead)
            chain->links[kept++] = chain->links[i];
    }
    chain->links_count = kept;
}

static void credits_free(struct sharechain *chain, struct link *link)
{
    for (uint32_t i = 0; i < link->credits_count; i++)
        script_release(chain, link->credits[i].script);
    free(link->credits);
    link->credits = NULL;
    link->credits_count = 0;
}

static void dead_free(struct sharechain *chain, struct link *dead)
{
    while (dead != NULL) {
        struct link *next = dead->dead_next;
        credits_free(chain, dead);
        if (dead != &chain->genesis)
            free(dead);
        dead = next;
    }
}

// Links whose skips led below the root; parents stand before their children.
static void skips_mend(struct sharechain *chain)
{
    for (size_t i = 0; i < chain->links_count; i++) {
        struct link *link = chain->links[i];
        if (link != chain->root && link->skip->is_dead)
            link_set_skip(chain, link);
    }
}

void caches_forget(struct sharechain *chain)
{
    for (size_t i = 0; i < PLAN_SLOTS; i++) {
        payout_plan_release(chain->plans[i].plan);
        chain->plans[i] = (struct plan_slot){0};
    }
    memset(chain->prefixes, 0, sizeof(chain->prefixes));
    window_clear(&chain->window);
}

// Skeletons of the links up to the new root go where old ones stand, before anything is removed.
static bool skeletons_put(struct sharechain *chain, uint32_t height)
{
    for (uint32_t h = chain->root->height + 1; h <= height; h++) {
        uint8_t bytes[SKELETON_SIZE_MAX];
        struct buffer buffer;
        const struct hash256 *id = &chain->best_chain[h]->entry->id;
        buffer_init_fixed(&buffer, bytes, sizeof(bytes));
        if (!sharechain_skeleton(chain, id, &buffer))
            return false;
        struct old_link link = {.id = *id, .skeleton = bytes, .size = buffer.size};
        old_put(chain, h, &link);
    }
    return true;
}

// What dead links credit is of no more interest; of those before lenient_to, none is kept longer
// than they are.
static void early_forget(struct sharechain *chain)
{
    size_t cursor = 0;
    struct hash256 id;
    void *link;
    while (chain->early != NULL && map_next(chain->early, &cursor, &id, &link)) {
        if (((const struct link *)link)->is_dead)
            map_remove(chain->early, &id);
    }
    if (chain->root->height < chain->lenient_to)
        return;
    map_free(chain->early);
    chain->early = NULL;
}

// Copies that wait for what is below the root wait for ever.
void copies_forget(struct sharechain *chain)
{
    size_t cursor = 0;
    struct hash256 object;
    void *value;
    while (map_next(chain->copies, &cursor, &object, &value)) {
        struct waiting_copy *waiting = value;
        if (waiting->copy.share.info.link_height <= chain->root->height)
            waiting_copy_free(chain, waiting);
    }
}

bool root_move(struct sharechain *chain, uint32_t height)
{
    if (!skeletons_put(chain, height))
        return false;
    struct link *old = chain->root;
    struct link *root = chain->best_chain[height];
    uint32_t anchor_time = root->parent->time;
    chain->root = root;
    root_set_below(chain, anchor_time);
    root_save(chain);
    struct link *dead = NULL;
    // The root before has no share any more, but an entry, unless it is link 0.
    if (old->entry != NULL)
        entry_drop(chain, old->entry);
    for (struct link *link = old; link != root; link = chain->best_chain[link->height + 1]) {
        struct link *next = chain->best_chain[link->height + 1];
        dead = link_drop(chain, link, next, dead);
        if (next != root)
            entry_drop(chain, next->entry);
    }
    persist_drop(chain, root->entry);
    root->entry->record = 0;
    root->entry->anchor = &chain->below;
    inclusions_free(root->entry);
    root->parent = NULL;
    root->skip = NULL;
    credits_free(chain, root);
    if (chain->whole_from < height)
        chain->whole_from = height;
    if (chain->trusted_to < height)
        chain->trusted_to = 0; // nothing of it is here any more
    caches_forget(chain);
    links_compact(chain);
    skips_mend(chain);
    early_forget(chain);
    copies_forget(chain);
    dead_free(chain, dead);
    return true;
}

size_t sharechain_prune(struct sharechain *chain, size_t links_max)
{
    uint32_t wanted = chain->store == NULL ? 0 : wanted_root(chain);
    uint32_t height = chain->root->height;
    if (wanted < height + PRUNE_LINKS_MIN)
        return 0;
    size_t count = wanted - height;
    if (count > links_max)
        count = links_max;
    return root_move(chain, height + (uint32_t)count) ? count : 0;
}
