// The table of a toy chain: what is asked of it, serving, and proofs.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/pow/sha256.h"
#include "tests/unit/dht/sync_toy.h"

#define HEADER_AT 1

struct chain_proof {
    struct toy_chain *toy;
    struct chain_tip tip;
    uint32_t from_height;
    struct hash256 *ids;
    uint32_t *works;
    size_t count;
    size_t capacity;
};

static void toy_table_tip(void *context, struct chain_tip *tip)
{
    *tip = toy_tip(context);
}

static bool toy_has_share(void *context, const struct hash256 *id)
{
    return toy_find_share(context, id) != NULL;
}

static bool toy_has_link(void *context, const struct hash256 *id)
{
    return toy_is_link(context, id);
}

static bool toy_has_header(void *context, const struct hash256 *id)
{
    const struct toy_chain *toy = context;
    return map_find(toy->headers, id) != NULL;
}

static bool toy_share_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    const struct toy_share *share = toy_find_share(context, id);
    if (share == NULL || share->size == 0)
        return false;
    write_bytes(out, share->bytes, share->size);
    return true;
}

static bool toy_body_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    const struct toy_share *share = toy_find_share(context, id);
    if (share == NULL || share->body == NULL)
        return false;
    write_bytes(out, share->body, share->body_size);
    return true;
}

static bool toy_is_plausible(void *context, const struct hash256 *id)
{
    (void)context;
    (void)id;
    return true;
}

static size_t toy_link_locator(void *context, struct hash256 *ids)
{
    const struct toy_chain *toy = context;
    size_t count = 0;
    size_t step = 1;
    for (size_t at = toy->best_count; at > 0 && count < CHAIN_LOCATOR_MAX - 1;) {
        ids[count++] = toy->best[at - 1]->id;
        step = count > 10 ? step * 2 : 1;
        at = at > step ? at - step : 0;
    }
    ids[count++] = toy->pool_id;
    return count;
}

static size_t toy_header_locator(void *context, struct hash256 *ids)
{
    const struct toy_chain *toy = context;
    size_t count = 0;
    const struct toy_header *at = toy->best_header;
    for (; at->prev != NULL && count < CHAIN_LOCATOR_MAX - 1; at = at->prev)
        ids[count++] = at->id;
    ids[count++] = toy_anchor_header();
    return count;
}

static size_t headers_until(const struct toy_header *last, const struct hash256 *locator,
                            size_t locator_count, size_t count_max, struct buffer *out)
{
    size_t count = 0;
    const struct toy_header *at = last;
    for (; at->prev != NULL && !toy_is_in(locator, locator_count, &at->id); at = at->prev)
        count++;
    size_t skipped = count > count_max ? count - count_max : 0;
    for (at = last; skipped > 0; skipped--, count--)
        at = at->prev;
    size_t start = out->size;
    static const uint8_t zeros[CHAIN_HEADER_SIZE];
    for (size_t i = 0; i < count; i++)
        write_bytes(out, zeros, sizeof zeros);
    assert(!out->failed);
    for (size_t i = count; i-- > 0; at = at->prev)
        memcpy(out->data + start + i * CHAIN_HEADER_SIZE, at->bytes, CHAIN_HEADER_SIZE);
    return count;
}

static size_t toy_headers_after(void *context, const struct hash256 *locator, size_t locator_count,
                                size_t count_max, struct buffer *out)
{
    const struct toy_chain *toy = context;
    return headers_until(toy->best_header, locator, locator_count, count_max, out);
}

static size_t toy_headers_to(void *context, const struct hash256 *wanted,
                             const struct hash256 *locator, size_t locator_count,
                             struct buffer *out)
{
    const struct toy_chain *toy = context;
    const struct toy_header *last = map_find(toy->headers, wanted);
    if (last == NULL)
        return 0;
    return headers_until(last, locator, locator_count, CHAIN_HEADERS_MAX, out);
}

// Six parameters: the shape is that of the table.
static size_t toy_links_after( // NOLINT(readability-function-size)
    void *context, const struct hash256 *locator, size_t locator_count, size_t count_max,
    struct hash256 *from, struct buffer *out)
{
    const struct toy_chain *toy = context;
    size_t height = 0;
    *from = toy->pool_id;
    for (size_t i = 0; height == 0 && i < locator_count; i++) {
        const struct toy_share *share = toy_find_share(toy, &locator[i]);
        if (share == NULL || share->height > toy->best_count ||
            toy->best[share->height - 1] != share)
            continue;
        height = share->height;
        *from = share->id;
    }
    size_t count = 0;
    for (; height + count < toy->best_count && count < count_max; count++) {
        write_u16(out, CHAIN_HEADER_SIZE);
        write_bytes(out, toy->best[height + count]->bytes + HEADER_AT, CHAIN_HEADER_SIZE);
    }
    return count;
}

