#include "tests/support/plain_chain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/pow/sha256.h"

static const uint8_t empty_body[1] = {0};

struct chain_proof {
    const struct plain_chain *chain;
    struct chain_proof_state state;
    uint32_t from_height;
    struct hash256 *ids;
    size_t count;
};

void plain_share_make(uint8_t bytes[PLAIN_SHARE_SIZE], bool is_link, uint32_t height,
                      const struct hash256 *previous, uint32_t nonce)
{
    struct buffer out;
    memset(bytes, 0, PLAIN_SHARE_SIZE);
    buffer_init_fixed(&out, bytes, PLAIN_SHARE_SIZE);
    write_u8(&out, 1);
    write_u8(&out, is_link);
    write_u32(&out, height);
    write_bytes(&out, previous->bytes, sizeof previous->bytes);
    write_u32(&out, nonce);
}

static bool parse(const uint8_t *bytes, size_t size, struct plain_share *share)
{
    struct reader reader = reader_init(bytes, size);
    if (size != PLAIN_SHARE_SIZE || read_u8(&reader) != 1)
        return false;
    memset(share, 0, sizeof *share);
    memcpy(share->bytes, bytes, size);
    share->is_link = read_u8(&reader) != 0;
    share->height = read_u32(&reader);
    read_bytes(&reader, share->previous.bytes, sizeof share->previous.bytes);
    sha256d_80(bytes + 1, &share->id);
    return true;
}

static struct plain_share *find(const struct plain_chain *chain, const struct hash256 *id)
{
    for (size_t i = 0; i < chain->count; i++) {
        if (hash_equal(&chain->shares[i].id, id))
            return &chain->shares[i];
    }
    return NULL;
}

bool plain_chain_has(const struct plain_chain *chain, const struct hash256 *id)
{
    const struct plain_share *share = find(chain, id);
    return share != NULL && !share->waits;
}

static bool has_link(void *context, const struct hash256 *id)
{
    const struct plain_chain *chain = context;
    const struct plain_share *share = find(chain, id);
    return hash_equal(id, &chain->pool_id) || (share != NULL && share->is_link && !share->waits);
}

static bool has_share(void *context, const struct hash256 *id)
{
    return plain_chain_has(context, id);
}

static bool has_header(void *context, const struct hash256 *id)
{
    (void)context;
    (void)id;
    return true;
}

static void get_tip(void *context, struct chain_tip *tip)
{
    const struct plain_chain *chain = context;
    *tip = chain->tip;
}

static bool share_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    const struct plain_share *share = find(context, id);
    if (share == NULL || share->waits)
        return false;
    write_bytes(out, share->bytes, PLAIN_SHARE_SIZE);
    return true;
}

static bool body_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    const struct plain_share *share = find(context, id);
    if (share == NULL || share->waits || !share->is_link)
        return false;
    write_bytes(out, empty_body, sizeof empty_body);
    return true;
}

static bool is_plausible(void *context, const struct hash256 *id)
{
    const struct plain_chain *chain = context;
    (void)id;
    return !chain->is_strict;
}

static void become_valid(struct plain_chain *chain, struct plain_share *share)
{
    const struct gossip_share told = {.id = share->id,
                                      .bytes = share->bytes,
                                      .size = PLAIN_SHARE_SIZE,
                                      .body = share->is_link ? empty_body : NULL,
                                      .body_size = share->is_link ? sizeof empty_body : 0,
                                      .is_own = share->source == 0};
    share->waits = false;
    if (chain->became_valid != NULL)
        chain->became_valid(chain->context, &told);
    if (!share->is_link || share->height <= chain->tip.height)
        return;
    chain->tip = (struct chain_tip){share->id, share->height, u256_from_u64(share->height)};
    if (chain->moved != NULL)
        chain->moved(chain->context);
}

static bool is_connected(struct plain_chain *chain, const struct plain_share *share)
{
    return !share->is_link || has_link(chain, &share->previous);
}

// The first that waits no longer, or NULL.
static struct plain_share *next_connected(struct plain_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        if (chain->shares[i].waits && is_connected(chain, &chain->shares[i]))
            return &chain->shares[i];
    }
    return NULL;
}

