#include "tests/unit/dht/sync_toy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/pow/sha256.h"

#define HEADER_AT  1
#define ROOT_AT    81
#define CHECK_AT   113
#define FILLER_AT  121
#define GRAINS_MAX 4000
#define COIN_EVERY 10

struct toy_body {
    struct toy_body *next;
    size_t size;
    uint8_t bytes[];
};

static uint64_t check_sum(const uint8_t *bytes)
{
    struct hash256 hash;
    uint64_t sum;
    uint8_t all[TOY_SHARE_SIZE];
    memcpy(all, bytes, TOY_SHARE_SIZE);
    memset(all + CHECK_AT, 0, 8);
    sha256_once(all, sizeof all, &hash);
    memcpy(&sum, hash.bytes, sizeof sum);
    return sum;
}

struct hash256 toy_make(const struct toy_spec *spec, uint8_t *bytes)
{
    struct hash256 id;
    static const uint8_t none[1] = {0};
    memset(bytes, 0x5a, TOY_SHARE_SIZE);
    bytes[0] = 1;
    memcpy(bytes + 1, spec->anchor.bytes, 32);
    memcpy(bytes + 33, spec->coin.bytes, 32);
    memcpy(bytes + 65, &spec->height, 4);
    memcpy(bytes + 69, &spec->work, 4);
    memcpy(bytes + 73, &spec->nonce, 8);
    sha256_once(spec->body != NULL ? spec->body : none, spec->body != NULL ? spec->body_size : 1,
                &id);
    memcpy(bytes + ROOT_AT, id.bytes, 32);
    uint64_t sum = check_sum(bytes);
    memcpy(bytes + CHECK_AT, &sum, 8);
    sha256d_80(bytes + HEADER_AT, &id);
    return id;
}

struct hash256 toy_make_header(const struct hash256 *prev, uint64_t nonce, uint8_t *bytes)
{
    struct hash256 id;
    memset(bytes, 0, CHAIN_HEADER_SIZE);
    memcpy(bytes, prev->bytes, 32);
    memcpy(bytes + 32, &nonce, sizeof nonce);
    sha256d_80(bytes, &id);
    return id;
}

static int compare_ids(const void *a, const void *b)
{
    return hash_compare(a, b);
}

size_t toy_make_body(struct hash256 *ids, size_t count, uint8_t *out)
{
    struct buffer buffer;
    qsort(ids, count, sizeof *ids, compare_ids);
    buffer_init_fixed(&buffer, out, TOY_BODY_MAX);
    write_varint(&buffer, count);
    for (size_t i = 0; i < count; i++)
        write_bytes(&buffer, ids[i].bytes, 32);
    assert(!buffer.failed);
    return buffer.size;
}

struct hash256 toy_anchor_header(void)
{
    uint8_t bytes[CHAIN_HEADER_SIZE];
    struct hash256 zero = {{0}};
    return toy_make_header(&zero, 7, bytes);
}

// ---- What is here

struct toy_share *toy_find_share(const struct toy_chain *toy, const struct hash256 *id)
{
    struct toy_share *share = map_find(toy->shares, id);
    return share != NULL && share->is_valid ? share : NULL;
}

bool toy_is_link(const struct toy_chain *toy, const struct hash256 *id)
{
    const struct toy_share *share = toy_find_share(toy, id);
    return hash_equal(id, &toy->pool_id) || (share != NULL && share->is_link);
}

static const uint8_t *body_grains(const uint8_t *body, size_t size, size_t *count)
{
    struct reader reader = reader_init(body, size);
    *count = (size_t)read_varint(&reader);
    const uint8_t *ids = *count > GRAINS_MAX ? NULL : read_view(&reader, *count * 32);
    if (!reader_is_done(&reader))
        *count = 0;
    return ids;
}

// What a share wants first: false if nothing of this kind. For a share that is not valid yet, or a
// link that is none yet.
struct lacking {
    enum chain_lack kind;
    struct hash256 id;
};

static bool find_lack(const struct toy_chain *toy, const struct toy_share *share,
                      struct lacking *lack)
{
    if (map_find(toy->headers, &share->coin_id) == NULL) {
        *lack = (struct lacking){CHAIN_LACKS_HEADER, share->coin_id};
        return true;
    }
    if (!toy_is_link(toy, &share->anchor_id)) {
        // One that is here and no link names itself what it lacks.
        const struct toy_share *anchor = toy_find_share(toy, &share->anchor_id);
        // One that lacks nothing is about to become a link.
        if (anchor != NULL && anchor->work > 0 && find_lack(toy, anchor, lack))
            return true;
        *lack = (struct lacking){CHAIN_LACKS_SHARE, share->anchor_id};
        return true;
    }
    if (!share->is_valid || share->work == 0 || share->is_link)
        return false;
    const struct toy_body *body = map_find(toy->bodies, &share->root);
    if (body == NULL) {
        *lack = (struct lacking){CHAIN_LACKS_BODY, share->id};
        return true;
    }
    size_t count;
    const uint8_t *ids = body_grains(body->bytes, body->size, &count);
    for (size_t i = 0; i < count; i++) {
        struct hash256 id;
        memcpy(id.bytes, ids + 32 * i, 32);
        *lack = (struct lacking){CHAIN_LACKS_SHARE, id};
        if (toy_find_share(toy, &id) == NULL)
            return true;
    }
    return false;
}

