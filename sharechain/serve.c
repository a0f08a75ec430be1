// What others ask the best chain for: locators, headers and skeletons. Skeletons are made when a
// link becomes valid, while its payout list is at hand, and kept; one that is not there (its bytes
// were lost with the disk) is made when it is asked for.
#include <stdlib.h>
#include <string.h>
#include "sharechain/state.h"

#define LOCATOR_DENSE 10 // ids in a row before the steps grow

// ---- Locators

// Heights newest..lowest, ten in a row, then ever further apart; lowest is the last. heights has
// room for max, at least 2; the steps double, so that 64 reach across any chain.
static size_t locator_heights(int64_t newest, int64_t lowest, int64_t *heights, size_t max)
{
    size_t count = 0;
    int64_t step = 1;
    for (int64_t height = newest; height > lowest && count + 1 < max; height -= step) {
        heights[count] = height;
        count++;
        if (count >= LOCATOR_DENSE && step < INT64_MAX / 4)
            step *= 2;
    }
    heights[count] = lowest;
    return count + 1;
}

#define LOCATOR_HEIGHTS_MAX 64

static bool best_id(const struct sharechain *chain, uint32_t height, struct hash256 *id)
{
    if (height > 0 && height < chain->root->height)
        return old_id(chain, height, id);
    *id = height == 0 ? chain->pool->id : *link_id(chain, chain->best_chain[height]);
    return true;
}

size_t sharechain_link_locator(const struct sharechain *chain, struct hash256 *ids, size_t ids_max)
{
    int64_t heights[LOCATOR_HEIGHTS_MAX];
    size_t max = ids_max < LOCATOR_HEIGHTS_MAX ? ids_max : LOCATOR_HEIGHTS_MAX;
    size_t count = locator_heights(chain->best->height, 0, heights, max);
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += best_id(chain, (uint32_t)heights[i], &ids[found]) ? 1 : 0;
    return found;
}

size_t sharechain_header_locator(const struct sharechain *chain, struct hash256 *ids,
                                 size_t ids_max)
{
    int64_t heights[LOCATOR_HEIGHTS_MAX];
    size_t max = ids_max < LOCATOR_HEIGHTS_MAX ? ids_max : LOCATOR_HEIGHTS_MAX;
    const struct header_node *node = header_chain_best(chain->headers);
    int64_t lowest = header_chain_anchor(chain->headers)->height;
    size_t count = locator_heights(node->height, lowest, heights, max);
    for (size_t i = 0; i < count; i++) {
        node = header_node_ancestor(node, heights[i]);
        ids[i] = node->id;
    }
    return count;
}

// ---- Headers

// The newest good header of the locator that is on the branch; the anchor header if none is.
static const struct header_node *common_header(const struct sharechain *chain,
                                               const struct header_node *branch,
                                               const struct locator *locator)
{
    for (size_t i = 0; i < locator->count; i++) {
        const struct header_node *node = header_chain_find(chain->headers, &locator->ids[i]);
        if (node != NULL && node->height <= branch->height &&
            header_node_ancestor(branch, node->height) == node)
            return node;
    }
    return header_chain_anchor(chain->headers);
}

size_t sharechain_headers_after(const struct sharechain *chain, const struct hash256 *wanted,
                                const struct locator *locator, size_t count_max, struct buffer *out)
{
    const struct header_node *branch = wanted == NULL ? header_chain_best(chain->headers)
                                                      : header_chain_find(chain->headers, wanted);
    if (branch == NULL)
        return 0;
    const struct header_node *common = common_header(chain, branch, locator);
    size_t count = (size_t)(branch->height - common->height);
    if (count > count_max)
        count = count_max;
    if (count > (out->size_max - out->size) / HEADER_SIZE)
        count = (out->size_max - out->size) / HEADER_SIZE;
    if (count == 0 || !buffer_reserve(out, count * HEADER_SIZE))
        return 0;
    // Nodes know their parents only: filled from the last to the first.
    const struct header_node *node = header_node_ancestor(branch, common->height + (int64_t)count);
    for (size_t i = count; i > 0; i--) {
        memcpy(out->data + out->size + (i - 1) * HEADER_SIZE, node->bytes, HEADER_SIZE);
        node = node->parent;
    }
    out->size += count * HEADER_SIZE;
    return count;
}

// ---- Skeletons

// The whole coinbase of a share that is here and whose payout list has these outputs.
static void write_coinbase(const struct share *share, int64_t height,
                           const struct coinbase_output *outputs, size_t outputs_count,
                           struct buffer *out)
{
    struct coinbase_spec spec = {
        .height = height,
        .aux = share->info.has_aux ? share->info.aux : NULL,
        .outputs = outputs,
        .outputs_count = outputs_count,
        .witness_commitment = share->has_witness ? &share->witness_commitment : NULL,
    };
    struct hash256 hash;
    share_info_hash(&share->info, &hash);
    coinbase_write_prefix(&spec, out);
    coinbase_write_tail(&hash, share->extranonce, height, out);
}

