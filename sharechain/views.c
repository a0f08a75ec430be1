#include <string.h>
#include "sharechain/state.h"

static void view_link(const struct sharechain *chain, const struct link *link,
                      struct link_view *view)
{
    *view = (struct link_view){
        .id = *link_id(chain, link),
        .height = link->height,
        .time = link->time,
        .link_bits = link->bits,
        .work = link->work,
        .tip = link->tip->id,
        .tip_height = link->tip->height,
        .grains_count = link->grains_count,
        .credits_to = link->credits_to,
    };
    if (link->parent == NULL)
        return;
    view->anchor = *link_id(chain, link->parent);
    view->credits = u256_subtract(&link->credits_to, &link->parent->credits_to);
    view->is_detached = link->entry->is_detached;
    view->payout_script = chain->scripts[link->entry->script];
    entry_weight(chain, link->entry, &view->weight);
}

static struct link *find_valid_link(const struct sharechain *chain, const struct hash256 *id)
{
    const struct entry *entry = map_find(chain->entries, id);
    return entry == NULL ? NULL : entry->link;
}

void sharechain_tip(const struct sharechain *chain, struct link_view *view)
{
    view_link(chain, chain->best, view);
}

bool sharechain_link(const struct sharechain *chain, const struct hash256 *id,
                     struct link_view *view)
{
    if (hash_equal(id, &chain->pool->id)) {
        view_link(chain, &chain->genesis, view);
        return true;
    }
    const struct link *link = find_valid_link(chain, id);
    if (link != NULL)
        view_link(chain, link, view);
    return link != NULL;
}

bool sharechain_link_at(const struct sharechain *chain, uint32_t height, struct link_view *view)
{
    if (height > chain->best->height || height < chain->root->height)
        return false;
    view_link(chain, chain->best_chain[height], view);
    return true;
}

void sharechain_each_link(const struct sharechain *chain,
                          void (*visit)(void *context, const struct link_view *view), void *context)
{
    for (size_t i = 0; i < chain->links_count; i++) {
        struct link_view view;
        view_link(chain, chain->links[i], &view);
        visit(context, &view);
    }
}

void sharechain_link_credits(const struct sharechain *chain, const struct hash256 *id,
                             void (*visit)(void *context, const struct script *script,
                                           const struct u256 *weight),
                             void *context)
{
    const struct link *link = find_valid_link(chain, id);
    for (uint32_t i = 0; link != NULL && i < link->credits_count; i++)
        visit(context, &chain->scripts[link->credits[i].script], &link->credits[i].weight);
}

// The link of the best chain that credits it; NULL if none does.
static const struct link *crediting_link(const struct sharechain *chain, const struct entry *entry)
{
    if (entry->link != NULL && link_is_ancestor(entry->link, chain->best))
        return entry->link;
    for (const struct inclusion *at = entry->inclusions; at != NULL; at = at->next) {
        if (link_is_ancestor(at->link, chain->best))
            return at->link;
    }
    return NULL;
}

void share_view_fill(const struct sharechain *chain, const struct entry *entry,
                     struct share_view *view)
{
    const struct link *link = crediting_link(chain, entry);
    *view = (struct share_view){
        .id = entry->id,
        .anchor = *link_id(chain, entry->anchor),
        .link_height = entry->anchor->height + 1,
        .is_detached = entry->is_detached,
        .is_link = entry->link != NULL,
        .credited_height = link == NULL ? 0 : link->height,
        .payout_script = chain->scripts[entry->script],
    };
    entry_weight(chain, entry, &view->weight);
}

bool sharechain_share(const struct sharechain *chain, const struct hash256 *id,
                      struct share_view *view)
{
    const struct entry *entry = map_find(chain->entries, id);
    if (entry != NULL)
        share_view_fill(chain, entry, view);
    return entry != NULL;
}

void sharechain_each_loose(const struct sharechain *chain,
                           void (*visit)(void *context, const struct share_view *view),
                           void *context)
{
    for (size_t i = 0; i < chain->loose_count; i++) {
        struct share_view view;
        share_view_fill(chain, chain->loose[i], &view);
        visit(context, &view);
    }
}

static void view_window(const struct sharechain *chain, struct link *epoch,
                        struct window_view *view)
{
    uint32_t low = link_window_low(chain, epoch);
    view->epoch = *link_id(chain, epoch);
    view->epoch_height = epoch->height;
    view->links_count = epoch->height + 1 - low;
    link_window_sum(epoch, low, &view->sum);
}

bool sharechain_window(const struct sharechain *chain, const struct hash256 *id,
                       struct window_view *view)
{
    struct link *link = find_valid_link(chain, id);
    if (link == NULL || !link_window_is_whole(chain, link))
        return false;
    view_window(chain, link, view);
    return true;
}

bool sharechain_window_weights(struct sharechain *chain, const struct hash256 *id,
                               void (*visit)(void *context, const struct script *script,
                                             const struct u256 *weight),
                               void *context)
{
    struct link *link = find_valid_link(chain, id);
    if (link == NULL || !link_window_is_whole(chain, link) || !window_move(chain, link))
        return false;
    for (size_t i = 0; i < chain->scripts_count; i++) {
        if (!u256_is_zero(&chain->window.weights[i]))
            visit(context, &chain->scripts[i], &chain->window.weights[i]);
    }
    return true;
}

bool sharechain_share_window(const struct sharechain *chain, const struct hash256 *id,
                             struct window_view *view)
{
    const struct entry *entry = map_find(chain->entries, id);
    if (entry == NULL)
        return false;
    struct link *epoch = link_epoch(entry->anchor, entry->prev->height);
    if (!link_window_is_whole(chain, epoch))
        return false;
    view_window(chain, epoch, view);
    return true;
}

void sharechain_counts(const struct sharechain *chain, struct sharechain_counts *counts)
{
    *counts = (struct sharechain_counts){
        .headers = header_chain_count(chain->headers),
        .shares = map_count(chain->entries),
        .links = chain->links_count,
        .scripts = chain->scripts_count - chain->free_scripts_count,
        .loose = chain->loose_count,
        .waiting = map_count(chain->copies),
        .waiting_bytes = chain->held_bytes,
        .sequence = chain->sequence,
    };
}
