#include "dht/sync_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/pow/sha256.h"

// Everything that came stands in one buffer, in the order in which it came; items say where. So a
// batch of thousands of shares takes two allocations.

#define ID_SIZE sizeof(struct hash256)
// Version and header: what an id needs.

struct batch *sync_batch_new(uint64_t serial)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        return NULL;
    batch->serial = serial;
    buffer_init(&batch->bytes, BATCH_BYTES_MAX);
    return batch;
}

static void forget_bytes(struct batch *batch)
{
    buffer_clear(&batch->bytes);
    free(batch->items);
    batch->items = NULL;
    batch->items_count = 0;
    batch->missing_count = 0;
    for (size_t i = 0; i < batch->links_count; i++)
        batch->bodies[i].size = 0;
}

void sync_batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    forget_bytes(batch);
    free(batch);
}

size_t sync_batch_memory(const struct batch *batch)
{
    return sizeof *batch + batch->bytes.capacity + batch->items_count * sizeof *batch->items;
}

bool sync_body_read(const uint8_t *bytes, size_t size, const uint8_t **ids, size_t *count)
{
    struct reader reader = reader_init(bytes, size);
    uint64_t ids_count = read_varint(&reader);
    if (reader.failed || ids_count > size / ID_SIZE)
        return false;
    *count = (size_t)ids_count;
    *ids = read_view(&reader, *count * ID_SIZE);
    return reader_is_done(&reader);
}

size_t sync_batch_missing(const struct batch *batch, struct hash256 *ids)
{
    const struct item *items = batch->items;
    size_t items_count = batch->items_count;
    size_t count = 0;
    if (batch->stage == BATCH_WANTS_BODIES) {
        items = batch->bodies;
        items_count = batch->links_count;
    }
    for (size_t i = 0; i < items_count && count < PEER_GET_IDS_MAX; i++) {
        if (items[i].size == 0)
            ids[count++] = items[i].id;
    }
    return count;
}

// ---- What came

static bool keep(struct batch *batch, struct item *item, struct peer_bytes bytes, uint32_t peer)
{
    if (!buffer_reserve(&batch->bytes, bytes.size))
        return false;
    item->offset = (uint32_t)batch->bytes.size;
    item->size = (uint32_t)bytes.size;
    item->peer = peer;
    write_bytes(&batch->bytes, bytes.data, bytes.size);
    return true;
}

static struct item *find_body(struct batch *batch, const struct hash256 *id)
{
    for (size_t i = 0; i < batch->links_count; i++) {
        if (hash_equal(&batch->bodies[i].id, id))
            return &batch->bodies[i];
    }
    return NULL;
}

bool sync_batch_add_bodies(struct batch *batch, const struct peer_message *message, uint32_t peer,
                           size_t *added)
{
    struct peer_bytes bytes;
    const uint8_t *ids;
    size_t offset = 0;
    size_t count = 0;
    for (*added = 0; peer_item_next(message, &offset, &bytes); count++) {
        struct hash256 id;
        if (count == peer_ids_count(&message->ids))
            return false;
        peer_id_at(&message->ids, count, &id);
        struct item *body = find_body(batch, &id);
        size_t ids_count;
        if (body == NULL || bytes.size > CHAIN_BODY_MAX ||
            !sync_body_read(bytes.data, bytes.size, &ids, &ids_count))
            return false;
        if (body->size == 0 && keep(batch, body, bytes, peer))
            (*added)++;
    }
    return count == peer_ids_count(&message->ids);
}

bool sync_batch_add_shares(struct batch *batch, const struct peer_message *message, uint32_t peer,
                           size_t *added)
{
    struct peer_bytes bytes;
    size_t offset = 0;
    *added = 0;
    while (peer_item_next(message, &offset, &bytes)) {
        struct hash256 id;
        if (bytes.size > CHAIN_SHARE_MAX || !peer_share_id(&bytes, &id))
            return false;
        struct item *item = sync_batch_find(batch, &id);
        if (item == NULL)
            return false;
        if (item->size > 0 || !keep(batch, item, bytes, peer))
            continue;
        batch->missing_count--;
        (*added)++;
    }
    if (batch->missing_count == 0)
        batch->stage = BATCH_IS_HERE;
    return true;
}

// ---- The list of shares

static int compare_items(const void *a, const void *b)
{
    const struct item *left = a;
    const struct item *right = b;
    return hash_compare(&left->id, &right->id);
}

struct item *sync_batch_find(const struct batch *batch, const struct hash256 *id)
{
    struct item key = {.id = *id};
    if (batch->items_count == 0)
        return NULL;
    return bsearch(&key, batch->items, batch->items_count, sizeof key, compare_items);
}