// ---- Proofs

static struct chain_proof *toy_proof_new(void *context, const struct hash256 *from)
{
    struct toy_chain *toy = context;
    if (!toy_is_link(toy, from))
        return NULL;
    struct chain_proof *proof = calloc(1, sizeof *proof);
    assert(proof != NULL);
    const struct toy_share *link = toy_find_share(toy, from);
    proof->toy = toy;
    proof->tip.id = *from;
    proof->tip.height = link == NULL ? 0 : link->height;
    proof->tip.work = u256_from_u64(link == NULL ? 0 : link->total);
    proof->from_height = proof->tip.height;
    toy->proofs++;
    toy->proofs_begun++;
    return proof;
}

static enum chain_proof_result toy_proof_step(struct chain_proof *proof, const uint8_t *skeleton,
                                              size_t size, struct chain_proof_state *state)
{
    struct hash256 coin;
    uint32_t height;
    uint32_t work;
    state->tip = proof->tip;
    if (size != CHAIN_HEADER_SIZE)
        return CHAIN_PROOF_BAD;
    memcpy(coin.bytes, skeleton + 32, 32);
    memcpy(&height, skeleton + 64, 4);
    memcpy(&work, skeleton + 68, 4);
    if (memcmp(skeleton, proof->tip.id.bytes, 32) != 0 || height != proof->tip.height + 1 ||
        work == 0)
        return CHAIN_PROOF_BAD;
    if (map_find(proof->toy->headers, &coin) == NULL) {
        state->header = coin;
        return CHAIN_PROOF_LACKS_HEADER;
    }
    if (proof->count == proof->capacity) {
        proof->capacity = proof->capacity == 0 ? 64 : proof->capacity * 2;
        proof->ids = realloc(proof->ids, proof->capacity * sizeof *proof->ids);
        proof->works = realloc(proof->works, proof->capacity * sizeof *proof->works);
        assert(proof->ids != NULL && proof->works != NULL);
    }
    struct u256 added = u256_from_u64(work);
    sha256d_80(skeleton, &proof->tip.id);
    proof->tip.height = height;
    proof->tip.work = u256_add(&proof->tip.work, &added);
    proof->works[proof->count] = work;
    proof->ids[proof->count++] = proof->tip.id;
    state->tip = proof->tip;
    return CHAIN_PROOF_OK;
}

static void toy_proof_free(struct chain_proof *proof)
{
    proof->toy->proofs--;
    free(proof->ids);
    free(proof->works);
    free(proof);
}

static bool toy_proof_link(const struct chain_proof *proof, uint32_t height, struct hash256 *id)
{
    if (height <= proof->from_height || height > proof->tip.height)
        return false;
    *id = proof->ids[height - proof->from_height - 1];
    return true;
}

static bool toy_proof_accept(void *context, const struct chain_proof *proof, uint32_t *height,
                             struct now now)
{
    struct toy_chain *toy = context;
    (void)now;
    if (toy->refuses_proofs)
        return false;
    *height = proof->from_height + 1;
    if (toy->window == 0 || proof->tip.height - proof->from_height <= toy->window)
        return true;
    *height = proof->tip.height - toy->window + 1;
    struct toy_share *anchor = NULL;
    for (size_t i = 0; proof->from_height + 1 + i < *height; i++) {
        struct toy_share *link = calloc(1, sizeof *link);
        assert(link != NULL);
        link->id = proof->ids[i];
        link->height = proof->from_height + 1 + (uint32_t)i;
        link->work = proof->works[i];
        link->is_valid = true;
        link->anchor = anchor;
        anchor = link;
        map_set(toy->shares, &link->id, link);
        toy_link_became_valid(toy, link);
        toy_keep_share(toy, link);
    }
    return true;
}

struct network_chain toy_table(struct toy_chain *toy)
{
    return (struct network_chain){
        .context = toy,
        .tip = toy_table_tip,
        .has_share = toy_has_share,
        .has_link = toy_has_link,
        .has_header = toy_has_header,
        .share_bytes = toy_share_bytes,
        .body_bytes = toy_body_bytes,
        .is_plausible = toy_is_plausible,
        .add_share = toy_add_share,
        .add_body = toy_add_body,
        .add_headers = toy_add_headers,
        .forget_source = toy_forget_source,
        .link_locator = toy_link_locator,
        .header_locator = toy_header_locator,
        .headers_after = toy_headers_after,
        .headers_to = toy_headers_to,
        .links_after = toy_links_after,
        .proof_new = toy_proof_new,
        .proof_step = toy_proof_step,
        .proof_free = toy_proof_free,
        .proof_accept = toy_proof_accept,
        .proof_link = toy_proof_link,
        .lacking = toy_lacking,
    };
}
