#include "tests/sim/toy_chain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/pow/sha256.h"

#define SLOTS   (4 * TOY_SHARES_MAX)
#define NOWHERE TOY_SHARES_MAX

static size_t slot_of(const struct hash256 *id)
{
    uint64_t start;
    memcpy(&start, id->bytes, sizeof start);
    return (size_t)start % SLOTS;
}

// Its index, or NOWHERE.
static size_t find(const struct toy_pool *pool, const struct hash256 *id)
{
    for (size_t slot = slot_of(id); pool->by_id[slot] != 0; slot = (slot + 1) % SLOTS) {
        size_t share = pool->by_id[slot] - 1u;
        if (hash_equal(&pool->shares[share].id, id))
            return share;
    }
    return NOWHERE;
}

void toy_pool_init(struct toy_pool *pool, const struct hash256 *pool_id)
{
    memset(pool, 0, sizeof *pool);
    pool->pool_id = *pool_id;
}

size_t toy_pool_make(struct toy_pool *pool, struct random *random, int64_t now_us)
{
    assert(pool->count < TOY_SHARES_MAX);
    struct toy_share *share = &pool->shares[pool->count];
    random_bytes(random, share->bytes, sizeof share->bytes);
    share->bytes[0] = 1;
    share->made_us = now_us;
    sha256d_80(share->bytes + 1, &share->id);
    size_t slot = slot_of(&share->id);
    while (pool->by_id[slot] != 0)
        slot = (slot + 1) % SLOTS;
    pool->by_id[slot] = (uint16_t)++pool->count;
    return pool->count - 1;
}

struct gossip_share toy_gossip_share(const struct toy_pool *pool, size_t share, bool is_own)
{
    const struct toy_share *made = &pool->shares[share];
    return (struct gossip_share){
        .id = made->id, .bytes = made->bytes, .size = TOY_SHARE_SIZE, .is_own = is_own};
}

static bool get_bit(const uint8_t *bits, size_t i)
{
    return (bits[i / 8] >> (i % 8)) & 1;
}

static void set_bit(uint8_t *bits, size_t i)
{
    bits[i / 8] |= (uint8_t)(1u << (i % 8));
}

bool toy_chain_has(const struct toy_chain *chain, size_t share)
{
    return get_bit(chain->here, share);
}

void toy_chain_add_own(struct toy_chain *chain, size_t share)
{
    set_bit(chain->here, share);
    set_bit(chain->coming, share);
    chain->became_valid(chain->context, share, true);
}

// ---- The table

static void get_tip(void *context, struct chain_tip *tip)
{
    const struct toy_chain *chain = context;
    *tip = (struct chain_tip){.id = chain->pool->pool_id};
}

static bool has_share(void *context, const struct hash256 *id)
{
    const struct toy_chain *chain = context;
    size_t share = find(chain->pool, id);
    return share != NOWHERE && get_bit(chain->here, share);
}

static bool has_link(void *context, const struct hash256 *id)
{
    const struct toy_chain *chain = context;
    return hash_equal(id, &chain->pool->pool_id);
}

static bool has_header(void *context, const struct hash256 *id)
{
    (void)context;
    (void)id;
    return true;
}

static bool share_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    const struct toy_chain *chain = context;
    size_t share = find(chain->pool, id);
    if (share == NOWHERE || !get_bit(chain->here, share) || chain->is_hole)
        return false;
    write_bytes(out, chain->pool->shares[share].bytes, TOY_SHARE_SIZE);
    return true;
}

static bool body_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    (void)context;
    (void)id;
    (void)out;
    return false;
}

static bool is_plausible(void *context, const struct hash256 *id)
{
    (void)context;
    (void)id;
    return true;
}

struct check {
    struct toy_chain *chain;
    size_t share;
};

static void end_check(void *context)
{
    struct check check = *(struct check *)context;
    free(context);
    set_bit(check.chain->here, check.share);
    check.chain->became_valid(check.chain->context, check.share, false);
}