static void best_set(struct toy_chain *toy, struct toy_share *tip)
{
    while (toy->best_capacity < tip->height) {
        size_t capacity = toy->best_capacity == 0 ? 64 : toy->best_capacity * 2;
        toy->best = realloc(toy->best, capacity * sizeof(struct toy_share *));
        assert(toy->best != NULL);
        for (; toy->best_capacity < capacity; toy->best_capacity++)
            toy->best[toy->best_capacity] = NULL;
    }
    toy->best_count = tip->height;
    for (struct toy_share *at = tip; at != NULL; at = at->anchor) {
        struct toy_share **place = &toy->best[at->height - 1];
        if (at != tip && *place == at)
            break;
        *place = at;
    }
}

static uint64_t total_of(const struct toy_chain *toy)
{
    return toy->best_count == 0 ? 0 : toy->best[toy->best_count - 1]->total;
}

void toy_link_became_valid(struct toy_chain *toy, struct toy_share *share)
{
    share->is_link = true;
    share->total = share->work + (share->anchor == NULL ? 0 : share->anchor->total);
    if (share->total > total_of(toy))
        best_set(toy, share);
}

// ---- Judging

static enum chain_verdict judge(struct toy_chain *toy, struct toy_share *share)
{
    struct lacking lack;
    if (!share->is_valid) {
        if (find_lack(toy, share, &lack))
            return CHAIN_UNKNOWN;
        share->anchor = toy_find_share(toy, &share->anchor_id);
        if (share->height != 1 + (share->anchor == NULL ? 0 : share->anchor->height))
            return CHAIN_INVALID;
        share->is_valid = true;
        map_set(toy->shares, &share->id, share);
    }
    if (share->work > 0 && !share->is_link && !find_lack(toy, share, &lack)) {
        const struct toy_body *body = map_find(toy->bodies, &share->root);
        size_t count;
        body_grains(body->bytes, body->size, &count);
        share->body = malloc(body->size);
        assert(share->body != NULL);
        memcpy(share->body, body->bytes, body->size);
        share->body_size = body->size;
        toy_link_became_valid(toy, share);
    }
    return CHAIN_VALID;
}

static bool is_settled(const struct toy_share *share)
{
    return share->is_valid && (share->work == 0 || share->is_link);
}

void toy_keep_share(struct toy_chain *toy, struct toy_share *share)
{
    struct toy_share **list = is_settled(share) ? &toy->first : &toy->waiting;
    share->next = *list;
    *list = share;
}

static void free_share(struct toy_share *share)
{
    free(share->body);
    free(share);
}

// Looks at all that waits until nothing changes any more.
static void settle(struct toy_chain *toy)
{
    bool has_changed = true;
    while (has_changed) {
        has_changed = false;
        struct toy_share *waiting = toy->waiting;
        toy->waiting = NULL;
        while (waiting != NULL) {
            struct toy_share *share = waiting;
            bool was_valid = share->is_valid;
            waiting = share->next;
            if (judge(toy, share) == CHAIN_INVALID) {
                free_share(share);
                continue;
            }
            has_changed = has_changed || was_valid != share->is_valid || is_settled(share);
            toy_keep_share(toy, share);
        }
    }
}

static void keep_body(struct toy_chain *toy, const uint8_t *bytes, size_t size)
{
    struct hash256 root;
    sha256_once(bytes, size, &root);
    if (map_find(toy->bodies, &root) != NULL)
        return;
    struct toy_body *body = malloc(sizeof *body + size);
    assert(body != NULL);
    body->size = size;
    memcpy(body->bytes, bytes, size);
    map_set(toy->bodies, &root, body);
}

static struct toy_share *decode(const uint8_t *bytes, size_t size)
{
    uint64_t sum;
    if (size != TOY_SHARE_SIZE || bytes[0] != 1)
        return NULL;
    memcpy(&sum, bytes + CHECK_AT, 8);
    if (sum != check_sum(bytes))
        return NULL;
    struct toy_share *share = calloc(1, sizeof *share);
    assert(share != NULL);
    memcpy(share->bytes, bytes, size);
    share->size = size;
    sha256d_80(bytes + HEADER_AT, &share->id);
    memcpy(share->anchor_id.bytes, bytes + 1, 32);
    memcpy(share->coin_id.bytes, bytes + 33, 32);
    memcpy(&share->height, bytes + 65, 4);
    memcpy(&share->work, bytes + 69, 4);
    memcpy(share->root.bytes, bytes + ROOT_AT, 32);
    return share;
}