static bool skeleton_build(struct sharechain *chain, const struct entry *entry,
                           struct skeleton *skeleton)
{
    uint8_t bytes[SHARE_SIZE_MAX];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    struct share share;
    if (!sharechain_share_bytes(chain, &entry->id, &buffer) ||
        !share_decode(bytes, buffer.size, &share))
        return false;
    size_t count;
    struct coinbase_output *outputs = malloc(COINBASE_OUTPUTS_MAX * sizeof(*outputs));
    if (outputs == NULL || !sharechain_share_outputs(chain, &entry->id, outputs, &count)) {
        free(outputs);
        return false;
    }
    struct buffer coinbase;
    buffer_init(&coinbase, coinbase_size(coinbase_prefix_size_max(COINBASE_OUTPUTS_MAX)));
    write_coinbase(&share, entry->prev->height + 1, outputs, count, &coinbase);
    free(outputs);
    bool is_whole = !coinbase.failed;
    if (is_whole)
        skeleton_make(&share, coinbase.data, coinbase.size, skeleton);
    buffer_clear(&coinbase);
    return is_whole;
}

static void skeleton_make_and_keep(struct sharechain *chain, const struct entry *entry)
{
    struct skeleton skeleton;
    if (chain->store == NULL || entry->record == 0 || !skeleton_build(chain, entry, &skeleton))
        return;
    uint8_t bytes[SKELETON_SIZE_MAX];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    skeleton_encode(&skeleton, &buffer);
    persist_skeleton(chain, entry->record, bytes, buffer.size);
}

void skeleton_keep(struct sharechain *chain, const struct link *link)
{
    skeleton_make_and_keep(chain, link->entry);
}

static bool skeleton_get(struct sharechain *chain, const struct entry *entry, struct buffer *out)
{
    // Whose coinbase was taken on trust cannot be rebuilt, but was proven.
    if (stored_skeleton(chain, entry->record, out) || old_skeleton_of(chain, entry->link, out))
        return true;
    skeleton_make_and_keep(chain, entry);
    return stored_skeleton(chain, entry->record, out);
}

bool sharechain_skeleton(struct sharechain *chain, const struct hash256 *id, struct buffer *out)
{
    const struct entry *entry = map_find(chain->entries, id);
    return entry != NULL && entry->link != NULL && skeleton_get(chain, entry, out);
}

uint32_t sharechain_common_height(const struct sharechain *chain, const struct locator *locator,
                                  struct hash256 *id)
{
    for (size_t i = 0; i < locator->count; i++) {
        *id = locator->ids[i];
        const struct entry *entry = map_find(chain->entries, &locator->ids[i]);
        const struct link *link = entry == NULL ? NULL : entry->link;
        if (link != NULL && link->height <= chain->best->height &&
            chain->best_chain[link->height] == link)
            return link->height;
        uint32_t height;
        if (link == NULL && old_height(chain, &locator->ids[i], &height))
            return height;
    }
    *id = chain->pool->id;
    return 0;
}

uint32_t sharechain_fork_height(const struct sharechain *chain, const struct hash256 *id)
{
    const struct entry *entry = map_find(chain->entries, id);
    if (entry == NULL || entry->link == NULL)
        return 0;
    return link_common_ancestor(entry->link, chain->best)->height;
}

size_t sharechain_skeletons_from(struct sharechain *chain, uint32_t height, size_t count_max,
                                 struct buffer *out)
{
    size_t count = 0;
    uint8_t bytes[SKELETON_SIZE_MAX];
    for (; count < count_max && height <= chain->best->height; height++) {
        struct buffer one;
        buffer_init_fixed(&one, bytes, sizeof(bytes));
        bool is_old = height <= chain->root->height;
        if (!(is_old ? old_skeleton(chain, height, &one)
                     : skeleton_get(chain, chain->best_chain[height]->entry, &one)) ||
            out->size + 2 + one.size > out->size_max)
            break;
        write_u16(out, (uint16_t)one.size);
        write_bytes(out, bytes, one.size);
        if (out->failed)
            break;
        count++;
    }
    return count;
}

// ---- Where a walk may begin, and what targets are about

bool sharechain_walk_from(const struct sharechain *chain, const struct hash256 *id,
                          struct skeleton_walk *walk)
{
    skeleton_walk_init(walk, chain->pool, chain->headers);
    if (hash_equal(id, &chain->pool->id))
        return true;
    const struct entry *entry = map_find(chain->entries, id);
    if (entry == NULL || entry->link == NULL)
        return false;
    const struct link *link = entry->link;
    walk->id = *id;
    walk->height = link->height;
    walk->link_bits = link->bits;
    walk->time = link->time;
    walk->anchor_time = link->entry->anchor->time;
    walk->tip = link->tip;
    walk->work = link->work;
    return true;
}

bool sharechain_is_credited(const struct sharechain *chain, const struct hash256 *id,
                            uint32_t links_max)
{
    const struct entry *entry = map_find(chain->entries, id);
    if (entry == NULL)
        return false;
    struct link *best = chain->best;
    uint32_t lowest = best->height > links_max ? best->height - links_max : 0;
    if (entry->link != NULL && entry->link->height > lowest && link_is_ancestor(entry->link, best))
        return true;
    for (const struct inclusion *at = entry->inclusions; at != NULL; at = at->next) {
        if (at->link->height > lowest && link_is_ancestor(at->link, best))
            return true;
    }
    return false;
}

void sharechain_easiest_target(const struct sharechain *chain, struct u256 *target)
{
    *target = chain->best->child_target;
    const struct link *link = chain->best;
    for (uint32_t i = 0; i < chain->pool->horizon && link->parent != NULL; i++) {
        link = link->parent;
        if (u256_compare(&link->child_target, target) > 0)
            *target = link->child_target;
    }
}