static enum chain_verdict add_share(void *context, const struct chain_arrival *arrival,
                                    struct now now)
{
    struct toy_chain *chain = context;
    struct hash256 id;
    (void)now;
    if (arrival->share_size != TOY_SHARE_SIZE)
        return CHAIN_INVALID;
    sha256d_80(arrival->share + 1, &id);
    size_t share = find(chain->pool, &id);
    if (share != NOWHERE && get_bit(chain->coming, share))
        return CHAIN_VALID;
    chain->checked++;
    int64_t done_us = host_work(chain->host, TOY_CHECK_US);
    if (share == NOWHERE)
        return CHAIN_INVALID;
    set_bit(chain->coming, share);
    struct check *check = malloc(sizeof *check);
    if (check == NULL)
        abort();
    *check = (struct check){chain, share};
    host_at(chain->host, done_us, end_check, check);
    return CHAIN_VALID;
}

static bool is_block(void *context, const struct hash256 *id, const uint8_t *block, size_t size)
{
    (void)context;
    (void)id;
    (void)block;
    (void)size;
    return false;
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
    (void)context;
    (void)source;
}

static size_t locator(void *context, struct hash256 *ids)
{
    const struct toy_chain *chain = context;
    ids[0] = chain->pool->pool_id;
    return 1;
}

static size_t headers_after(void *context, const struct hash256 *ids, size_t ids_count,
                            size_t count_max, struct buffer *out)
{
    (void)context;
    (void)ids;
    (void)ids_count;
    (void)count_max;
    (void)out;
    return 0;
}

static size_t headers_to(void *context, const struct hash256 *wanted, const struct hash256 *ids,
                         size_t ids_count, struct buffer *out)
{
    (void)wanted;
    return headers_after(context, ids, ids_count, 0, out);
}

// The table says so. NOLINTNEXTLINE(readability-function-size)
static size_t links_after(void *context, const struct hash256 *ids, size_t ids_count,
                          size_t count_max, struct hash256 *from, struct buffer *out)
{
    const struct toy_chain *chain = context;
    *from = chain->pool->pool_id;
    return headers_after(context, ids, ids_count, count_max, out);
}

// There are no links, so nobody has anything to prove.
static struct chain_proof *proof_new(void *context, const struct hash256 *from)
{
    (void)context;
    (void)from;
    return NULL;
}

static enum chain_proof_result proof_step(struct chain_proof *proof, const uint8_t *skeleton,
                                          size_t size, struct chain_proof_state *state)
{
    (void)proof;
    (void)skeleton;
    (void)size;
    (void)state;
    return CHAIN_PROOF_BAD;
}

static void proof_free(struct chain_proof *proof)
{
    assert(proof == NULL);
}

static bool proof_accept(void *context, const struct chain_proof *proof, uint32_t *height,
                         struct now now)
{
    (void)context;
    (void)proof;
    (void)height;
    (void)now;
    return false;
}

static bool proof_link(const struct chain_proof *proof, uint32_t height, struct hash256 *id)
{
    (void)proof;
    (void)height;
    (void)id;
    return false;
}

static size_t lacking(void *context, enum chain_lack kind, struct hash256 *ids, uint32_t *sources,
                      size_t count_max)
{
    (void)context;
    (void)kind;
    (void)ids;
    (void)sources;
    (void)count_max;
    return 0;
}

void toy_chain_init(struct toy_chain *chain, struct toy_pool *pool, struct host *host)
{
    memset(chain, 0, sizeof *chain);
    chain->pool = pool;
    chain->host = host;
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
        .link_locator = locator,
        .header_locator = locator,
        .headers_after = headers_after,
        .headers_to = headers_to,
        .links_after = links_after,
        .proof_new = proof_new,
        .proof_step = proof_step,
        .proof_free = proof_free,
        .proof_accept = proof_accept,
        .proof_link = proof_link,
        .lacking = lacking,
    };
}