static enum chain_verdict add(struct plain_chain *chain, const struct plain_share *share)
{
    const struct plain_share *known = find(chain, &share->id);
    if (known != NULL)
        return known->waits ? CHAIN_UNKNOWN : CHAIN_VALID;
    assert(chain->count < PLAIN_SHARES_MAX);
    struct plain_share *kept = &chain->shares[chain->count++];
    *kept = *share;
    kept->waits = true;
    if (!is_connected(chain, kept))
        return CHAIN_UNKNOWN;
    for (; kept != NULL; kept = next_connected(chain))
        become_valid(chain, kept);
    return CHAIN_VALID;
}

static enum chain_verdict add_share(void *context, const struct chain_arrival *arrival,
                                    struct now now)
{
    struct plain_chain *chain = context;
    struct plain_share share;
    (void)now;
    chain->judged++;
    if (!parse(arrival->share, arrival->share_size, &share))
        return CHAIN_INVALID;
    share.source = arrival->source;
    return add(chain, &share);
}

struct hash256 plain_chain_mine(struct plain_chain *chain, bool is_link, uint32_t nonce)
{
    uint8_t bytes[PLAIN_SHARE_SIZE];
    struct plain_share share;
    plain_share_make(bytes, is_link, chain->tip.height + 1, &chain->tip.id, nonce);
    bool is_whole = parse(bytes, sizeof bytes, &share);
    assert(is_whole);
    add(chain, &share);
    return share.id;
}

static bool is_block(void *context, const struct hash256 *id, const uint8_t *block, size_t size)
{
    const struct plain_share *share = find(context, id);
    return share != NULL && size >= CHAIN_HEADER_SIZE &&
           memcmp(block, share->bytes + 1, CHAIN_HEADER_SIZE) == 0;
}

static void add_body(void *context, uint32_t source, const uint8_t *bytes, size_t size)
{
    (void)context;
    (void)source;
    (void)bytes;
    (void)size;
}

static enum chain_verdict add_headers(void *context, uint32_t source, const uint8_t *headers,
                                      size_t count)
{
    (void)context;
    (void)source;
    (void)headers;
    (void)count;
    return CHAIN_VALID;
}

static void forget_source(void *context, uint32_t source)
{
    struct plain_chain *chain = context;
    for (size_t i = chain->count; i-- > 0;) {
        if (chain->shares[i].waits && chain->shares[i].source == source)
            chain->shares[i] = chain->shares[--chain->count];
    }
}

static size_t link_locator(void *context, struct hash256 *ids)
{
    const struct plain_chain *chain = context;
    struct hash256 at = chain->tip.id;
    size_t count = 0;
    for (uint32_t i = 0; !hash_equal(&at, &chain->pool_id); i++) {
        if (count < CHAIN_LOCATOR_MAX - 1 && (i < 10 || (i & (i - 1)) == 0))
            ids[count++] = at;
        at = find(chain, &at)->previous;
    }
    ids[count++] = chain->pool_id;
    return count;
}

static size_t header_locator(void *context, struct hash256 *ids)
{
    const struct plain_chain *chain = context;
    ids[0] = chain->pool_id;
    return 1;
}

static size_t headers_after(void *context, const struct hash256 *locator, size_t locator_count,
                            size_t count_max, struct buffer *out)
{
    (void)context;
    (void)locator;
    (void)locator_count;
    (void)count_max;
    (void)out;
    return 0;
}

static size_t headers_to(void *context, const struct hash256 *wanted, const struct hash256 *locator,
                         size_t locator_count, struct buffer *out)
{
    (void)wanted;
    return headers_after(context, locator, locator_count, 0, out);
}

static const struct plain_share *at_height(const struct plain_chain *chain, uint32_t height)
{
    const struct plain_share *share = find(chain, &chain->tip.id);
    while (share != NULL && share->height > height)
        share = find(chain, &share->previous);
    return share;
}

// The height of the newest id of the locator on the best chain.
static uint32_t common_height(const struct plain_chain *chain, const struct hash256 *locator,
                              size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct plain_share *share = find(chain, &locator[i]);
        if (share != NULL && !share->waits && at_height(chain, share->height) == share)
            return share->height;
    }
    return 0;
}

// The table says so. NOLINTNEXTLINE(readability-function-size)
static size_t links_after(void *context, const struct hash256 *locator, size_t locator_count,
                          size_t count_max, struct hash256 *from, struct buffer *out)
{
    const struct plain_chain *chain = context;
    uint32_t height = common_height(chain, locator, locator_count);
    size_t count = 0;
    *from = height == 0 ? chain->pool_id : at_height(chain, height)->id;
    for (; count < count_max && height < chain->tip.height; count++) {
        const struct plain_share *share = at_height(chain, ++height);
        write_u16(out, PLAIN_SHARE_SIZE);
        write_bytes(out, share->bytes, PLAIN_SHARE_SIZE);
    }
    return count;
}