static bool is_waiting(const struct toy_chain *toy, const struct hash256 *id)
{
    for (const struct toy_share *at = toy->waiting; at != NULL; at = at->next) {
        if (hash_equal(&at->id, id))
            return true;
    }
    return false;
}

enum chain_verdict toy_add_share(void *context, const struct chain_arrival *arrival, struct now now)
{
    struct toy_chain *toy = context;
    (void)now;
    toy->shares_judged++;
    struct toy_share *share = decode(arrival->share, arrival->share_size);
    if (share == NULL)
        return CHAIN_INVALID;
    if (arrival->body != NULL)
        keep_body(toy, arrival->body, arrival->body_size);
    const struct toy_share *same = toy_find_share(toy, &share->id);
    if (same != NULL || is_waiting(toy, &share->id)) {
        free(share);
        settle(toy);
        return same != NULL ? CHAIN_VALID : CHAIN_UNKNOWN;
    }
    share->source = arrival->source;
    enum chain_verdict verdict = judge(toy, share);
    if (verdict == CHAIN_INVALID) {
        free(share);
        return verdict;
    }
    toy_keep_share(toy, share);
    if (verdict == CHAIN_VALID && toy->waiting != NULL)
        settle(toy);
    return verdict;
}

void toy_add_body(void *context, uint32_t source, const uint8_t *bytes, size_t size)
{
    struct toy_chain *toy = context;
    (void)source;
    keep_body(toy, bytes, size);
    settle(toy);
}

static enum chain_verdict add_header(struct toy_chain *toy, const uint8_t *bytes)
{
    struct hash256 prev;
    struct toy_header *header = calloc(1, sizeof *header);
    assert(header != NULL);
    memcpy(prev.bytes, bytes, 32);
    memcpy(header->bytes, bytes, CHAIN_HEADER_SIZE);
    sha256d_80(bytes, &header->id);
    header->prev = map_find(toy->headers, &prev);
    enum chain_verdict verdict = CHAIN_VALID;
    if (bytes[CHAIN_HEADER_SIZE - 1] != 0)
        verdict = CHAIN_INVALID;
    else if (header->prev == NULL && toy->first_header != NULL)
        verdict = CHAIN_UNKNOWN;
    if (verdict != CHAIN_VALID || map_find(toy->headers, &header->id) != NULL) {
        free(header);
        return verdict;
    }
    header->height = header->prev == NULL ? 0 : header->prev->height + 1;
    header->next = toy->first_header;
    toy->first_header = header;
    map_set(toy->headers, &header->id, header);
    if (toy->best_header == NULL || header->height > toy->best_header->height)
        toy->best_header = header;
    return CHAIN_VALID;
}

enum chain_verdict toy_add_headers(void *context, uint32_t source, const uint8_t *headers,
                                   size_t count)
{
    struct toy_chain *toy = context;
    (void)source;
    for (size_t i = 0; i < count; i++) {
        enum chain_verdict verdict = add_header(toy, headers + i * CHAIN_HEADER_SIZE);
        if (verdict != CHAIN_VALID)
            return verdict;
    }
    settle(toy);
    return CHAIN_VALID;
}

// ---- What waits

bool toy_is_in(const struct hash256 *ids, size_t count, const struct hash256 *id)
{
    for (size_t i = 0; i < count; i++) {
        if (hash_equal(&ids[i], id))
            return true;
    }
    return false;
}

void toy_forget_source(void *context, uint32_t source)
{
    struct toy_chain *toy = context;
    toy->forgotten++;
    for (struct toy_share **at = &toy->waiting; *at != NULL;) {
        struct toy_share *share = *at;
        if (share->source != source || share->is_valid) {
            at = &share->next;
            continue;
        }
        *at = share->next;
        free_share(share);
    }
}

size_t toy_lacking(void *context, enum chain_lack kind, struct hash256 *ids, uint32_t *sources,
                   size_t count_max)
{
    const struct toy_chain *toy = context;
    size_t count = 0;
    for (const struct toy_share *at = toy->waiting; at != NULL && count < count_max;
         at = at->next) {
        struct lacking lack;
        if (!find_lack(toy, at, &lack) || lack.kind != kind || toy_is_in(ids, count, &lack.id) ||
            (kind == CHAIN_LACKS_SHARE && is_waiting(toy, &lack.id)))
            continue;
        ids[count] = lack.id;
        sources[count++] = at->source;
    }
    return count;
}
