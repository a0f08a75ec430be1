#include "dht/serve.h"

#include <assert.h>
#include <stdlib.h>

// What looking for an id costs us, in bytes of the bucket, whether or not it is here: so asking for
// what nobody has is no cheaper than asking for what is here.
#define COST_REQUEST 1024
#define COST_ID      64
// Array, request and the heads of two byte strings.
#define ANSWER_OVERHEAD 32

void serve_bucket_init(struct serve_bucket *bucket, struct now now)
{
    *bucket = (struct serve_bucket){.bytes = SERVE_BURST, .filled = now.mono};
}

static void fill(struct serve_bucket *bucket, struct now now)
{
    int64_t lacking = (int64_t)SERVE_BURST - bucket->bytes;
    int64_t passed_ms = now.mono.ms - bucket->filled.ms;
    bucket->filled = now.mono;
    if (passed_ms >= lacking * 1000 / SERVE_BYTES_SECOND + 1)
        bucket->bytes = SERVE_BURST;
    else
        bucket->bytes += passed_ms * SERVE_BYTES_SECOND / 1000;
}

bool serve_is_allowed(struct serve_bucket *bucket, struct now now, struct mono_time *when)
{
    fill(bucket, now);
    if (bucket->bytes > 0)
        return true;
    when->ms = now.mono.ms - bucket->bytes * 1000 / SERVE_BYTES_SECOND + 1;
    return false;
}

static void read_locator(const struct peer_bytes *ids, struct hash256 locator[CHAIN_LOCATOR_MAX])
{
    assert(peer_ids_count(ids) <= CHAIN_LOCATOR_MAX); // peer_message_decode refuses more
    for (size_t i = 0; i < peer_ids_count(ids); i++)
        peer_id_at(ids, i, &locator[i]);
}

static void find_links(const struct network_chain *chain, const struct peer_message *request,
                       struct peer_message *answer, struct buffer *items)
{
    struct hash256 locator[CHAIN_LOCATOR_MAX];
    read_locator(&request->ids, locator);
    chain->links_after(chain->context, locator, peer_ids_count(&request->ids), request->max,
                       &answer->from, items);
}

static void find_headers(const struct network_chain *chain, const struct peer_message *request,
                         struct buffer *items)
{
    struct hash256 locator[CHAIN_LOCATOR_MAX];
    read_locator(&request->ids, locator);
    if (hash_is_zero(&request->wanted))
        chain->headers_after(chain->context, locator, peer_ids_count(&request->ids), request->max,
                             items);
    else
        chain->headers_to(chain->context, &request->wanted, locator, peer_ids_count(&request->ids),
                          items);
    if (items->size > (size_t)request->max * CHAIN_HEADER_SIZE)
        items->size = (size_t)request->max * CHAIN_HEADER_SIZE;
}

// The first objects asked for that are here, as many as fit in one answer. The ids of bodies go
// with them: nothing in a body says whose it is.
static void find_objects(const struct network_chain *chain, const struct peer_message *request,
                         struct peer_message *answer, struct buffer *items, struct buffer *ids)
{
    bool is_bodies = request->type == PEER_GET_BODIES;
    size_t size_max = PEER_ANSWER_BYTES_MAX - ANSWER_OVERHEAD;
    struct buffer object;
    buffer_init(&object, is_bodies ? CHAIN_BODY_MAX : CHAIN_SHARE_MAX);
    for (size_t i = 0; i < peer_ids_count(&request->ids); i++) {
        struct hash256 id;
        peer_id_at(&request->ids, i, &id);
        buffer_reset(&object);
        bool is_here = is_bodies ? chain->body_bytes(chain->context, &id, &object)
                                 : chain->share_bytes(chain->context, &id, &object);
        if (!is_here || object.failed || object.size == 0)
            continue;
        size_t needed = object.size + sizeof(uint32_t) + (is_bodies ? sizeof id : 0);
        if (items->size + ids->size + needed > size_max)
            break;
        peer_item_write(answer->type, object.data, object.size, items);
        if (is_bodies)
            write_bytes(ids, id.bytes, sizeof id.bytes);
    }
    buffer_clear(&object);
}

static void find_loose(const struct network_chain *chain, struct buffer *ids)
{
    struct hash256 *found = chain->loose == NULL ? NULL : malloc(PEER_GET_IDS_MAX * sizeof *found);
    if (found == NULL)
        return;
    size_t count = chain->loose(chain->context, found, PEER_GET_IDS_MAX);
    write_bytes(ids, found, count * sizeof *found);
    free(found);
}

bool serve_answer(const struct network_chain *chain, const struct peer_message *request,
                  struct serve_bucket *bucket, enum peer_message_type *type, struct buffer *out)
{
    struct peer_message answer = {.type = peer_message_answer(request->type),
                                  .request = request->request};
    struct buffer items;
    struct buffer ids;
    buffer_init(&items, PEER_ANSWER_BYTES_MAX);
    buffer_init(&ids, PEER_GET_IDS_MAX * sizeof(struct hash256));
    if (request->type == PEER_GET_LINKS)
        find_links(chain, request, &answer, &items);
    else if (request->type == PEER_GET_HEADERS)
        find_headers(chain, request, &items);
    else if (request->type == PEER_GET_BODIES || request->type == PEER_GET_SHARES)
        find_objects(chain, request, &answer, &items, &ids);
    else if (request->type == PEER_GET_LOOSE)
        find_loose(chain, &ids);
    else
        return false;
    if (items.failed || ids.failed) { // out of memory: as if nothing were here
        buffer_reset(&items);
        buffer_reset(&ids);
    }
    size_t before = out->size;
    answer.items = (struct peer_bytes){items.data, items.size};
    answer.ids = (struct peer_bytes){ids.data, ids.size};
    peer_message_encode(&answer, out);
    bucket->bytes -=
        (int64_t)(COST_REQUEST + COST_ID * peer_ids_count(&request->ids) + (out->size - before));
    *type = answer.type;
    buffer_clear(&items);
    buffer_clear(&ids);
    return true;
}
