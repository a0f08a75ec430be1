// The shares that a link gives credit for, one by one (protocol section 7): what links add up, and
// what others who look at the chain want to know of each. Read from the store: nothing of it is
// kept in memory.
#include <string.h>
#include "sharechain/state.h"

struct u256 inclusion_fee(const struct pool *pool, const struct u256 *weight)
{
    // Valid shares weigh less than 2^240: more work than there is, so the product does not
    // overflow.
    struct u256 fee = u256_multiply_u64(weight, pool->inclusion_fee_bp, NULL);
    return u256_divide_u64(&fee, 10000);
}

// False if the share is not in the store, or of a root whose share is gone.
static bool read_share(const struct sharechain *chain, const struct hash256 *id,
                       struct credited_share *credited)
{
    const struct entry *entry = map_find(chain->entries, id);
    struct share share;
    struct header header;
    struct u256 target;
    memset(credited, 0, sizeof(*credited));
    if (entry == NULL || !sharechain_share_stored(chain, id, &share, &credited->pow))
        return false;
    header_decode(share.header, &header);
    credited->id = *id;
    credited->payout_script = share.info.payout_script;
    memcpy(credited->node_tag, share.info.node_tag, sizeof(credited->node_tag));
    credited->link_height = share.info.link_height;
    entry_weight(chain, entry, &credited->weight);
    credited->is_block =
        target_expand(header.bits, &target) && target_is_met(&credited->pow, &target);
    return true;
}

static bool visit_grains(const struct sharechain *chain, const struct body *body,
                         sharechain_credited_visitor *visit, void *context)
{
    for (size_t i = 0; i < body->count; i++) {
        struct credited_share credited;
        struct hash256 id;
        body_id_at(body, i, &id);
        if (!read_share(chain, &id, &credited))
            return false;
        credited.is_credited = true;
        credited.fee = inclusion_fee(chain->pool, &credited.weight);
        visit(context, &credited);
    }
    return true;
}

bool sharechain_link_shares(const struct sharechain *chain, const struct hash256 *id,
                            sharechain_credited_visitor *visit, void *context)
{
    const struct entry *entry = map_find(chain->entries, id);
    struct credited_share own;
    if (entry == NULL || entry->link == NULL || !read_share(chain, id, &own))
        return false;
    struct buffer bytes;
    struct body body;
    size_t grains_max = chain->pool->body_grains_max;
    buffer_init(&bytes, 16 + sizeof(struct hash256) * grains_max);
    bool is_here = sharechain_body_bytes(chain, id, &bytes) &&
                   body_decode(bytes.data, bytes.size, grains_max, &body);
    if (is_here) {
        own.is_link = true;
        own.is_credited = !entry->is_detached;
        visit(context, &own);
        is_here = visit_grains(chain, &body, visit, context);
    }
    buffer_clear(&bytes);
    return is_here;
}

uint32_t sharechain_whole_from(const struct sharechain *chain)
{
    return chain->whole_from;
}
