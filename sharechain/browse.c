// Looking through a long chain for people: newest shares, those of one script, what a script is
// owed, blocks of the pool. Costs what is shown and one look at each link's credits at most, never
// a walk over all shares.
#include <stdlib.h>
#include <string.h>
#include "sharechain/state.h"

// A place in the list of shares: the height of the link that credits it (one more than the tip's
// for loose ones), and how many behind the first of that height.
#define PLACE_BITS 16
#define PLACE_LAST ((UINT64_C(1) << PLACE_BITS) - 1)

struct browse {
    const struct sharechain *chain;
    const struct share_browse *wanted;
    share_visitor *visit;
    void *context;
    size_t count;
    uint64_t next; // the place of the first that did not fit; 0: there is none yet
    uint32_t script;
};

static uint64_t make_place(uint32_t height, size_t behind)
{
    return ((uint64_t)height << PLACE_BITS) + (PLACE_LAST - behind);
}

// False if the page is full.
static bool tell(struct browse *browse, const struct entry *entry, uint64_t place)
{
    if (browse->wanted->from != 0 && place > browse->wanted->from)
        return true;
    if (browse->wanted->script != NULL && entry->script != browse->script)
        return true;
    if (browse->count == browse->wanted->count_max) {
        browse->next = place;
        return false;
    }
    struct share_view view;
    share_view_fill(browse->chain, entry, &view);
    browse->visit(browse->context, &view);
    browse->count++;
    return true;
}

// The newest first, as they were written down.
static int compare_records(const void *a, const void *b)
{
    const struct entry *const *left = a, *const *right = b;
    if ((*left)->record != (*right)->record)
        return (*left)->record < (*right)->record ? 1 : -1;
    return hash_compare(&(*left)->id, &(*right)->id);
}

static bool browse_loose(struct browse *browse)
{
    const struct sharechain *chain = browse->chain;
    uint32_t height = chain->best->height + 1;
    if (chain->loose_count == 0 ||
        (browse->wanted->from != 0 && browse->wanted->from >> PLACE_BITS < height))
        return true;
    struct entry **sorted = malloc(chain->loose_count * sizeof(*sorted));
    if (sorted == NULL)
        return true; // what is credited can be shown nevertheless
    memcpy(sorted, chain->loose, chain->loose_count * sizeof(*sorted));
    qsort(sorted, chain->loose_count, sizeof(*sorted), compare_records);
    bool has_room = true;
    for (size_t i = 0; i < chain->loose_count && i < PLACE_LAST && has_room; i++)
        has_room = tell(browse, sorted[i], make_place(height, i));
    free(sorted);
    return has_room;
}

// Credits are sorted by script. NULL if it gives none.
static const struct credit *find_credit(const struct link *link, uint32_t script)
{
    uint32_t low = 0, high = link->credits_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (link->credits[middle].script < script)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < link->credits_count && link->credits[low].script == script;
    return is_there ? &link->credits[low] : NULL;
}

static bool concerns_script(const struct link *link, uint32_t script)
{
    return link->entry->script == script || find_credit(link, script) != NULL;
}

// The link, and what it includes.
static bool browse_link(struct browse *browse, const struct link *link)
{
    const struct sharechain *chain = browse->chain;
    struct body body;
    struct buffer bytes;
    if (!tell(browse, link->entry, make_place(link->height, 0)))
        return false;
    if (link->grains_count == 0)
        return true;
    size_t grains_max = chain->pool->body_grains_max;
    buffer_init(&bytes, 16 + sizeof(struct hash256) * grains_max);
    bool has_room = true;
    bool is_here = sharechain_body_bytes(chain, &link->entry->id, &bytes) &&
                   body_decode(bytes.data, bytes.size, grains_max, &body);
    for (size_t i = 0; is_here && i < body.count && has_room; i++) {
        struct hash256 id;
        body_id_at(&body, i, &id);
        const struct entry *entry = map_find(chain->entries, &id);
        has_room = entry == NULL || tell(browse, entry, make_place(link->height, i + 1));
    }
    buffer_clear(&bytes);
    return has_room;
}