static size_t body_ids(const struct batch *batch, size_t link, const uint8_t **ids)
{
    const struct item *body = &batch->bodies[link];
    size_t count = 0;
    // It was read when it came.
    (void)sync_body_read(batch->bytes.data + body->offset, body->size, ids, &count);
    return count;
}

// How many links, at least one, one request can bring all shares of.
static size_t links_of_one_request(const struct batch *batch, size_t *shares_count)
{
    size_t links = 0;
    *shares_count = 0;
    while (links < batch->links_count) {
        const uint8_t *ids;
        size_t count = 1 + body_ids(batch, links, &ids);
        if (links > 0 && *shares_count + count > PEER_GET_IDS_MAX)
            break;
        *shares_count += count;
        links++;
    }
    return links;
}

static size_t list_link(struct batch *batch, size_t link, const struct network_chain *chain,
                        size_t count)
{
    const uint8_t *ids = NULL;
    size_t ids_count = body_ids(batch, link, &ids);
    batch->items[count++] = (struct item){.id = batch->bodies[link].id};
    for (size_t i = 0; i < ids_count; i++) {
        struct item item = {.size = 0};
        memcpy(item.id.bytes, ids + i * ID_SIZE, ID_SIZE);
        if (!chain->has_share(chain->context, &item.id))
            batch->items[count++] = item;
    }
    return count;
}

bool sync_batch_list_shares(struct batch *batch, const struct network_chain *chain)
{
    size_t shares_max;
    size_t count = 0;
    assert(batch->links_count > 0);
    batch->links_now = links_of_one_request(batch, &shares_max);
    batch->items = calloc(shares_max, sizeof *batch->items);
    if (batch->items == NULL)
        return false;
    for (size_t i = 0; i < batch->links_now; i++)
        count = list_link(batch, i, chain, count);
    qsort(batch->items, count, sizeof *batch->items, compare_items);
    for (size_t i = 0; i < count; i++) {
        size_t last = batch->items_count;
        if (last == 0 || !hash_equal(&batch->items[last - 1].id, &batch->items[i].id))
            batch->items[batch->items_count++] = batch->items[i];
    }
    batch->missing_count = batch->items_count;
    batch->stage = BATCH_WANTS_SHARES;
    return true;
}

// ---- Doubts

static void hash_body(const struct batch *batch, const struct item *body, struct hash256 *hash)
{
    sha256_once(batch->bytes.data + body->offset, body->size, hash);
}

void sync_batch_suspect(struct batch *batch, size_t link)
{
    const struct item *body = &batch->bodies[link];
    if (batch->suspects_count == FAILURES_MAX)
        return;
    struct suspect *suspect = &batch->suspects[batch->suspects_count++];
    suspect->peer = body->peer;
    suspect->link = body->id;
    hash_body(batch, body, &suspect->hash);
}

bool sync_batch_is_guilty(const struct batch *batch, const struct suspect *suspect)
{
    for (size_t i = 0; i < batch->links_now; i++) {
        struct hash256 hash;
        if (!hash_equal(&batch->bodies[i].id, &suspect->link))
            continue;
        hash_body(batch, &batch->bodies[i], &hash);
        return !hash_equal(&hash, &suspect->hash);
    }
    return false;
}

bool sync_batch_find_missing(const struct batch *batch, size_t *link)
{
    for (size_t i = 0; i < batch->links_now; i++) {
        const uint8_t *ids = NULL;
        size_t count = body_ids(batch, i, &ids);
        for (size_t k = 0; k < count; k++) {
            struct hash256 id;
            memcpy(id.bytes, ids + k * ID_SIZE, ID_SIZE);
            const struct item *item = sync_batch_find(batch, &id);
            *link = i;
            if (item != NULL && item->size == 0)
                return true;
        }
    }
    return false;
}

void sync_batch_reset(struct batch *batch, const struct network_chain *chain)
{
    size_t kept = 0;
    for (size_t i = 0; i < batch->links_count; i++) {
        if (chain->has_link(chain->context, &batch->bodies[i].id))
            continue;
        batch->bodies[kept] = batch->bodies[i];
        batch->heights[kept] = batch->heights[i];
        kept++;
    }
    forget_bytes(batch);
    batch->links_count = kept;
    for (size_t i = 0; i < kept; i++)
        batch->bodies[i].size = 0;
    batch->links_now = 0;
    batch->stage = BATCH_WANTS_BODIES;
    batch->link = 0;
    batch->grain = 0;
    batch->is_fed = false;
}