static struct chain_proof *proof_new(void *context, const struct hash256 *from)
{
    const struct plain_chain *chain = context;
    const struct plain_share *share = find(chain, from);
    if (!has_link(context, from))
        return NULL;
    struct chain_proof *proof = calloc(1, sizeof *proof);
    assert(proof != NULL);
    proof->chain = chain;
    proof->from_height = share == NULL ? 0 : share->height;
    proof->state.tip =
        (struct chain_tip){*from, proof->from_height, u256_from_u64(proof->from_height)};
    proof->ids = calloc(PLAIN_SHARES_MAX, sizeof proof->ids[0]);
    assert(proof->ids != NULL);
    return proof;
}

static enum chain_proof_result proof_step(struct chain_proof *proof, const uint8_t *skeleton,
                                          size_t size, struct chain_proof_state *state)
{
    struct plain_share share;
    struct chain_tip *tip = &proof->state.tip;
    if (!parse(skeleton, size, &share) || !share.is_link || share.height != tip->height + 1 ||
        !hash_equal(&share.previous, &tip->id) || proof->count == PLAIN_SHARES_MAX)
        return CHAIN_PROOF_BAD;
    *tip = (struct chain_tip){share.id, share.height, u256_from_u64(share.height)};
    proof->ids[proof->count++] = share.id;
    *state = proof->state;
    return CHAIN_PROOF_OK;
}

static void proof_free(struct chain_proof *proof)
{
    if (proof == NULL)
        return;
    free(proof->ids);
    free(proof);
}

static bool proof_accept(void *context, const struct chain_proof *proof, uint32_t *height,
                         struct now now)
{
    const struct plain_chain *chain = context;
    (void)now;
    *height = proof->from_height + 1;
    return proof->state.tip.height > chain->tip.height;
}

static bool proof_link(const struct chain_proof *proof, uint32_t height, struct hash256 *id)
{
    if (height <= proof->from_height || height > proof->from_height + proof->count)
        return false;
    *id = proof->ids[height - proof->from_height - 1];
    return true;
}

static bool proves_work(void *context, const struct hash256 *id, const uint8_t node_tag[16])
{
    const struct plain_chain *chain = context;
    (void)node_tag;
    return hash_equal(id, &chain->working);
}

static size_t lacking(void *context, enum chain_lack kind, struct hash256 *ids, uint32_t *sources,
                      size_t count_max)
{
    const struct plain_chain *chain = context;
    size_t count = 0;
    for (size_t i = 0; i < chain->count && kind == CHAIN_LACKS_SHARE && count < count_max; i++) {
        const struct plain_share *share = &chain->shares[i];
        if (!share->waits || find(chain, &share->previous) != NULL)
            continue;
        ids[count] = share->previous;
        sources[count++] = share->source;
    }
    return count;
}

void plain_chain_init(struct plain_chain *chain, const struct hash256 *pool_id)
{
    memset(chain, 0, sizeof *chain);
    chain->pool_id = *pool_id;
    chain->tip.id = *pool_id;
    chain->shares = calloc(PLAIN_SHARES_MAX, sizeof chain->shares[0]);
    assert(chain->shares != NULL);
    chain->table = (struct network_chain){
        .context = chain,
        .tip = get_tip,
        .has_share = has_share,
        .has_link = has_link,
        .has_header = has_header,
        .share_bytes = share_bytes,
        .body_bytes = body_bytes,
        .is_plausible = is_plausible,
        .add_share = add_share,
        .is_block = is_block,
        .add_body = add_body,
        .add_headers = add_headers,
        .forget_source = forget_source,
        .link_locator = link_locator,
        .header_locator = header_locator,
        .headers_after = headers_after,
        .headers_to = headers_to,
        .links_after = links_after,
        .proof_new = proof_new,
        .proof_step = proof_step,
        .proof_free = proof_free,
        .proof_accept = proof_accept,
        .proof_link = proof_link,
        .proves_work = proves_work,
        .lacking = lacking,
    };
}

void plain_chain_clear(struct plain_chain *chain)
{
    free(chain->shares);
    chain->shares = NULL;
}