uint64_t sharechain_browse(const struct sharechain *chain, const struct share_browse *wanted,
                           share_visitor *visit, void *context)
{
    struct browse browse = {.chain = chain, .wanted = wanted, .visit = visit, .context = context};
    if (wanted->script != NULL && !script_find(chain, wanted->script, &browse.script))
        return 0;
    bool has_room = browse_loose(&browse);
    uint64_t from_height = wanted->from >> PLACE_BITS;
    uint32_t height = chain->best->height;
    if (wanted->from != 0 && from_height < height)
        height = (uint32_t)from_height;
    for (; height >= chain->root->height && height > 0 && has_room; height--) {
        const struct link *link = chain->best_chain[height];
        if (wanted->script == NULL || concerns_script(link, browse.script))
            has_room = browse_link(&browse, link);
    }
    return browse.next;
}

bool sharechain_each_included(const struct sharechain *chain, const struct hash256 *link,
                              share_visitor *visit, void *context)
{
    struct body body;
    struct buffer bytes;
    size_t grains_max = chain->pool->body_grains_max;
    buffer_init(&bytes, 16 + sizeof(struct hash256) * grains_max);
    bool is_here = sharechain_body_bytes(chain, link, &bytes) &&
                   body_decode(bytes.data, bytes.size, grains_max, &body);
    for (size_t i = 0; is_here && i < body.count; i++) {
        struct hash256 id;
        struct share_view view;
        body_id_at(&body, i, &id);
        if (sharechain_share(chain, &id, &view))
            visit(context, &view);
    }
    buffer_clear(&bytes);
    return is_here;
}

bool sharechain_script_weights(struct sharechain *chain, const struct script *script,
                               const struct hash256 *epoch, struct script_weights *weights)
{
    uint32_t index;
    struct link *link = find_link(chain, epoch);
    *weights = (struct script_weights){.loose_count = 0};
    if (link == NULL || !script_find(chain, script, &index))
        return false;
    if (link->parent != NULL && link_window_is_whole(chain, link) && window_move(chain, link))
        weights->window = chain->window.weights[index];
    for (uint32_t height = chain->best->height;
         height > link->height && height >= chain->root->height; height--) {
        const struct credit *credit = find_credit(chain->best_chain[height], index);
        if (credit != NULL)
            weights->credited_after = u256_add(&weights->credited_after, &credit->weight);
    }
    for (size_t i = 0; i < chain->loose_count; i++) {
        const struct entry *entry = chain->loose[i];
        struct u256 weight;
        if (entry->script != index)
            continue;
        entry_weight(chain, entry, &weight);
        weights->loose = u256_add(&weights->loose, &weight);
        weights->loose_count++;
    }
    return true;
}

bool sharechain_share_stored(const struct sharechain *chain, const struct hash256 *id,
                             struct share *share, struct hash256 *pow)
{
    uint8_t value[STORED_SHARE_SIZE_MAX];
    struct buffer buffer;
    buffer_init_fixed(&buffer, value, sizeof(value));
    if (!stored_share(chain, map_find(chain->entries, id), &buffer) || buffer.size < 32)
        return false;
    memcpy(pow->bytes, value, 32);
    return share_decode(value + 32, buffer.size - 32, share);
}

bool sharechain_share_tag(const struct sharechain *chain, const struct hash256 *id,
                          uint8_t tag[SHARE_NODE_TAG_SIZE])
{
    struct share share;
    struct hash256 pow;
    if (!sharechain_share_stored(chain, id, &share, &pow))
        return false;
    memcpy(tag, share.info.node_tag, SHARE_NODE_TAG_SIZE);
    return true;
}

bool sharechain_block(const struct sharechain *chain, const struct hash256 *id,
                      struct pool_block *block)
{
    const struct entry *entry = map_find(chain->entries, id);
    const struct header_node *node = header_chain_find(chain->headers, id);
    if (entry == NULL || node == NULL)
        return false;
    *block = (struct pool_block){
        .id = *id,
        .height = node->height,
        .time = node->time,
        .bits = node->bits,
        .payout_script = chain->scripts[entry->script],
        .link_height = entry->anchor->height + 1,
        .credits_before = entry->anchor->credits_to,
        .is_link = entry->link != NULL,
    };
    return true;
}
